/*
 * Reading ahead of what is shipped, for the counters alone.  While no batch is
 * free, or the server holds what a file feeds, shipping stands; the agents'
 * metrics must not.  The file has a second place then: from there its records
 * are framed and counted, and nothing else is done with them.  Where shipping
 * has come as far, that place is given up.
 *
 * Shipping frames the same bytes later and must cut the same records: what time
 * ends here is a break, stored as always.  A .gz is not read ahead: what is in
 * it was counted, mostly, while its file was live.
 */
#include "ahead.h"

#include <stdlib.h>

#include "back.h"
#include "clock.h"
#include "rules.h"
#include "same.h"

#define BUDGET (1u << 20)         /* bytes of one call: then shipping is asked again */
#define POLL_GAP (50 * NS_PER_MS) /* how often a file that ends is asked whether it has ended */
#define LATE_GAP NS_PER_S         /* … and tried for late bytes that wait */

/* Where a file is read. */
struct place {
	uint64_t offset, before_at, before;
	uint64_t resume[SIDES];
	const struct rules *rules;
	uint64_t sealed, stop;
	enum ruling_open settled;
	bool ended;
	struct open_record open[SIDES];
};

struct ahead {
	TAILQ_ENTRY(ahead) in_aheads;
	struct file *file;
	struct place place;
	int64_t due; /* mono ns when it has a turn without an event */
};

static struct place
place_of(const struct file *f)
{
	struct place p = {
		.offset = f->offset,
		.before_at = f->before_at,
		.before = f->before,
		.rules = f->rules,
		.sealed = f->sealed,
		.stop = f->stop,
		.settled = f->settled,
		.ended = f->ended,
	};

	memcpy(p.resume, f->resume, sizeof(p.resume));
	memcpy(p.open, f->open, sizeof(p.open));
	return p;
}

static void
place_set(struct file *f, const struct place *p)
{
	f->offset = p->offset;
	f->before_at = p->before_at;
	f->before = p->before;
	f->rules = p->rules;
	f->sealed = p->sealed;
	f->stop = p->stop;
	f->settled = p->settled;
	f->ended = p->ended;
	memcpy(f->resume, p->resume, sizeof(f->resume));
	memcpy(f->open, p->open, sizeof(f->open));
}

/* The file is at its other place. */
static void
places_swap(struct file *f)
{
	struct place was = place_of(f);

	place_set(f, &f->ahead->place);
	f->ahead->place = was;
}

/* ---- begin and end */

static bool
may_begin(const struct file *f)
{
	return f->stream != NULL && f->packed == NULL && f->fd >= 0 && !f->let_go &&
	       !f->duplicate && !f->changed;
}

/* From where shipping stands, with what is open there; or from what was counted, when that is farther. */
static void
place_begin(struct tail *t, struct file *f, struct place *p)
{
	struct stream_state known;
	struct place was;
	uint64_t from = UINT64_MAX;

	*p = place_of(f);
	for (int side = 0; side < SIDES; side++) {
		if (p->open[side].before != NULL)
			file_lend(p->open[side].before, (enum side)side, true, 1);
	}
	if (!state_find(t->state, &f->stream->identity, &known))
		return;
	for (int side = 0; side < SIDES; side++) {
		uint64_t counted = known.side[side].counted;

		if (counted > p->offset) /* so is what is open there */
			frame_drop(&p->open[side], (enum side)side, true);
		if (counted > p->resume[side])
			p->resume[side] = counted;
		from = counted < from ? counted : from;
	}
	if (from <= p->offset)
		return;
	p->offset = from;
	p->ended = false;
	was = place_of(f);
	place_set(f, p);
	frame_seek(&t->frame, f);
	same_note(t, f);
	*p = place_of(f);
	place_set(f, &was);
	f->changed |= !same_still(f); /* then what stands before that place says nothing */
}

/* Does it have a record of `f` open that begins at ${from} or behind it? */
static bool
is_heir(const struct ahead *a, const struct file *f, uint64_t from)
{
	for (int side = 0; side < SIDES; side++) {
		const struct open_record *o = &a->place.open[side];

		if (o->before == f && o->before_start >= from)
			return true;
	}
	return false;
}

void
ahead_drop_heirs(struct tail *t, struct file *f, uint64_t from)
{
	struct ahead *a = file_lends(f) ? TAILQ_FIRST(&t->aheads) : NULL;

	while (a != NULL) {
		if (!is_heir(a, f, from)) {
			a = TAILQ_NEXT(a, in_aheads);
			continue;
		}
		ahead_drop(t, a->file);
		a = TAILQ_FIRST(&t->aheads);
	}
}

static bool
ahead_begin(struct tail *t, struct file *f)
{
	if (f->ahead != NULL)
		return true;
	if (!may_begin(f))
		return false;
	ahead_drop_heirs(t, f, f->offset); /* what went over from a former place goes over again */
	f->ahead = xcalloc(1, sizeof(*f->ahead));
	f->ahead->file = f;
	place_begin(t, f, &f->ahead->place);
	f->news = true;
	TAILQ_INSERT_TAIL(&t->aheads, f->ahead, in_aheads);
	return true;
}

bool
ahead_passed(const struct file *f)
{
	const struct place *p = f->ahead != NULL ? &f->ahead->place : NULL;

	/* At the end of the file it has handed over what is open, which shipping has not yet. */
	return p != NULL &&
	       (f->offset > p->offset || (f->offset == p->offset && (f->ended || !p->ended)));
}

void
ahead_drop(struct tail *t, struct file *f)
{
	struct ahead *a = f->ahead;

	if (a == NULL)
		return;
	f->ahead = NULL;
	TAILQ_REMOVE(&t->aheads, a, in_aheads);
	for (int side = 0; side < SIDES; side++) {
		struct file *before = a->place.open[side].before;

		frame_drop(&a->place.open[side], (enum side)side, true);
		if (before != NULL) /* what it has handed over is not counted */
			ahead_drop(t, before);
	}
	free(a);
}

/* ---- one file's part */

/* What shipping will have to mind when it frames the same bytes; what is counted without a record. */
static void
part_note(struct tail *t, struct file *f)
{
	const struct place *p = &f->ahead->place;

	rules_note(&t->frame, f);
	frame_seek_stop(&t->frame, f);
	for (int side = 0; side < SIDES; side++) {
		if (!p->open[side].any && !file_lends(f))
			f->stream->framed[side] = p->offset;
	}
}

/* It grows all the time: it is read by the clock here, too, without a watch and its events. */
static bool
is_hot(const struct tail *t, const struct file *f)
{
	return !f->leaving && f->read_to > 0 && t->now - f->grown < HOT_END;
}

/* When is there something to do without an event? */
static int64_t
part_due(const struct tail *t, const struct file *f)
{
	const struct place *p = &f->ahead->place;
	int64_t flush = t->fails ? t->now + LATE_GAP : f->grown + f->rules->flush;
	int64_t due = f->leaving ? t->now + POLL_GAP : INT64_MAX;

	if (is_hot(t, f) && f->wd < 0)
		due = hot_due(t);

	if (p->open[SIDE_STDOUT].any || p->open[SIDE_STDERR].any)
		return flush < due ? flush : due;
	if (p->ended && f->size > p->offset) /* late bytes, which wait (frame_line) */
		return t->now + LATE_GAP;
	return f->leaving && p->ended ? INT64_MAX : due;
}

static bool
read_on(struct tail *t, struct file *f)
{
	tail_record *record = t->frame.record;
	bool refused = t->refused, more;

	f->hot = false;
	if (!f->leaving && !is_hot(t, f))
		watch_file(t->watch, f);
	t->refused = false; /* here that is of each file by itself: it waits for shipping */
	t->frame.counts = true;
	t->frame.record = t->count;
	more = file_read_on(t, f);
	t->frame.record = record;
	t->frame.counts = false;
	t->refused = refused;
	return more;
}

/*
 * Read on at the second place, up to the budget.  What is open at the end goes
 * on at the second place of the next file, which begins then and not before:
 * shipping may come to that end first.  True: there is more.
 */
static bool
part(struct tail *t, struct file *f)
{
	struct file *next = f->leaving ? successor_of(t, f) : NULL;
	bool had = next != NULL && next->ahead != NULL, more, ended;
	uint64_t from = f->ahead->place.offset;

	f->ahead->due = INT64_MAX;
	if (next != NULL && !ahead_begin(t, next))
		return false; /* a .gz */
	if (next != NULL)
		places_swap(next);
	places_swap(f);
	t->heir = next;
	more = read_on(t, f);
	places_swap(f);
	if (next != NULL)
		places_swap(next);
	ended = f->ahead->place.ended;
	if (!f->changed) {
		part_note(t, f);
		f->ahead->due = part_due(t, f);
	}
	if (more && f->ahead->place.offset == from) { /* only shipping can go on here */
		more = false;
		f->ahead->due = t->now + LATE_GAP;
	}
	if (next != NULL && ended)
		next->news = true;
	else if (next != NULL && !had)
		ahead_drop(t, next);
	return more && !f->changed;
}

/* ---- all of them */

/* Does its shipping stand, or that of a file before it? */
static bool
stands(const struct tail *t, const struct file *f)
{
	while (f != NULL && !f->parked)
		f = f->after;
	return t->stands || f != NULL;
}

/* Is what was before it counted?  A copy, or a file without a line, has nothing to count. */
static bool
is_next(const struct file *f)
{
	const struct file *before = f->after;

	while (before != NULL && (before->duplicate || (before->leaving && before->stream == NULL &&
							   before->size == 0)))
		before = before->after;
	return before == NULL || before->ended ||
	       (before->ahead != NULL && before->ahead->place.ended);
}

static void
aheads_begin(struct tail *t)
{
	struct file *f;

	TAILQ_FOREACH (f, &t->awake, in_awake) {
		if (f->stream == NULL && f->head_size == 0)
			same_open(f); /* it may be truncated before its turn */
		if (f->ahead != NULL || !stands(t, f) || !is_next(f) ||
		    !(f->ready || f->due <= t->now))
			continue;
		if (f->stream == NULL && !f->duplicate && f->fd >= 0)
			stream_find(t, f);
		ahead_begin(t, f);
	}
}

/* One file's turn.  Return how many bytes were read. */
static uint64_t
turn(struct tail *t, struct file *f)
{
	uint64_t from = f->ahead->place.offset, to = from;
	bool may = stands(t, f) && may_begin(f) && is_next(f);

	if (may && (f->news || t->now >= f->ahead->due)) {
		f->news = part(t, f);
		to = f->ahead != NULL ? f->ahead->place.offset : from;
	}
	if (to > from) {
		f->ready = true; /* to be shipped, though no event tells of it */
		file_stay(t, f);
	}
	if (f->changed) {
		ahead_drop(t, f);
		file_changed(t, f);
	} else if (f->ahead != NULL && may && f->ahead->due < t->due) {
		t->due = f->ahead->due;
	}
	return to - from;
}

bool
tail_count(struct tail *t)
{
	struct ahead *a;
	uint64_t read = 0;
	size_t n = 0;

	aheads_begin(t);
	TAILQ_FOREACH (a, &t->aheads, in_aheads)
		n++;
	while (n-- > 0 && read < BUDGET && (a = TAILQ_FIRST(&t->aheads)) != NULL) {
		TAILQ_REMOVE(&t->aheads, a, in_aheads);
		TAILQ_INSERT_TAIL(&t->aheads, a, in_aheads);
		read += turn(t, a->file);
	}
	return read >= BUDGET;
}
