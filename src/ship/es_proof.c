/* Evidence against documents. */
#include "es_proof.h"

/* The time of an item's first refusal in doubt, and its index; 0: it was not refused so. */
static int64_t
doubted_since(struct es_hold *hold, struct es_groups *groups, const struct piece *p, uint32_t i,
    const struct group **g)
{
	if (es_hold_has(hold, p->batch)) {
		const struct held *at = es_hold_at(hold, i);

		*g = es_hold_group(hold, i);
		return at->why == VERDICT_DOUBT ? at->since : 0;
	}
	*g = p->since != 0 ? es_group_seen(groups, p->batch, &p->batch->items[i]) : NULL;
	return *g != NULL ? p->since : 0;
}

uint32_t
es_proof_missing(struct es_hold *hold, struct es_groups *groups, const struct piece *p)
{
	const struct group *g;
	int64_t since = doubted_since(hold, groups, p, todo_next(p, 0), &g);
	uint32_t hosts = 0;

	for (unsigned i = 0; since != 0 && i < HOSTS_MAX; i++)
		hosts |= (uint32_t)(g->taken[i] <= since) << i;
	return hosts;
}

void
es_proof_mark(struct es_hold *hold, struct es_groups *groups, const struct piece *p, unsigned host,
    uint64_t proven[TODO_WORDS])
{
	memset(proven, 0, TODO_WORDS * sizeof(*proven));
	if (p->since == 0 && !es_hold_has(hold, p->batch))
		return;
	TODO_EACH (p, i) {
		const struct group *g;
		int64_t since = doubted_since(hold, groups, p, i, &g);

		if (since != 0 && g->taken[host] > since)
			proven[i / 64] |= UINT64_C(1) << (i % 64);
	}
}
