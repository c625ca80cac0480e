/*
 * Lanes: each output that keeps documents has records of its own, which wait for no
 * other output: a reader of the tail, a book of ranges, a pool of batches, documents
 * in its own shape.  stdout and null are given the batches of the first lane.
 * Inside src/ship/ alone.
 */
#ifndef LANES_H
#define LANES_H

#include "batch_pool.h"
#include "sink.h"

struct lane {
	struct ship_lane is; /* as the reader sees it */
	struct range_book *book;
	struct batch_pool *pool;
	struct delivery *delivery;
	struct document_rules rules;
};

struct lanes {
	struct lane at[SHIP_LANES];
	unsigned n;
};

/**
 * lanes_plan(outputs, n, lane):
 * Write to ${lane} the lane of each of ${n} outputs; return how many there are, at
 * least one; more than SHIP_LANES is too many.
 */
unsigned lanes_plan(const struct section *const *outputs, size_t n, unsigned *lane);

/**
 * lanes_init(l, outputs, n, state, batches, bytes), lanes_fini(l):
 * Make the lanes of ${outputs}, each with ${batches} of ${bytes}.
 */
void lanes_init(struct lanes *l, const struct section *const *outputs, size_t n,
    struct state *state, unsigned batches, size_t bytes);
void lanes_fini(struct lanes *l);

/**
 * lanes_missing(l):
 * The number of deliveries that were begun in any lane and are not settled.
 */
uint64_t lanes_missing(const struct lanes *l);

#endif
