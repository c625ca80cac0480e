/*
 * Counters, and how far records are in them: kept aside by the reader, and posted
 * as one change.
 */
#include <stdlib.h>

#include "memory.h"
#include "state_internal.h"

struct staged {
	struct identity log;
	enum side side;
	uint64_t counted;
};

struct staging {
	struct staged *at;
	size_t n;
	struct map *texts;
};

struct staging *
staging_new(void)
{
	struct staging *g = xcalloc(1, sizeof(*g));

	g->texts = map_new();
	return g;
}

void
staging_free(struct staging *g)
{
	texts_free(g->texts);
	free(g->at);
	free(g);
}

void
state_counted(struct state *s, const struct identity *log, enum side side, uint64_t position)
{
	struct staging *g = s->staging;

	if (g->n % 256 == 0)
		g->at = xrealloc(g->at, (g->n + 256) * sizeof(*g->at));
	g->at[g->n++] = (struct staged){ *log, side, position };
}

void
state_text(struct state *s, struct slice key, struct slice value)
{
	texts_put(s->staging->texts, key, value);
}

static bool
is_of(const struct staged *c, const struct identity *log)
{
	return memcmp(c->log.at, log->at, sizeof(log->at)) == 0;
}

void
staging_see(const struct staging *g, const struct identity *log, struct cursors out[SIDES])
{
	for (size_t i = 0; i < g->n; i++) {
		if (is_of(&g->at[i], log))
			out[g->at[i].side].counted = g->at[i].counted;
	}
}

void
staging_cut(struct staging *g, const struct identity *log, uint64_t position)
{
	for (size_t i = 0; i < g->n; i++) {
		if (g->at[i].counted > position && is_of(&g->at[i], log))
			g->at[i].counted = position;
	}
}

static void
counted_put(void *arg, struct slice key, struct slice value)
{
	texts_put(arg, key, value);
}

state_ticket
state_counts(struct state *s)
{
	struct staging *g = s->staging;

	if (g->n + map_count(g->texts) == 0)
		return 0;
	LOCKED(s);
	for (size_t i = 0; i < g->n; i++)
		logs_mark(logs_change(s, &g->at[i].log), MARK_COUNT, g->at[i].side)->now =
		    g->at[i].counted;
	g->n = 0;
	if (s->dir != NULL)
		texts_each(g->texts, counted_put, s->tables->counted);
	texts_free(g->texts);
	g->texts = map_new();
	return tickets_post(s, true);
}

static void
counter_save(void *arg, struct slice key, struct slice value)
{
	struct state *s = arg;

	if (value.len > 0)
		transaction_add(
		    s, "INSERT OR REPLACE INTO counters VALUES (?1, ?2)", TEXT(key), TEXT(value));
	else
		transaction_add(s, "DELETE FROM counters WHERE key = ?1", TEXT(key));
}

void
staging_gather(struct state *s)
{
	if (map_count(s->tables->counted) == 0)
		return;
	texts_each(s->tables->counted, counter_save, s);
	texts_free(s->tables->counted);
	s->tables->counted = map_new();
}

void
state_texts(
    struct state *s, void (*each)(void *arg, struct slice key, struct slice value), void *arg)
{
	texts_each(s->tables->counters, each, arg);
}
