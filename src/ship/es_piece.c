/*
 * Pieces of batches: the queue of those to be sent, and how long to wait with
 * one that was refused.
 */
#include "es.h"

#include <stdlib.h>

#define BACKOFF_FIRST (NS_PER_S / 2)
#define BACKOFF_MAX (30 * NS_PER_S)

/* Between 3/4 and 5/4 of 0.5 s, 1 s, 2 s, … 30 s: shippers that failed together part. */
int64_t
backoff(const struct es *es, unsigned attempt)
{
	static _Thread_local uint64_t random = 0;
	int64_t wait = es->conf->backoff_first != 0 ? es->conf->backoff_first : BACKOFF_FIRST;

	if (random == 0)
		random = (uint64_t)clock_wall() | 1;
	random ^= random << 13;
	random ^= random >> 7;
	random ^= random << 17;
	for (unsigned i = 1; i < attempt && wait < BACKOFF_MAX; i++)
		wait *= 2;
	if (wait > BACKOFF_MAX)
		wait = BACKOFF_MAX;
	return wait * 3 / 4 + (int64_t)(random % (uint64_t)(wait / 2));
}

bool
es_patient(const struct es *es, unsigned attempt)
{
	int64_t limit = es->conf->output.retry_limit;

	if (limit == -1 || limit == -2) /* no_limits, false */
		return true;
	return limit > 0 && attempt <= (uint64_t)limit;
}

struct piece *
piece_new(struct batch *b, enum form form)
{
	struct piece *p = xcalloc(1, sizeof(*p));

	p->batch = b;
	p->form = form;
	return p;
}

void
piece_queue(struct es *es, struct piece *p, bool first)
{
	struct piece **at = &es->pieces;

	while (!first && *at != NULL)
		at = &(*at)->next;
	p->next = *at;
	*at = p;
}

static bool
batch_in_use(const struct es *es, const struct batch *b)
{
	for (const struct piece *p = es->pieces; p != NULL; p = p->next) {
		if (p->batch == b)
			return true;
	}
	for (unsigned i = 0; i < es->nrequests; i++) {
		const struct es_request *r = es->requests[i];

		if (r != NULL && r->piece != NULL && r->piece->batch == b)
			return true;
	}
	return false;
}

void
piece_done(struct es *es, struct piece *p)
{
	struct batch *b = p->batch;

	free(p);
	if (hold_has(es, b))
		es->hold->flying--;
	else if (!batch_in_use(es, b))
		ship_return(es->sink->shipper, b);
}

/* Since when its only, or of the hold's its first document is refused; 0: not, or *g is NULL. */
static int64_t
refused_since(struct es *es, const struct piece *p, const struct group **g)
{
	uint32_t i = todo_next(p, 0);

	*g = NULL;
	if (hold_has(es, p->batch)) {
		*g = &es->hold->groups[es->hold->at[i].group];
		return es->hold->at[i].since;
	}
	if (p->since == 0 || p->n != 1)
		return 0;
	*g = hold_group_seen(es, p->batch, &p->batch->items[i]);
	return *g != NULL ? p->since : 0;
}

uint32_t
piece_unproven(struct es *es, const struct piece *p)
{
	const struct group *g;
	int64_t since = refused_since(es, p, &g);
	uint32_t hosts = 0;

	for (unsigned i = 0; since != 0 && i < es->nhosts; i++)
		hosts |= (uint32_t)(g->taken[i] <= since) << i;
	return hosts;
}

void
piece_prove(struct es *es, struct piece *p, const struct es_host *h)
{
	size_t host = (size_t)(h - es->hosts);
	struct hold *hold = es->hold;
	const struct group *g;
	int64_t since = refused_since(es, p, &g);

	p->proven = since != 0 && g->taken[host] > since;
	for (uint32_t i = todo_next(p, 0); hold_has(es, p->batch) && i < p->batch->nitems;
	     i = todo_next(p, i + 1)) {
		struct held *at = &hold->at[i];

		at->proven = hold->groups[at->group].taken[host] > at->since;
	}
}

struct piece *
piece_take(struct es *es, int64_t now, int64_t *next)
{
	struct piece *p = hold_piece(es, now, next);

	if (p != NULL)
		return p;
	for (struct piece **at = &es->pieces; *at != NULL; at = &(*at)->next) {
		p = *at;
		if (p->due <= now) {
			*at = p->next;
			p->next = NULL;
			return p;
		}
		if (p->due < *next)
			*next = p->due;
	}
	return NULL;
}
