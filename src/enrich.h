/* Inside the pipeline: records get their pods' metadata from the API server. */
#ifndef ENRICH_H
#define ENRICH_H

#include "flow.h"

/**
 * enrich_options(conf, options):
 * The options of the API server, from the first [FILTER] kubernetes; false: it
 * is not asked.  It is asked in a cluster, and wherever the configuration has
 * an address or a token.
 */
bool enrich_options(const struct conf *conf, struct kube_options *options);

/**
 * enrich_check(conf, findings):
 * Add a finding when the API server is to be asked at an address that is none.
 */
void enrich_check(const struct conf *conf, struct findings *findings);

/**
 * enrich_make(p):
 * Make the API server's part ready, when it is to be asked; -1 after saying
 * why that fails.
 */
int enrich_make(struct pipeline *p);

/**
 * enrich_begins(p, flow), enrich_ends(p, flow):
 * A stream begins, and waits when its pod is not known yet; a stream ends.
 */
void enrich_begins(struct pipeline *p, struct flow *flow);
void enrich_ends(struct pipeline *p, struct flow *flow);

/* Unless the stream waits for its pod: its agent's series have the pod's labels now. */
void enrich_labels(const struct flow *flow);

/**
 * enrich_record(p, flow), enrich_shipped(flow):
 * A record is about to be encoded: take the newest snapshot of its pod; the
 * record is in a batch: count it when its pod is not known.
 */
void enrich_record(struct pipeline *p, struct flow *flow);
void enrich_shipped(const struct flow *flow);

/**
 * enrich_turn(p, now):
 * Let streams go on whose pod is known, or whose time is up; return the ms
 * until the next look at the others.
 */
int enrich_turn(struct pipeline *p, int64_t now);

#endif
