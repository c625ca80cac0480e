/* Which files there are. */
#ifndef LOOK_H
#define LOOK_H

#include "file.h"

/**
 * look(t):
 * Find the files that the inputs name: open those that are new, let those go
 * that no name leads to any more (once they are read to their end).
 */
void look(struct tail *t);

#endif
