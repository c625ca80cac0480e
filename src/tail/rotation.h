/* Rotated files beside a live one. */
#ifndef ROTATION_H
#define ROTATION_H

#include "tail_internal.h"

/**
 * rotation_open(t, log):
 * Open the rotated files beside the live file of ${log} that are not open yet: they
 * are pending there.  Files that are open get their present names.
 */
void rotation_open(struct tail *t, struct log *log);

#endif
