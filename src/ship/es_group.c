/* Indices that have refused records. */
#include "es_group.h"

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

static bool
group_is(const struct group *g, struct slice index)
{
	size_t n = index.len < sizeof(g->index) ? index.len : sizeof(g->index) - 1;

	return strlen(g->index) == n && memcmp(g->index, index.at, n) == 0;
}

struct group *
es_group_seen(struct es_groups *gs, const struct batch *b, const struct item *item)
{
	struct slice index;

	if (gs->n == 0)
		return NULL;
	index = index_of(gs, b, item);
	for (unsigned i = 0; i < gs->n; i++) {
		if (group_is(&gs->at[i], index))
			return &gs->at[i];
	}
	return NULL;
}

/* A new one, else one that holds nothing, else the last. */
static struct group *
group_free(struct es_groups *gs)
{
	if (gs->n < GROUPS)
		return &gs->at[gs->n++];
	for (unsigned i = 0; i < GROUPS; i++) {
		if (gs->at[i].held == 0)
			return &gs->at[i];
	}
	return &gs->at[GROUPS - 1];
}

struct group *
es_group_of(struct es_groups *gs, const struct batch *b, const struct item *item)
{
	struct group *g = es_group_seen(gs, b, item);
	struct slice index;

	if (g != NULL)
		return g;
	g = group_free(gs);
	if (g->held == 0)
		memset(g, 0, sizeof(*g));
	g->shared = g->held > 0;
	memset(g->taken, 0, sizeof(g->taken));
	index = index_of(gs, b, item);
	if (index.len >= sizeof(g->index))
		index.len = sizeof(g->index) - 1;
	memcpy(g->index, index.at, index.len);
	g->index[index.len] = '\0';
	return g;
}

void
es_group_taken(struct group *g, unsigned host, int64_t started)
{
	if (!g->shared && started > g->taken[host])
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
