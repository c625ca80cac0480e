/* The shipper from the inside: shipper.c's and ship_settle.c's alone. */
#ifndef SHIPPER_H
#define SHIPPER_H

#include <pthread.h>

#include "holds.h"
#include "sink.h"

/* A single document may grow one batch to this many times its size. */
#define BATCH_GROWTH 16

#define SINKS_MAX 32 /* bits of a route */

struct shipper {
	struct sink sinks[SINKS_MAX];
	size_t nsinks;
	struct document_rules rules;
	struct batch **batches; /* all of the pool */
	unsigned nbatches;
	struct state *state;
	struct range_book *book;
	struct dead *dead;
	size_t batch_bytes;

	pthread_t thread;
	bool running;
	CURLM *multi;
	int wake; /* the reader's eventfd; -1: none */

	pthread_mutex_t lock;
	struct batch *free;         /* under the lock, as the rest up to the blank line */
	struct batch *first, *last; /* given, not yet taken by the thread */
	size_t lent;                /* bytes of batches that are not in the pool */
	size_t budget;              /* of lent, less the batch being taken */
	uint64_t number;            /* of the last batch taken */
	bool stop;
	int64_t deadline; /* mono ns; NEVER: none */

	atomic_ullong unsettled; /* items given and not settled; parked ones included */
	atomic_bool stopping;

	/* the thread's own */
	struct batch *waiting, *waiting_last; /* for the state */
	struct range *settled_range;          /* a run of settled items that share a range */
	uint32_t settled_items;
	uint64_t parked;
	struct holds holds;
};

/**
 * ship_settled(s):
 * Tell the book of the run of settled items: its lock is taken for a run, not
 * for each.
 */
void ship_settled(struct shipper *s);

#endif
