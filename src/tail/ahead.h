/* Reading ahead of what is shipped, for the counters alone. */
#ifndef AHEAD_H
#define AHEAD_H

#include "file.h"

/**
 * ahead_passed(f), ahead_drop(t, f), ahead_drop_heirs(t, f, from):
 * Shipping has come to where ${f} was counted: its second place is given up,
 * as it is when ${f} is not what it was; so are those that have a record open
 * which begins in ${f} at ${from} or behind it.
 */
bool ahead_passed(const struct file *f);
void ahead_drop(struct tail *t, struct file *f);
void ahead_drop_heirs(struct tail *t, struct file *f, uint64_t from);

#endif
