/*
 * Forgetting while running: each rotation is a stream more, so a process that
 * lives for months would keep them all.  What has had no file for an age goes,
 * and when there are more than may be remembered, what was used longest ago:
 * in memory here, on disk with the next commit.  At a start schema.c does the
 * former.
 */
#include <stdlib.h>

#include "clock.h"
#include "memory.h"
#include "state_internal.h"
#include "voice.h"

#define HOUR (3600 * NS_PER_S)
#define AGE (STATE_AGE_DAYS * 24 * HOUR)

/* From among the generations of its base. */
static void
known_unlink(struct state *s, const struct known *k)
{
	struct known *at = map_get(s->bases, known_key(&k->stream.base));

	if (at == k && k->twin != NULL)
		map_put(s->bases, known_key(&k->stream.base), k->twin);
	else if (at == k)
		map_del(s->bases, known_key(&k->stream.base));
	while (at != NULL && at->twin != k)
		at = at->twin;
	if (at != NULL)
		at->twin = k->twin;
}

static void
forget(struct state *s, struct known *k)
{
	if (s->nforgotten % FORGET_MOST == 0)
		s->forgotten =
		    xrealloc(s->forgotten, (s->nforgotten + FORGET_MOST) * sizeof(*s->forgotten));
	s->forgotten[s->nforgotten++] = k->id;
	if (k->touched > s->forgotten_to)
		s->forgotten_to = k->touched;
	known_unlink(s, k);
	map_del(s->streams, known_key(&k->id));
	known_free(k);
}

static bool
may_go(const struct known *k)
{
	return !k->open && !k->is_dirty;
}

/* At most FORGET_MOST of those that were last used before; return how many. */
static size_t
forget_before(struct state *s, int64_t before)
{
	struct known *k;
	size_t at = 0, n = 0;

	while (n < FORGET_MOST && (k = map_next(s->streams, &at, NULL)) != NULL) {
		if (!may_go(k) || k->touched >= before)
			continue;
		forget(s, k);
		n++;
		at--; /* another one may have moved to its place */
	}
	s->posted += n > 0;
	return n;
}

/* ---- more than are to be remembered */

static bool
is_crowded(const struct state *s)
{
	return s->most != 0 && map_count(s->streams) > s->most;
}

static int
by_time(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/*
 * Before when must have been used what is to go?  A sixteenth more goes than
 * must, so that this, which looks at all of them, is rare.
 */
static int64_t
crowd_limit(struct state *s)
{
	size_t excess = map_count(s->streams) - s->most + s->most / 16, at = 0, n = 0;
	int64_t *times = xcalloc(map_count(s->streams), sizeof(*times)), limit = 0;
	const struct known *k;

	while ((k = map_next(s->streams, &at, NULL)) != NULL) {
		if (may_go(k))
			times[n++] = k->touched;
	}
	qsort(times, n, sizeof(*times), by_time);
	if (n > 0)
		limit = times[excess < n ? excess - 1 : n - 1] + 1;
	free(times);
	return limit;
}

static size_t
forget_crowd(struct state *s)
{
	size_t n;

	if (!is_crowded(s))
		return 0;
	n = forget_before(s, crowd_limit(s));
	if (n > 0 && s->crowded_out == 0)
		say_warn("state",
		    "more than %zu files that were read would be remembered: those that are gone "
		    "longest are forgotten before %d days; raise Max_Files",
		    s->most, STATE_AGE_DAYS);
	s->crowded_out += n;
	return n;
}

void
forget_old(struct state *s)
{
	size_t n = forget_before(s, clock_wall() - AGE);

	n += forget_crowd(s);
	s->forget_at = clock_mono() + (n < FORGET_MOST && !is_crowded(s) ? HOUR : NS_PER_S);
}

void
forget_soon(struct state *s)
{
	int64_t soon = clock_mono() + NS_PER_S;

	if (is_crowded(s) && s->forget_at > soon)
		s->forget_at = soon;
}

/* ---- what the caller says and asks */

void
state_most(struct state *s, size_t most)
{
	pthread_mutex_lock(&s->lock);
	s->most = most;
	forget_soon(s);
	pthread_mutex_unlock(&s->lock);
}

uint64_t
state_forgotten(struct state *s)
{
	uint64_t n;

	pthread_mutex_lock(&s->lock);
	n = s->crowded_out;
	pthread_mutex_unlock(&s->lock);
	return n;
}

int64_t
state_forgotten_to(struct state *s)
{
	int64_t to;

	pthread_mutex_lock(&s->lock);
	to = s->forgotten_to;
	pthread_mutex_unlock(&s->lock);
	return to;
}
