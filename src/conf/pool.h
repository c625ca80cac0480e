/*
 * Memory that lives as long as a configuration: taken in pieces, given back
 * at once.
 */
#ifndef POOL_H
#define POOL_H

#include "slice.h"

struct pool;

struct pool *pool_new(void);
void pool_free(struct pool *p); /* NULL is harmless */

/**
 * pool_take(p, n), pool_text(p, s):
 * Return ${n} zeroed bytes; a NUL-terminated copy of ${s}.  Never NULL.
 */
void *pool_take(struct pool *p, size_t n);
char *pool_text(struct pool *p, struct slice s);

/**
 * pool_grow(p, at, n, size):
 * Return room for one more element of ${size} bytes behind the ${n} of the
 * array ${at} (NULL when ${n} is 0), which may move.
 */
void *pool_grow(struct pool *p, void *at, size_t n, size_t size);

#endif
