/* Which of the outputs have room, which logs wait for one, and which outputs share a reader. */
#ifndef ABREAST_H
#define ABREAST_H

#include "tail_internal.h"

/**
 * abreast_begin(t, room):
 * A turn begins, with the time of the one before in t->now, and now ${now}; bit i of
 * ${room}: the i-th output has room.
 *
 * abreast_stand(t):
 * No output takes records any more in this turn.
 *
 * abreast_reach(t, log):
 * The turn comes to ${log}.
 */
void abreast_begin(struct tail *t, uint32_t room, int64_t now);
bool abreast_stand(const struct tail *t);
void abreast_reach(struct tail *t, const struct log *log);

/**
 * abreast_goes(r), abreast_note(r):
 * All outputs of ${r} take records, and their turn has come to the log at which they stood
 * last.  ${r} has had its turn: it waits for those without room.
 *
 * abreast_held(log):
 * Note which outputs others wait for in ${log}.
 *
 * abreast_waits(log), abreast_ready(log):
 * A reader of ${log} waits for room; one of them need not wait any more.
 *
 * abreast_due(t):
 * When an output that holds up others is waited for no longer.
 */
bool abreast_goes(const struct reader *r);
void abreast_note(struct reader *r);
void abreast_held(const struct log *log);
bool abreast_waits(const struct log *log);
bool abreast_ready(const struct log *log);
int64_t abreast_due(const struct tail *t);

/**
 * abreast_part(t, log), abreast_join(t, log):
 * Outputs for which others have waited long enough, and those for which ${log} is parked,
 * get readers of their own; readers that stand at one place become one.
 */
void abreast_part(struct tail *t, struct log *log);
void abreast_join(struct tail *t, struct log *log);

#endif
