/* Is a file still the one that was read?  What stands before an offset says it. */
#ifndef SAME_H
#define SAME_H

#include "file.h"

/**
 * same_span(f):
 * As many bytes before f->offset are read again with those behind it; 0: they
 * cannot have changed.
 */
size_t same_span(const struct file *f);

/**
 * same_open(f), same_begin(f, first), same_head(f, there):
 * Keep what ${f} begins with, now that it was opened; ${first} is its first
 * line.  Does ${there} begin so?
 */
void same_open(struct file *f);
void same_begin(struct file *f, struct slice first);
bool same_head(const struct file *f, struct slice there);

/**
 * same_note(t, f), same_is(f, there):
 * Keep what stands before f->offset (mostly it is in the read buffer); is it
 * what ${there} begins with, which was read same_span(f) bytes before
 * f->offset?  At offset 0 what the file begins with is asked.
 */
void same_note(const struct tail *t, struct file *f);
bool same_is(const struct file *f, struct slice there);

/**
 * same_still(f):
 * Ask the file whether what was kept is still there.
 */
bool same_still(const struct file *f);

/**
 * same_content(a, b):
 * Does one of the two files go on where the other ends, as far as their first
 * bytes, and those before that end, can tell?
 */
bool same_content(const struct file *a, const struct file *b);

/**
 * file_shipped(t, f):
 * The least of the cursors of ${f}'s stream.
 */
uint64_t file_shipped(struct tail *t, struct file *f);

/**
 * same_checkpoint(t, f):
 * Tell the state what stands before ${f}'s least cursor, and the size.
 */
void same_checkpoint(struct tail *t, struct file *f);

/**
 * same_to(t, f, id, known):
 * How far is ${f} what was read of the stream ${id}: SAME_ALL, or the offset of
 * the newest checkpoint that matches, 0: none does.
 */
#define SAME_ALL UINT64_MAX
uint64_t same_to(const struct tail *t, const struct file *f, const struct identity *id,
    const struct stream_state *known);

#endif
