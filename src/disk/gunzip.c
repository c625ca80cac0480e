/*
 * Inflating one .gz at a time.  Reading goes forward in steps that overlap (a
 * line that a step cut is read again), so the newest bytes are kept; for older
 * ones the file is inflated again from its start.
 *
 * A file may hold several members one behind the other (RFC 1952, 2.2); bytes
 * behind the last one that are no member are passed over, as by gzip(1).
 */
#include "gunzip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "memory.h"

#define STEP ((size_t)64 << 10)

struct gunzip {
	z_stream z;
	int fd;       /* -1: none */
	uint64_t in;  /* compressed bytes that were taken */
	uint64_t out; /* of the content that were made */
	enum gunzip_end end;
	size_t most; /* at once */
	char *kept;  /* the newest of the content, … */
	size_t nkept;
	unsigned char input[STEP];
};

struct gunzip *
gunzip_new(size_t most)
{
	struct gunzip *g = xcalloc(1, sizeof(*g));

	g->fd = -1;
	g->most = most;
	g->kept = xmalloc(most + 4 * STEP);
	if (inflateInit2(&g->z, 16 + MAX_WBITS) != Z_OK)
		abort(); /* as xmalloc would */
	return g;
}

void
gunzip_free(struct gunzip *g)
{
	if (g == NULL)
		return;
	inflateEnd(&g->z);
	free(g->kept);
	free(g);
}

void
gunzip_forget(struct gunzip *g, int fd)
{
	if (g != NULL && g->fd == fd)
		g->fd = -1;
}

uint64_t
gunzip_out(const struct gunzip *g)
{
	return g->out;
}

bool
gunzip_at(const struct gunzip *g, int fd, uint64_t offset)
{
	return g->fd == fd && offset >= g->out - g->nkept;
}

static void
restart(struct gunzip *g, int fd)
{
	inflateReset(&g->z);
	g->fd = fd;
	g->in = g->out = 0;
	g->nkept = 0;
	g->end = GUNZIP_MORE;
}

/* A member has ended: the next begins if its magic number follows.  False: it cannot be read. */
static bool
member_ended(struct gunzip *g)
{
	unsigned char magic[2];
	ssize_t got = pread(g->fd, magic, sizeof(magic), (off_t)g->in);

	if (got == sizeof(magic) && magic[0] == 0x1f && magic[1] == 0x8b)
		inflateReset(&g->z);
	else
		g->end = GUNZIP_ENDED;
	return got >= 0;
}

/* Make up to STEP more bytes.  False: the file cannot be read (errno). */
static bool
step(struct gunzip *g)
{
	ssize_t got = pread(g->fd, g->input, STEP, (off_t)g->in);
	size_t made;
	int said;

	if (got < 0)
		return false;
	if (g->nkept > g->most + 2 * STEP) {
		size_t drop = g->nkept - (g->most + STEP);

		memmove(g->kept, g->kept + drop, g->nkept - drop);
		g->nkept -= drop;
	}
	g->z.next_in = g->input;
	g->z.avail_in = (uInt)got;
	g->z.next_out = (unsigned char *)g->kept + g->nkept;
	g->z.avail_out = STEP;
	said = inflate(&g->z, Z_NO_FLUSH);
	made = STEP - g->z.avail_out;
	g->in += (uint64_t)got - g->z.avail_in;
	g->out += made;
	g->nkept += made;
	if (said == Z_STREAM_END)
		return member_ended(g);
	if ((said != Z_OK && said != Z_BUF_ERROR) || (got == 0 && made == 0))
		g->end = GUNZIP_CORRUPT;
	return true;
}

bool
gunzip_go(struct gunzip *g, int fd, uint64_t offset, uint64_t most)
{
	uint64_t from;

	if (!gunzip_at(g, fd, offset))
		restart(g, fd);
	from = g->out;
	while (g->end == GUNZIP_MORE && g->out < offset && g->out - from < most) {
		if (!step(g)) {
			g->fd = -1;
			return true;
		}
	}
	return g->out >= offset || g->end != GUNZIP_MORE;
}

ssize_t
gunzip_read(struct gunzip *g, int fd, void *to, size_t n, uint64_t offset, enum gunzip_end *end)
{
	uint64_t from;

	if (!gunzip_at(g, fd, offset))
		restart(g, fd);
	while (g->end == GUNZIP_MORE && g->out < offset + n) {
		if (!step(g)) {
			g->fd = -1;
			return -1;
		}
	}
	*end = g->end;
	if (offset >= g->out)
		return 0;
	if (n > g->out - offset)
		n = (size_t)(g->out - offset);
	from = g->out - g->nkept;
	memcpy(to, g->kept + (offset - from), n);
	return (ssize_t)n;
}

ssize_t
gunzip_head(int fd, void *to, size_t n)
{
	struct gunzip *g = gunzip_new(n);
	enum gunzip_end end;
	ssize_t got = gunzip_read(g, fd, to, n, 0, &end);

	gunzip_free(g);
	return got;
}
