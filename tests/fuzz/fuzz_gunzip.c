/*
 * .gz files: the input packed by zlib, or the input as it is (mostly no .gz at all),
 * read at any offsets as zlib has the whole of it, inflated at once.  Not by gzread(3): a
 * member that is cut behind as many bytes as its buffer holds is whole for it (1.2.13).
 */
#include "fuzz.h"

#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "gunzip.h"
#include "memory.h"

#define WHOLE_MOST ((size_t)1 << 20)
#define PIECE 3000 /* bytes that are kept at least */

static void
file_put(int fd, struct slice bytes)
{
	if (write(fd, bytes.at, bytes.len) != (ssize_t)bytes.len)
		abort();
}

/* A member of what stands there, or of it some times over. */
static void
member_put(int fd, struct slice text)
{
	unsigned char out[8192];
	z_stream z = { 0 };
	int said;

	if (deflateInit2(&z, 1 + (int)any(9), Z_DEFLATED, 31, 8, (int)any(5)) != Z_OK)
		abort();
	for (unsigned left = any(4) == 0 ? 1 + any(60) : 1; left > 0; left--) {
		z.next_in = (unsigned char *)(uintptr_t)text.at;
		z.avail_in = (uInt)text.len;
		do {
			z.next_out = out;
			z.avail_out = sizeof(out);
			said = deflate(&z, left == 1 ? Z_FINISH : any(3) == 0 ? Z_FULL_FLUSH : 0);
			file_put(fd, (struct slice){ (char *)out, sizeof(out) - z.avail_out });
		} while (z.avail_out == 0 || (left == 1 && said != Z_STREAM_END));
	}
	deflateEnd(&z);
}

/* The members of the file; ${to} has them up to WHOLE_MOST.  Z_OK: there is more than that. */
static int
slow_read(struct slice file, struct buffer *to)
{
	z_stream z = { .next_in = (unsigned char *)(uintptr_t)file.at, .avail_in = (uInt)file.len };
	int said = inflateInit2(&z, 31);

	while (said == Z_OK && to->len < WHOLE_MOST) {
		z.next_out = (unsigned char *)buffer_need(to, PIECE);
		z.avail_out = PIECE;
		said = inflate(&z, Z_NO_FLUSH);
		to->len += PIECE - z.avail_out;
		if (said == Z_STREAM_END && z.avail_in >= 2 &&
		    memcmp(z.next_in, "\x1f\x8b", 2) == 0)
			said = inflateReset(&z);
	}
	inflateEnd(&z);
	return said;
}

/* Where a read came to the end, this says how the file ends. */
static void
end_judge(enum gunzip_end end, int said)
{
	enum gunzip_end due = said == Z_STREAM_END ? GUNZIP_ENDED : GUNZIP_CORRUPT;

	if (said != Z_OK && end != due)
		WRONG("it ends as %d, not %d", end, due);
}

static void
pieces_judge(int fd, struct slice want, int said)
{
	struct gunzip *g = gunzip_new(PIECE);
	char *piece = xmalloc(PIECE);

	for (unsigned n = 0; n < 20; n++) {
		size_t at = any((unsigned)want.len + 100), most = 1 + any(PIECE);
		enum gunzip_end end;
		ssize_t got = gunzip_read(g, fd, piece, most, at, &end);
		size_t due = at < want.len ? (size_t)least(most, want.len - at) : 0;

		if (got < 0 || (size_t)got < due || (said != Z_OK && (size_t)got != due) ||
		    memcmp(piece, want.at + at, due) != 0)
			WRONG("%zd bytes at %zu, not %zu", got, at, due);
		if (end != GUNZIP_MORE || (size_t)got < most)
			end_judge(end, said);
		if (any(8) == 0)
			gunzip_forget(g, fd);
	}
	free(piece);
	gunzip_free(g);
}

/* The bytes of the file; the caller frees them by exact_free(). */
static struct slice
file_read(int fd)
{
	size_t len = (size_t)lseek(fd, 0, SEEK_END);
	char *to = xmalloc(len + 1);

	if (pread(fd, to, len, 0) != (ssize_t)len)
		abort();
	return (struct slice){ to, len };
}

static void
fuzz(struct slice input)
{
	struct slice text = fuzz_chance(input);
	int fd = memfd_create("gz", MFD_CLOEXEC);
	struct buffer want;
	struct slice file;
	int said;

	buffer_init(&want, 0);
	buffer_need(&want, 1);
	if (any(4) == 0) {
		file_put(fd, text);
	} else {
		for (unsigned n = 1 + any(3); n > 0; n--)
			member_put(fd, text);
		if (any(4) == 0 && ftruncate(fd, any((unsigned)lseek(fd, 0, SEEK_END) + 1)) != 0)
			abort();
		if (any(4) == 0 && pwrite(fd, text.at, text.len / 2, any(2000)) < 0)
			abort();
	}
	file = file_read(fd);
	said = slow_read(file, &want);
	pieces_judge(fd, buffer_slice(&want), said);
	buffer_fini(&want);
	exact_free(file);
	close(fd);
}
