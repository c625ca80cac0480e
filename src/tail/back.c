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

#include "beside.h"
#include "lost.h"
#include "map.h"
#include "same.h"

/* ---- parked */

static void
file_rewind(struct tail *t, struct file *f)
{
	uint64_t least = UINT64_MAX;

	for (int side = 0; side < SIDES; side++) {
		struct cursor *c = &f->stream->cursor[side];

		cursor_rewind(t->book, c);
		f->replayed[side] = f->offset;
		f->resume[side] = cursor_shipped(t->book, c);
		if (f->resume[side] < least)
			least = f->resume[side];
		f->open[side] = (struct open_record){ 0 };
	}
	f->offset = least;
	f->skipping = false;
	f->ready = true;
}

bool
file_parked(struct tail *t, struct file *f)
{
	bool parked = false;

	for (int side = 0; side < SIDES; side++) {
		struct cursor *c = &f->stream->cursor[side];

		if (cursor_must_rewind(t->book, c)) {
			f->changed = !same_still(f);
			if (!f->changed)
				file_rewind(t, f);
			return false;
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
		struct open_record *o = &f->open[side];
		struct cursor *c = f->stream == NULL ? NULL : &f->stream->cursor[side];

		if (o->any && o->before == NULL && o->start < from)
			from = o->start;
		if (o->any && o->before != NULL)
			o->before->users--;
		*o = (struct open_record){ 0 };
		if (c != NULL && (f->parked || cursor_parked(t->book, c))) {
			uint64_t shipped = cursor_shipped(t->book, c); /* it would be read again */

			from = shipped < from ? shipped : from;
		}
	}
	return from;
}

/* What is beside it may be a copy, known or not: it has its stream now, when it is one. */
static void
copies_find(struct tail *t, struct file *f)
{
	struct listing beside = { 0 };
	struct file *other;

	beside_open(t, &beside, f);
	listing_free(&beside);
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

static void
file_reset(struct tail *t, struct file *f)
{
	for (int side = 0; side < SIDES; side++)
		f->resume[side] = f->replayed[side] = 0;
	f->offset = f->read_to = f->noted = f->checked = 0;
	f->before_at = UINT64_MAX;
	f->grown = t->now;
	f->skipping = f->from_end = f->early = f->parked = f->ended = false;
	f->changed = true; /* until it has a stream again */
	file_wake(t, f);
}

void
file_changed(struct tail *t, struct file *f)
{
	uint64_t seen = f->was > f->read_to ? f->was : f->read_to;
	uint64_t untaken = file_untaken(t, f);
	struct identity id;

	say_info("tail", "%s was truncated: it has %" PRIu64 " bytes, %" PRIu64 " were read of it",
	    f->target, f->size, f->offset);
	if (f->stream == NULL) {
		file_reset(t, f);
		return;
	}
	id = f->stream->identity;
	for (int side = 0; side < SIDES; side++)
		cursor_rewind(t->book, &f->stream->cursor[side]);
	state_size(t->state, &id, file_shipped(t, f)); /* settled: what is under way arrives */
	stream_end(t, f);
	file_reset(t, f);
	copies_find(t, f);
	if (seen > untaken && map_get(t->by_identity, identity_key(&id)) == NULL)
		lost_count(f->path, f->target, LOST_TRUNCATED, seen - untaken);
}
