/*
 * The hold: records that the server refuses as things are, out of their
 * batches, so that these can go on.  A batch of its own of bounded size, sent
 * by the same means; items of one index wait together, and one of them asks
 * for all.
 */
#include <assert.h>
#include <stdlib.h>

#include "es.h"
#include "holds.h"

/*
 * An index that refuses is asked with all of its records this often, then with
 * one; with all each time where the attempts are limited, as each has its own.
 */
#define ALL_ATTEMPTS 1

/* At most this much of the hold in one request. */
#define PIECE_BYTES 1000000u

static struct hold *
hold_new(const struct es_conf *conf)
{
	struct hold *h = xcalloc(1, sizeof(*h));

	h->batch = batch_new(conf->hold_size, conf->hold_size);
	return h;
}

void
hold_free(struct hold *h)
{
	if (h == NULL)
		return;
	batch_free(h->batch);
	free(h);
}

bool
hold_has(const struct es *es, const struct batch *b)
{
	return es->hold != NULL && es->hold->batch == b;
}

/* ---- groups: what is known of an index */

/* {"create":{"_index":"NAME","_id":…: the name as it stands there. */
static struct slice
index_of(const struct es *es, const struct batch *b, const struct item *item)
{
	static const char mark[] = "{\"_index\":\"";
	struct slice action = { b->body.at + item->action, item->document - item->action };
	const char *from, *end;

	if (es->index != NULL)
		return slice_of(es->index);
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
hold_group_seen(struct es *es, const struct batch *b, const struct item *item)
{
	struct hold *h = es->hold;
	struct slice index;

	if (h == NULL || h->ngroups == 0)
		return NULL;
	index = index_of(es, b, item);
	for (unsigned i = 0; i < h->ngroups; i++) {
		if (group_is(&h->groups[i], index))
			return &h->groups[i];
	}
	return NULL;
}

struct group *
hold_group(struct es *es, const struct batch *b, const struct item *item)
{
	struct slice index = index_of(es, b, item);
	struct group *g = hold_group_seen(es, b, item);
	struct hold *h;

	if (g != NULL)
		return g;
	if (es->hold == NULL)
		es->hold = hold_new(es->conf);
	h = es->hold;
	for (unsigned i = 0; i < h->ngroups && g == NULL; i++) {
		if (h->groups[i].held == 0 && h->ngroups == GROUPS)
			g = &h->groups[i];
	}
	if (g == NULL) /* beyond that, the last one is shared */
		g = &h->groups[h->ngroups < GROUPS ? h->ngroups++ : GROUPS - 1];
	if (g->held == 0)
		memset(g, 0, sizeof(*g));
	if (index.len >= sizeof(g->index))
		index.len = sizeof(g->index) - 1;
	memcpy(g->index, index.at, index.len);
	g->index[index.len] = '\0';
	return g;
}

/* ---- in and out */

/* Close the gaps that items left; no request reads from the hold now. */
static void
compact(struct hold *h)
{
	struct batch *b = h->batch;
	uint32_t to = 0;
	size_t len = 0;

	assert(h->flying == 0);
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
has_room(const struct hold *h, size_t size)
{
	return h->batch->nitems < BATCH_ITEMS && h->batch->body.size - h->batch->body.len >= size;
}

bool
hold_put(struct es *es, struct batch *b, uint32_t i, const struct held *how)
{
	struct hold *h = es->hold;
	struct item *from = &b->items[i], *to;
	size_t size = from->end + 1 - from->action;
	uint32_t shift;

	if (!has_room(h, size) && h->flying == 0)
		compact(h);
	if (!has_room(h, size))
		return false;
	to = &h->batch->items[h->batch->nitems];
	h->at[h->batch->nitems++] = *how;
	ship_keep(es->sink->shipper, from, to);
	memcpy(h->batch->body.at + h->batch->body.len, b->body.at + from->action, size);
	shift = (uint32_t)h->batch->body.len - from->action; /* modulo 2^32: it may go down */
	to->action += shift;
	to->document += shift;
	to->core += shift;
	to->plain += shift;
	to->end += shift;
	h->batch->body.len += size;
	h->n++;
	h->groups[how->group].held++;
	atomic_store_explicit(&es->sink->metrics->held, h->n, memory_order_relaxed);
	atomic_store(&es->sink->held, h->n + h->parked);
	return true;
}

void
hold_remove(struct es *es, uint32_t i)
{
	struct hold *h = es->hold;

	assert(!h->at[i].gone);
	h->at[i].gone = true;
	h->n--;
	h->groups[h->at[i].group].held--;
	if (h->n == 0 && h->parked > 0) {
		say_info(
		    "es", "%s: all held records are delivered; parked files go on", es->sink->name);
		h->parked = 0;
		ship_unpark(es->sink->shipper);
	}
	atomic_store_explicit(&es->sink->metrics->held, h->n, memory_order_relaxed);
	atomic_store(&es->sink->held, h->n + h->parked);
}

void
es_holds(struct sink *sink)
{
	struct es *es = sink->own;
	const struct hold *h = es->hold;

	for (uint32_t i = 0; h != NULL && h->n > 0 && i < h->batch->nitems; i++) {
		if (!h->at[i].gone)
			holds_item(sink->shipper, &h->batch->items[i], sink->name,
			    h->groups[h->at[i].group].why);
	}
}

/* ---- when to try again */

/* Records of the index that were refused at most ${attempts} times are tried at ${due}. */
void
hold_due(struct es *es, const struct group *g, unsigned attempts, int64_t due)
{
	struct hold *h = es->hold;

	for (uint32_t i = 0; i < h->batch->nitems; i++) {
		struct held *at = &h->at[i];

		if (at->gone || &h->groups[at->group] != g)
			continue;
		if (at->attempt <= attempts || at->why == VERDICT_DOUBT)
			at->due = due;
	}
}

bool
group_took(const struct group *g, int64_t since)
{
	for (unsigned i = 0; i < HOSTS_MAX; i++) {
		if (g->taken[i] > since)
			return true;
	}
	return false;
}

/* The index takes their cores where they were refused: the fault is the documents'. */
void
hold_fault(struct es *es, const struct group *g, int64_t due)
{
	struct hold *h = es->hold;

	for (uint32_t i = 0; i < h->batch->nitems; i++) {
		struct held *at = &h->at[i];

		if (at->gone || &h->groups[at->group] != g || at->why < VERDICT_UNKNOWN)
			continue;
		if (at->host == g->probe_host)
			at->form = FORM_STRIPPED;
		at->due = due;
	}
}

struct piece *
hold_piece(struct es *es, int64_t now, int64_t *next)
{
	struct hold *h = es->hold;
	const struct held *first = NULL;
	struct piece *p = NULL;
	size_t bytes = 0;

	if (h == NULL || h->n == 0 || h->flying > 0)
		return NULL;
	for (uint32_t i = 0; i < h->batch->nitems && bytes < PIECE_BYTES; i++) {
		struct held *at = &h->at[i];
		const struct item *item = &h->batch->items[i];

		if (at->gone)
			continue;
		if (at->due > now) {
			if (at->due < *next)
				*next = at->due;
			continue;
		}
		if (first == NULL) {
			first = at;
			p = piece_new(h->batch, at->form);
			p->attempt = at->attempt;
		} else if (at->group != first->group || at->form != first->form) {
			continue;
		} else if (h->groups[first->group].attempt > ALL_ATTEMPTS &&
			   first->form == FORM_FULL && es_patient(es, UINT_MAX)) {
			break;
		}
		todo_add(p, i);
		bytes += item->end + 1 - item->action;
	}
	if (p != NULL)
		h->flying++;
	return p;
}
