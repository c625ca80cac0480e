/*
 * The files that are there and cannot be read, with the reasons: noted by the
 * reader thread, shown by any.  For the process's life, as the metrics.
 */
#ifndef UNREAD_H
#define UNREAD_H

#include <stdbool.h>
#include <stddef.h>

#include "memory.h"

#define UNREAD_MOST 1000 /* are listed; further ones are said alone */

/**
 * unread_note(path, why), unread_well(path):
 * The file at ${path} cannot be read; that is said now and then.  It can be, or
 * is gone: the first is said.
 *
 * unread_turn():
 * Drop those that are gone.  True: there were changes since it was called last.
 */
void unread_note(const char *path, const char *why);
void unread_well(const char *path, bool gone);
bool unread_turn(void);

/**
 * unread_count(), unread_lines(to, most):
 * How many there are; append "cannot read PATH: WHY" for at most ${most} of them, each a line.
 *
 * unread_save(to), unread_each(saved, each, arg):
 * Append the list as text, empty when there are none; call ${each} for what
 * such a text holds.
 */
size_t unread_count(void);
void unread_lines(struct buffer *to, size_t most);
void unread_save(struct buffer *to);
void unread_each(
    struct slice saved, void (*each)(void *arg, const char *path, const char *why), void *arg);

#endif
