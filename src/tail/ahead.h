/* Reading ahead of what is shipped, for the counters alone. */
#ifndef AHEAD_H
#define AHEAD_H

#include "file.h"

/**
 * ahead_passed(f), ahead_drop(f):
 * Shipping has come to where ${f} was counted: its second place is given up,
 * as it is when ${f} is not what it was.
 */
bool ahead_passed(const struct file *f);
void ahead_drop(struct tail *t, struct file *f);

#endif
