/*
 * The store thread: what has changed, in one transaction, about once a second
 * or when somebody waits for a ticket.  While it cannot be written, all that
 * changes is kept in memory and tried again; nothing is given up.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "fault.h"
#include "memory.h"
#include "transaction.h"
#include "voice.h"

#define COMMIT_EVERY NS_PER_S
#define COMMIT_GAP (20 * NS_PER_MS) /* between commits for which somebody waits */
#define RETRY_EVERY NS_PER_S

/* ---- success and failure */

static void
failed(struct state *s)
{
	s->failed = clock_mono();
	snprintf(s->why, sizeof(s->why), "%s", sqlite3_errmsg(s->db));
	if (s->failing != 0)
		return;
	s->failing = s->failed;
	say_error("state",
	    "cannot write %s/state.db: %s; free its disk: until then records that ended by time, "
	    "and new files, wait",
	    s->dir, s->why);
}

static void
succeeded(struct state *s, state_ticket ticket)
{
	uint64_t one = 1;

	if (s->failing != 0)
		say_info("state", "%s/state.db can be written again", s->dir);
	s->failing = s->failed = 0;
	s->durable = ticket;
	if (s->wake >= 0)
		(void)!write(s->wake, &one, sizeof(one));
}

/* Under the lock, which is given up meanwhile. */
static void
commit(struct state *s)
{
	struct transaction all;
	int result;

	transaction_take(s, &all);
	s->urgent = false;
	pthread_mutex_unlock(&s->lock);
	result = transaction_write(s, &all);
	pthread_mutex_lock(&s->lock);
	FAULT("after-commit");
	if (result == 0) {
		s->nrules_stored = all.rules_end;
		succeeded(s, all.ticket);
	} else {
		failed(s);
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
		transaction_give_back(s, &all);
	}
	transaction_free(&all);
}

/* ---- the thread */

static bool
has_work(const struct state *s)
{
	return s->posted > s->durable;
}

/* Wait until a commit is due, or a look for what is to be forgotten; under the lock. */
static void
wait_for_work(struct state *s, int64_t last)
{
	while (!s->stop) {
		int64_t gap = s->failed != 0 ? RETRY_EVERY : s->urgent ? COMMIT_GAP : COMMIT_EVERY;
		int64_t due = has_work(s) ? last + gap : s->forget_at;
		struct timespec until;

		due = due < s->forget_at ? due : s->forget_at;
		until = (struct timespec){ .tv_sec = due / NS_PER_S, .tv_nsec = due % NS_PER_S };
		if (clock_mono() >= due)
			return;
		pthread_cond_timedwait(&s->changed, &s->lock, &until);
	}
}

static void *
keep(void *arg)
{
	struct state *s = arg;
	int64_t last = 0;

	pthread_setname_np(pthread_self(), "store");
	pthread_mutex_lock(&s->lock);
	while (!s->stop) {
		wait_for_work(s, last);
		if (clock_mono() >= s->forget_at)
			forget_old(s);
		if (has_work(s))
			commit(s);
		last = clock_mono();
	}
	if (has_work(s))
		commit(s);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int
store_start(struct state *s)
{
	pthread_condattr_t attributes;
	int error;

	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	error = pthread_create(&s->thread, NULL, keep, s);
	s->running = error == 0;
	if (error != 0)
		say_error("state", "no thread: %s", strerror(error));
	return s->running ? 0 : -1;
}

void
store_stop(struct state *s)
{
	if (s->running) {
		pthread_mutex_lock(&s->lock);
		s->stop = true;
		pthread_cond_signal(&s->changed);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->thread, NULL);
		s->running = false;
		pthread_cond_destroy(&s->changed);
	}
	for (size_t i = 0; i < sizeof(s->statements) / sizeof(*s->statements); i++)
		sqlite3_finalize(s->statements[i]);
	sqlite3_close(s->db);
	s->db = NULL;
}
