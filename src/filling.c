/*
 * Records into batches.  Lanes whose outputs keep pace are offered each record one after the
 * other: the first runs it through the chain, the others take what became of it (chain.c),
 * and each encodes it in its shape.
 */
#include "filling.h"

#include "clock.h"
#include "enrich.h"
#include "metrics.h"

/* The age at which a batch is sealed while no request is under way: a quiet
 * agent's error is searchable at once. */
#define LINGER (50 * NS_PER_MS)

static void
seal(struct filling *f, unsigned i)
{
	shipper_give(f->shipper, f->at[i]);
	f->at[i] = NULL;
}

/* The batch being filled for `route`; NULL: none is free. */
static struct batch **
batch_for(struct filling *f, uint32_t route)
{
	unsigned spare = ROUTES;

	for (unsigned i = 0; i < ROUTES; i++) {
		if (f->at[i] != NULL && f->at[i]->route == route) /* mostly the first one */
			return &f->at[i];
		if (f->at[i] == NULL && spare == ROUTES)
			spare = i;
	}
	if (spare == ROUTES)
		seal(f, spare = 0);
	f->at[spare] = f->spare != NULL ? f->spare : shipper_take(f->shipper, f->lane);
	f->spare = NULL;
	if (f->at[spare] == NULL)
		return NULL;
	f->at[spare]->route = route;
	f->at[spare]->opened = clock_mono();
	return &f->at[spare];
}

/* The batch with the document of another lane, which is alike; NULL: there is none. */
static const struct batch *
alike_in(const struct pipeline *p, const struct flow *flow, const struct flow_lane *to)
{
	const struct source *made = chain_made(p->chain, to->source);
	unsigned i = 0;

	if (made == NULL)
		return NULL;
	while (flow->lanes[i].source != made)
		i++;
	return document_is_alike(&flow->lanes[i].rules, &to->rules) ? p->filling[i].shown : NULL;
}

/* Encoded once for lanes whose documents are alike. */
static bool
document_put(struct pipeline *p, struct batch *b, const struct flow *flow)
{
	const struct flow_lane *to = &flow->lanes[b->lane];
	const struct batch *shown = p->nlanes > 1 ? alike_in(p, flow, to) : NULL;

	if (shown != NULL)
		return batch_copy(b, &to->rules, &p->record, shown);
	if (!batch_put(b, &to->rules, &p->record))
		return false;
	p->filling[b->lane].shown = b;
	return true;
}

/*
 * One record (dropped by a filter when not `keep`) into the batch; false: it is
 * full.  Not `last`: a further document of the record follows.
 */
static bool
put_into(struct pipeline *p, struct batch *b, const struct framed *f, bool keep, bool last)
{
	struct cursor *cursor = f->cursor;
	const struct flow *flow = f->stream->user;
	bool fresh = cursor->open_batch != b->number;
	struct range *range;

	if (fresh && b->nranges == BATCH_ITEMS)
		return false;
	range = range_open(p->filling[b->lane].book, cursor, b->number);
	if (range == NULL)
		return false;
	if (fresh)
		b->ranges[b->nranges++] = range;
	if (keep) {
		if (!document_put(p, b, flow))
			return false;
		b->items[b->nitems - 1].range = range;
	}
	if (last)
		range_add(range, keep, f->end);
	else
		range_more(range, keep);
	if (f->after > b->after)
		b->after = f->after;
	return true;
}

/* The record, or a copy, is in its batch; it was dropped by a filter when not `keep`. */
static void
record_given(struct pipeline *p, const struct framed *f, bool keep)
{
	const struct flow *flow = f->stream->user;

	if (keep)
		enrich_shipped(flow);
	else if (f->start >= flow->counted[f->side] &&
		 (chain_dropped_by(p->chain) != NULL ||
		     (f->text.len == 0 && f->stream->conf->skip_empty)))
		metrics_add(&metrics_filtered, 1); /* once, whatever lanes read it */
	count_record(p, f);
}

/* One document into the batch of its route (NULL: none is free), else the next one's. */
static bool
put(struct pipeline *p, struct filling *filling, struct batch **batch, const struct framed *f,
    bool keep, bool last)
{
	if (batch != NULL && !put_into(p, *batch, f, keep, last)) {
		uint32_t route = (*batch)->route;

		seal(filling, (unsigned)(batch - filling->at));
		batch = batch_for(filling, route);
		if (batch != NULL && !put_into(p, *batch, f, keep, last))
			batch = NULL;
	}
	filling->starved = batch == NULL;
	return !filling->starved;
}

/* The outputs of the record that was made; 0: none takes it. */
static uint32_t
route_now(const struct pipeline *p, const struct filling *filling, const struct flow_lane *to)
{
	return p->record.retag.given == 0
		   ? to->route
		   : flow_route(p, shipper_lane(p->shipper, filling->lane)->outputs, p->record.tag);
}

/*
 * The record through the chain, for one lane.  Where none of its outputs takes
 * it, it is read only to be counted.
 */
static bool
record_make(struct pipeline *p, const struct flow_lane *to, const struct framed *f)
{
	const struct flow *flow = f->stream->user;

	if (to->route != 0 || p->nlanes == 1 || to->retags)
		return chain_run(p->chain, to->source, f, &p->record);
	if (f->start >= flow->counted[f->side])
		chain_read(p->chain, to->source, f, &p->record);
	return false;
}

/* So many documents of the record are in batches, and were not forgotten by a rewind. */
static unsigned
half_done(const struct half_put *half, const struct framed *f)
{
	bool again = half->cursor == f->cursor && half->start == f->start &&
		     half->batch == f->cursor->open_batch;

	return again ? half->done : 0;
}

/*
 * The record, and the copies and parts that filters made of it, each to the outputs of
 * its tag.  Where a batch is missing for one of them, those before it are not
 * put again when the record is offered again, unless the log was rewound: then its
 * cursor has no range of that batch.
 */
static bool
put_all(struct pipeline *p, const struct flow_lane *to, const struct framed *f, bool *any)
{
	struct filling *filling = &p->filling[f->cursor->reader];
	bool keep = record_make(p, to, f);
	unsigned done = half_done(&filling->half, f);

	for (unsigned i = 0;; i++) {
		bool last = !chain_copies(p->chain);
		uint32_t route = keep ? route_now(p, filling, to) : 0;

		keep = route != 0;
		*any |= keep;
		if (i >= done &&
		    !put(p, filling, batch_for(filling, keep ? route : to->route), f, keep, last)) {
			filling->half =
			    (struct half_put){ f->cursor, f->start, f->cursor->open_batch, i };
			return false;
		}
		if (last)
			return true;
		keep = chain_copy(p->chain, to->source, f, &p->record);
	}
}

bool
filling_record(void *arg, const struct framed *f)
{
	struct pipeline *p = arg;
	struct filling *filling = &p->filling[f->cursor->reader];
	struct flow *flow = f->stream->user;
	const struct flow_lane *to = &flow->lanes[filling->lane];
	struct batch **batch = NULL;
	bool any = false;

	filling->shown = NULL;
	if (f->offered == 0) {
		chain_next(p->chain);
		enrich_record(p, flow);
	}
	/* Mostly it is known before it is made that there is no room for it. */
	if (!to->retags) {
		batch = batch_for(filling, to->route);
		filling->starved = batch == NULL;
		if (filling->starved)
			return false;
	}
	if (to->several) {
		if (!put_all(p, to, f, &any))
			return false;
	} else {
		any = record_make(p, to, f) && to->route != 0;
		if (!put(p, filling, batch, f, any, true))
			return false;
	}
	record_given(p, f, any);
	return true;
}

/* Shipping stands: the record is counted now, and read again when a batch is
 * free. */
bool
filling_count(void *arg, const struct framed *f)
{
	struct pipeline *p = arg;
	struct flow *flow = f->stream->user;

	if (f->start >= flow->counted[f->side]) {
		chain_read(p->chain, flow->lanes[0].source, f, &p->record);
		count_record(p, f);
	}
	return true;
}

/* ---- batches that are full, or old enough */

bool
filling_has_room(struct filling *f)
{
	if (f->starved && f->spare == NULL)
		f->spare = shipper_take(f->shipper, f->lane);
	f->starved = f->starved && f->spare == NULL;
	return !f->starved;
}

/* The age at which a batch is sealed: less while no request is under way. */
static int64_t
linger_of(const struct filling *f, int64_t flush)
{
	return shipper_idle(f->shipper, f->lane) ? earlier(LINGER, flush) : flush;
}

int64_t
filling_seal_due(struct filling *f, int64_t flush, int64_t now)
{
	int64_t wait = NS_PER_S, linger = linger_of(f, flush);

	for (unsigned i = 0; i < ROUTES; i++) {
		int64_t due;

		if (f->at[i] == NULL)
			continue;
		due = f->at[i]->opened + linger - now;
		if (due <= 0)
			seal(f, i);
		else if (due < wait)
			wait = due;
	}
	return wait;
}

bool
filling_is_given(const struct filling *f)
{
	for (unsigned i = 0; i < ROUTES; i++) {
		if (f->at[i] != NULL)
			return false;
	}
	return shipper_idle(f->shipper, f->lane);
}

void
filling_seal_all(struct filling *f)
{
	for (unsigned i = 0; i < ROUTES; i++) {
		if (f->at[i] != NULL)
			seal(f, i);
	}
}
