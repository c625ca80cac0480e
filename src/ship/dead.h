/*
 * Dead letters: documents that no server will ever take, one JSON line each,
 * in STATE/dead-letters.ndjson.  It has a cap and is never emptied by us.
 */
#ifndef DEAD_H
#define DEAD_H

#include <stdint.h>

#include "slice.h"

struct dead;

struct dead_letter {
	struct slice output, index, id;
	int status;
	struct slice type, reason;
	struct slice document; /* JSON */
};

/**
 * dead_new(dir), dead_free(d):
 * The file is opened when first needed; ${dir} is the state's.
 */
struct dead *dead_new(const char *dir);
void dead_free(struct dead *d);

/**
 * dead_put(d, letter, limit):
 * Append one.  Return 0, or -1 when the file would grow beyond ${limit} or
 * cannot be written, which is said: the item has to wait.
 */
int dead_put(struct dead *d, const struct dead_letter *letter, uint64_t limit);

/**
 * dead_sync(d):
 * Put what was appended on disk.  0, or -1 after saying why.
 */
int dead_sync(struct dead *d);

#endif
