/*
 * Open addressing with linear probing; a removed entry leaves no tombstone, as
 * later entries move up.  At most three quarters full.
 */
#include "map.h"

#include <stdint.h>
#include <stdlib.h>
#include <xxhash.h>

#include "memory.h"

struct entry {
	char *key;
	size_t len;
	uint64_t hash;
	void *value; /* NULL: the slot is free */
};

struct map {
	struct entry *slots;
	size_t size; /* a power of two */
	size_t count;
};

struct map *
map_new(void)
{
	struct map *m = xcalloc(1, sizeof(*m));

	m->size = 16;
	m->slots = xcalloc(m->size, sizeof(*m->slots));
	return m;
}

void
map_free(struct map *m)
{
	if (m == NULL)
		return;
	for (size_t i = 0; i < m->size; i++)
		free(m->slots[i].key);
	free(m->slots);
	free(m);
}

/* The slot of the key, or the free one where it would go. */
static struct entry *
slot_of(const struct map *m, struct slice key, uint64_t hash)
{
	size_t i = hash & (m->size - 1);

	for (;; i = (i + 1) & (m->size - 1)) {
		struct entry *e = &m->slots[i];

		if (e->value == NULL)
			return e;
		if (e->hash == hash && slice_eq((struct slice){ e->key, e->len }, key))
			return e;
	}
}

static void
grow(struct map *m)
{
	struct entry *old = m->slots;
	size_t size = m->size;

	m->size = 2 * size;
	m->slots = xcalloc(m->size, sizeof(*m->slots));
	for (size_t i = 0; i < size; i++) {
		if (old[i].value != NULL)
			*slot_of(m, (struct slice){ old[i].key, old[i].len }, old[i].hash) = old[i];
	}
	free(old);
}

void *
map_get(const struct map *m, struct slice key)
{
	return slot_of(m, key, XXH3_64bits(key.at, key.len))->value;
}

void *
map_put(struct map *m, struct slice key, void *value)
{
	uint64_t hash = XXH3_64bits(key.at, key.len);
	struct entry *e = slot_of(m, key, hash);
	void *was = e->value;

	if (was == NULL) {
		if (4 * (m->count + 1) > 3 * m->size) {
			grow(m);
			e = slot_of(m, key, hash);
		}
		*e = (struct entry){ .key = xslicedup(key), .len = key.len, .hash = hash };
		m->count++;
	}
	e->value = value;
	return was;
}

void *
map_del(struct map *m, struct slice key)
{
	struct entry *e = slot_of(m, key, XXH3_64bits(key.at, key.len));
	void *was = e->value;
	size_t hole = (size_t)(e - m->slots);

	if (was == NULL)
		return NULL;
	free(e->key);
	m->count--;
	for (size_t i = (hole + 1) & (m->size - 1); m->slots[i].value != NULL;
	     i = (i + 1) & (m->size - 1)) {
		size_t home = m->slots[i].hash & (m->size - 1);

		/* An entry may fill the hole when its home slot is not between the hole and the entry. */
		if (((i - home) & (m->size - 1)) >= ((i - hole) & (m->size - 1))) {
			m->slots[hole] = m->slots[i];
			hole = i;
		}
	}
	m->slots[hole] = (struct entry){ 0 };
	return was;
}

size_t
map_count(const struct map *m)
{
	return m->count;
}

void *
map_next(const struct map *m, size_t *at, struct slice *key)
{
	while (*at < m->size) {
		const struct entry *e = &m->slots[(*at)++];

		if (e->value == NULL)
			continue;
		if (key != NULL)
			*key = (struct slice){ e->key, e->len };
		return e->value;
	}
	return NULL;
}
