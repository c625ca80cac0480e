/*
 * The set of tasks that have started and not ended.  Ids are kept as hashes;
 * ends are remembered for a while, so that a start that comes behind its end
 * (the two sides of a container are read apart) does not stay for ever.
 */
#ifndef TASKS_H
#define TASKS_H

#include <stdint.h>

#include "slice.h"

/* Beyond this many, starts are not noted: an agent runs 20 tasks. */
#define TASKS_MAX 16384

struct tasks;

struct tasks *tasks_new(void);
void tasks_free(struct tasks *t);
void tasks_clear(struct tasks *t);

/**
 * tasks_start(t, id, time), tasks_end(t, id, time):
 * Note a start or an end at ${time} (ns).  A second start, and the end of a
 * task that has not started, change nothing.
 */
void tasks_start(struct tasks *t, struct slice id, int64_t time);
void tasks_end(struct tasks *t, struct slice id, int64_t time);

/**
 * tasks_next(t, at), tasks_put(t, hash):
 * A walk: start with *${at} = 0; return each hash, then 0.  Put a hash back,
 * after a restart.
 */
uint64_t tasks_next(const struct tasks *t, uint32_t *at);
void tasks_put(struct tasks *t, uint64_t hash);

uint32_t tasks_count(const struct tasks *t);

#endif
