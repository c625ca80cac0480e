/*
 * Forgetting while running: each rotation is a stream more, so a process that
 * lives for months would keep them all.  What has had no file for an age goes,
 * in memory here, on disk with the next commit.  At a start schema.c does it.
 */
#include <stdlib.h>

#include "clock.h"
#include "known.h"
#include "memory.h"

#define HOUR (3600 * NS_PER_S)
#define AGE (STATE_AGE_DAYS * 24 * HOUR)

static struct slice
key_of(const struct identity *id)
{
	return (struct slice){ (const char *)id->at, sizeof(id->at) };
}

/* From among the generations of its base. */
static void
known_unlink(struct state *s, const struct known *k)
{
	struct known *at = map_get(s->bases, key_of(&k->stream.base));

	if (at == k && k->twin != NULL)
		map_put(s->bases, key_of(&k->stream.base), k->twin);
	else if (at == k)
		map_del(s->bases, key_of(&k->stream.base));
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
	known_unlink(s, k);
	map_del(s->streams, key_of(&k->id));
	known_free(k);
}

void
forget_old(struct state *s)
{
	int64_t before = clock_wall() - AGE;
	struct known *k;
	size_t at = 0, n = 0;

	while (n < FORGET_MOST && (k = map_next(s->streams, &at, NULL)) != NULL) {
		if (k->open || k->is_dirty || k->touched >= before)
			continue;
		forget(s, k);
		n++;
		at--; /* another one may have moved to its place */
	}
	s->posted += n > 0;
	s->forget_at = clock_mono() + (n < FORGET_MOST ? HOUR : NS_PER_S);
}
