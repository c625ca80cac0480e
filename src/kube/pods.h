/*
 * The pods that are known, by uid: what the API told of each, who uses it, and
 * the copy of it in the state.  Under the lock of the table (pod_table.h).
 *
 * A pod is found by the uid that its logs' paths have; a static pod's paths have
 * the hash of its manifest instead, which its mirror in the API carries as an
 * annotation.  Anybody may write that annotation to a pod of his own, so
 * namespace and name must be the path's, too.
 */
#ifndef PODS_H
#define PODS_H

#include "pod_info.h"
#include "state.h"

struct pods;

struct pod_entry {
	struct pod_info *info; /* NULL: a file's path names it, the API has not */
	unsigned users;        /* streams whose path has this uid */
	int64_t asked;         /* mono ns of the first unanswered question; 0: none */
	uint64_t version;
	uint64_t seen;   /* the list that named it last */
	int64_t deleted; /* mono ns; 0: it exists */
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
 * The entry of ${uid}, NULL: none; made when there is none; walk, as map_next().
 */
struct pod_entry *pods_find(const struct pods *p, struct slice uid);
struct pod_entry *pods_entry(struct pods *p, struct slice uid);
struct pod_entry *pods_next(const struct pods *p, size_t *at, struct slice *uid);

/**
 * pods_of_path(p, have):
 * The entry with info of the pod whose logs have the path of ${have}; NULL:
 * none, or its name is another.
 */
struct pod_entry *pods_of_path(const struct pods *p, const struct pod *have);

/**
 * pods_users(p, e), pods_known(p):
 * Streams of the pod, those whose path has its hash among them; entries with info.
 */
unsigned pods_users(const struct pods *p, const struct pod_entry *e);
size_t pods_known(const struct pods *p);

/**
 * pods_room(p):
 * Make room for one more with info: a deleted pod that no file uses gives its
 * place.  False: there is none.
 */
bool pods_room(struct pods *p);

/**
 * pods_set(p, e, info, version), pods_remove(p, uid, e):
 * The API tells ${info} (taken) of it; nothing is left to know of it (${e} goes
 * when no stream has it).
 */
void pods_set(struct pods *p, struct pod_entry *e, struct pod_info *info, uint64_t version);
void pods_remove(struct pods *p, struct slice uid, struct pod_entry *e);

/**
 * pods_store(p, uid, e), pods_restore(p, key, value, version):
 * Have the state keep it, or forget it when it has no info; one that the state
 * kept under ${key} (behind ${kept}), false: it is none, or there is no room.
 */
void pods_store(struct pods *p, struct slice uid, struct pod_entry *e);
bool pods_restore(struct pods *p, struct slice key, struct slice value, uint64_t version);

#endif
