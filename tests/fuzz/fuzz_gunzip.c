/*
 * .gz files: the input packed by zlib, or the input as it is (mostly no .gz at all),
 * read at any offsets as zlib's own gzread(3) has it.
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

/* As zlib has it: true when it is whole, to its end. */
static bool
slow_read(int fd, struct buffer *to)
{
	gzFile gz;
	int n = 0, error = Z_OK;

	if (lseek(fd, 0, SEEK_SET) < 0)
		abort();
	gz = gzdopen(dup(fd), "rb");
	while (to->len < WHOLE_MOST && (n = gzread(gz, buffer_need(to, 8192), 8192)) > 0)
		to->len += (size_t)n;
	gzerror(gz, &error);
	gzclose(gz);
	return n == 0 && error == Z_OK;
}

static void
pieces_judge(int fd, struct slice want, bool whole)
{
	struct gunzip *g = gunzip_new(PIECE);
	char *piece = xmalloc(PIECE);

	for (unsigned n = 0; n < 20; n++) {
		size_t at = any((unsigned)want.len + 100), most = 1 + any(PIECE);
		enum gunzip_end end;
		ssize_t got = gunzip_read(g, fd, piece, most, at, &end);
		size_t due = at < want.len ? (size_t)least(most, want.len - at) : 0;

		if (got < 0 || (size_t)got < due || memcmp(piece, want.at + at, due) != 0)
			WRONG("%zd bytes at %zu, not %zu", got, at, due);
		if (whole && (size_t)got != due)
			WRONG("%zd bytes at %zu, not %zu", got, at, due);
		if (whole && end == GUNZIP_CORRUPT)
			WRONG("it is whole");
		if (any(8) == 0)
			gunzip_forget(g, fd);
	}
	free(piece);
	gunzip_free(g);
}

/* Other files are copied by gzread(3). */
static bool
is_gz(int fd)
{
	char magic[2];

	return lseek(fd, 0, SEEK_END) >= 18 && pread(fd, magic, 2, 0) == 2 &&
	       memcmp(magic, "\x1f\x8b", 2) == 0;
}

static void
fuzz(struct slice input)
{
	struct slice text = fuzz_chance(input);
	int fd = memfd_create("gz", MFD_CLOEXEC);
	struct buffer want;
	bool whole = false;

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
	if (is_gz(fd))
		whole = slow_read(fd, &want);
	pieces_judge(fd, buffer_slice(&want), whole);
	buffer_fini(&want);
	close(fd);
}
