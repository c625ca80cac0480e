/*
 * Open records that go from one file to the next: at a rotation what is open
 * in the file that ended goes on in its successor.  That is stored, so that
 * bytes which come to the older file later begin a record there, on a replay,
 * too.
 */
#include "ahead.h"
#include "beside.h"
#include "fault.h"
#include "map.h"
#include "rules.h"

void
file_lend(struct file *f, enum side side, bool counts, int n)
{
	f->away[counts][side] += (unsigned)n;
}

bool
file_lends(const struct file *f)
{
	static const unsigned none[2][SIDES];

	return memcmp(f->away, none, sizeof(none)) != 0;
}

void
frame_drop(struct open_record *o, enum side side, bool counts)
{
	if (o->any && o->before != NULL)
		file_lend(o->before, side, counts, -1);
	*o = (struct open_record){ 0 };
}

/* The open record of a side goes on in `next`. */
static void
hand(struct frame *fr, struct file *f, struct file *next, enum side side)
{
	struct open_record *o = &f->open[side];
	struct identity known;

	if (!state_goes_on(fr->state, &f->stream->identity, side, o->end, &known) ||
	    memcmp(&known, &next->stream->identity, sizeof(known)) != 0)
		fr->breaks = state_goes_over(
		    fr->state, &f->stream->identity, side, o->end, &next->stream->identity);
	next->open[side] = *o;
	next->open[side].before = f;
	next->open[side].before_start = o->start;
	next->open[side].before_end = o->end;
	next->open[side].held_before = o->holds;
	next->open[side].start = next->open[side].end = 0;
	next->open[side].lines = 0;
	next->open[side].generation = 0;
	next->open[side].handed = fr->breaks;
	file_lend(f, side, fr->counts, 1);
	if (!fr->counts)
		file_inherit(next, f);
	*o = (struct open_record){ 0 };
	FAULT("hand-over");
}

/* Stored with the first ruling: may what is open before the file go on in it, still? */
static bool
is_awaited(struct frame *fr, const struct file *f, struct stream_state *is)
{
	return state_find(fr->state, &f->stream->identity, is) && is->nrulings > 0 &&
	       is->rulings[0].from == 0 && is->rulings[0].settled == RULING_GOES_ON;
}

void
frame_start(struct frame *fr, struct file *f)
{
	struct stream_state is;

	if (!is_awaited(fr, f, &is))
		return;
	is.rulings[0].settled = RULING_ENDS;
	f->begun = fr->begun =
	    state_rulings(fr->state, &f->stream->identity, is.rulings, is.nrulings);
}

/* Nothing of another file is open in `next`, or on its way: who goes back for it finds one file. */
static bool
is_free(const struct file *next, const struct file *f)
{
	for (int side = 0; side < SIDES; side++) {
		const struct open_record *o = &next->open[side];

		if (o->any && o->before != NULL && o->before != f)
			return false;
	}
	return next->from == NULL || next->from == f;
}

void
frame_hand_over(struct frame *fr, struct file *f, struct file *next)
{
	struct stream_state is;

	if (!is_awaited(fr, next, &is) || !is_free(next, f))
		return; /* its first records were cut, counted or sent without these */
	if (f->offset > f->sealed && frame_open(f))
		rules_settle(fr, f, f->offset);
	for (int side = 0; side < SIDES; side++) {
		const struct open_record *o = &f->open[side];

		/* Over two rotations, behind one that went over before, or before what is done. */
		if (o->any && o->before == NULL && o->broken == 0 && !next->open[side].any &&
		    next->resume[side] == 0)
			hand(fr, f, next, (enum side)side);
	}
}

/* ---- on a replay */

/* Begin the streams of the files that have `f`'s path. */
static void
streams_begin(struct tail *t, const struct file *f)
{
	struct file *other;

	LIST_FOREACH (other, &t->files, in_files) {
		if (other->stream == NULL && !other->duplicate && other->fd >= 0 &&
		    strcmp(other->path, f->path) == 0)
			stream_find(t, other);
	}
}

/* The live file may have been copied and truncated since its directory was read. */
static void
copies_open(struct tail *t, const struct file *f)
{
	struct listing beside = { 0 };
	struct file *live;

	LIST_FOREACH (live, &t->files, in_files) {
		if (!live->leaving && strcmp(live->path, f->path) == 0)
			break;
	}
	if (live != NULL)
		beside_open(t, &beside, live);
	listing_free(&beside);
}

/* The file that has the stream: others may have been found between it and `f` since. */
static struct file *
file_with(struct tail *t, const struct file *f, const struct identity *id)
{
	struct file *with = map_get(t->by_identity, identity_key(id));

	if (with == NULL) {
		streams_begin(t, f);
		with = map_get(t->by_identity, identity_key(id));
	}
	if (with == NULL) {
		copies_open(t, f);
		streams_begin(t, f);
		with = map_get(t->by_identity, identity_key(id));
	}
	return with;
}

/* Where it went on is not there any more, or not yet: it ends here, whatever comes. */
static void
stay(struct frame *fr, struct file *f, enum side side)
{
	struct open_record *o = &f->open[side];

	o->broken = fr->breaks = state_break(fr->state, &f->stream->identity, side, o->end);
}

/* False: who reads ahead has only the next file at its second place, and waits for shipping. */
static bool
go_on(struct tail *t, struct file *f, enum side side, const struct identity *id)
{
	struct file *with = file_with(t, f, id);
	bool takes = with != NULL && with != f && with->offset == 0 && !with->open[side].any &&
		     is_free(with, f);

	if (takes && t->frame.counts && with != t->heir)
		return false;
	if (takes) {
		hand(&t->frame, f, with, side);
		if (!t->frame.counts)
			ahead_drop(t, with);           /* it may have begun without this one */
	} else if (with == NULL || !t->frame.counts) { /* else its part there is counted already */
		stay(&t->frame, f, side);
	}
	return true;
}

bool
file_stop(struct tail *t, struct file *f)
{
	for (int side = 0; side < SIDES; side++) {
		const struct open_record *o = &f->open[side];
		struct identity id;

		if (!o->any || o->before != NULL || o->broken != 0 ||
		    !state_goes_on(t->state, &f->stream->identity, (enum side)side, o->end, &id))
			continue;
		if (!go_on(t, f, (enum side)side, &id))
			return false;
	}
	return frame_stop(&t->frame, f);
}
