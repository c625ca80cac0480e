/*
 * The known pods, by uid: the kube thread writes, the reader asks.  One lock,
 * held for a look-up.
 */
#ifndef POD_TABLE_H
#define POD_TABLE_H

#include "around.h"
#include "kube.h"
#include "pod_info.h"

struct pod_table;

struct pod_table *pod_table_new(const struct kube_options *options, struct state *state);
void pod_table_free(struct pod_table *t);

/* ---- the kube thread's */

/**
 * pod_table_sync(t), pod_table_synced(t):
 * A list begins; it is complete: a pod that pod_table_put() was not told of in
 * between exists no more.
 */
void pod_table_sync(struct pod_table *t);
void pod_table_synced(struct pod_table *t);

/**
 * pod_table_put(t, info), pod_table_deleted(t, uid):
 * A pod's present state (taken); a pod was deleted, whose files may still have
 * unread bytes.
 */
void pod_table_put(struct pod_table *t, struct pod_info *info);
void pod_table_deleted(struct pod_table *t, struct slice uid);

/**
 * pod_table_given_up(t, given_up):
 * The API cannot be asked: files do not wait for its first answer.
 */
void pod_table_given_up(struct pod_table *t, bool given_up);

/**
 * pod_table_tick(t, now):
 * Forget deleted pods that no file has used for a while, and their namespaces.
 */
void pod_table_tick(struct pod_table *t, int64_t now);

/* The same as around_next(), around_put() and around_fail(). */
bool pod_table_around_next(struct pod_table *t, int64_t now, struct around_want *want);
void pod_table_around_put(
    struct pod_table *t, const struct around_want *want, struct shared_json *json, int64_t now);
void pod_table_around_fail(
    struct pod_table *t, const struct around_want *want, bool refused, int64_t now);

/* ---- the reader's: as kube.h has them */

void pod_table_use(struct pod_table *t, struct slice uid);
void pod_table_leave(struct pod_table *t, struct slice uid);
enum kube_answer pod_table_find(
    struct pod_table *t, const struct pod *have, int64_t now, struct pod **out);

/* Any thread.  pod_table_running(): as kube_running(). */
void pod_table_running(struct pod_table *t, kube_runs *each, void *arg);
uint64_t pod_table_version(const struct pod_table *t);
bool pod_table_is_synced(struct pod_table *t);
void pod_table_wake(struct pod_table *t, int fd);

#endif
