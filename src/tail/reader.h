/* The position of a reader. */
#ifndef READER_H
#define READER_H

#include "tail_internal.h"

/**
 * reader_begin(t, r, log, to):
 * ${r} reads ${log} for ${to} from where its cursors stand.
 *
 * reader_known(log, c):
 * The bytes that ${c} has now may have been sent by a process before this one.
 *
 * reader_rewind(t, r):
 * It goes back to its cursors: records behind them are sent again.
 *
 * reader_skip(t, r, from, to):
 * The bytes between the two positions are not there any more: a side that stands
 * there goes on at ${to}, and its open record is dropped.
 */
void reader_begin(struct tail *t, struct reader *r, struct log *log, const struct shipping *to);
void reader_known(struct log *log, const struct content *c);
void reader_rewind(struct tail *t, struct reader *r);
void reader_skip(struct tail *t, struct reader *r, uint64_t from, uint64_t to);

/**
 * reader_progress(r, side), reader_untaken(r):
 * The position from which on no record of a side, of any side, is taken; of a
 * parked reader: from which on not all is shipped.
 */
uint64_t reader_progress(const struct reader *r, enum side side);
uint64_t reader_untaken(struct reader *r);

/**
 * reader_follow(r):
 * The cursor of a side without an open record or one in flight moves on to the
 * reader's position.
 *
 * reader_idle(r):
 * None of its records is in flight.
 *
 * reader_foremost(log):
 * Of the readers that ship the one that has read farthest.
 */
void reader_follow(struct reader *r);
bool reader_idle(struct reader *r);
const struct reader *reader_foremost(const struct log *log);

/* It is not in the middle of a long line. */
static inline void
reader_passes_none(struct reader *r)
{
	r->passed = 0;
	r->passing = PASSING;
}

/**
 * reader_count_begin(t, log), reader_count_end(t, log):
 * ${log} gets a reader that counts, from the position of the foremost one or of its
 * cursors of counting, when they are farther; it has none any more.
 */
void reader_count_begin(struct tail *t, struct log *log);
void reader_count_end(struct tail *t, struct log *log);

#endif
