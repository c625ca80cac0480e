/* The log of a file whose name does not tell it. */
#ifndef RENAMED_H
#define RENAMED_H

#include "tail_internal.h"

/**
 * renamed_log(t, conf, p, name):
 * The file ${p} was found at a name that is of the log whose live file is ${name}.
 * Return the name of the live file of another log, when it has a content of that;
 * else NULL.  The caller frees.
 *
 * renamed_is_early(t, p):
 * True when ${p} is a .gz without a whole line yet, beside the file that it is packed from.
 */
bool renamed_is_early(struct tail *t, const struct place *p);
char *renamed_log(
    struct tail *t, const struct tail_conf *conf, const struct place *p, const char *name);

#endif
