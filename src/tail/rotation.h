/* What rotations have left beside a live file. */
#ifndef ROTATION_H
#define ROTATION_H

#include "tail_internal.h"

/**
 * rotation_open(t, log):
 * Open what stands rotated beside the live file of ${log} and is not open yet:
 * it is pending there.  Files that are open have the names that they have now.
 */
void rotation_open(struct tail *t, struct log *log);

/* The directory that ${path} lies in. */
struct slice rotation_directory(const char *path);

#endif
