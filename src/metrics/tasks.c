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
	struct task *slots; /* hash 0: free */
	uint32_t size;      /* a power of two */
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

	while (t->slots[i].hash != 0 && t->slots[i].hash != hash)
		i = (i + 1) & (t->size - 1);
	return i;
}

static void
grow(struct tasks *t)
{
	struct task *old = t->slots;
	uint32_t size = t->size;

	t->size = 2 * size;
	t->slots = xcalloc(t->size, sizeof(*t->slots));
	for (uint32_t i = 0; i < size; i++) {
		if (old[i].hash != 0)
			t->slots[slot_of(t, old[i].hash)] = old[i];
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
		tasks_put(t, (struct task){ hash, time });
}

void
tasks_put(struct tasks *t, struct task task)
{
	uint32_t i = slot_of(t, task.hash);

	if (task.hash == 0 || t->slots[i].hash != 0 || t->count == TASKS_MAX)
		return;
	if (2 * (t->count + 1) > t->size) {
		grow(t);
		i = slot_of(t, task.hash);
	}
	t->slots[i] = task;
	t->count++;
}

/* Empty the slot; later hashes that are not in their home slot move up. */
static void
slot_clear(struct tasks *t, uint32_t hole)
{
	uint32_t mask = t->size - 1;

	for (uint32_t i = (hole + 1) & mask; t->slots[i].hash != 0; i = (i + 1) & mask) {
		uint32_t home = (uint32_t)t->slots[i].hash & mask;

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			t->slots[hole] = t->slots[i];
			hole = i;
		}
	}
	t->slots[hole] = (struct task){ 0 };
	t->count--;
}

void
tasks_end(struct tasks *t, struct slice id, int64_t time)
{
	uint64_t hash = hash_of(id);
	uint32_t i = slot_of(t, hash);

	t->ends[t->at++ % ENDS] = (struct end){ hash, time };
	if (t->slots[i].hash != 0)
		slot_clear(t, i);
}

uint32_t
tasks_count(const struct tasks *t)
{
	return t->count;
}

struct task
tasks_next(const struct tasks *t, uint32_t *at)
{
	while (*at < t->size && t->slots[*at].hash == 0)
		++*at;
	return *at < t->size ? t->slots[(*at)++] : (struct task){ 0 };
}

/* A slot that is cleared may have been filled by a later one: it is looked at again. */
uint32_t
tasks_expire(struct tasks *t, int64_t now, int64_t age)
{
	uint32_t i = 0, before = t->count;

	while (i < t->size) {
		struct task *task = &t->slots[i];

		if (task->hash != 0 && (task->start <= 0 || task->start > now))
			task->start = now;
		if (task->hash != 0 && now - task->start >= age)
			slot_clear(t, i);
		else
			i++;
	}
	return before - t->count;
}

int64_t
tasks_oldest(const struct tasks *t)
{
	int64_t oldest = 0;
	struct task task;

	for (uint32_t at = 0; (task = tasks_next(t, &at)).hash != 0;) {
		if (oldest == 0 || task.start < oldest)
			oldest = task.start;
	}
	return oldest;
}
