/*
 * What was counted: kept aside by the reader, posted with the cursors that say
 * so as one change.
 */
#include <stdlib.h>

#include "memory.h"
#include "state_internal.h"

void
staging_clear(struct state *s)
{
	for (size_t i = 0; i < s->nstaged_texts; i++) {
		free(s->staged_texts[i].key);
		free(s->staged_texts[i].value);
	}
	s->nstaged = s->nstaged_texts = 0;
}

void
state_counted(struct state *s, const struct identity *id, enum side side, uint64_t offset)
{
	if (s->nstaged % 256 == 0)
		s->staged = xrealloc(s->staged, (s->nstaged + 256) * sizeof(*s->staged));
	s->staged[s->nstaged++] = (struct staged){ *id, side, offset };
}

void
state_text(struct state *s, struct slice key, struct slice value)
{
	s->staged_texts =
	    xrealloc(s->staged_texts, (s->nstaged_texts + 1) * sizeof(*s->staged_texts));
	s->staged_texts[s->nstaged_texts++] = (struct staged_text){
		.key = xslicedup(key),
		.value = value.len > 0 ? xslicedup(value) : NULL,
	};
}

static void
text_put(struct state *s, struct staged_text *from)
{
	struct text *t = map_get(s->texts, slice_of(from->key));

	if (t == NULL) {
		t = xcalloc(1, sizeof(*t));
		map_put(s->texts, slice_of(from->key), t);
	}
	free(t->value);
	t->value = from->value;
	from->value = NULL;
	t->is_dirty = s->texts_dirty = true;
}

static bool
is_of(const struct staged *c, const struct identity *id)
{
	return memcmp(c->id.at, id->at, sizeof(id->at)) == 0;
}

void
staging_see(const struct state *s, const struct identity *id, struct stream_state *out)
{
	for (size_t i = 0; i < s->nstaged; i++) {
		if (is_of(&s->staged[i], id))
			out->side[s->staged[i].side].counted = s->staged[i].counted;
	}
}

void
staging_back(struct state *s, const struct identity *id, enum side side, uint64_t to)
{
	for (size_t i = 0; i < s->nstaged; i++) {
		struct staged *c = &s->staged[i];

		if (c->side == side && c->counted > to && is_of(c, id))
			c->counted = to;
	}
}

state_ticket
state_counts(struct state *s)
{
	state_ticket ticket;

	if (s->nstaged + s->nstaged_texts == 0)
		return 0;
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->nstaged; i++) {
		struct known *k = known_of(s, &s->staged[i].id);

		k->stream.side[s->staged[i].side].counted = s->staged[i].counted;
		if (s->dir != NULL)
			known_dirty(s, k);
	}
	for (size_t i = 0; i < s->nstaged_texts; i++)
		text_put(s, &s->staged_texts[i]);
	ticket = ++s->posted;
	if (s->dir == NULL)
		s->durable = ticket;
	else
		state_posted(s, true);
	pthread_mutex_unlock(&s->lock);
	staging_clear(s);
	return ticket;
}

void
state_texts(
    struct state *s, void (*each)(void *arg, struct slice key, struct slice value), void *arg)
{
	struct slice key;
	const struct text *t;
	size_t at = 0;

	while ((t = map_next(s->texts, &at, &key)) != NULL) {
		if (t->value != NULL)
			each(arg, key, slice_of(t->value));
	}
}
