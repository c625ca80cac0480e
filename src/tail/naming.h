/* Which content a file has. */
#ifndef NAMING_H
#define NAMING_H

#include "tail_internal.h"

/**
 * naming_try(t, c):
 * ${c} is pending and has no name yet: ask its file.  It has one then, or its
 * place has a content that is known and ${c} is gone, or its first line is not
 * complete.
 *
 * naming_is_known(t, conf, path, target, name, fd):
 * True when the state has a content that begins as ${fd} does, which was found at
 * ${path}, is ${target} behind all links, and would be of the log whose live
 * file is ${name}.
 */
void naming_try(struct tail *t, struct content *c);
bool naming_is_known(
    struct tail *t, const struct tail_conf *conf, const char *path, const char *name, int fd);

#endif
