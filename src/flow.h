/* Inside the pipeline: its part of each stream, and the counting. */
#ifndef FLOW_H
#define FLOW_H

#include "reader.h"

#define COUNTS_UNSHOWN UINT64_MAX /* the counts from the state have not been shown yet */

/* A lane's part of a stream. */
struct flow_lane {
	struct source *source; /* of the chain: lanes read the same records at different times */
	struct document_rules rules;
	uint32_t route; /* the outputs that take its records */
	bool retags;    /* they may get another tag, and with it other outputs */
	bool several;   /* one may become several documents */
};

struct flow {
	LIST_ENTRY(flow) in_flows;
	struct flow_lane *lanes; /* one for each of the shipper's */
	struct agent_series *series;
	uint64_t counted[SIDES]; /* records that begin below this offset are in the counters */
	struct stream *stream;
	LIST_ENTRY(flow)
	in_waiting;         /* among the streams that wait for their pod, when stream->waits */
	bool enriched;      /* its records get their pod's metadata */
	uint64_t pods;      /* kube_version() when its pod was asked for last */
	struct flow *dirty; /* the next flow whose cursors have moved since they were posted */
	bool is_dirty;
	bool watched; /* its container is watched (resources.h) */
};

/* The reader's function for the inputs: a stream begins or ends. */
tail_stream flow_stream;

/**
 * flow_route(p, outputs, tag):
 * Those of ${outputs} that take records of the tag.
 *
 * flow_watch(p, flow):
 * Have the container of an agent's stream watched (resources.h), once its id is
 * known; those of agents beyond Max_Series are not.
 */
uint32_t flow_route(const struct pipeline *p, uint32_t outputs, struct slice tag);
void flow_watch(struct pipeline *p, struct flow *flow);

/**
 * count_restore(p), count_publish(p, behind), count_finish(p):
 * Bring back the counters, before the first record; post changes to the state
 * and show those that are on disk, about once a second; post the rest, when
 * reading and shipping have ended.
 */
void count_restore(struct pipeline *p);
void count_publish(struct pipeline *p, bool behind);
void count_finish(struct pipeline *p);

/* Post the list of files that cannot be read, for `towline status`. */
void count_unread(struct pipeline *p);

/* Post in how many logs each output is behind others, if that has changed; for the same. */
void count_apart(struct pipeline *p, const uint64_t apart[STATE_READERS]);

/* Count a record; post the cursors of a stream that ends. */
void count_record(struct pipeline *p, const struct framed *f);
void count_stream_ends(struct pipeline *p, struct flow *flow);

/**
 * count_shown(p):
 * The number of the counts that count_publish() showed last, when they are on
 * disk; else 0.  Any thread.
 */
uint64_t count_shown(struct pipeline *p);

#endif
