/* A reader walks its log. */
#ifndef WALK_H
#define WALK_H

#include "tail_internal.h"

enum walk {
	WALK_MORE,    /* there is more to read at once */
	WALK_END,     /* nothing more, for now: r->due says when to look again */
	WALK_REFUSED, /* a record was refused */
};

/**
 * walk_begin(t, log):
 * Before its readers: pending contents are named, and must have the bytes that they had.
 * False: no content was entered yet.
 *
 * walk_on(t, r):
 * Read on, at most a budget, from span to span.
 */
bool walk_begin(struct tail *t, struct log *log);
enum walk walk_on(struct tail *t, struct reader *r);

#endif
