/* An output's part of a log: its cursors, and the reader whose records it is given. */
#ifndef FEED_H
#define FEED_H

#include "tail_internal.h"

/**
 * feed_begin(t, f, log, to), feed_end(t, f):
 * ${f} gets a reader of ${log}, which reads for it alone, from where its cursors stand.
 * Nothing points to its cursors any more.
 *
 * feed_known(log, c):
 * The bytes that ${c} has now may have been sent by a process before this one.
 */
void feed_begin(struct tail *t, struct feed *f, struct log *log, struct shipping *to);
void feed_end(struct tail *t, struct feed *f);
void feed_known(struct log *log, const struct content *c);

/**
 * feed_part(f):
 * From here on ${f} has a reader of its own, which stands where that of all stood.
 *
 * feed_join(t, r, other):
 * The feeds of ${other}, which is not behind ${r}, are fed by ${r} from now on, each with
 * the records that it has not got.  False: their places are too far apart.
 *
 * feed_rewind(t, f):
 * ${f} goes back to its cursors, by itself: records behind them are sent again.
 */
void feed_part(struct feed *f);
bool feed_join(struct tail *t, struct reader *r, struct reader *other);
void feed_rewind(struct tail *t, struct feed *f);

/**
 * feed_untaken(f):
 * The position from which on no record of any side is taken; of one whose reader is
 * parked: from which on not all is shipped.
 *
 * feed_shipped(f):
 * The position before which all is shipped.
 */
uint64_t feed_untaken(struct feed *f);
uint64_t feed_shipped(struct feed *f);

/**
 * feed_follow(r):
 * The cursors of a side without an open record or one in flight move on to the
 * position of ${r}.
 *
 * feed_idle(r):
 * No record that it gave is in flight.
 */
void feed_follow(struct reader *r);
bool feed_idle(const struct reader *r);

#endif
