/*
 * The outputs in one turn: some have room and some stand.  A log that an output had no
 * room for waits for it; the first of them has its turn first, so that none waits for ever.
 *
 * Outputs that keep pace share a reader, which waits for all of them.  When one has stood
 * for PATIENCE while others had to wait, it has readers of its own where it has no room.
 * Time in which others stand in their turn is taken from that (two that are as fast stand
 * by turns), and a part of all other time.  A log that is parked for one is read for the
 * others at once.
 */
#include "abreast.h"

#include "feed.h"
#include "least.h"

#define PATIENCE NS_PER_S
#define FORGIVEN 10 /* of so much time in which none waits one part */

/* ---- room */

static bool
has_room(const struct shipping *s)
{
	return !s->stands && s->first == NULL;
}

static bool
is_slow(const struct shipping *s)
{
	return s->held >= PATIENCE;
}

static void
time_passes(struct shipping *s, int64_t ns, bool others_hold)
{
	if (s->holds)
		s->held += ns;
	else
		s->held -= earlier(s->held, others_hold ? ns : ns / FORGIVEN);
	s->holds = false;
}

void
abreast_begin(struct tail *t, uint32_t room, int64_t now)
{
	bool any = false;

	for (unsigned i = 0; i < t->nships; i++)
		any |= t->ships[i].holds;
	for (unsigned i = 0; i < t->nships; i++) {
		time_passes(&t->ships[i], now - t->now, any);
		t->ships[i].stands = (room & UINT32_C(1) << i) == 0;
	}
}

bool
abreast_stand(const struct tail *t)
{
	for (unsigned i = 0; i < t->nships; i++) {
		if (!t->ships[i].stands)
			return false;
	}
	return true;
}

void
abreast_reach(struct tail *t, const struct log *log)
{
	for (unsigned i = 0; i < t->nships; i++) {
		if (t->ships[i].first == log && !t->ships[i].stands)
			t->ships[i].first = NULL;
	}
}

bool
abreast_goes(const struct reader *r)
{
	const struct feed *f;

	FEEDS_FOREACH (f, r) {
		if (!has_room(f->to))
			return false;
	}
	return true;
}

/* One of them has room, and need not stand. */
static bool
any_goes(const struct reader *r)
{
	const struct feed *f;

	FEEDS_FOREACH (f, r) {
		if (!f->to->stands)
			return true;
	}
	return false;
}

void
abreast_note(struct reader *r)
{
	const struct feed *f;

	FEEDS_FOREACH (f, r) {
		if (has_room(f->to))
			continue;
		r->due = DUE_ROOM;
		if (f->to->stands && f->to->first == NULL)
			f->to->first = r->log;
	}
}

void
abreast_held(const struct log *log)
{
	const struct reader *r;
	const struct feed *f;

	READERS_FOREACH (r, log) {
		if (r->due != DUE_ROOM || !any_goes(r))
			continue;
		FEEDS_FOREACH (f, r)
			f->to->holds |= f->to->stands;
	}
}

bool
abreast_waits(const struct log *log)
{
	const struct reader *r;

	READERS_FOREACH (r, log) {
		if (r->due == DUE_ROOM)
			return true;
	}
	return false;
}

/* Those of its outputs that have no room are waited for no longer, and others have room. */
static bool
parts(const struct reader *r)
{
	const struct feed *f;

	FEEDS_FOREACH (f, r) {
		if (!has_room(f->to) && !(f->to->stands && is_slow(f->to)))
			return false;
	}
	return any_goes(r);
}

bool
abreast_ready(const struct log *log)
{
	const struct reader *r;

	READERS_FOREACH (r, log) {
		if (r->due == DUE_ROOM && parts(r))
			return true;
	}
	return false;
}

int64_t
abreast_due(const struct tail *t)
{
	int64_t due = INT64_MAX;

	for (unsigned i = 0; i < t->nships; i++) {
		if (t->ships[i].holds && !is_slow(&t->ships[i]))
			due = earlier(due, t->now + PATIENCE - t->ships[i].held);
	}
	return due;
}

/* ---- who shares a reader */

/* An item of it was dropped from memory, or may be sent again now. */
static void
park(struct tail *t, struct feed *f)
{
	struct range_book *book = f->to->to.book;
	bool parked = false;

	for (int side = 0; side < SIDES; side++) {
		if (cursor_must_rewind(book, &f->cursor[side])) {
			feed_rewind(t, f);
			parked = false;
			break;
		}
		parked |= cursor_parked(book, &f->cursor[side]);
	}
	if (parked)
		feed_part(f);
	f->parked = parked;
}

void
abreast_part(struct tail *t, struct log *log)
{
	for (unsigned i = 0; i < log->nfeeds; i++) {
		struct feed *f = &log->feeds[i];

		park(t, f);
		if (f->to->stands && is_slow(f->to) && any_goes(f->reader))
			feed_part(f);
	}
}

static bool
is_at_pace(const struct reader *r)
{
	const struct feed *f;

	FEEDS_FOREACH (f, r) {
		if (f->to->stands || is_slow(f->to))
			return false;
	}
	return !r->parked && !r->stale;
}

/* Of two readers one goes on for both. */
static void
join(struct tail *t, struct reader *r, struct reader *other)
{
	if (r != other && is_at_pace(r) && is_at_pace(other) && !feed_join(t, r, other))
		feed_join(t, other, r);
}

void
abreast_join(struct tail *t, struct log *log)
{
	for (unsigned i = 1; i < log->nfeeds; i++) {
		for (unsigned j = 0; j < i; j++)
			join(t, log->feeds[j].reader, log->feeds[i].reader);
	}
}
