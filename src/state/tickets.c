/* Tickets: the changes that were posted, those on disk, and why a commit fails. */
#include <stdio.h>

#include "clock.h"
#include "state_internal.h"

state_ticket
tickets_post(struct state *s, bool urgent)
{
	struct tickets *t = s->tickets;

	t->posted++;
	if (s->dir == NULL)
		t->durable = t->posted;
	else if (t->posted == t->durable + 1 || (urgent && !t->urgent))
		pthread_cond_signal(&t->changed);
	t->urgent |= urgent;
	return t->posted;
}

state_ticket
state_durable(struct state *s)
{
	LOCKED(s);
	return s->tickets->durable;
}

void
state_wake(struct state *s, int fd)
{
	LOCKED(s);
	s->tickets->wake = fd;
}

int64_t
state_stale(struct state *s)
{
	LOCKED(s);
	return s->tickets->failing == 0 ? 0 : clock_mono() - s->tickets->failing;
}

bool
state_ready(struct state *s, char *why, size_t size)
{
	LOCKED(s);
	if (s->tickets->failing == 0)
		return true;
	snprintf(why, size, "the state in %s cannot be written: %s", s->dir, s->tickets->why);
	return false;
}
