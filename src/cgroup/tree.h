/*
 * A mounted tree of control groups, of version 1 (a hierarchy each for memory
 * and for CPU time) or 2 (one for all).
 *
 *	v2   ROOT/kubepods.slice/…/cri-containerd-ID.scope/memory.current memory.stat cpu.stat
 *	v1   ROOT/memory/kubepods/…/ID/memory.usage_in_bytes memory.stat
 *	     ROOT/cpuacct/kubepods/…/ID/cpuacct.usage
 */
#ifndef TREE_H
#define TREE_H

#include <stdbool.h>
#include <stdint.h>

#include "slice.h"

#define TREE_ID 64    /* digits of a container's id */
#define TREE_DEPTH 10 /* folders that lead to a container's */

struct tree {
	int memory, cpu; /* descriptors of the hierarchies */
	bool v2;         /* they are one */
};

/**
 * tree_open(t, root), tree_close(t):
 * False: there are no control groups at ${root}.
 */
bool tree_open(struct tree *t, const char *root);
void tree_close(struct tree *t);

/* Takes a container's ${id}, and its folder below the hierarchy; both live until the return. */
typedef void tree_found(void *arg, struct slice id, const char *path);

/**
 * tree_walk(t, most, found, arg):
 * Call ${found} for each container's folder: one whose name has its id.  No link
 * is followed, and no such folder entered.  False: there are more than ${most}
 * folders, and the rest was not looked at.
 */
bool tree_walk(const struct tree *t, unsigned most, tree_found *found, void *arg);

struct tree_usage {
	uint64_t memory; /* bytes: what it has less the files that it has not used lately */
	double cpu;      /* s */
};

/**
 * tree_read(t, path, out):
 * False: the container is gone, or its files cannot be read.
 */
bool tree_read(const struct tree *t, const char *path, struct tree_usage *out);

#endif
