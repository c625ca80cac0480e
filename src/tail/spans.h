/* The spans of a log: loaded, added, sealed, stored, dropped. */
#ifndef SPANS_H
#define SPANS_H

#include "tail_internal.h"

/**
 * spans_load(t, log, of):
 * Make the spans, and their contents, that the state has of ${log} and that are
 * not in memory; ${of}: those of this content alone.
 *
 * spans_add(t, log, c, is):
 * ${c} has one more span in ${log}; in memory only.
 *
 * spans_store(t, log, list, n):
 * Store the ${n} spans of ${list} as one change, and their contents: a mark.
 */
void spans_load(struct tail *t, struct log *log, const struct identity *of);
struct span *spans_add(
    struct tail *t, struct log *log, struct content *c, const struct span_state *is);
void spans_store(struct tail *t, struct log *log, struct span *const *list, unsigned n);

/**
 * spans_drop(t, log, s):
 * ${s} is not needed in memory any more; its content goes with its last span.
 *
 * spans_pass(t, s):
 * All of ${s} was shipped: a checkpoint, and content_pass if that is all of its content.
 */
void spans_pass(struct tail *t, const struct span *s);
void spans_drop(struct tail *t, struct log *log, struct span *s);

/**
 * spans_shipped(log):
 * The least cursor of all outputs (0: there are none).
 *
 * spans_content_shipped(c):
 * Up to which offset of ${c} all is shipped.
 *
 * spans_is_passed(log, s, shipped):
 * All readers, and their cursors (the least is ${shipped}), are behind ${s}.
 */
uint64_t spans_shipped(const struct log *log);
uint64_t spans_content_shipped(const struct content *c);
bool spans_is_passed(const struct log *log, const struct span *s, uint64_t shipped);

/**
 * spans_checkpoint(t, log):
 * Tell the state the sizes of the contents, and a hash of the bytes before the
 * first reader's cursor.
 */
void spans_checkpoint(struct tail *t, struct log *log);

#endif
