/* Finding files. */
#ifndef DISCOVER_H
#define DISCOVER_H

#include "tail_internal.h"

/**
 * discover_files(t):
 * Find the files that the inputs name: those that are new are pending in their
 * logs; those that no Path leads to any more are not live.
 */
void discover_files(struct tail *t);

#endif
