/*
 * Known streams: found by their identity, or by the base of several generations;
 * chained when they are to be written.
 */
#include <stdlib.h>

#include "clock.h"
#include "memory.h"
#include "state_internal.h"

struct slice
known_key(const struct identity *id)
{
	return (struct slice){ (const char *)id->at, sizeof(id->at) };
}

void
known_free(struct known *k)
{
	free(k->path);
	free(k->breaks);
	free(k);
}

struct known *
known_of(struct state *s, const struct identity *id)
{
	struct known *k = map_get(s->streams, known_key(id));

	if (k == NULL) {
		k = xcalloc(1, sizeof(*k));
		k->id = *id;
		k->stream.first_seen = k->touched = clock_wall();
		map_put(s->streams, known_key(id), k);
		forget_soon(s);
	}
	return k;
}

void
known_dirty(struct state *s, struct known *k)
{
	if (k->is_dirty)
		return;
	k->is_dirty = true;
	k->dirty = s->dirty;
	s->dirty = k;
}

void
known_link(struct state *s, struct known *k)
{
	if (k->stream.generation != 0)
		k->twin = map_put(s->bases, known_key(&k->stream.base), k);
}

struct known *
known_take(struct state *s, const struct identity *id)
{
	pthread_mutex_lock(&s->lock);
	return known_of(s, id);
}

state_ticket
known_put(struct state *s, struct known *k, bool urgent)
{
	state_ticket ticket = ++s->posted;

	if (s->dir == NULL) {
		s->durable = ticket;
	} else {
		known_dirty(s, k);
		state_posted(s, urgent);
	}
	pthread_mutex_unlock(&s->lock);
	return ticket;
}
