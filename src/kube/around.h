/*
 * The surroundings of a pod, when the configuration asks for them: its
 * namespace's labels and annotations, its node's labels.  They are read by
 * name, again after a while.  All calls are under the table's lock.
 */
#ifndef AROUND_H
#define AROUND_H

#include <stdint.h>

#include "pod.h"

struct around;
struct state;

#define AROUND_MOST 1024u /* namespaces that are kept, the node among them */

struct around_options {
	bool spaces, node; /* the configuration asks for namespaces, for the node */
	int64_t ttl;       /* ns until a part is read again */
	const char *kept;  /* the prefix of keys in the state */
};

/* A namespace or the node, to be read. */
struct around_want {
	bool node;
	char name[256];
};

struct around *around_new(const struct around_options *options, struct state *state);
void around_free(struct around *a);

/**
 * around_find(a, space, out_space, out_node, version):
 * The known surroundings of a pod of the namespace ${space}, without a further
 * reference, and the version of the newest part.  False: a part has not been
 * answered yet; it is asked for from now on.
 */
bool around_find(struct around *a, struct slice space, struct shared_json **out_space,
    struct shared_json **out_node, uint64_t *version);

/**
 * around_next(a, now, want), around_put(a, want, json, now, version),
 * around_fail(a, want, refused, now):
 * The next part that is due, false when none is; the JSON that was read of a
 * part (taken); a part that could not be read: it is tried again sooner, and
 * counts as answered when the server has ${refused} it.
 */
bool around_next(struct around *a, int64_t now, struct around_want *want);
void around_put(struct around *a, const struct around_want *want, struct shared_json *json,
    int64_t now, uint64_t version);
void around_fail(struct around *a, const struct around_want *want, bool refused, int64_t now);

/**
 * around_used(a, space, now), around_tick(a, now):
 * The namespace has pods; forget namespaces that have had none for a while, as
 * they would be read again for ever.
 */
void around_used(struct around *a, struct slice space, int64_t now);
void around_tick(struct around *a, int64_t now);

/**
 * around_restore(a, key, value, version):
 * A part that the state kept.  False: the key (behind options.kept) names no
 * part, or a part that the configuration does not ask for any more.
 */
bool around_restore(struct around *a, struct slice key, struct slice value, uint64_t version);

#endif
