/* What open files cost others: disk that they keep, descriptors. */
#ifndef HELD_H
#define HELD_H

#include "file.h"

/**
 * held_turn(t):
 * Now and then: are the deleted files that are held open within
 * Held_Deleted_Limit?  Those beyond are read from their .gz, or let go.
 */
void held_turn(struct tail *t);

/**
 * held_open(t, conf, path, out, why):
 * As resolve_open(), but some descriptors stay free for all else, and when
 * there are no others, rotated files that have been read are closed for now.
 */
struct resolved;
int held_open(struct tail *t, const struct tail_conf *conf, const char *path, struct resolved *out,
    const char **why);

/* The name that ${f} has or had last, whatever it was opened as; NULL: not known. */
char *held_name(const struct file *f, bool *deleted);

/* After a look: open the files again that were closed for want of descriptors. */
void held_reopen(struct tail *t);

#endif
