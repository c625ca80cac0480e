/* The next content of a log. */
#ifndef ORDER_H
#define ORDER_H

#include "tail_internal.h"

/**
 * order_add(t, log, p):
 * ${p}, which has no content yet, was found by a name of ${log}: it is pending
 * with the others, in the order of their names.
 *
 * order_renamed(p, name, live):
 * The file of ${p} has another name, which is ${p}'s now: a pending content goes
 * where that says.
 *
 * order_lacks(log, path), order_listed(log):
 * The file at ${path} of ${log} found no room: newer ones are behind it, and are not
 * entered, until the directory is listed again.
 *
 * order_name(t, log):
 * Name the pending contents that have a complete first line.
 */
void order_add(struct tail *t, struct log *log, struct place *p);
void order_renamed(struct place *p, char *name, bool live);
void order_lacks(struct log *log, const char *path);
void order_listed(struct log *log);
void order_name(struct tail *t, struct log *log);

/**
 * order_part(t, log):
 * Pending contents that are older than one that was entered are logs of their own.
 *
 * order_waits(log):
 * True when there is a next content that has a line.
 *
 * order_may_enter(t, log):
 * True when there is, and the last one's writer has gone or has written nothing
 * for long.
 *
 * order_enter(t, log):
 * Then seal the last content and enter the next one.  False: not yet.
 */
void order_part(struct tail *t, struct log *log);
bool order_waits(const struct log *log);
bool order_may_enter(struct tail *t, struct log *log);
bool order_enter(struct tail *t, struct log *log);

/**
 * order_due(t, log):
 * When its pending contents are looked at again: mono ns, INT64_MAX: at an event.
 *
 * order_release(t, log):
 * Let go contents that all readers have passed and no process can write to; bytes
 * behind a seal get a log of their own.  Return when to look again: mono ns,
 * INT64_MAX: at an event.
 */
int64_t order_due(const struct tail *t, const struct log *log);
int64_t order_release(struct tail *t, struct log *log);

#endif
