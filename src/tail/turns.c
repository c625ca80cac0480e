/* The queue of logs that are awake, in the order of their turns: none waits for ever. */
#include "turns.h"

void
turns_stay(struct tail *t, struct log *log)
{
	if (log->turn != ASLEEP)
		return;
	log->turn = AWAKE;
	TAILQ_INSERT_TAIL(&t->logs->awake, log, in_awake);
}

void
turns_sleep(struct tail *t, struct log *log)
{
	if (log->turn == ASLEEP)
		return;
	log->turn = ASLEEP;
	for (unsigned i = 0; i < t->nships; i++) {
		if (t->ships[i].first == log)
			t->ships[i].first = NULL;
	}
	TAILQ_REMOVE(&t->logs->awake, log, in_awake);
}

void
turns_behind(struct tail *t, struct log *log)
{
	TAILQ_REMOVE(&t->logs->awake, log, in_awake);
	TAILQ_INSERT_TAIL(&t->logs->awake, log, in_awake);
}

void
turns_wake(struct tail *t, struct log *log)
{
	turns_stay(t, log);
	log->turn = READY;
	if (log->count != NULL)
		log->count->due = 0;
	t->due = 0;
}

void
turns_wake_content(struct tail *t, const struct content *c)
{
	turns_wake(t, c->log);
	if (c->late != NULL)
		turns_wake(t, c->late);
}

void
turns_wake_all(struct tail *t)
{
	struct log *log;

	LIST_FOREACH (log, &t->logs->all, in_logs)
		turns_wake(t, log);
}
