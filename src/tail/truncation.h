/* A file that no longer has the bytes that were read of it. */
#ifndef TRUNCATION_H
#define TRUNCATION_H

#include "tail_internal.h"

/**
 * truncation_found(t, p):
 * ${p} no longer has the bytes that were read of its content: it was truncated,
 * perhaps after a copy was made.  Its present bytes are a pending content.
 *
 * truncation_look(t, r):
 * Lines of a record that ends at ${r} are not there any more: find the content that
 * has lost them, and go on behind them.  False: its file may be found still.
 */
void truncation_found(struct tail *t, struct place *p);
bool truncation_look(struct tail *t, struct reader *r);

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
