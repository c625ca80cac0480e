/* Room for files that have something to read. */
#ifndef ROOM_H
#define ROOM_H

#include "tail_internal.h"

/**
 * room_turn(t):
 * While files wait for room, close the quietest of those that have nothing to read.
 */
void room_turn(struct tail *t);

#endif
