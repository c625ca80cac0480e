/*
 * What is known, in memory: the tables behind state.h.  Reading and writing
 * the file is schema.c and store.c.
 */
#include "state.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "memory.h"
#include "state_internal.h"

const char *
state_dir(const struct state *s)
{
	return s->dir;
}

bool
state_was_set_aside(const struct state *s)
{
	return s->set_aside;
}

bool
state_rebooted(const struct state *s)
{
	return s->rebooted;
}

bool
state_is_new(struct state *s)
{
	bool is_new;

	pthread_mutex_lock(&s->lock);
	is_new = map_count(s->streams) == 0 && !s->set_aside;
	pthread_mutex_unlock(&s->lock);
	return is_new;
}

void
state_posted(struct state *s, bool urgent)
{
	if (s->posted == s->durable + 1 || (urgent && !s->urgent))
		pthread_cond_signal(&s->changed);
	s->urgent |= urgent;
}

/* ---- streams */

bool
state_find(struct state *s, const struct identity *id, struct stream_state *out)
{
	struct known *k;

	pthread_mutex_lock(&s->lock);
	k = map_get(s->streams, known_key(id));
	if (k != NULL)
		*out = k->stream;
	if (k != NULL && !k->open)
		k->touched = clock_wall(); /* it may be opened: not to be forgotten just now */
	pthread_mutex_unlock(&s->lock);
	if (k != NULL)
		staging_see(s, id, out);
	return k != NULL;
}

state_ticket
state_stream(struct state *s, const struct identity *id, const struct stream_state *what)
{
	struct known *k = known_take(s, id);
	bool is_new = k->stream.generation == 0;

	k->stream = *what;
	if (is_new)
		known_link(s, k);
	return known_put(s, k, true);
}

unsigned
state_generations(struct state *s, const struct identity *base, uint64_t *out, unsigned max)
{
	const struct known *k;
	unsigned n = 0;

	pthread_mutex_lock(&s->lock);
	for (k = map_get(s->bases, known_key(base)); k != NULL && n < max; k = k->twin)
		out[n++] = k->stream.generation;
	pthread_mutex_unlock(&s->lock);
	return n;
}

void
state_opened(struct state *s, const struct identity *id, const char *path)
{
	struct known *k = known_take(s, id);

	if (k->path == NULL || strcmp(k->path, path) != 0) {
		free(k->path);
		k->path = xstrdup(path);
	}
	k->open = true;
	k->touched = clock_wall();
	known_put(s, k, false);
}

void
state_ended(struct state *s, const struct identity *id)
{
	struct known *k = known_take(s, id);

	k->open = false;
	k->touched = clock_wall();
	known_put(s, k, false);
}

void
state_each(struct state *s, state_seen *each, void *arg)
{
	const struct known *k;
	size_t at = 0;

	pthread_mutex_lock(&s->lock);
	while ((k = map_next(s->streams, &at, NULL)) != NULL)
		each(arg, &k->id, k->path != NULL ? k->path : "", k->open, &k->stream);
	pthread_mutex_unlock(&s->lock);
}

/* ---- breaks */

/* In the place of the one that is there. */
static state_ticket
break_put(struct state *s, const struct identity *id, const struct brk *b)
{
	struct known *k = known_take(s, id);
	size_t i = 0;

	while (i < k->nbreaks && (k->breaks[i].side != b->side || k->breaks[i].end != b->end))
		i++;
	if (i < k->nbreaks) {
		k->nstored -= i < k->nstored;
		k->nbreaks--;
		memmove(&k->breaks[i], &k->breaks[i + 1], (k->nbreaks - i) * sizeof(*b));
	}
	k->breaks = xrealloc(k->breaks, (k->nbreaks + 1) * sizeof(*k->breaks));
	k->breaks[k->nbreaks++] = *b;
	return known_put(s, k, true);
}

state_ticket
state_break(struct state *s, const struct identity *id, enum side side, uint64_t end)
{
	return break_put(s, id, &(struct brk){ .side = side, .end = end });
}

state_ticket
state_goes_over(struct state *s, const struct identity *id, enum side side, uint64_t end,
    const struct identity *next)
{
	return break_put(s, id, &(struct brk){ side, end, true, *next });
}

bool
state_goes_on(
    struct state *s, const struct identity *id, enum side side, uint64_t end, struct identity *next)
{
	const struct known *k;
	bool goes_on = false;

	pthread_mutex_lock(&s->lock);
	k = map_get(s->streams, known_key(id));
	for (size_t i = 0; k != NULL && i < k->nbreaks; i++) {
		const struct brk *b = &k->breaks[i];

		if (b->side != side || b->end != end || !b->goes_on)
			continue;
		goes_on = true;
		*next = b->next;
	}
	pthread_mutex_unlock(&s->lock);
	return goes_on;
}

uint64_t
state_is_break(
    struct state *s, const struct identity *id, enum side side, uint64_t from, uint64_t to)
{
	const struct known *k;
	uint64_t first = 0;

	pthread_mutex_lock(&s->lock);
	k = map_get(s->streams, known_key(id));
	for (size_t i = 0; k != NULL && i < k->nbreaks; i++) {
		const struct brk *b = &k->breaks[i];

		if (b->side == side && b->end > from && b->end <= to &&
		    (first == 0 || b->end < first))
			first = b->end;
	}
	pthread_mutex_unlock(&s->lock);
	return first;
}

/* Forget the breaks of ${side} behind ${to}; those that are left are stored anew. */
static void
breaks_back(struct known *k, enum side side, uint64_t to)
{
	size_t kept = 0;

	for (size_t i = 0; i < k->nbreaks; i++) {
		if (k->breaks[i].side != side || k->breaks[i].end <= to)
			k->breaks[kept++] = k->breaks[i];
	}
	k->nbreaks = kept;
	k->nstored = 0;
	k->anew = true;
}

/* ---- cursors */

void
state_shipped(struct state *s, const struct identity *id, enum side side, uint64_t offset)
{
	struct known *k = known_take(s, id);

	k->stream.side[side].shipped = offset;
	known_put(s, k, false);
}

void
state_size(struct state *s, const struct identity *id, uint64_t size)
{
	struct known *k = known_take(s, id);

	k->stream.size = size;
	known_put(s, k, false);
}

static void
cursor_back(uint64_t *cursor, uint64_t to)
{
	if (*cursor > to)
		*cursor = to;
}

void
state_rewound(struct state *s, const struct identity *id, enum side side, uint64_t offset)
{
	struct known *k = known_take(s, id);
	unsigned kept = 0;

	cursor_back(&k->stream.side[side].shipped, offset);
	cursor_back(&k->stream.side[side].counted, offset);
	breaks_back(k, side, offset);
	rules_back(&k->stream, offset);
	staging_back(s, id, side, offset);
	for (unsigned i = 0; i < k->nchecks; i++) {
		if (k->checks[i].offset <= offset)
			k->checks[kept++] = k->checks[i];
	}
	k->nchecks = kept;
	known_put(s, k, true);
}

/* Of three neighbours the middle one goes where they lie closest, measured by their distance from the newest. */
static void
checks_thin(struct known *k)
{
	unsigned thinnest = 1;
	double least = 0;

	for (unsigned i = 1; i + 1 < k->nchecks; i++) {
		double gap = (double)(k->checks[i - 1].offset - k->checks[i + 1].offset);
		double age = (double)(k->checks[0].offset - k->checks[i].offset) + 1;

		if (i == 1 || gap / age < least) {
			least = gap / age;
			thinnest = i;
		}
	}
	memmove(&k->checks[thinnest], &k->checks[thinnest + 1],
	    (k->nchecks - thinnest - 1) * sizeof(k->checks[0]));
	k->nchecks--;
}

void
state_checkpoint(struct state *s, const struct identity *id, const struct checkpoint *what)
{
	struct known *k = known_take(s, id);

	if (k->nchecks > 0 && k->checks[0].offset >= what->offset) {
		pthread_mutex_unlock(&s->lock);
		return;
	}
	if (k->nchecks == CHECKPOINTS)
		checks_thin(k);
	memmove(&k->checks[1], &k->checks[0], k->nchecks * sizeof(k->checks[0]));
	k->checks[0] = *what;
	k->nchecks++;
	known_put(s, k, false);
}

unsigned
state_checkpoints(struct state *s, const struct identity *id, struct checkpoint out[CHECKPOINTS])
{
	const struct known *k;
	unsigned n = 0;

	pthread_mutex_lock(&s->lock);
	k = map_get(s->streams, known_key(id));
	if (k != NULL) {
		n = k->nchecks;
		memcpy(out, k->checks, n * sizeof(*out));
	}
	pthread_mutex_unlock(&s->lock);
	return n;
}

/* ---- what is on disk */

state_ticket
state_durable(struct state *s)
{
	state_ticket ticket;

	pthread_mutex_lock(&s->lock);
	ticket = s->durable;
	pthread_mutex_unlock(&s->lock);
	return ticket;
}

void
state_wake(struct state *s, int fd)
{
	pthread_mutex_lock(&s->lock);
	s->wake = fd;
	pthread_mutex_unlock(&s->lock);
}

int64_t
state_stale(struct state *s)
{
	int64_t since;

	pthread_mutex_lock(&s->lock);
	since = s->failing;
	pthread_mutex_unlock(&s->lock);
	return since == 0 ? 0 : clock_mono() - since;
}

bool
state_ready(struct state *s, char *why, size_t size)
{
	bool ready;

	pthread_mutex_lock(&s->lock);
	ready = s->failing == 0;
	if (!ready)
		snprintf(why, size, "the state in %s cannot be written: %s", s->dir, s->why);
	pthread_mutex_unlock(&s->lock);
	return ready;
}
