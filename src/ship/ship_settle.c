/*
 * What sinks ask of the shipper: items settled, dropped, kept beyond their
 * batch; batches back to the pool.  The shipper's thread alone.
 */
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "fault.h"
#include "shipper.h"

CURLM *
ship_multi(struct shipper *s)
{
	return s->multi;
}

struct dead *
ship_dead(struct shipper *s)
{
	return s->dead;
}

bool
ship_stopping(const struct shipper *s)
{
	return atomic_load(&s->stopping);
}

void
ship_settled(struct shipper *s)
{
	if (s->settled_items == 0)
		return;
	FAULT("before-settle");
	if (s->settled_range != NULL)
		range_settle(s->book, s->settled_range, s->settled_items);
	FAULT("after-settle");
	atomic_fetch_sub(&s->unsettled, s->settled_items);
	s->settled_items = 0;
}

static void
settle_range(struct shipper *s, struct range *range)
{
	if (s->settled_range != range)
		ship_settled(s);
	s->settled_range = range;
	s->settled_items++;
}

/* One output less owes the item; whether it was the last, and the item is done. */
static void
debt_settle(struct shipper *s, struct debt *debt)
{
	if (--debt->owed > 0)
		return;
	if (!debt->dropped)
		settle_range(s, debt->range);
	free(debt);
}

void
ship_settle(struct shipper *s, struct item *item)
{
	if (item->debt != NULL) {
		debt_settle(s, item->debt);
		return;
	}
	assert(item->owed > 0);
	if (--item->owed == 0)
		settle_range(s, item->range);
}

/* From now on the item's copies and the item itself share one account. */
static struct debt *
debt_of(struct item *item)
{
	if (item->debt == NULL) {
		item->debt = xmalloc(sizeof(*item->debt));
		*item->debt = (struct debt){ .owed = item->owed, .range = item->range };
	}
	return item->debt;
}

void
ship_drop(struct sink *sink, struct item *item, const char *why)
{
	struct shipper *s = sink->shipper;
	struct debt *debt = debt_of(item);

	ship_settled(s);
	holds_parked(s, item, sink->name, why);
	if (!debt->dropped) {
		debt->dropped = true;
		s->parked++;
		if (debt->range != NULL)
			cursor_park(s->book, debt->range);
	}
	debt_settle(s, debt);
}

void
ship_keep(struct shipper *s, struct item *from, struct item *to)
{
	(void)s;
	*to = *from;
	if (from->debt == NULL && from->owed > 1)
		to->debt = debt_of(from);
}

void
ship_unpark(struct shipper *s)
{
	ship_settled(s);
	cursor_unpark_all(s->book);
	atomic_fetch_sub(&s->unsettled, s->parked);
	s->parked = 0;
	s->holds.nparked = 0;
	if (s->wake >= 0)
		(void)!write(s->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
}

/* Back to the pool. */
static void
batch_release(struct shipper *s, struct batch *b)
{
	size_t size = b->body.size;

	ship_settled(s);
	batch_clear(b, 0, s->batch_bytes);
	pthread_mutex_lock(&s->lock);
	s->lent -= size;
	b->next = s->free;
	s->free = b;
	pthread_mutex_unlock(&s->lock);
	atomic_fetch_sub_explicit(&metrics.queue_batches, 1, memory_order_relaxed);
	if (s->wake >= 0)
		(void)!write(s->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
}

void
ship_return(struct shipper *s, struct batch *b)
{
	assert(b->outputs > 0);
	if (--b->outputs == 0)
		batch_release(s, b);
}
