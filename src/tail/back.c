/*
 * Going back in a file.  The server parked what it feeds and lets it go on; or
 * it was truncated, which is seen by its size or by what stands before our
 * offset (same.c).
 *
 * Truncated, it begins anew, as at a start: begin.c finds out which stream it
 * is now and from where.  Who truncates may have made a copy first
 * (logrotate's copytruncate): the stream goes on in that.
 */
#include "back.h"

#include <inttypes.h>

#include "ahead.h"
#include "beside.h"
#include "lost.h"
#include "map.h"
#include "same.h"

/* ---- back to what is shipped */

/* Is a record under way, or open, that began in the file before? */
static bool
is_joined(struct tail *t, struct file *f)
{
	for (int side = 0; side < SIDES && f->from != NULL; side++) {
		if (f->open[side].before != NULL ||
		    f->joined[side] > cursor_shipped(t->book, &f->stream->cursor[side]))
			return true;
	}
	return false;
}

static struct file *
heir_of(struct tail *t, const struct file *f)
{
	struct file *other = NULL;

	if (f->heirs == 0)
		return NULL;
	LIST_FOREACH (other, &t->files, in_files) {
		if (other->from == f && is_joined(t, other))
			return other;
	}
	return NULL;
}

static void
cursors_rewind(struct tail *t, struct file *f)
{
	for (int side = 0; side < SIDES; side++)
		cursor_rewind(t->book, &f->stream->cursor[side]);
}

static void
rewind_one(struct tail *t, struct file *f)
{
	uint64_t least;

	f->changed |= !same_still(f);
	if (f->fresh_from < f->offset)
		f->fresh_from = f->offset;
	cursors_rewind(t, f);
	for (int side = 0; side < SIDES; side++) {
		frame_drop(&f->open[side], (enum side)side, false);
		f->resume[side] = cursor_shipped(t->book, &f->stream->cursor[side]);
	}
	least = f->resume[SIDE_STDOUT] < f->resume[SIDE_STDERR] ? f->resume[SIDE_STDOUT]
								: f->resume[SIDE_STDERR];
	f->offset = least;
	frame_seek(&t->frame, f);
	f->ended = false;
	if (!f->changed)
		same_note(t, f);
	file_wake(t, f);
}

/*
 * A record that goes over a rotation comes again as a whole: both files go
 * back, the later one first, whose cursor must not pass over it meanwhile.
 */
static void
rewind_from(struct tail *t, struct file *f)
{
	struct file *heir = heir_of(t, f);

	if (heir != NULL) {
		rewind_from(t, heir);
		file_follow(heir, f);
	}
	rewind_one(t, f);
}

static void
file_rewind(struct tail *t, struct file *f)
{
	while (is_joined(t, f))
		f = f->from;
	rewind_from(t, f);
}

/* ---- parked */

bool
file_parked(struct tail *t, struct file *f)
{
	bool parked = false;

	for (int side = 0; side < SIDES; side++) {
		struct cursor *c = &f->stream->cursor[side];

		if (cursor_must_rewind(t->book, c)) {
			file_rewind(t, f);
			return !f->changed && f->after != NULL;
		}
		parked |= cursor_parked(t->book, c);
	}
	return parked;
}

/* ---- truncated */

uint64_t
file_untaken(struct tail *t, struct file *f)
{
	uint64_t from = f->offset;

	for (int side = 0; side < SIDES; side++) {
		const struct open_record *o = &f->open[side];
		struct cursor *c = f->stream == NULL ? NULL : &f->stream->cursor[side];

		if (o->any && o->before == NULL && o->start < from)
			from = o->start;
		if (c != NULL && ((f->parked && f->waits == 0) || cursor_parked(t->book, c))) {
			uint64_t shipped = cursor_shipped(t->book, c); /* it would be read again */

			from = shipped < from ? shipped : from;
		}
	}
	return from;
}

struct file *
file_drop_open(struct tail *t, struct file *f)
{
	struct file *from = is_joined(t, f) ? f->from : NULL;

	for (int side = 0; side < SIDES; side++)
		frame_drop(&f->open[side], (enum side)side, false);
	file_inherit(f, NULL);
	if (from != NULL)
		file_rewind(t, from); /* into which another one may have gone over */
	return from;
}

/* What is beside it may be a copy: it has its stream now, when it is one. */
static void
copies_begin(struct tail *t, struct file *f)
{
	struct file *other;

	LIST_FOREACH (other, &t->files, in_files) {
		if (other == f || (!other->duplicate && other->stream != NULL))
			continue;
		if (!other->duplicate && strcmp(other->path, f->path) != 0)
			continue;
		other->duplicate = false;
		if (!other->ended && stream_find(t, other))
			file_wake(t, other);
	}
}

/* One that is known is no duplicate any more, before others are put behind it. */
static void
copies_find(struct tail *t, struct file *f)
{
	struct listing beside = { 0 };

	copies_begin(t, f);
	beside_open(t, &beside, f);
	listing_free(&beside);
	copies_begin(t, f);
}

static void
file_reset(struct tail *t, struct file *f)
{
	for (int side = 0; side < SIDES; side++)
		f->resume[side] = f->joined[side] = 0;
	f->stop = f->sealed = UINT64_MAX;
	f->offset = f->read_to = f->noted = f->checked = 0;
	f->before_at = UINT64_MAX;
	f->grown = t->now;
	f->from_end = f->early = f->parked = f->ended = false;
	f->changed = true; /* until it has a stream again */
	same_open(f);
	file_wake(t, f);
}

/*
 * The stream goes on in a copy: that is read first, and what goes over into it
 * before that.  Between the copy and the file there may be a copy of what the
 * file held meanwhile.
 */
static void
copy_follow(struct tail *t, struct file *f, const struct identity *id, struct file *from)
{
	struct file *copy = map_get(t->by_identity, identity_key(id));

	if (copy == NULL || copy == f)
		return;
	if (from != NULL && !file_is_behind(copy, from) && !file_is_behind(from, copy))
		file_follow(copy, from);
	if (!file_is_behind(f, copy) && !file_is_behind(copy, f))
		file_follow(f, copy);
}

/* What of it is open in the next file is not there any more: that goes on without. */
static void
heir_let_go(struct tail *t, struct file *f)
{
	struct file *heir = heir_of(t, f);

	ahead_drop_heirs(t, f, 0);
	if (heir == NULL)
		return;
	rewind_from(t, heir);
	file_inherit(heir, NULL);
}

void
file_changed(struct tail *t, struct file *f)
{
	uint64_t seen = f->was > f->read_to ? f->was : f->read_to;
	uint64_t untaken = file_untaken(t, f);
	struct identity id;
	struct file *from;

	ahead_drop(t, f);
	say_info("tail", "%s was truncated: it has %" PRIu64 " bytes, %" PRIu64 " were read of it",
	    f->target, f->size, f->offset);
	if (f->stream == NULL) {
		file_reset(t, f);
		return;
	}
	id = f->stream->identity;
	cursors_rewind(t, f); /* nothing points to them any more; what is under way arrives */
	from = file_drop_open(t, f);
	heir_let_go(t, f);
	state_size(t->state, &id, file_shipped(t, f));
	stream_end(t, f);
	file_reset(t, f);
	copies_find(t, f);
	copy_follow(t, f, &id, from);
	if (seen > untaken && map_get(t->by_identity, identity_key(&id)) == NULL)
		lost_count(f->path, f->target, LOST_TRUNCATED, seen - untaken);
}
