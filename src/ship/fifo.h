/*
 * Batches that an output delivers one after the other, in the order in which they
 * came.  Inside src/ship/ alone.
 */
#ifndef FIFO_H
#define FIFO_H

#include <stdlib.h>

#include "batch.h"
#include "memory.h"

struct fifo {
	struct batch **at;
	size_t n;
};

static inline void
fifo_put(struct fifo *f, struct batch *b)
{
	f->at = xrealloc(f->at, (f->n + 1) * sizeof(struct batch *));
	f->at[f->n++] = b;
}

/* The records of the batch in front; 0: there is none. */
static inline uint32_t
fifo_items(const struct fifo *f)
{
	return f->n > 0 ? f->at[0]->nitems : 0;
}

/* Remove and return the first. */
static inline struct batch *
fifo_take(struct fifo *f)
{
	struct batch *first = f->at[0];

	f->n--;
	memmove(f->at, f->at + 1, f->n * sizeof(struct batch *));
	return first;
}

static inline void
fifo_fini(struct fifo *f)
{
	free(f->at);
}

#endif
