/*
 * The batches of a shipper: a fixed number of them, and a fixed sum of bytes.
 * While a batch that grew for a large document is out, fewer others are given.
 * Any thread.  Inside src/ship/ alone.
 */
#ifndef BATCH_POOL_H
#define BATCH_POOL_H

#include "batch.h"

/* A single document may grow one batch to this many times its size. */
#define BATCH_GROWTH 16

struct batch_pool;

/**
 * batch_pool_new(batches, bytes), batch_pool_free(p):
 * ${batches} of ${bytes} each; they are freed with the pool, wherever they are.
 */
struct batch_pool *batch_pool_new(unsigned batches, size_t bytes);
void batch_pool_free(struct batch_pool *p);

/**
 * batch_pool_take(p):
 * An empty batch under a new number; NULL: none is free.
 */
struct batch *batch_pool_take(struct batch_pool *p);

/**
 * batch_pool_filled(p, b):
 * ${b} is complete: spare memory beyond its first size is freed, and the rest of
 * the growth is counted.
 */
void batch_pool_filled(struct batch_pool *p, struct batch *b);

/**
 * batch_pool_put(p, b):
 * Empty ${b} and put it back.
 */
void batch_pool_put(struct batch_pool *p, struct batch *b);

#endif
