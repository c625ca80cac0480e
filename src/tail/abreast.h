/* Which of the readers have room, and which logs wait for one. */
#ifndef ABREAST_H
#define ABREAST_H

#include "tail_internal.h"

/**
 * abreast_has_room(s), abreast_room(t):
 * The reader takes records, and its turn has come to the log at which it stood last; the
 * bits of all such.
 *
 * abreast_stand(t):
 * No reader takes records any more in this turn.
 *
 * abreast_reach(t, log):
 * The turn comes to ${log}.
 *
 * abreast_note(s, r):
 * The log of ${r} has had its turn; ${r} without room waits for that.
 *
 * abreast_waits(log):
 * The bits of its readers that wait for room.
 */
bool abreast_has_room(const struct shipping *s);
uint32_t abreast_room(const struct tail *t);
bool abreast_stand(const struct tail *t);
void abreast_reach(struct tail *t, const struct log *log);
void abreast_note(struct shipping *s, struct reader *r);
uint32_t abreast_waits(const struct log *log);

#endif
