/*
 * Namespaces and the node, read by name when their labels are asked for.  The
 * kube thread's, on its multi handle, one at a time.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include "access.h"
#include "pod_table.h"

struct lookup;

struct lookup *lookup_new(const struct kube_options *options, struct access *access,
    struct pod_table *table, CURLM *multi);
void lookup_free(struct lookup *l);

/**
 * lookup_turn(l, node, now), lookup_done(l, easy, code, now):
 * Ask for the namespace or the node that is due (${node}: the node's name,
 * NULL: not known); the request of ${easy} has ended, false: ${easy} is not
 * the lookup's.
 */
void lookup_turn(struct lookup *l, const char *node, int64_t now);
bool lookup_done(struct lookup *l, CURL *easy, CURLcode code, int64_t now);

#endif
