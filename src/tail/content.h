/*
 * Where a file's bytes come from: the file itself, or what a .gz holds.
 * Offsets are those of the decompressed bytes, so that a stream goes on where
 * it was when its file has been compressed.
 */
#ifndef CONTENT_H
#define CONTENT_H

#include <sys/types.h>

#include "file.h"

struct gunzip;
struct packed; /* of a .gz: what is known of its content; NULL: a plain file */

/**
 * content_begin(t, f), content_fini(t, f):
 * Is ${f} compressed (by its name)?  Called when it was opened; when it is
 * closed.
 */
void content_begin(struct tail *t, struct file *f);
void content_fini(struct tail *t, struct file *f);

/**
 * content_read(f, to, n, offset):
 * Read ${n} bytes from ${offset} on; fewer only at the end; -1 with errno.
 * Forward is cheap; far back in a .gz is from its start.  One that is corrupt
 * or cut off ends there: said, and counted as lost.
 */
ssize_t content_read(const struct file *f, void *to, size_t n, uint64_t offset);

/**
 * content_size(f, on_disk), content_end(f):
 * How many bytes there are to be read, as far as is known, when the file has
 * ${on_disk}; where a file ends that has been read to its end: what a corrupt
 * .gz holds behind its fault is done with.
 */
uint64_t content_size(const struct file *f, uint64_t on_disk);
uint64_t content_end(const struct file *f);

/* Set f->size to what the system says now. */
void content_measure(struct file *f);

/**
 * content_turn(t, f), content_turned(t, f, more):
 * One .gz is read at a time: may ${f} have its turn now?  It had it.
 */
bool content_turn(struct tail *t, struct file *f);
void content_turned(struct tail *t, struct file *f, bool more);

/* Memory, when no .gz is open: none. */
void content_free(struct tail *t);

#endif
