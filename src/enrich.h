/* Inside the pipeline: records get what the API server says of their pods. */
#ifndef ENRICH_H
#define ENRICH_H

#include "flow.h"

/**
 * enrich_options(conf, options):
 * How the API server is asked, as the first [FILTER] kubernetes says; false: it
 * is not.  It is asked in a cluster, and wherever the configuration says how.
 */
bool enrich_options(const struct conf *conf, struct kube_options *options);

/**
 * enrich_make(p):
 * Make p->kube ready, when the API server is to be asked; -1 after saying why
 * not.
 */
int enrich_make(struct pipeline *p);

/**
 * enrich_begins(p, flow), enrich_ends(p, flow):
 * A stream begins, which waits when its pod is not known yet; it ends.
 */
void enrich_begins(struct pipeline *p, struct flow *flow);
void enrich_ends(struct pipeline *p, struct flow *flow);

/**
 * enrich_record(p, flow), enrich_shipped(flow):
 * One more record is to be shipped: with what is known of its pod now; it is in
 * a batch.
 */
void enrich_record(struct pipeline *p, struct flow *flow);
void enrich_shipped(const struct flow *flow);

/**
 * enrich_turn(p, now):
 * Let streams go on whose pod is known, or is waited for no more; return how
 * long the first of the others may still wait, ms.
 */
int enrich_turn(struct pipeline *p, int64_t now);

#endif
