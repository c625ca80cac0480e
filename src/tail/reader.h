/* Where a reader stands. */
#ifndef READER_H
#define READER_H

#include "tail_internal.h"

/**
 * reader_begin(t, r, log, to):
 * ${r} reads ${log} for ${to} from where its cursors stand.
 *
 * reader_known(log, c):
 * The bytes that ${c} has now may have been sent in another life.
 *
 * reader_rewind(t, r):
 * It goes back to its cursors: what it had sent is sent again.
 *
 * reader_skip(t, r, from, to):
 * What lies between the two positions is not there any more: a side that stands
 * there goes on at ${to}, and what it had open there is dropped.
 */
void reader_begin(struct tail *t, struct reader *r, struct log *log, const struct shipping *to);
void reader_known(struct log *log, const struct content *c);
void reader_rewind(struct tail *t, struct reader *r);
void reader_skip(struct tail *t, struct reader *r, uint64_t from, uint64_t to);

/**
 * reader_progress(r, side), reader_untaken(r):
 * The offset from which on nothing of a side, of any side, is taken: of a parked
 * reader, what is not shipped.
 */
uint64_t reader_progress(const struct reader *r, enum side side);
uint64_t reader_untaken(struct reader *r);

/**
 * reader_follow(r):
 * A side of which nothing is open or in flight has no reason to be read again:
 * its cursor moves on.
 *
 * reader_idle(r):
 * Nothing of it is in flight.
 */
void reader_follow(struct reader *r);
bool reader_idle(struct reader *r);

/**
 * reader_count_begin(t, log), reader_count_end(t, log):
 * ${log} gets a reader that counts, from where the first one stands or from
 * what was counted, when that is farther; it has none any more.
 */
void reader_count_begin(struct tail *t, struct log *log);
void reader_count_end(struct tail *t, struct log *log);

#endif
