/* A file that has not the bytes any more that were read of it. */
#ifndef TRUNCATION_H
#define TRUNCATION_H

#include "tail_internal.h"

/**
 * truncation_found(t, p):
 * ${p} has not what was read of its content: it was truncated, perhaps after
 * a copy was made.  What it has now is pending, in the order of its log.
 *
 * truncation_look(t, r):
 * Lines of a record that ends at ${r} are not there any more: find out of which
 * content, and go on behind them.
 */
void truncation_found(struct tail *t, struct place *p);
void truncation_look(struct tail *t, struct reader *r);

/**
 * truncation_pending(t, log):
 * See whether what is pending in ${log} is still what it was named by.
 *
 * truncation_places(t, log):
 * See whether files that had one content have one still: of those that have
 * grown apart one is another content.  One of them in each call.
 */
void truncation_pending(struct tail *t, struct log *log);
void truncation_places(struct tail *t, struct log *log);

#endif
