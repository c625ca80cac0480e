/*
 * The set of tasks that have started and not ended, each with its start.  Ids
 * are kept as hashes; ends are remembered for a while, so that a start that
 * comes behind its end (the two sides of a container are read apart) does not
 * stay for ever.
 */
#ifndef TASKS_H
#define TASKS_H

#include <stdint.h>

#include "slice.h"

/* Beyond this many, starts are not noted: an agent runs 20 tasks. */
#define TASKS_MAX 1024

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

/* A task as it is saved: the hash of its id (never 0), and its start in ns (0: not known). */
struct task {
	uint64_t hash;
	int64_t start;
};

/**
 * tasks_next(t, at), tasks_put(t, task):
 * A walk: start with *${at} = 0; return each task, then one of hash 0.  Put a
 * task back, after a restart.
 */
struct task tasks_next(const struct tasks *t, uint32_t *at);
void tasks_put(struct tasks *t, struct task task);

/**
 * tasks_expire(t, now, age):
 * Drop the tasks that have started ${age} (ns) before ${now} or earlier; return
 * their number.  A start that is not known, or later than ${now}, becomes ${now}.
 */
uint32_t tasks_expire(struct tasks *t, int64_t now, int64_t age);

/* The earliest start, ns; 0: there is no task.  Of starts as tasks_expire() left them. */
int64_t tasks_oldest(const struct tasks *t);

uint32_t tasks_count(const struct tasks *t);

#endif
