/* Reading ahead of shipping, for the counters alone. */
#ifndef AHEAD_H
#define AHEAD_H

#include "tail_internal.h"

/**
 * ahead_drop_passed(t, log):
 * The first reader may have come to where ${log} was counted: then the reader that
 * counts ends.
 */
void ahead_drop_passed(struct tail *t, struct log *log);

#endif
