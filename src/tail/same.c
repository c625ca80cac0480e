/*
 * Is a file still the one that was read?  A file that is truncated may have
 * grown beyond where we were before we look again; its size says nothing then,
 * but the bytes before our offset are others.
 *
 * While we run, each read begins so many bytes before its offset.  Over a
 * restart the state's checkpoints say what stood there.
 */
#include "same.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "content.h"

#define BEFORE 256 /* bytes */

/* The content of a .gz, and of what we have let go, does not change. */
static bool
is_fixed(const struct file *f)
{
	return f->packed != NULL || f->let_go || f->fd < 0;
}

static size_t
span_of(uint64_t offset)
{
	return offset < BEFORE ? (size_t)offset : BEFORE;
}

size_t
same_span(const struct file *f)
{
	return is_fixed(f) ? 0 : span_of(f->offset);
}

/* False: so many bytes are not there. */
static bool
hash_before(const struct file *f, uint64_t offset, uint64_t *hash)
{
	size_t n = span_of(offset);
	char bytes[BEFORE];

	if (content_read(f, bytes, n, offset - n) != (ssize_t)n)
		return false;
	*hash = XXH3_64bits(bytes, n);
	return true;
}

void
same_begin(struct file *f, struct slice first)
{
	f->head_size = span_of(first.len);
	f->head = XXH3_64bits(first.at, f->head_size);
}

void
same_open(struct file *f)
{
	char bytes[BEFORE];
	ssize_t n = is_fixed(f) ? 0 : content_read(f, bytes, BEFORE, 0);

	same_begin(f, (struct slice){ bytes, n > 0 ? (size_t)n : 0 });
}

bool
same_head(const struct file *f, struct slice there)
{
	return f->head_size == 0 ||
	       (there.len >= f->head_size && XXH3_64bits(there.at, f->head_size) == f->head);
}

void
same_note(const struct tail *t, struct file *f)
{
	const struct frame *fr = &t->frame;
	size_t n = same_span(f);

	f->before_at = f->offset;
	if (is_fixed(f))
		return;
	if (fr->of == f && f->offset >= fr->from + n && f->offset <= fr->to)
		f->before = XXH3_64bits(fr->bytes + (f->offset - fr->from) - n, n);
	else if (!hash_before(f, f->offset, &f->before))
		f->before_at = UINT64_MAX;
}

/* At its head nothing stands before: then what stands there. */
static size_t
asked_size(const struct file *f)
{
	return f->offset == 0 ? f->head_size : same_span(f);
}

bool
same_is(const struct file *f, struct slice there)
{
	size_t n = asked_size(f);

	if (f->before_at != f->offset || is_fixed(f))
		return true;
	return there.len >= n &&
	       XXH3_64bits(there.at, n) == (f->offset == 0 && n > 0 ? f->head : f->before);
}

bool
same_still(const struct file *f)
{
	char bytes[BEFORE];
	size_t n = asked_size(f);
	uint64_t from = f->offset == 0 ? 0 : f->offset - n;
	ssize_t got;

	if (is_fixed(f))
		return true;
	got = content_read(f, bytes, n, from);
	return same_is(f, (struct slice){ bytes, got > 0 ? (size_t)got : 0 });
}

#define ALIKE ((size_t)4096) /* bytes of two files that are compared */

static bool
is_alike(const struct file *a, const struct file *b, uint64_t from, size_t n)
{
	char at[ALIKE], bt[ALIKE];

	return content_read(a, at, n, from) == (ssize_t)n &&
	       content_read(b, bt, n, from) == (ssize_t)n && memcmp(at, bt, n) == 0;
}

bool
same_content(const struct file *a, const struct file *b)
{
	uint64_t both = a->size < b->size ? a->size : b->size;
	size_t n = both < ALIKE ? (size_t)both : ALIKE;

	return is_alike(a, b, 0, n) && is_alike(a, b, both - n, n);
}

/* ---- checkpoints */

uint64_t
file_shipped(struct tail *t, struct file *f)
{
	uint64_t out = cursor_shipped(t->book, &f->stream->cursor[SIDE_STDOUT]);
	uint64_t err = cursor_shipped(t->book, &f->stream->cursor[SIDE_STDERR]);

	return out < err ? out : err;
}

/* What stands before the cursor is asked of the file, which must not have changed unseen. */
static bool
checkpoint_make(const struct file *f, uint64_t offset, struct checkpoint *out)
{
	out->offset = offset;
	if (f->before_at != f->offset)
		return false;
	if (offset == f->offset) {
		out->hash = f->before;
		return true;
	}
	return offset < f->offset && hash_before(f, offset, &out->hash) && same_still(f);
}

void
same_checkpoint(struct tail *t, struct file *f)
{
	struct checkpoint now;
	uint64_t least;

	if (f->stream == NULL || f->duplicate)
		return;
	if (f->size != f->noted) {
		state_size(t->state, &f->stream->identity, f->size);
		f->noted = f->size;
	}
	least = file_shipped(t, f);
	if (least == f->checked || is_fixed(f) || !checkpoint_make(f, least, &now))
		return;
	state_checkpoint(t->state, &f->stream->identity, &now);
	f->checked = least;
}

uint64_t
same_to(const struct tail *t, const struct file *f, const struct identity *id,
    const struct stream_state *known)
{
	struct checkpoint checks[CHECKPOINTS];
	unsigned n = state_checkpoints(t->state, id, checks), i = 0;
	bool all = !f->changed && known->side[SIDE_STDOUT].shipped <= f->size &&
		   known->side[SIDE_STDERR].shipped <= f->size;
	uint64_t hash;

	if (is_fixed(f))
		return SAME_ALL;
	while (i < n && (checks[i].offset > f->size || !hash_before(f, checks[i].offset, &hash) ||
			    hash != checks[i].hash))
		i++;
	if (all && i == 0)
		return SAME_ALL;
	return i < n ? checks[i].offset : 0;
}
