/*
 * pread, or a .gz's content.  The kubelet compresses all but the newest rotated
 * file, so after a while without us most unread bytes are compressed.
 */
#include "place.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gunzip.h"
#include "units.h"

/* More than deflate can make of a byte (zlib, Technical Details). */
#define RATIO 1032
#define FORWARD (8u << 20)    /* bytes that are inflated in one turn to come to an offset */
#define UNREAD UINT64_MAX     /* they could not be read yet */
#define LINE_BACK (64u << 10) /* so far is gone back to the start of a line */

struct packed {
	struct unpacking *unpacking; /* the tail's */
	uint64_t on_disk;
	uint64_t claimed; /* length of the content by the last four bytes, modulo 2^32; or UNREAD */
	uint64_t end;     /* … by having read it; UINT64_MAX: not yet */
	bool corrupt;
};

/* ---- open and close */

static uint64_t
claimed_size(const struct place *p)
{
	uint64_t on_disk = p->packed->on_disk;
	unsigned char size[4];
	ssize_t got = on_disk < 18 ? 0 : pread(p->fd, size, 4, (off_t)on_disk - 4);

	if (got < 0) {
		*p->failed = (struct failed){ .why = errno, .of = p };
		return UNREAD;
	}
	if (got < 4)
		return 0;
	return size[0] | (uint64_t)size[1] << 8 | (uint64_t)size[2] << 16 | (uint64_t)size[3] << 24;
}

void
place_changed(struct place *p)
{
	struct packed *packed = p->packed;
	struct stat st;

	if (packed == NULL || fstat(p->fd, &st) < 0)
		return;
	gunzip_forget(packed->unpacking->gunzip, p->fd);
	packed->on_disk = (uint64_t)st.st_size;
	packed->claimed = UNREAD;
	packed->end = UINT64_MAX;
	packed->corrupt = false;
	place_measure(p);
}

void
place_begin(struct tail *t, struct place *p)
{
	if (slice_ends(slice_of(p->name), SLICE(".gz"))) {
		p->packed = xcalloc(1, sizeof(*p->packed));
		p->packed->unpacking = t->unpacking;
		t->unpacking->n++;
		place_changed(p);
	}
	place_measure(p);
}

void
place_fini(struct tail *t, struct place *p)
{
	if (p->packed == NULL)
		return;
	gunzip_forget(t->unpacking->gunzip, p->fd);
	free(p->packed);
	if (--t->unpacking->n == 0)
		place_free(t);
}

void
place_free(struct tail *t)
{
	gunzip_free(t->unpacking->gunzip);
	t->unpacking->gunzip = NULL;
}

/* ---- reading */

static ssize_t
packed_read(const struct place *p, void *to, size_t n, uint64_t offset)
{
	struct packed *packed = p->packed;
	struct gunzip **gunzip = &packed->unpacking->gunzip;
	enum gunzip_end end = GUNZIP_MORE;
	ssize_t got;

	if (offset >= packed->end)
		return 0;
	if (*gunzip == NULL)
		*gunzip = gunzip_new(packed->unpacking->most);
	/* Shipped to its end already: nothing need be inflated to know it. */
	if (offset == packed->claimed && offset > 0 && !gunzip_at(*gunzip, p->fd, offset))
		return 0;
	got = gunzip_read(*gunzip, p->fd, to, n, offset, &end);
	if (end != GUNZIP_MORE) {
		packed->end = gunzip_out(*gunzip);
		packed->corrupt = end == GUNZIP_CORRUPT;
	}
	return got;
}

bool
place_ready(const struct place *p, uint64_t offset)
{
	struct packed *packed = p->packed;
	struct gunzip **gunzip = packed != NULL ? &packed->unpacking->gunzip : NULL;

	if (packed == NULL || offset >= packed->end)
		return true;
	if (*gunzip == NULL)
		*gunzip = gunzip_new(packed->unpacking->most);
	if (offset > 0 && offset == packed->claimed && !gunzip_at(*gunzip, p->fd, offset))
		return true; /* as packed_read */
	return gunzip_go(*gunzip, p->fd, offset, FORWARD);
}

/* A disk may give a part alone, though there is more. */
static ssize_t
plain_read(const struct place *p, char *to, size_t n, uint64_t offset)
{
	size_t all = 0;
	ssize_t got = 0;

	while (all < n && (got = pread(p->fd, to + all, n - all, (off_t)(offset + all))) > 0)
		all += (size_t)got;
	return got < 0 ? -1 : (ssize_t)all;
}

ssize_t
place_read(const struct place *p, void *to, size_t n, uint64_t offset)
{
	ssize_t got =
	    p->packed != NULL ? packed_read(p, to, n, offset) : plain_read(p, to, n, offset);

	if (got < 0)
		*p->failed = (struct failed){ .why = errno, .of = p };
	return got;
}

void
place_measure(struct place *p)
{
	struct packed *packed = p->packed;
	struct stat st;

	if (place_is_cut(p) && fstat(p->fd, &st) == 0 && (uint64_t)st.st_size != packed->on_disk)
		place_changed(p);
	if (packed != NULL && packed->claimed == UNREAD)
		packed->claimed = claimed_size(p);
	if (packed != NULL && packed->end != UINT64_MAX)
		p->size = packed->end;
	else if (packed != NULL)
		p->size = packed->claimed == UNREAD ? 0 : packed->claimed;
	else if (fstat(p->fd, &st) == 0)
		p->size = (uint64_t)st.st_size;
}

uint64_t
place_claims(const struct place *p)
{
	const struct packed *packed = p->packed;

	return packed != NULL && packed->claimed / RATIO <= packed->on_disk ? packed->claimed : 0;
}

bool
place_is_cut(const struct place *p)
{
	return p->packed != NULL && p->packed->corrupt;
}

uint64_t
place_line_start(const struct place *p, uint64_t offset, enum utf16 encoding)
{
	const struct rules rules = { .utf16 = encoding };
	struct content c = { 0 };
	char *bytes = xmalloc(LINE_BACK);
	uint64_t from = offset > LINE_BACK ? offset - LINE_BACK : 0, found = 0;
	struct slice rest = { bytes, 0 }, line;
	size_t size;
	ssize_t n;

	if (encoding != UTF16_NONE && place_read(p, bytes, 2, 0) == 2)
		c.mark = utf16_mark((struct slice){ bytes, 2 });
	n = place_read(p, bytes, (size_t)(offset - from), from);
	rest.len = n > 0 ? (size_t)n : 0;
	while ((size = units_line(rest, units_of(&rules, &c), offset - rest.len, &line)) > 0) {
		rest = slice_from(rest, size);
		found = offset - rest.len;
	}
	free(bytes);
	return found != 0 || from == 0 ? found : offset;
}

/* ---- turns */

bool
place_turn(struct tail *t, const struct place *p, const struct reader *r)
{
	const struct reader *by = t->unpacking->by;

	return p->packed == NULL || by == NULL || by == r || (by->feeds == 0 && r->feeds != 0);
}

void
place_turned(struct tail *t, const struct reader *r, bool more)
{
	if (more)
		t->unpacking->by = r;
	else if (t->unpacking->by == r)
		t->unpacking->by = NULL;
}
