/* The position of a reader. */
#ifndef READER_H
#define READER_H

#include "tail_internal.h"

/**
 * reader_resume(t, r):
 * It goes on from r->resume, with nothing open.
 *
 * reader_skip(t, r, from, to):
 * The bytes between the two positions are not there any more: a side that stands
 * there goes on at ${to}, and its open record is dropped.
 *
 * reader_progress(r, side):
 * The position from which on it has given no record of a side.
 *
 * reader_has_passed(r, other):
 * ${r} has read, and given, all that ${other} has.
 *
 * reader_foremost(log):
 * Of the readers that ship the one that has read farthest.
 */
void reader_resume(struct tail *t, struct reader *r);
bool reader_has_passed(const struct reader *r, const struct reader *other);
void reader_skip(struct tail *t, struct reader *r, uint64_t from, uint64_t to);
uint64_t reader_progress(const struct reader *r, enum side side);
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
