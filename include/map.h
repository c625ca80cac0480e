/*
 * A hash map from bytes to a pointer.  Keys are copied; values belong to the
 * caller.  The map has no limit on the number of keys: its user sets one.
 */
#ifndef MAP_H
#define MAP_H

#include "slice.h"

struct map;

/**
 * map_new(), map_free(m):
 * An empty map; free it and its keys, not its values.  NULL is harmless.
 */
struct map *map_new(void);
void map_free(struct map *m);

/**
 * map_get(m, key), map_put(m, key, value), map_del(m, key):
 * Look up (NULL when absent), set (${value} is not NULL; returns the value it
 * replaces, or NULL), remove (returns the removed value, or NULL).
 */
void *map_get(const struct map *m, struct slice key);
void *map_put(struct map *m, struct slice key, void *value);
void *map_del(struct map *m, struct slice key);

size_t map_count(const struct map *m);

/**
 * map_next(m, at, key):
 * Walk in no order: start with *${at} = 0; return each value and its ${key}
 * (may be NULL), then NULL.  Removing the entry just returned is allowed, but
 * another entry may move to its place: subtract one from *${at} to see that,
 * too (some entries are seen twice then).  Adding is not allowed.
 */
void *map_next(const struct map *m, size_t *at, struct slice *key);

#endif
