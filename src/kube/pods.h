/*
 * The known pods, by uid: each with its info from the API, the number of its
 * users, and its copy in the state.  Under the lock of the table (pod_table.h).
 *
 * A pod is found by the uid that its logs' paths have; a static pod's paths
 * have the hash of its manifest instead, which its mirror in the API carries
 * as an annotation.  Anybody may write that annotation to a pod of his own, so
 * namespace and name must be the path's, too.
 */
#ifndef PODS_H
#define PODS_H

#include "pod_info.h"
#include "state.h"

struct pods;

struct pod_entry {
	struct pod_info *info; /* NULL: known from a file's path alone */
	unsigned users;        /* streams whose path has this uid */
	int64_t asked;         /* mono ns of the first unanswered question; 0: none */
	uint64_t version;
	uint64_t seen;   /* number of the list that named it last */
	int64_t deleted; /* mono ns of the deletion; 0: the pod exists */
	bool stored;
};

/**
 * pods_new(most, state, kept), pods_free(p):
 * At most ${most} with info; stored under keys that begin with ${kept}.
 */
struct pods *pods_new(size_t most, struct state *state, const char *kept);
void pods_free(struct pods *p);

/**
 * pods_find(p, uid), pods_entry(p, uid), pods_next(p, at, uid):
 * The entry of ${uid}, or NULL; the same, made when it is missing; a walk, as
 * map_next().
 */
struct pod_entry *pods_find(const struct pods *p, struct slice uid);
struct pod_entry *pods_entry(struct pods *p, struct slice uid);
struct pod_entry *pods_next(const struct pods *p, size_t *at, struct slice *uid);

/**
 * pods_of_path(p, have):
 * The entry, with info, of the pod whose log's path made ${have}.  NULL: no pod
 * of that uid or hash is known, or namespace and name differ.
 */
struct pod_entry *pods_of_path(const struct pods *p, const struct pod *have);

/**
 * pods_users(p, e), pods_known(p):
 * The number of streams of the pod, under its uid or its hash; the number of
 * entries with info.
 */
unsigned pods_users(const struct pods *p, const struct pod_entry *e);
size_t pods_known(const struct pods *p);

/**
 * pods_room(p):
 * Make room for one more entry with info, by forgetting a deleted pod that no
 * file uses.  False: there is no such pod.
 */
bool pods_room(struct pods *p);

/**
 * pods_set(p, e, info, version), pods_remove(p, uid, e):
 * The API has told ${info} (taken) of the entry; the entry's info is dropped,
 * and the entry itself when no stream uses it.
 */
void pods_set(struct pods *p, struct pod_entry *e, struct pod_info *info, uint64_t version);
void pods_remove(struct pods *p, struct slice uid, struct pod_entry *e);

/**
 * pods_store(p, uid, e), pods_restore(p, key, value, version):
 * Store the entry, or remove it from the state when it has no info; take back
 * an entry that the state kept under ${key} (behind ${kept}), false: it cannot
 * be read, or there is no room.
 */
void pods_store(struct pods *p, struct slice uid, struct pod_entry *e);
bool pods_restore(struct pods *p, struct slice key, struct slice value, uint64_t version);

#endif
