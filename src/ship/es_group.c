/* Indices that have refused records. */
#include "es_group.h"

#include <stdlib.h>

#include "least.h"
#include "map.h"
#include "memory.h"

#define MAP_ENTRY 128u /* bytes of the map for a group, beside its key, and of what malloc adds */

void
es_group_init(struct es_groups *gs, const char *index)
{
	gs->index = index;
	TAILQ_INIT(&gs->all);
	gs->by_index = map_new();
	gs->n = 0;
}

void
es_group_fini(struct es_groups *gs)
{
	struct group *g;

	while ((g = TAILQ_FIRST(&gs->all)) != NULL) {
		TAILQ_REMOVE(&gs->all, g, in_groups);
		free(g);
	}
	map_free(gs->by_index);
}

/* {"create":{"_index":"NAME","_id":…: the name as it stands there. */
static struct slice
index_of(const struct es_groups *gs, const struct batch *b, const struct item *item)
{
	static const char mark[] = "{\"_index\":\"";
	struct slice action = { b->body.at + item->action, item->document - item->action };
	const char *from, *end;

	if (gs->index != NULL)
		return slice_of(gs->index);
	from = memmem(action.at, action.len, mark, sizeof(mark) - 1);
	if (from == NULL)
		return SLICE("");
	from += sizeof(mark) - 1;
	end = memmem(from, (size_t)(action.at + action.len - from), "\",\"_id\"", 7);
	return (struct slice){ from, end == NULL ? 0 : (size_t)(end - from) };
}

struct group *
es_group_seen(struct es_groups *gs, const struct batch *b, const struct item *item)
{
	return gs->n == 0 ? NULL : map_get(gs->by_index, index_of(gs, b, item));
}

/* The place of one that holds nothing, else a new one. */
static struct group *
group_free(struct es_groups *gs)
{
	struct group *g = NULL;

	if (gs->n >= GROUPS) {
		TAILQ_FOREACH (g, &gs->all, in_groups) {
			if (g->held == 0)
				break;
		}
	}
	if (g == NULL) {
		gs->n++;
		return xcalloc(1, sizeof(*g));
	}
	TAILQ_REMOVE(&gs->all, g, in_groups);
	map_del(gs->by_index, slice_of(g->index));
	memset(g, 0, sizeof(*g));
	return g;
}

struct group *
es_group_of(struct es_groups *gs, const struct batch *b, const struct item *item)
{
	struct slice index = index_of(gs, b, item);
	struct group *g = map_get(gs->by_index, index);

	if (g != NULL) {
		TAILQ_REMOVE(&gs->all, g, in_groups);
	} else {
		g = group_free(gs);
		index.len = least(index.len, INDEX_SIZE - 1);
		memcpy(g->index, index.at, index.len);
		map_put(gs->by_index, index, g);
	}
	TAILQ_INSERT_TAIL(&gs->all, g, in_groups);
	return g;
}

void
es_group_taken(struct group *g, unsigned host, int64_t started)
{
	g->took = true;
	if (started > g->taken[host])
		g->taken[host] = started;
}

bool
es_group_took(const struct group *g, int64_t since)
{
	for (unsigned i = 0; i < HOSTS_MAX; i++) {
		if (g->taken[i] > since)
			return true;
	}
	return false;
}

uint64_t
es_group_limit(bool fixed)
{
	return (fixed ? 1 : BATCH_ITEMS + GROUPS) * (sizeof(struct group) + INDEX_SIZE + MAP_ENTRY);
}
