/* Reading ahead of shipping, for the counters alone. */
#ifndef AHEAD_H
#define AHEAD_H

#include "tail_internal.h"

/**
 * ahead_is_wanted(t, log):
 * No reader ships of ${log} now: it is counted ahead.
 *
 * ahead_drop_passed(t, log):
 * A reader may have come to where ${log} was counted: then the reader that
 * counts ends.
 */
bool ahead_is_wanted(const struct tail *t, const struct log *log);
void ahead_drop_passed(struct tail *t, struct log *log);

#endif
