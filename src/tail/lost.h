/* Bytes that were seen and will never be read. */
#ifndef LOST_H
#define LOST_H

#include "metrics.h"
#include "tail_internal.h"

/**
 * lost_count(t, c, to, why, bytes):
 * Count that ${bytes} of ${c} are lost, and say it: for the output ${to}
 * alone, when there are several and it is not NULL.
 *
 * lost_untaken(t, c, f, why, from, to):
 * The same of what ${f} has not taken of the bytes from ${from} to ${to}.
 *
 * lost_content(t, c, why):
 * ${c} has no place any more: its bytes that were not taken are lost.  A span of
 * it without a seal gets one, and readers go on behind it.  A pending ${c} is
 * freed.
 *
 * lost_is_certain(t, c):
 * No place of ${c} will be found.  Soon after a start that is not certain: a log
 * may have no name for a moment, or its directory be mounted late.
 *
 * lost_seek(t, c):
 * ${c} has no place: ask for another look.  True when that has been and has not found
 * one, nor have names changed since it began: what was renamed while a look read
 * the directory had no name for it, and its new one may be found by a Path alone.
 * Where names change all the time it is true after a while.
 */
void lost_count(const struct tail *t, const struct content *c, const struct shipping *to,
    enum lost why, uint64_t bytes);
void lost_untaken(const struct tail *t, const struct content *c, struct feed *f, enum lost why,
    uint64_t from, uint64_t to);
void lost_content(struct tail *t, struct content *c, enum lost why);
bool lost_is_certain(const struct tail *t, const struct content *c);
bool lost_seek(struct tail *t, struct content *c);

/**
 * lost_settle(t):
 * Once after the start, when each file that is there has found its content:
 * unread bytes of the other contents are lost.
 */
void lost_settle(struct tail *t);

#endif
