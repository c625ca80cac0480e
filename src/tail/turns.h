/* The logs that a turn looks at. */
#ifndef TURNS_H
#define TURNS_H

#include "tail_internal.h"

/**
 * turns_wake(t, log), turns_wake_content(t, c), turns_wake_all(t):
 * ${log} may have unread bytes: it has a turn; so have the logs of ${c}; so have all.
 *
 * turns_stay(t, log), turns_sleep(t, log), turns_behind(t, log):
 * Turns look at ${log}; they do not until it is woken; they look at it behind
 * all others.
 */
void turns_wake(struct tail *t, struct log *log);
void turns_wake_content(struct tail *t, const struct content *c);
void turns_wake_all(struct tail *t);
void turns_stay(struct tail *t, struct log *log);
void turns_sleep(struct tail *t, struct log *log);
void turns_behind(struct tail *t, struct log *log);

#endif
