/* A namespace or a node is one text; which one, and when it was read, stands beside it. */
#include "around.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "map.h"
#include "memory.h"
#include "state.h"

#define AGAIN (60 * NS_PER_S) /* after a failure */
#define MOST 1024             /* namespaces that are kept */

struct part {
	struct shared_json *json; /* NULL: it has not been read, or there is none */
	bool answered, wanted;
	int64_t due; /* mono ns when it is read again */
	uint64_t version;
};

struct around {
	struct around_options is;
	struct state *state;
	struct map *parts; /* "namespace/NAME", and "node/" for the one node: struct part */
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

static struct part *
part_of(struct around *a, struct slice key)
{
	struct part *p = map_get(a->parts, key);

	if (p == NULL && map_count(a->parts) < MOST) {
		p = xcalloc(1, sizeof(*p));
		map_put(a->parts, key, p);
	}
	return p;
}

/* The part, once it was answered; it is wanted from now on. */
static bool
part_find(struct around *a, struct slice key, struct shared_json **out, uint64_t *version)
{
	struct part *p = part_of(a, key);

	if (p == NULL) /* no room for it */
		return true;
	p->wanted = true;
	*out = p->json;
	if (p->version > *version)
		*version = p->version;
	return p->answered;
}

bool
around_find(struct around *a, struct slice space, struct shared_json **out_space,
    struct shared_json **out_node, uint64_t *version)
{
	char key[300];
	bool all = true;
	int n;

	*out_space = *out_node = NULL;
	*version = 0;
	if (a->is.spaces) {
		n = snprintf(key, sizeof(key), "namespace/%.*s",
		    (int)(space.len > 255 ? 255 : space.len), space.at);
		all = part_find(a, (struct slice){ key, (size_t)n }, out_space, version);
	}
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

void
around_put(struct around *a, const struct around_want *want, struct shared_json *json, int64_t now,
    uint64_t version)
{
	char *key = want->node ? xstrdup("node/") : xprintf("namespace/%s", want->name);
	struct part *p = part_of(a, slice_of(key));

	if (p == NULL) {
		shared_json_unref(json);
	} else if (json == NULL) {
		p->answered = true;
		p->due = now + AGAIN;
	} else {
		if (p->json == NULL || !slice_eq(p->json->json, json->json)) {
			p->version = version;
			state_metadata(a->state, slice_of(key), json->json);
		}
		shared_json_unref(p->json);
		p->json = json;
		p->answered = true;
		p->due = now + a->is.ttl;
	}
	free(key);
}

bool
around_restore(struct around *a, struct slice key, struct slice value, uint64_t version)
{
	bool space = slice_starts(key, space_key);
	struct part *p;

	if (!space && !slice_eq(key, SLICE("node/")))
		return false;
	p = (space ? a->is.spaces : a->is.node) ? part_of(a, key) : NULL;
	if (p == NULL || p->json != NULL)
		return true;
	p->json = shared_json_new(value);
	p->answered = true;
	p->version = version;
	return true;
}
