/* A file of dead letters that is done with gets another name.  Inside src/cmd/ alone. */
#ifndef RETIRE_H
#define RETIRE_H

#include "letters.h"

/**
 * retire(l, file, to):
 * All letters of ${l}, which was opened as ${file}, are delivered: rename it to
 * NAME.TIME.ndjson, into ${*to} as the caller's string.  RETIRE_GROWN: there are more
 * letters now, and it has its name still.  Its lock keeps towline from writing between
 * the look and the rename.
 */
enum retire { RETIRE_DONE, RETIRE_GROWN, RETIRE_FAILED };
enum retire retire(struct letters *l, const char *file, char **to);

#endif
