/*
 * The source of bytes: a plain file, or the content of a .gz.  Offsets are
 * those of the decompressed bytes, so that a content goes on where it was when
 * its file has been compressed.
 */
#ifndef PLACE_H
#define PLACE_H

#include "tail_internal.h"

/**
 * place_begin(t, p), place_fini(t, p):
 * ${p} was opened (its name says whether it is a .gz); it is about to be closed.
 *
 * place_changed(p):
 * The .gz ${p} was written to: the end that was found in it is no longer its end.
 */
void place_begin(struct tail *t, struct place *p);
void place_fini(struct tail *t, struct place *p);
void place_changed(struct place *p);

/**
 * place_read(p, to, n, offset):
 * Read ${n} bytes from ${offset} on; fewer only at the end.  -1 with errno: the
 * disk failed, which says nothing of the bytes; ask files_failed before acting on them.
 * Forward is cheap; far back in a .gz is from its start.
 */
ssize_t place_read(const struct place *p, void *to, size_t n, uint64_t offset);

/**
 * place_ready(p, offset):
 * Before a reader reads there.  False: in this turn enough of the .gz was inflated; the
 * offset lies further on still.
 */
bool place_ready(const struct place *p, uint64_t offset);

/**
 * place_measure(p):
 * Set p->size to the present size of a plain file.  For a .gz: to the size that its
 * trailer claims, or, once it was read to its end, to the bytes that were there, unless
 * it was cut and has grown since.
 *
 * place_claims(p):
 * How many bytes the content of the .gz ${p} has by its trailer, when that can
 * be so: beyond the bytes that could be read, for one that is corrupt or cut off.
 *
 * place_line_start(p, offset, encoding):
 * The start of the line in which ${offset} lies; ${offset} when that line is long.
 *
 * place_is_cut(p):
 * True when ${p} is a .gz that is corrupt or cut off, and was read so far.
 */
void place_measure(struct place *p);
uint64_t place_line_start(const struct place *p, uint64_t offset, enum utf16 encoding);
uint64_t place_claims(const struct place *p);
bool place_is_cut(const struct place *p);

/**
 * place_turn(t, p, r), place_turned(t, r, more):
 * One .gz is read at a time: true when ${r} may read ${p} now; a reader that only
 * counts makes room for one that ships.  It has its turn again at once when there is
 * ${more}; without, another one has it, also when ${r} is let go.
 */
bool place_turn(struct tail *t, const struct place *p, const struct reader *r);
void place_turned(struct tail *t, const struct reader *r, bool more);

/* Free the memory of inflating; it is taken again when it is needed. */
void place_free(struct tail *t);

#endif
