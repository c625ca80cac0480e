/* Inside the chain: a record becomes a tree (shape.h), and stays one. */
#ifndef RESHAPE_H
#define RESHAPE_H

#include "batch.h"
#include "record.h"
#include "shape.h"

struct reshape {
	struct shape shape;
	const struct document_rules *rules; /* names of the record in hand */
	const struct record *record;
	struct shape_owner parsed, pod;
};

/**
 * reshape_new(size), reshape_free(x):
 * Trees of at most ${size} bytes, one at a time.
 */
struct reshape *reshape_new(size_t size);
void reshape_free(struct reshape *x);

/**
 * reshape_begin(x, r, rules):
 * Make the tree of ${r}, whose names ${rules} has, and set r->shape.  False: no room.
 */
bool reshape_begin(struct reshape *x, struct record *r, const struct document_rules *rules);

/**
 * reshape_follow(x, r, before):
 * A filter that does not know of r->shape has changed ${r}, which was ${before}: attached
 * its pod and log_parsed, or taken its log.  The tree follows.
 */
struct reshape_seen {
	const struct agent_line *parsed;
	const struct pod *pod;
	bool has_log;
};
void reshape_follow(struct reshape *x, struct record *r, const struct reshape_seen *before);

/**
 * reshape_settle(x, r):
 * All filters are through: fields of the tree that cannot stand at a document's root go
 * under log_parsed.extra, as those of a parser do.
 */
void reshape_settle(struct reshape *x, struct record *r);

#endif
