/* The JSON of each namespace and of the node, with the times at which it was read and is read again. */
#include "around.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "map.h"
#include "memory.h"
#include "state.h"

#define AGAIN (60 * NS_PER_S)  /* after a refusal */
#define SOON (2 * NS_PER_S)    /* after another failure */
#define UNUSED (60 * NS_PER_S) /* a namespace without pods is kept for so long */

struct part {
	struct shared_json *json; /* NULL: not read yet, or the server has none */
	bool answered, wanted;
	int64_t due;  /* mono ns of the next reading */
	int64_t used; /* mono ns at which the namespace last had pods, or was first asked for */
	uint64_t version;
};

struct around {
	struct around_options is;
	struct state *state;
	struct map *parts; /* "namespace/NAME", or "node/" for the one node: struct part */
};

static const struct slice space_key = { "namespace/", 10 };

struct around *
around_new(const struct around_options *options, struct state *state)
{
	struct around *a = xcalloc(1, sizeof(*a));

	a->is = *options;
	a->state = state;
	a->parts = map_new();
	return a;
}

void
around_free(struct around *a)
{
	struct part *p;
	size_t at = 0;

	if (a == NULL)
		return;
	while ((p = map_next(a->parts, &at, NULL)) != NULL) {
		shared_json_unref(p->json);
		free(p);
	}
	map_free(a->parts);
	free(a);
}

static void
keep(struct around *a, struct slice key, struct slice value)
{
	char *full = xprintf("%s%.*s", a->is.kept, (int)key.len, key.at);

	state_metadata(a->state, slice_of(full), value);
	free(full);
}

static struct part *
part_of(struct around *a, struct slice key)
{
	struct part *p = map_get(a->parts, key);

	if (p == NULL && map_count(a->parts) < AROUND_MOST) {
		p = xcalloc(1, sizeof(*p));
		p->used = clock_mono();
		map_put(a->parts, key, p);
	}
	return p;
}

/* True when the part has been answered; in any case it is read from now on. */
static bool
part_find(struct around *a, struct slice key, struct shared_json **out, uint64_t *version)
{
	struct part *p = part_of(a, key);

	if (p == NULL) /* no room: the pod goes without */
		return true;
	p->wanted = true;
	*out = p->json;
	if (p->version > *version)
		*version = p->version;
	return p->answered;
}

/* "namespace/NAME"; to is of 300 bytes. */
static struct slice
space_key_of(struct slice space, char *to)
{
	int n = snprintf(to, 300, "namespace/%.*s", (int)least(space.len, 255), space.at);

	return (struct slice){ to, (size_t)n };
}

bool
around_find(struct around *a, struct slice space, struct shared_json **out_space,
    struct shared_json **out_node, uint64_t *version)
{
	char key[300];
	bool all = true;

	*out_space = *out_node = NULL;
	*version = 0;
	if (a->is.spaces)
		all = part_find(a, space_key_of(space, key), out_space, version);
	if (a->is.node)
		all = part_find(a, SLICE("node/"), out_node, version) && all;
	return all;
}

bool
around_next(struct around *a, int64_t now, struct around_want *want)
{
	const struct part *p;
	struct slice key;
	size_t at = 0;

	while ((p = map_next(a->parts, &at, &key)) != NULL) {
		if (!p->wanted || p->due > now)
			continue;
		want->node = !slice_starts(key, space_key);
		key = slice_from(key, want->node ? key.len : space_key.len);
		memcpy(want->name, key.at, key.len);
		want->name[key.len] = '\0';
		return true;
	}
	return false;
}

static struct part *
part_of_want(struct around *a, const struct around_want *want)
{
	char key[300];

	return part_of(a, want->node ? SLICE("node/") : space_key_of(slice_of(want->name), key));
}

void
around_put(struct around *a, const struct around_want *want, struct shared_json *json, int64_t now,
    uint64_t version)
{
	struct part *p = part_of_want(a, want);
	char key[300];

	if (p == NULL) {
		shared_json_unref(json);
		return;
	}
	if (p->json == NULL || !slice_eq(p->json->json, json->json)) {
		p->version = version;
		keep(a, want->node ? SLICE("node/") : space_key_of(slice_of(want->name), key),
		    json->json);
	}
	shared_json_unref(p->json);
	p->json = json;
	p->answered = true;
	p->due = now + a->is.ttl;
}

void
around_fail(struct around *a, const struct around_want *want, bool refused, int64_t now)
{
	struct part *p = part_of_want(a, want);

	if (p == NULL)
		return;
	p->answered |= refused;
	p->due = now + (refused ? AGAIN : SOON);
}

void
around_used(struct around *a, struct slice space, int64_t now)
{
	char key[300];
	struct part *p = map_get(a->parts, space_key_of(space, key));

	if (p != NULL)
		p->used = now;
}

void
around_tick(struct around *a, int64_t now)
{
	struct slice key;
	struct part *p;
	size_t at = 0;

	while ((p = map_next(a->parts, &at, &key)) != NULL) {
		char *name;

		if (!slice_starts(key, space_key) || now - p->used < UNUSED)
			continue;
		name = xslicedup(key);
		map_del(a->parts, slice_of(name));
		if (p->json != NULL)
			keep(a, slice_of(name), SLICE(""));
		shared_json_unref(p->json);
		free(p);
		free(name);
		at--; /* another entry may have moved to its place */
	}
}

bool
around_restore(struct around *a, struct slice key, struct slice value, uint64_t version)
{
	bool space = slice_starts(key, space_key);
	struct part *p;

	if (!space && !slice_eq(key, SLICE("node/")))
		return false;
	p = (space ? a->is.spaces : a->is.node) ? part_of(a, key) : NULL;
	if (p == NULL)
		return false;
	if (p->json != NULL)
		return true;
	p->json = shared_json_new(value);
	p->answered = true;
	p->version = version;
	return true;
}
