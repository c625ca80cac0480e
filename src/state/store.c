/*
 * The store thread writes all changes in one transaction, about once a second or
 * when somebody waits for a ticket.  While it cannot be written, that transaction
 * is tried again, and further changes are kept in memory; none is given up.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "fault.h"
#include "memory.h"
#include "state_internal.h"
#include "voice.h"

#define COMMIT_EVERY NS_PER_S
#define COMMIT_GAP (20 * NS_PER_MS) /* between commits for which somebody waits */
#define RETRY_EVERY NS_PER_S

struct store {
	pthread_t thread;
	bool stop;
	struct transaction now; /* written without the lock */
	state_ticket ticket;    /* durable with it */
	struct prepared prepared[STATEMENTS];
};

/* ---- success and failure */

static void
failed(struct state *s)
{
	struct tickets *t = s->tickets;

	t->failed = clock_mono();
	snprintf(t->why, sizeof(t->why), "%s", sqlite3_errmsg(s->db));
	sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	if (t->failing != 0)
		return;
	t->failing = t->failed;
	say_error("state",
	    "cannot write %s/state.db: %s; free its disk: until then records that ended by time, "
	    "and new files, wait",
	    s->dir, t->why);
}

static void
succeeded(struct state *s)
{
	struct tickets *t = s->tickets;
	uint64_t one = 1;

	if (t->failing != 0)
		say_info("state", "%s/state.db can be written again", s->dir);
	t->failing = t->failed = 0;
	t->durable = s->store->ticket;
	transaction_clear(&s->store->now);
	if (t->wake >= 0)
		(void)!write(t->wake, &one, sizeof(one));
}

static void
gather(struct state *s)
{
	forget_old(s);
	contents_gather(s);
	readers_gather(s);
	staging_gather(s);
	holds_gather(s);
	s->store->now = s->next;
	s->next = (struct transaction){ 0 };
	s->store->ticket = s->tickets->posted;
	s->tickets->urgent = false;
}

/* Under the lock, which is given up meanwhile.  A transaction that failed comes before newer ones. */
static void
commit(struct state *s)
{
	int result;

	if (s->tickets->failing == 0)
		gather(s);
	pthread_mutex_unlock(&s->lock);
	result = transaction_write(&s->store->now, s->db, s->store->prepared);
	pthread_mutex_lock(&s->lock);
	FAULT("after-commit");
	if (result == 0)
		succeeded(s);
	else
		failed(s);
}

/* ---- the thread */

static bool
has_work(const struct state *s)
{
	return s->tickets->posted > s->tickets->durable;
}

/* Wait until a commit is due; under the lock. */
static void
wait_for_work(struct state *s, int64_t last)
{
	struct tickets *t = s->tickets;

	while (!s->store->stop) {
		int64_t gap = t->failed != 0 ? RETRY_EVERY : t->urgent ? COMMIT_GAP : COMMIT_EVERY;
		int64_t due = last + gap;
		struct timespec until = { .tv_sec = due / NS_PER_S, .tv_nsec = due % NS_PER_S };

		if (!has_work(s))
			pthread_cond_wait(&t->changed, &s->lock);
		else if (clock_mono() < due)
			pthread_cond_timedwait(&t->changed, &s->lock, &until);
		else
			return;
	}
}

static void *
keep(void *arg)
{
	struct state *s = arg;
	int64_t last = 0;

	pthread_setname_np(pthread_self(), "store");
	pthread_mutex_lock(&s->lock);
	while (!s->store->stop) {
		wait_for_work(s, last);
		if (has_work(s))
			commit(s);
		last = clock_mono();
	}
	if (has_work(s))
		commit(s);
	if (has_work(s) && s->tickets->failing == 0)
		commit(s); /* the commit above was of a transaction that had failed */
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

int
store_start(struct state *s)
{
	pthread_condattr_t attributes;
	int error;

	s->store = xcalloc(1, sizeof(*s->store));
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&s->tickets->changed, &attributes);
	pthread_condattr_destroy(&attributes);
	error = pthread_create(&s->store->thread, NULL, keep, s);
	if (error == 0)
		return 0;
	say_error("state", "no thread: %s", strerror(error));
	free(s->store);
	s->store = NULL;
	return -1;
}

void
store_stop(struct state *s)
{
	if (s->store != NULL) {
		pthread_mutex_lock(&s->lock);
		s->store->stop = true;
		pthread_cond_signal(&s->tickets->changed);
		pthread_mutex_unlock(&s->lock);
		pthread_join(s->store->thread, NULL);
		pthread_cond_destroy(&s->tickets->changed);
		for (size_t i = 0; i < STATEMENTS; i++)
			sqlite3_finalize(s->store->prepared[i].statement);
		if (sqlite3_wal_checkpoint_v2(
			s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK)
			say_warn("state",
			    "%s/state.db-wal stays, with what is not in state.db yet: %s", s->dir,
			    sqlite3_errmsg(s->db));
		transaction_clear(&s->store->now);
		free(s->store);
		s->store = NULL;
	}
	sqlite3_close(s->db);
	s->db = NULL;
}
