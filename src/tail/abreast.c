/*
 * The readers of a log, one for each output, in one turn: some have room and some
 * stand.  A log that a reader had no room for waits for it; the first of them has its
 * turn first, so that none waits for ever.
 */
#include "abreast.h"

bool
abreast_has_room(const struct shipping *s)
{
	return !s->stands && s->first == NULL;
}

uint32_t
abreast_room(const struct tail *t)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < t->nships; i++)
		mask |= (abreast_has_room(&t->ships[i]) ? UINT32_C(1) : 0) << i;
	return mask;
}

uint32_t
abreast_waits(const struct log *log)
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < log->nreaders; i++)
		mask |= (log->readers[i].due == DUE_ROOM ? UINT32_C(1) : 0) << i;
	return mask;
}

void
abreast_note(struct shipping *s, struct reader *r)
{
	if (abreast_has_room(s))
		return;
	r->due = DUE_ROOM;
	if (s->stands && s->first == NULL)
		s->first = r->log;
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
abreast_stand(const struct tail *t)
{
	for (unsigned i = 0; i < t->nships; i++) {
		if (!t->ships[i].stands)
			return false;
	}
	return true;
}
