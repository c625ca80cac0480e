/* The hold: records in and out, and the choice of those that are sent next. */
#include "es_hold.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include "hold_report.h"
#include "retry.h"

/*
 * An index that refuses is asked with all of its records this often, then with
 * one; with all each time where the attempts are limited, as each has its own.
 */
#define ALL_ATTEMPTS 1

/* At most this much of the hold in one request. */
#define PIECE_BYTES 1000000u

struct es_hold {
	struct sink *sink;
	const struct es_conf *conf;
	struct batch *batch; /* made when first used, with: */
	struct held *at;
	unsigned n;      /* held now */
	unsigned pieces; /* of it that are not done */
	unsigned parked; /* items dropped for want of room */
};

struct es_hold *
es_hold_new(struct sink *sink, const struct es_conf *conf)
{
	struct es_hold *h = xcalloc(1, sizeof(*h));

	h->sink = sink;
	h->conf = conf;
	return h;
}

void
es_hold_free(struct es_hold *h)
{
	if (h == NULL)
		return;
	batch_free(h->batch);
	free(h->at);
	free(h);
}

uint64_t
es_hold_limit(const struct es_conf *conf)
{
	return sizeof(struct es_hold) + conf->hold_size + sizeof(struct batch) +
	       BATCH_ITEMS * sizeof(struct held);
}

bool
es_hold_has(const struct es_hold *h, const struct batch *b)
{
	return h->batch == b;
}

struct held *
es_hold_at(struct es_hold *h, uint32_t i)
{
	return &h->at[i];
}

struct group *
es_hold_group(const struct es_hold *h, uint32_t i)
{
	return h->at[i].group;
}

unsigned
es_hold_count(const struct es_hold *h)
{
	return h->n;
}

/* ---- in and out */

/* Close the gaps that items left; no request reads from the hold now. */
static void
compact(struct es_hold *h)
{
	struct batch *b = h->batch;
	uint32_t to = 0;
	size_t len = 0;

	assert(h->pieces == 0);
	for (uint32_t i = 0; i < b->nitems; i++) {
		struct item *item = &b->items[to];
		uint32_t shift;

		if (h->at[i].gone)
			continue;
		*item = b->items[i];
		h->at[to++] = h->at[i];
		memmove(b->body.at + len, b->body.at + item->action, item->end + 1 - item->action);
		shift = item->action - (uint32_t)len;
		item->action -= shift;
		item->document -= shift;
		item->core -= shift;
		item->plain -= shift;
		item->end -= shift;
		len = item->end + 1;
	}
	b->nitems = to;
	b->body.len = len;
}

static bool
has_room(const struct es_hold *h, size_t size)
{
	return h->batch->nitems < BATCH_ITEMS && h->batch->body.size - h->batch->body.len >= size;
}

static void
count_show(const struct es_hold *h)
{
	atomic_store_explicit(&h->sink->metrics->held, h->n, memory_order_relaxed);
	atomic_store(&h->sink->held, h->n + h->parked);
}

bool
es_hold_put(struct es_hold *h, const struct batch *b, uint32_t i, const struct held *how)
{
	const struct item *from = &b->items[i];
	size_t size = from->end + 1 - from->action;
	struct item *to;
	uint32_t shift;

	if (h->batch == NULL) {
		h->batch = batch_new(h->conf->hold_size, h->conf->hold_size);
		h->at = xcalloc(BATCH_ITEMS, sizeof(*h->at));
	}
	if (!has_room(h, size) && h->pieces == 0)
		compact(h);
	if (!has_room(h, size))
		return false;
	to = &h->batch->items[h->batch->nitems];
	h->at[h->batch->nitems++] = *how;
	*to = *from;
	memcpy(h->batch->body.at + h->batch->body.len, b->body.at + from->action, size);
	shift = (uint32_t)h->batch->body.len - from->action; /* modulo 2^32: it may go down */
	to->action += shift;
	to->document += shift;
	to->core += shift;
	to->plain += shift;
	to->end += shift;
	h->batch->body.len += size;
	h->n++;
	how->group->held++;
	count_show(h);
	return true;
}

void
es_hold_remove(struct es_hold *h, uint32_t i)
{
	assert(!h->at[i].gone);
	h->at[i].gone = true;
	h->n--;
	es_hold_group(h, i)->held--;
	if (h->n == 0 && h->parked > 0) {
		say_info(
		    "es", "%s: all held records are delivered; parked files go on", h->sink->name);
		h->parked = 0;
		hold_report_unparked(h->sink->report, h->sink->name);
		delivery_unpark(h->sink->delivery);
	}
	count_show(h);
}

void
es_hold_park(struct es_hold *h, const struct item *item, const char *why)
{
	if (h->parked++ == 0)
		say_warn("es",
		    "the hold is full; files that feed what the server refuses are parked  "
		    "output=%s held=%u",
		    h->sink->name, h->n);
	hold_report_parked(h->sink->report, item, h->sink->name, why);
	delivery_drop(h->sink->delivery, item);
	count_show(h);
}

void
es_hold_report(const struct es_hold *h)
{
	for (uint32_t i = 0; h->n > 0 && i < h->batch->nitems; i++) {
		if (!h->at[i].gone)
			hold_report_item(h->sink->report, &h->batch->items[i], h->sink->name,
			    es_hold_group(h, i)->why);
	}
}

/* ---- when to try again */

static bool
is_of(const struct es_hold *h, uint32_t i, const struct group *g)
{
	return !h->at[i].gone && es_hold_group(h, i) == g;
}

void
es_hold_due(struct es_hold *h, const struct group *g, unsigned attempts, int64_t due)
{
	for (uint32_t i = 0; i < h->batch->nitems; i++) {
		struct held *at = &h->at[i];

		if (is_of(h, i, g) && (at->attempt <= attempts || at->why == VERDICT_DOUBT))
			at->due = due;
	}
}

void
es_hold_wait(struct es_hold *h, const struct group *g, int64_t due)
{
	for (uint32_t i = 0; i < h->batch->nitems; i++) {
		struct held *at = &h->at[i];

		if (is_of(h, i, g) && at->form == FORM_FULL &&
		    !(at->why == VERDICT_DOUBT && es_group_took(g, at->since)))
			at->due = due;
	}
}

/* The due record with the fewest attempts: a faulty one is not always the one that asks. */
static const struct held *
first_due(const struct es_hold *h, int64_t now, int64_t *next)
{
	const struct held *first = NULL;

	for (uint32_t i = 0; i < h->batch->nitems; i++) {
		const struct held *at = &h->at[i];

		if (at->gone)
			continue;
		if (at->due > now)
			*next = at->due < *next ? at->due : *next;
		else if (first == NULL || at->attempt < first->attempt)
			first = at;
	}
	return first;
}

/* True when one record asks for all of its index, of which nothing else is known. */
static bool
asks_alone(const struct es_hold *h, const struct held *first)
{
	const struct group *g = first->group;

	return g->attempt > ALL_ATTEMPTS && !es_group_took(g, first->since) &&
	       first->form == FORM_FULL && retry_allows(h->conf->output.retry_limit, UINT_MAX);
}

struct piece *
es_hold_take(struct es_hold *h, int64_t now, int64_t *next)
{
	const struct held *first;
	struct piece *p;
	size_t bytes = 0;

	if (h->n == 0 || h->pieces > 0)
		return NULL;
	first = first_due(h, now, next);
	if (first == NULL)
		return NULL;
	es_hold_more(h);
	p = send_queue_piece(h->batch, first->form);
	p->attempt = first->attempt;
	p->tried = first->tried;
	todo_add(p, (uint32_t)(first - h->at));
	if (asks_alone(h, first))
		return p;
	for (uint32_t i = 0; i < h->batch->nitems && bytes < PIECE_BYTES; i++) {
		const struct held *at = &h->at[i];
		const struct item *item = &h->batch->items[i];

		if (at->gone || at->due > now || at->group != first->group ||
		    at->form != first->form)
			continue;
		todo_add(p, i);
		bytes += item->end + 1 - item->action;
	}
	return p;
}

struct piece *
es_hold_put_off(struct es_hold *h, const struct send_queue *q, int64_t before, int64_t due)
{
	int64_t limit = h->conf->output.retry_limit;
	struct piece *p = NULL;

	if (h->n == 0 || retry_allows(limit, UINT_MAX))
		return NULL;
	for (uint32_t i = 0; i < h->batch->nitems; i++) {
		struct held *at = &h->at[i];

		if (at->gone || at->due >= before || send_queue_has(q, h->batch, i))
			continue;
		at->due = due;
		if (retry_allows(limit, ++at->attempt))
			continue;
		if (p == NULL) {
			es_hold_more(h);
			p = send_queue_piece(h->batch, FORM_FULL);
		}
		todo_add(p, i);
	}
	return p;
}

void
es_hold_more(struct es_hold *h)
{
	h->pieces++;
}

void
es_hold_done(struct es_hold *h, struct piece *p)
{
	assert(h->pieces > 0);
	h->pieces--;
	free(p);
}
