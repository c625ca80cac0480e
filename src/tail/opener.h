/* Opening the file that a path leads to. */
#ifndef OPENER_H
#define OPENER_H

#include "tail_internal.h"

/**
 * opener_open(t, conf, path, live, gone):
 * The place of the file that ${path} leads to, opened when it is not yet (it has no
 * content then).  NULL: it leads nowhere (*${gone}), or the file is not read,
 * which was said.  ${live} is the name of its log's live file behind all links;
 * NULL: its own.
 */
struct place *opener_open(
    struct tail *t, const struct tail_conf *conf, const char *path, const char *live, bool *gone);
extern const char opener_second_name[];

#endif
