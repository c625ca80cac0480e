/*
 * Dead letters: documents that no server will ever take, one JSON line each,
 * in STATE/dead-letters.ndjson.  It has a cap and is never emptied by us; a file
 * that was deleted or renamed is made anew.
 */
#ifndef DEAD_LETTER_H
#define DEAD_LETTER_H

#include <stdint.h>

#include "slice.h"

struct dead_letters;

struct dead_letter {
	struct slice output, index, id;
	int status;
	struct slice type, reason;
	struct slice document; /* JSON */
};

/**
 * dead_letter_new(dir), dead_letter_free(d):
 * The file is opened when first needed; ${dir} is the state's.
 */
struct dead_letters *dead_letter_new(const char *dir);
void dead_letter_free(struct dead_letters *d);

/**
 * dead_letter_put(d, letter, limit):
 * Append one.  Return 0, or -1 when the file would grow beyond ${limit} or
 * cannot be written or is locked, which is said: the item has to wait.
 */
int dead_letter_put(struct dead_letters *d, const struct dead_letter *letter, uint64_t limit);

/**
 * dead_letter_sync(d):
 * Put the appended letters on disk.  0, or -1 after saying why: also when the file
 * was deleted since.
 */
int dead_letter_sync(struct dead_letters *d);

#endif
