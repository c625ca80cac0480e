/*
 * What is around a pod, when the configuration asks for it: its namespace's
 * labels and annotations, its node's labels.  Read by name, again after a
 * while.  All calls under the table's lock.
 */
#ifndef AROUND_H
#define AROUND_H

#include <stdint.h>

#include "pod.h"

struct around;
struct state;

#define AROUND_MOST 1024u /* namespaces that are kept, the node among them */

struct around_options {
	bool spaces, node; /* which are asked for */
	int64_t ttl;       /* ns until one is read again */
	const char *kept;  /* what keys in the state begin with */
};

/* One that is to be read. */
struct around_want {
	bool node;
	char name[256];
};

struct around *around_new(const struct around_options *options, struct state *state);
void around_free(struct around *a);

/**
 * around_find(a, space, out_space, out_node, version):
 * What is known around a pod of the namespace ${space}, not counted again, and
 * the version of the newest part.  False: something of it has not been
 * answered yet; it is asked for from now on.
 */
bool around_find(struct around *a, struct slice space, struct shared_json **out_space,
    struct shared_json **out_node, uint64_t *version);

/**
 * around_next(a, now, want), around_put(a, want, json, now, version),
 * around_fail(a, want, refused, now):
 * The next one that is due, false when none is; what was read of it (taken);
 * nothing was, and it is tried again sooner: it is answered all the same when
 * the server has ${refused} it.
 */
bool around_next(struct around *a, int64_t now, struct around_want *want);
void around_put(struct around *a, const struct around_want *want, struct shared_json *json,
    int64_t now, uint64_t version);
void around_fail(struct around *a, const struct around_want *want, bool refused, int64_t now);

/**
 * around_used(a, space, now), around_tick(a, now):
 * There are pods of the namespace; forget those without for a while, which
 * would be read again for ever.
 */
void around_used(struct around *a, struct slice space, int64_t now);
void around_tick(struct around *a, int64_t now);

/**
 * around_restore(a, key, value, version):
 * One that the state kept; false: the key (behind options.kept) is none of ours,
 * or it is not asked for any more.
 */
bool around_restore(struct around *a, struct slice key, struct slice value, uint64_t version);

#endif
