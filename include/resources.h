/*
 * Memory and CPU time of the agents' containers, from their control groups: a
 * thread of its own finds them by the containers' ids below Cgroup_Path, reads
 * them at times, and puts them into agent_usage.h.
 */
#ifndef RESOURCES_H
#define RESOURCES_H

#include <stdint.h>

#include "slice.h"

struct resources;

/**
 * resources_new(root, interval), resources_free(r):
 * Control groups are mounted at ${root}, version 1 or 2; NULL after saying that
 * there are none.  They are read each ${interval} ns.  NULL is harmless to the
 * others, too.
 */
struct resources *resources_new(const char *root, int64_t interval);
void resources_free(struct resources *r);

/**
 * resources_start(r), resources_stop(r):
 * Start the thread, -1 after saying why it does not start; end it.
 */
int resources_start(struct resources *r);
void resources_stop(struct resources *r);

/* A container, with the labels of its series; ${id} as the runtime has it, 64 digits. */
struct resources_container {
	struct slice namespace_name, pod, container, id;
};

/**
 * resources_watch(r, c), resources_leave(r, c):
 * One more log of the container, or one less; while it has one it is read.
 * Containers without an id are not.
 */
void resources_watch(struct resources *r, const struct resources_container *c);
void resources_leave(struct resources *r, const struct resources_container *c);

#endif
