/*
 * The pods of this node, listed once and watched from then on; the answers go
 * to the table.  The kube thread's, on its multi handle.
 */
#ifndef FEED_H
#define FEED_H

#include "access.h"
#include "contact.h"
#include "pod_table.h"

struct feed;

struct feed *feed_new(const struct kube_options *options, struct access *access,
    struct pod_table *table, struct contact *contact, CURLM *multi);
void feed_free(struct feed *f);

/**
 * feed_turn(f, now), feed_done(f, easy, code, now):
 * Send the request that is due, and return when the next one is (mono ns); the
 * request of ${easy} has ended, false: ${easy} is not the feed's.
 */
int64_t feed_turn(struct feed *f, int64_t now);
bool feed_done(struct feed *f, CURL *easy, CURLcode code, int64_t now);

/**
 * feed_node(f):
 * The node's name; NULL: not known yet.
 */
const char *feed_node(const struct feed *f);

#endif
