/* Inside the pipeline: what it keeps of a stream, and what was counted. */
#ifndef FLOW_H
#define FLOW_H

#include "reader.h"

#define COUNTS_UNSHOWN UINT64_MAX /* what the state brought back has not been shown yet */

struct flow {
	LIST_ENTRY(flow) in_flows;
	struct source *source;
	struct agent_series *series;
	struct document_rules rules;
	uint32_t route;
	uint64_t counted[SIDES]; /* records that begin below are in the counters */
	struct stream *stream;
	LIST_ENTRY(flow) in_waiting; /* … for its pod, when stream->waits */
	bool enriched;               /* its records get what is known of its pod */
	uint64_t pods;               /* kube_version() when its pod was asked for last */
	struct flow *dirty; /* the next one whose cursors have moved since they were posted */
	bool is_dirty;
};

/**
 * count_restore(p), count_publish(p, behind), count_finish(p):
 * Bring back what was counted, before the first record; post it to the state
 * and have it shown, about once a second; post all of it, when reading and
 * shipping have ended.
 */
void count_restore(struct pipeline *p);
void count_publish(struct pipeline *p, bool behind);
void count_finish(struct pipeline *p);

/* One record, taken; a stream that goes, with its cursors as they are. */
void count_record(struct pipeline *p, const struct framed *f);
void count_stream_ends(struct pipeline *p, struct flow *flow);

/**
 * count_shown(p):
 * What count_publish showed last: its number when it is on disk, else 0.  Any
 * thread.
 */
uint64_t count_shown(struct pipeline *p);

#endif
