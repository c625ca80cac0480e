/*
 * Breaks: records that end because time or the end of the log says so.  Each is
 * stored before its record is sent, and on a replay, or when a reader ahead has
 * stored it, the record ends there again.
 */
#include "fault.h"
#include "framing_rules.h"

static const struct identity *
log_of(const struct reader *r)
{
	return &r->log->stream.log;
}

/* But for the break, the next line of its side might join the record. */
static void
past_note(struct reader *r, enum side side)
{
	const struct open_record *o = &r->open[side];

	if (o->end != r->half)
		r->past[side] = (struct past){ o->end, o->last_time, o->rules, o->chain };
}

/* ---- breaks of before: of an earlier process, or stored by a reader ahead */

static bool
is_broken(struct frame *fr, const struct reader *r, enum side side)
{
	const struct open_record *o = &r->open[side];

	return o->rules != NULL && (o->broken != 0 || state_is_break(fr->state, log_of(r), side,
							  o->end - 1, o->end) != 0);
}

void
breaks_seek(struct frame *fr, struct reader *r)
{
	r->stop = UINT64_MAX;
	for (int side = 0; side < SIDES; side++) {
		uint64_t end =
		    state_is_break(fr->state, log_of(r), (enum side)side, r->at, UINT64_MAX);

		if (is_broken(fr, r, (enum side)side))
			r->stop = r->at;
		else if (end != 0 && end < r->stop)
			r->stop = end;
	}
}

bool
breaks_stop(struct frame *fr, struct reader *r)
{
	r->mark = r->log->mark;
	for (int side = 0; side < SIDES; side++) {
		if (!is_broken(fr, r, (enum side)side))
			continue;
		past_note(r, (enum side)side);
		if (!frame_end_side(fr, r, (enum side)side))
			return false;
	}
	breaks_seek(fr, r);
	return true;
}

/* ---- new breaks */

/* A reader behind stops there; one that is farther may have the record open, still. */
static void
other_stop(struct reader *other, enum side side, uint64_t end)
{
	if (other->at <= end && end < other->stop)
		other->stop = end;
	else if (other->open[side].rules != NULL && other->open[side].end == end)
		other->stop = other->at;
}

static void
others_stop(const struct reader *r, enum side side, uint64_t end)
{
	struct log *log = r->log;
	struct reader *other;

	READERS_FOREACH (other, log) {
		if (other != r)
			other_stop(other, side, end);
	}
	if (log->count != NULL && log->count != r)
		other_stop(log->count, side, end);
}

static void
break_put(struct frame *fr, struct reader *r, enum side side, uint64_t end)
{
	r->mark = r->log->mark = state_break(fr->state, log_of(r), side, end);
	others_stop(r, side, end);
}

bool
breaks_flush(struct frame *fr, struct reader *r, int64_t quiet)
{
	for (int side = 0; side < SIDES; side++) {
		struct open_record *o = &r->open[side];

		if (o->rules == NULL || (o->chain && quiet < framing_rules_wait(o->rules, true)))
			continue;
		if (o->broken == 0) {
			break_put(fr, r, (enum side)side, o->end);
			o->broken = r->mark;
		}
		FAULT("break-stored");
		past_note(r, (enum side)side);
		if (!frame_end_side(fr, r, (enum side)side))
			return false;
	}
	return true;
}

/* The side of the line is not known yet: a break for each. */
void
breaks_line(struct frame *fr, struct reader *r, uint64_t end)
{
	r->half = end;
	for (int side = 0; side < SIDES; side++) {
		if (state_is_break(fr->state, log_of(r), (enum side)side, end - 1, end) == 0)
			break_put(fr, r, (enum side)side, end);
	}
}
