/*
 * The files and directories that are there and not read, with the reasons: noted
 * by the reader thread, shown by any.  For the process's life, as the metrics.
 */
#ifndef UNREAD_H
#define UNREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory.h"
#include "metrics.h"

#define UNREAD_MOST 1000  /* are listed; further ones are said alone */
#define UNREAD_BEYOND 500 /* the most of the list when one beyond Max_Files is added */

/**
 * unread_note(path, reason, why), unread_list(path, reason, why), unread_well(path, gone):
 * The file at ${path} cannot be read; that is said now and then, or not at all.  It
 * can be, or is gone: the first is said, but when it was beyond Max_Files.
 *
 * unread_turn(open):
 * Drop those that are gone; ${open} files are read.  True: there were changes since
 * it was called last.
 */
void unread_note(const char *path, enum unread_reason reason, const char *why);
void unread_list(const char *path, enum unread_reason reason, const char *why);
void unread_well(const char *path, bool gone);
bool unread_turn(uint64_t open);

/**
 * unread_count(), unread_lines(to, most):
 * How many there are; append "cannot read PATH: WHY" for at most ${most} of them, each a line.
 *
 * unread_is_all(why, size):
 * Some files cannot be read, and no others are; that is written to ${why}.
 *
 * unread_save(to), unread_each(saved, each, arg):
 * Append the list as text, empty when there are none; call ${each} for what
 * such a text holds.
 */
size_t unread_count(void);
void unread_lines(struct buffer *to, size_t most);
bool unread_is_all(char *why, size_t size);
void unread_save(struct buffer *to);
void unread_each(
    struct slice saved, void (*each)(void *arg, const char *path, const char *why), void *arg);

#endif
