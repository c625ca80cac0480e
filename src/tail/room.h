/* Room for files that have something to read. */
#ifndef ROOM_H
#define ROOM_H

#include "tail_internal.h"

/**
 * room_turn(t):
 * While files wait for room, close the quietest of those that have nothing to read.
 *
 * room_pass(t, s):
 * All of ${s}, the only span of its content, was shipped, and its files are about to be
 * closed: while others wait for room, looks pass over them until they are written to.
 */
void room_turn(struct tail *t);
void room_pass(struct tail *t, const struct span *s);

#endif
