/*
 * A delivery: one record to one durable output.  A range of the book counts the
 * items of its batch once for each such output; each output settles its own
 * count, in any order, and the cursor moves when all are settled.
 *
 * An item keeps its range wherever it is copied to, so that a copy in an
 * output's hold is settled as the item itself would be.  The shipper's thread
 * alone, but for the functions that say otherwise.  Inside src/ship/ alone.
 */
#ifndef DELIVERY_H
#define DELIVERY_H

#include "batch.h"

struct delivery;
struct batch_pool;

/**
 * delivery_new(book, pool), delivery_free(d):
 * Nothing is under way; batches go back to ${pool}.
 */
struct delivery *delivery_new(struct range_book *book, struct batch_pool *pool);
void delivery_free(struct delivery *d);

/**
 * delivery_wake(d, fd):
 * The eventfd ${fd} is written when a batch has become free, or parked streams
 * may go on.  Before the thread runs.
 */
void delivery_wake(struct delivery *d, int fd);

/**
 * delivery_begin(d, b, outputs):
 * ${b} is given to ${outputs} durable outputs (0: the shipper settles each item
 * once, when all outputs have seen it); its ranges are sealed.  The reader's.
 */
void delivery_begin(struct delivery *d, struct batch *b, unsigned outputs);

/**
 * delivery_missing(d):
 * The number of deliveries that were begun and are not settled, with those of
 * parked streams.  Any thread.
 */
uint64_t delivery_missing(struct delivery *d);

/**
 * delivery_settle(d, item):
 * One delivery of ${item} is done: taken by the server, dead-lettered, or given up.
 */
void delivery_settle(struct delivery *d, const struct item *item);

/**
 * delivery_drop(d, item):
 * An output has no room for ${item}: the stream is parked, and its cursor does
 * not pass the item.
 */
void delivery_drop(struct delivery *d, const struct item *item);

/**
 * delivery_unpark(d):
 * Parked streams may go on: they are read again.
 */
void delivery_unpark(struct delivery *d);

/**
 * delivery_return(d, b):
 * An output has done with ${b}; the last one's goes back to the pool.
 */
void delivery_return(struct delivery *d, struct batch *b);

/**
 * delivery_flush(d):
 * Tell the book of the items settled since the last call: its lock is taken once
 * for a run of items of one range.
 */
void delivery_flush(struct delivery *d);

#endif
