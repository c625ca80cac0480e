/*
 * Where a file's bytes come from: pread, or a .gz's content.  The kubelet
 * compresses all but the newest rotated file, so after a while without us most
 * of what is left to read is compressed.
 */
#include "content.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gunzip.h"
#include "lost.h"

/* More than deflate can make of a byte (zlib, Technical Details). */
#define RATIO 1032

struct packed {
	struct gunzip **gunzip; /* the tail's: it is made when one is needed */
	const size_t *most;     /* … of what is read at once */
	uint64_t on_disk;
	uint64_t claimed; /* length of the content by the last four bytes, modulo 2^32 */
	uint64_t end;     /* … by having read it; UINT64_MAX: not yet */
	bool corrupt;
};

/* ---- open and close */

static uint64_t
claimed_size(int fd, uint64_t on_disk)
{
	unsigned char size[4];

	if (on_disk < 18 || pread(fd, size, 4, (off_t)on_disk - 4) != 4)
		return 0;
	return size[0] | (uint64_t)size[1] << 8 | (uint64_t)size[2] << 16 | (uint64_t)size[3] << 24;
}

void
content_begin(struct tail *t, struct file *f)
{
	struct packed *p;
	struct stat st;

	if (!slice_ends(slice_of(f->target), SLICE(".gz")))
		return;
	p = xcalloc(1, sizeof(*p));
	p->gunzip = &t->gunzip;
	p->most = &t->buffer_size;
	if (fstat(f->fd, &st) == 0)
		p->on_disk = (uint64_t)st.st_size;
	p->claimed = claimed_size(f->fd, p->on_disk);
	p->end = UINT64_MAX;
	f->packed = p;
	f->size = p->claimed;
	t->npacked++;
}

void
content_fini(struct tail *t, struct file *f)
{
	if (f->packed == NULL)
		return;
	gunzip_forget(t->gunzip, f->fd);
	if (t->unpacking == f)
		t->unpacking = NULL;
	free(f->packed);
	f->packed = NULL;
	if (--t->npacked == 0)
		content_free(t);
}

void
content_free(struct tail *t)
{
	gunzip_free(t->gunzip);
	t->gunzip = NULL;
}

/* ---- reading */

/*
 * The content ends before its time: what the trailer claims beyond is lost.
 * With a trailer that cannot be right, the file was cut off, nobody knows how
 * far; when only the checksum is wrong, nobody knows where.
 */
static void
corrupt(const struct file *f, struct packed *p)
{
	bool known = p->claimed > p->end && p->claimed / RATIO <= p->on_disk;

	p->corrupt = true;
	lost_add(f->path, f->target, LOST_GZIP, known ? p->claimed - p->end : 1);
	say_warn("tail",
	    "%s is corrupt or cut off behind %" PRIu64
	    " bytes of its content: going on without the rest%s",
	    f->target, p->end, known ? "" : ", whose length is unknown");
	if (!known)
		p->claimed = p->end;
}

static ssize_t
packed_read(const struct file *f, void *to, size_t n, uint64_t offset)
{
	struct packed *p = f->packed;
	enum gunzip_end end = GUNZIP_MORE;
	ssize_t got;

	if (offset >= p->end)
		return 0;
	if (*p->gunzip == NULL)
		*p->gunzip = gunzip_new(*p->most);
	/* Shipped to its end already: nothing need be inflated to know it. */
	if (offset == p->claimed && offset > 0 && !gunzip_at(*p->gunzip, f->fd, offset))
		return 0;
	got = gunzip_read(*p->gunzip, f->fd, to, n, offset, &end);
	if (end != GUNZIP_MORE && p->end == UINT64_MAX) {
		p->end = gunzip_out(*p->gunzip);
		if (end == GUNZIP_CORRUPT)
			corrupt(f, p);
	}
	return got;
}

ssize_t
content_read(const struct file *f, void *to, size_t n, uint64_t offset)
{
	if (f->packed != NULL)
		return packed_read(f, to, n, offset);
	return pread(f->fd, to, n, (off_t)offset);
}

uint64_t
content_size(const struct file *f, uint64_t on_disk)
{
	const struct packed *p = f->packed;

	if (f->let_go || f->fd < 0)
		return f->offset;
	if (p == NULL)
		return on_disk;
	if (p->end != UINT64_MAX)
		return p->end > f->offset ? p->end : f->offset;
	return p->claimed > f->offset ? p->claimed : f->offset;
}

uint64_t
content_end(const struct file *f)
{
	const struct packed *p = f->packed;

	return p != NULL && p->corrupt && p->claimed > f->offset ? p->claimed : f->offset;
}

void
content_measure(struct file *f)
{
	struct stat st;

	if (fstat(f->fd, &st) == 0)
		f->size = content_size(f, (uint64_t)st.st_size);
}

/* ---- turns */

bool
content_turn(struct tail *t, struct file *f)
{
	return f->packed == NULL || t->unpacking == NULL || t->unpacking == f;
}

void
content_turned(struct tail *t, struct file *f, bool more)
{
	if (f->packed == NULL)
		return;
	if (more)
		t->unpacking = f;
	else if (t->unpacking == f)
		t->unpacking = NULL;
}
