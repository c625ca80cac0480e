/* The content that a file has. */
#ifndef NAMING_H
#define NAMING_H

#include "tail_internal.h"

/**
 * naming_try(t, c):
 * ${c} is pending and has no name yet: read its file.  Then it has a name, or its
 * place has a content that was known and ${c} is freed: true.  False: its first line
 * is not complete or cannot be read, or it may be a copy of a file that is to be named first.
 *
 * naming_head(t, path, fd):
 * The first bytes of the file ${fd} of that path, of a .gz those of its content, until a step
 * is read.
 *
 * naming_is_known(t, conf, path, name, head):
 * True when the state has a content that begins as the file with ${head} does, which was
 * found at ${path} and would be of the log whose live file is ${name}.
 */
bool naming_try(struct tail *t, struct content *c);
struct slice naming_head(struct tail *t, const char *path, int fd);
bool naming_is_known(struct tail *t, const struct tail_conf *conf, const char *path,
    const char *name, struct slice head);

#endif
