/*
 * The ground under a life: our clock, a store thread that works when it is told
 * to, an end at any point, and what count.c asks of the chain and the agents'
 * metrics.
 */
#ifndef LIVES_GROUND_H
#define LIVES_GROUND_H

#include "lives_world.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>

#include "agent_metrics.h"
#include "chain.h"
#include "fault.h"
#include "ship.h"

/* ---- the clock */

int64_t
clock_mono(void)
{
	return atomic_load(&shared->now);
}

int64_t
clock_wall(void)
{
	return EPOCH + atomic_load(&shared->now);
}

/* Who waits for files has waited. */
int
poll(struct pollfd *fds, nfds_t n, int ms)
{
	int ready = ppoll(fds, n, &(struct timespec){ 0 }, NULL);

	if (ready == 0 && ms > 0)
		time_passes(ms * NS_PER_MS);
	return ready;
}

/* ---- the store thread works when it is told to, and nobody else does meanwhile */

static sem_t store_may, store_waits;
static atomic_bool store_free; /* it is to end: it need not be told */

static void
store_rests(pthread_mutex_t *mutex)
{
	pthread_mutex_unlock(mutex);
	sem_post(&store_waits);
	if (!atomic_load(&store_free))
		sem_wait(&store_may);
	pthread_mutex_lock(mutex);
}

int
pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	(void)cond;
	store_rests(mutex);
	return 0;
}

int
pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *until)
{
	(void)cond;
	(void)until;
	store_rests(mutex);
	return ETIMEDOUT;
}

static void
store_works(void)
{
	sem_post(&store_may);
	sem_wait(&store_waits);
}

static void
store_begins(void)
{
	sem_init(&store_may, 0, 0);
	sem_init(&store_waits, 0, 0);
	atomic_store(&store_free, false);
}

static void
store_ends(void)
{
	atomic_store(&store_free, true);
	sem_post(&store_may);
}

/* ---- the end of a life, at any point */

#define KILLED 9

static unsigned points; /* until it is killed; 0: it is not */

static void
point(void)
{
	if (points > 0 && --points == 0) {
		trace("killed");
		_exit(KILLED);
	}
}

#ifdef FAULTS
void
fault_pass(const char *name)
{
	(void)name;
	point();
}
#endif

/* ---- what count.c asks for: lines are counted by their marks */

static unsigned char counted[MOST_MARKS]; /* BEGINS: first of a record */
static bool counted_moved;
static const struct framed *counting;

unsigned
chain_failures(const struct chain *c)
{
	(void)c;
	return 0;
}

const struct agent_line *
chain_line(const struct chain *c)
{
	(void)c;
	return NULL;
}

void
agent_metrics_count(
    struct agent_series *a, const struct pod *pod, const struct agent_line *line, int64_t time)
{
	struct slice text = counting->text;
	unsigned char begins = BEGINS;
	const char *mark;

	(void)a;
	(void)pod;
	(void)line;
	(void)time;
	while ((mark = memchr(text.at, '<', text.len)) != NULL) {
		unsigned n = (unsigned)strtoul(mark + 1, NULL, 10);

		assert_true(n < MOST_MARKS);
		counted[n] += (counted[n] % BEGINS < 3) + begins;
		begins = 0;
		text = slice_from(text, (size_t)(mark + 1 - text.at));
	}
	counted_moved = true;
}

/* The text of the record, or nothing when that is one line. */
void
agent_metrics_lines(struct agent_series *a, struct slice text)
{
	struct slice whole = counting->text;

	(void)a;
	if (text.len > 0)
		assert_true(text.at == whole.at && text.len == whole.len);
	else
		assert_true(whole.len == 0 || memchr(whole.at, '\n', whole.len) == NULL);
}

void
agent_metrics_save(agent_metrics_put *put, void *arg)
{
	char text[MOST_MARKS];

	if (!counted_moved)
		return;
	counted_moved = false;
	for (size_t i = 0; i < MOST_MARKS; i++)
		text[i] = (char)('0' + counted[i]);
	put(arg, SLICE("marks"), (struct slice){ text, MOST_MARKS });
}

void
agent_metrics_restore(struct slice key, struct slice value, int64_t now)
{
	(void)key;
	(void)now;
	assert_int_equal(value.len, MOST_MARKS);
	for (size_t i = 0; i < MOST_MARKS; i++)
		counted[i] = (unsigned char)(value.at[i] - '0');
}

void
agent_metrics_publish(int64_t now, bool behind)
{
	(void)now;
	(void)behind;
}

#endif
