/* Active tasks: open addressing over 64-bit hashes, and a ring of late ends. */
#include "tasks.h"

#include <stdlib.h>
#include <xxhash.h>

#include "memory.h"

#define ENDS 64 /* ends that are remembered */

struct end {
	uint64_t hash;
	int64_t time;
};

struct tasks {
	uint64_t *slots; /* hashes; 0: free */
	uint32_t size;   /* a power of two */
	uint32_t count;
	struct end ends[ENDS];
	unsigned at; /* index of the next end */
};

struct tasks *
tasks_new(void)
{
	struct tasks *t = xcalloc(1, sizeof(*t));

	t->size = 64;
	t->slots = xcalloc(t->size, sizeof(*t->slots));
	return t;
}

void
tasks_free(struct tasks *t)
{
	if (t == NULL)
		return;
	free(t->slots);
	free(t);
}

void
tasks_clear(struct tasks *t)
{
	memset(t->slots, 0, t->size * sizeof(*t->slots));
	memset(t->ends, 0, sizeof(t->ends));
	t->count = 0;
}

static uint64_t
hash_of(struct slice id)
{
	uint64_t hash = XXH3_64bits(id.at, id.len);

	return hash == 0 ? 1 : hash;
}

/* The slot of the hash, or the free one where it would go. */
static uint32_t
slot_of(const struct tasks *t, uint64_t hash)
{
	uint32_t i = (uint32_t)hash & (t->size - 1);

	while (t->slots[i] != 0 && t->slots[i] != hash)
		i = (i + 1) & (t->size - 1);
	return i;
}

static void
grow(struct tasks *t)
{
	uint64_t *old = t->slots;
	uint32_t size = t->size;

	t->size = 2 * size;
	t->slots = xcalloc(t->size, sizeof(*t->slots));
	for (uint32_t i = 0; i < size; i++) {
		if (old[i] != 0)
			t->slots[slot_of(t, old[i])] = old[i];
	}
	free(old);
}

static bool
ended_later(const struct tasks *t, uint64_t hash, int64_t time)
{
	for (unsigned i = 0; i < ENDS; i++) {
		if (t->ends[i].hash == hash && t->ends[i].time >= time)
			return true;
	}
	return false;
}

void
tasks_start(struct tasks *t, struct slice id, int64_t time)
{
	uint64_t hash = hash_of(id);

	if (!ended_later(t, hash, time))
		tasks_put(t, hash);
}

void
tasks_put(struct tasks *t, uint64_t hash)
{
	uint32_t i = slot_of(t, hash);

	if (hash == 0 || t->slots[i] != 0 || t->count == TASKS_MAX)
		return;
	if (2 * (t->count + 1) > t->size) {
		grow(t);
		i = slot_of(t, hash);
	}
	t->slots[i] = hash;
	t->count++;
}

/* Empty the slot; later hashes that are not in their home slot move up. */
static void
slot_clear(struct tasks *t, uint32_t hole)
{
	uint32_t mask = t->size - 1;

	for (uint32_t i = (hole + 1) & mask; t->slots[i] != 0; i = (i + 1) & mask) {
		uint32_t home = (uint32_t)t->slots[i] & mask;

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			t->slots[hole] = t->slots[i];
			hole = i;
		}
	}
	t->slots[hole] = 0;
}

void
tasks_end(struct tasks *t, struct slice id, int64_t time)
{
	uint64_t hash = hash_of(id);
	uint32_t i = slot_of(t, hash);

	t->ends[t->at++ % ENDS] = (struct end){ hash, time };
	if (t->slots[i] == 0)
		return;
	slot_clear(t, i);
	t->count--;
}

uint32_t
tasks_count(const struct tasks *t)
{
	return t->count;
}

uint64_t
tasks_next(const struct tasks *t, uint32_t *at)
{
	while (*at < t->size && t->slots[*at] == 0)
		++*at;
	return *at < t->size ? t->slots[(*at)++] : 0;
}
