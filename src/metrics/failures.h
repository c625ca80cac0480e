/*
 * The failures that have been seen: a bounded table of fingerprints, each with
 * the time of its newest record.  It is the node's, not an agent's: the pod of
 * the next rollout fails as the one before did.
 *
 * A fingerprint has one page where it may stand.  When the page is full, the
 * fingerprint in it that was seen longest ago is forgotten.  A page is saved as
 * a whole, when it has changed.
 */
#ifndef FAILURES_H
#define FAILURES_H

#include <stdbool.h>
#include <stdint.h>

#include "agent_metrics.h"
#include "slice.h"

#define FAILURES_PAGE 64 /* fingerprints of a page */

/* The keys of saved pages: no namespace is empty. */
#define FAILURES_KEY "//failures/"

struct failures;

/**
 * failures_new(most, memory), failures_free(f):
 * An empty table for ${most} fingerprints, rounded up to whole pages, which are
 * known for ${memory} ns.
 */
struct failures *failures_new(size_t most, int64_t memory);
void failures_free(struct failures *f);

/**
 * failures_see(f, fingerprint, time):
 * A record of ${time} (ns) has ${fingerprint}.  True: none of the ${memory} ns
 * before it has had it.  No allocation.
 */
bool failures_see(struct failures *f, uint64_t fingerprint, int64_t time);

/* Take ${now} for times that are later: a clock that was wrong must not make a failure known for years. */
void failures_tame(struct failures *f, int64_t now);

/**
 * failures_save(f, put, arg), failures_restore(f, page, value):
 * As agent_metrics_save() and agent_metrics_restore(); ${page} is the key
 * behind FAILURES_KEY.
 */
void failures_save(struct failures *f, agent_metrics_put *put, void *arg);
void failures_restore(struct failures *f, struct slice page, struct slice value);

#endif
