/* Bytes to lines. */
#ifndef LINES_H
#define LINES_H

#include "tail_internal.h"

enum lines {
	LINES_MORE,    /* the budget is used up */
	LINES_END,     /* the rest of the place is no whole line, or nothing */
	LINES_REFUSED, /* a record was refused, or must wait */
	LINES_CHANGED, /* the place no longer has the bytes that were read of it */
};

/**
 * lines_read(t, r, p, end):
 * Take the lines of ${p} from r->at on, at most a budget of bytes and not
 * beyond ${end} (a position; SEAL_NONE: as far as there are), where a line ends
 * without a newline, too.
 */
enum lines lines_read(struct tail *t, struct reader *r, struct place *p, uint64_t end);

/**
 * lines_finish(t, r, p):
 * Nothing follows in ${p}, as far as is known, and nothing behind it: its last
 * line, whose newline has not come, is taken, and ends there by a break.
 */
enum lines lines_finish(struct tail *t, struct reader *r, struct place *p);

#endif
