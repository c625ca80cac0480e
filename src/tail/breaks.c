/*
 * Breaks: records that end because time or the file's end says so.  Each is
 * stored before its record is sent, and on a replay, or when who reads ahead
 * has stored it, the record ends there again.
 */
#include "fault.h"
#include "rules.h"

/* The stream in which an open record's last line lies, and that line's end. */
static const struct identity *
last_line(const struct file *f, const struct open_record *o, uint64_t *end)
{
	bool there = o->before != NULL && o->end == o->start;

	*end = there ? o->before_end : o->end;
	return there ? &o->before->stream->identity : &f->stream->identity;
}

/* Time ends it, which is stored under ${after}. */
static void
past_note(const struct frame *fr, struct file *f, enum side side, state_ticket after)
{
	const struct open_record *o = &f->open[side];

	if (!fr->counts)
		f->past[side] = (struct past){ after, o->trace, o->chain };
}

/* ---- breaks of before: of another life, or stored by who reads ahead */

/* Did time end the open record where it ends now? */
static bool
was_broken(struct frame *fr, const struct file *f, enum side side)
{
	const struct open_record *o = &f->open[side];
	const struct identity *id;
	struct identity next;
	uint64_t end;

	if (!o->any || o->broken != 0)
		return o->any; /* its end is stored already, only its room was missing */
	id = last_line(f, o, &end);
	return state_is_break(fr->state, id, side, end - 1, end) != 0 &&
	       (o->before == NULL || !state_goes_on(fr->state, id, side, end, &next));
}

void
frame_seek_stop(struct frame *fr, struct file *f)
{
	f->stop = UINT64_MAX;
	for (int side = 0; side < SIDES; side++) {
		uint64_t end = state_is_break(
		    fr->state, &f->stream->identity, (enum side)side, f->offset, UINT64_MAX);

		if (was_broken(fr, f, (enum side)side))
			f->stop = f->offset;
		else if (end != 0 && end < f->stop)
			f->stop = end;
	}
}

void
frame_seek(struct frame *fr, struct file *f)
{
	rules_seek(fr, f, f->offset);
	frame_seek_stop(fr, f);
}

bool
frame_stop(struct frame *fr, struct file *f)
{
	for (int side = 0; side < SIDES; side++) {
		state_ticket after = f->open[side].broken;

		if (!was_broken(fr, f, (enum side)side))
			continue;
		after = after != 0 ? after : fr->breaks;
		past_note(fr, f, (enum side)side, after);
		if (!frame_end_side(fr, f, (enum side)side, after))
			return false;
	}
	frame_seek_stop(fr, f);
	return true;
}

/* ---- a new one */

bool
frame_flush(struct frame *fr, struct file *f)
{
	if (f->offset > f->sealed && frame_open(f))
		rules_settle(fr, f, f->offset);
	for (int side = 0; side < SIDES; side++) {
		struct open_record *o = &f->open[side];
		const struct identity *id;
		uint64_t end;

		if (!o->any)
			continue;
		id = last_line(f, o, &end);
		if (o->broken == 0)
			o->broken = fr->breaks = state_break(fr->state, id, (enum side)side, end);
		FAULT("break-stored");
		past_note(fr, f, (enum side)side, o->broken);
		if (!frame_end_side(fr, f, (enum side)side, o->broken))
			return false;
	}
	return true;
}
