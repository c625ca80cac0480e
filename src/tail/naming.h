/* Which content a file has. */
#ifndef NAMING_H
#define NAMING_H

#include "tail_internal.h"

enum naming {
	NAMING_WAITS, /* its first line is not complete */
	NAMING_NEW,   /* it is a content of its own, and stays pending */
	NAMING_KNOWN, /* it is a content that is known; the pending one is gone */
};

/**
 * naming_try(t, c):
 * ${c} is pending and has no name yet: ask its file.
 *
 * naming_is_known(t, conf, path, target, name, fd):
 * True when the state has a content that begins as ${fd} does, which was found at
 * ${path}, is ${target} behind all links, and would be of the log whose live
 * file is ${name}.
 */
enum naming naming_try(struct tail *t, struct content *c);
bool naming_is_known(
    struct tail *t, const struct tail_conf *conf, const char *path, const char *name, int fd);

#endif
