/*
 * Which document ids a bulk server has seen: a set of their 128-bit hashes,
 * open addressing, at most half full.
 */
#ifndef BENCH_IDS_H
#define BENCH_IDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct ids {
	XXH128_hash_t *set;
	size_t room, count;
	uint64_t duplicates, missing;
};

static inline bool
ids_put(XXH128_hash_t *set, size_t room, XXH128_hash_t id)
{
	size_t at = id.low64 & (room - 1);

	while (set[at].low64 != 0 || set[at].high64 != 0) {
		if (set[at].low64 == id.low64 && set[at].high64 == id.high64)
			return false;
		at = (at + 1) & (room - 1);
	}
	set[at] = id;
	return true;
}

static inline void
ids_grow(struct ids *ids)
{
	size_t room = ids->room == 0 ? (size_t)1 << 20 : ids->room * 2;
	XXH128_hash_t *set = calloc(room, sizeof(*set));

	if (set == NULL)
		abort();
	for (size_t i = 0; i < ids->room; i++)
		if (ids->set[i].low64 != 0 || ids->set[i].high64 != 0)
			ids_put(set, room, ids->set[i]);
	free(ids->set);
	ids->set = set;
	ids->room = room;
}

/* The action lines of a whole bulk body: each names an _id that is new. */
static inline void
ids_check(struct ids *ids, const char *body, size_t len)
{
	static const char key[] = "\"_id\":\"";
	const char *end = body + len, *line = body, *newline;

	for (bool action = true; line < end; action = !action, line = newline + 1) {
		newline = memchr(line, '\n', (size_t)(end - line));
		if (newline == NULL)
			newline = end;
		if (!action)
			continue;
		const char *id = memmem(line, (size_t)(newline - line), key, sizeof(key) - 1);
		const char *quote = NULL;
		if (id != NULL) {
			id += sizeof(key) - 1;
			quote = memchr(id, '"', (size_t)(newline - id));
		}
		if (quote == NULL) {
			ids->missing++;
			continue;
		}
		if (ids->count * 2 >= ids->room)
			ids_grow(ids);
		if (ids_put(ids->set, ids->room, XXH3_128bits(id, (size_t)(quote - id))))
			ids->count++;
		else
			ids->duplicates++;
	}
}

#endif
