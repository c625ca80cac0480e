/* Deliveries: items settled, dropped; batches back to the pool. */
#include "delivery.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "batch_pool.h"
#include "fault.h"
#include "metrics.h"

struct delivery {
	struct range_book *book;
	struct batch_pool *pool;
	int wake;              /* the reader's eventfd; -1: none */
	atomic_ullong missing; /* deliveries begun and not settled; parked ones included */

	/* the thread's own */
	struct range *range; /* a run of settled items that share it */
	uint32_t items;
	uint64_t parked; /* deliveries dropped since the last unpark */
};

struct delivery *
delivery_new(struct range_book *book, struct batch_pool *pool)
{
	struct delivery *d = xcalloc(1, sizeof(*d));

	d->book = book;
	d->pool = pool;
	d->wake = -1;
	return d;
}

void
delivery_free(struct delivery *d)
{
	free(d);
}

void
delivery_wake(struct delivery *d, int fd)
{
	d->wake = fd;
}

void
delivery_begin(struct delivery *d, struct batch *b, unsigned outputs)
{
	unsigned times = outputs > 0 ? outputs : 1;

	atomic_fetch_add(&d->missing, (uint64_t)b->nitems * times);
	atomic_fetch_add_explicit(&metrics.queue_batches, 1, memory_order_relaxed);
	FAULT("batch-sealed");
	for (uint32_t i = 0; i < b->nranges; i++) {
		range_repeat(b->ranges[i], times);
		range_seal(d->book, b->ranges[i]);
	}
}

uint64_t
delivery_missing(struct delivery *d)
{
	return atomic_load(&d->missing);
}

void
delivery_flush(struct delivery *d)
{
	if (d->items == 0)
		return;
	FAULT("before-settle");
	if (d->range != NULL)
		range_settle(d->book, d->range, d->items);
	FAULT("after-settle");
	atomic_fetch_sub(&d->missing, d->items);
	d->items = 0;
}

void
delivery_settle(struct delivery *d, const struct item *item)
{
	if (d->range != item->range)
		delivery_flush(d);
	d->range = item->range;
	d->items++;
}

void
delivery_drop(struct delivery *d, const struct item *item)
{
	delivery_flush(d);
	d->parked++;
	if (item->range != NULL)
		cursor_park(d->book, item->range);
}

static void
reader_wake(const struct delivery *d)
{
	if (d->wake >= 0)
		(void)!write(d->wake, &(uint64_t){ 1 }, sizeof(uint64_t));
}

void
delivery_unpark(struct delivery *d)
{
	delivery_flush(d);
	cursor_unpark_all(d->book);
	atomic_fetch_sub(&d->missing, d->parked);
	d->parked = 0;
	reader_wake(d);
}

void
delivery_return(struct delivery *d, struct batch *b)
{
	assert(b->outputs > 0);
	if (--b->outputs > 0)
		return;
	delivery_flush(d);
	batch_pool_put(d->pool, b);
	atomic_fetch_sub_explicit(&metrics.queue_batches, 1, memory_order_relaxed);
	reader_wake(d);
}
