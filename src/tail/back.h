/* Going back in a file: the server's word, or other bytes than those that were read. */
#ifndef BACK_H
#define BACK_H

#include "file.h"

/**
 * file_parked(t, f):
 * Does the server hold what ${f} feeds?  Once it lets the stream go on, ${f} is
 * read again from what is shipped.
 */
bool file_parked(struct tail *t, struct file *f);

/**
 * file_changed(t, f):
 * What was read of ${f} is not there any more, it was truncated: it begins
 * anew, and what was not taken of it is read from a copy beside it, or lost.
 */
void file_changed(struct tail *t, struct file *f);

/**
 * file_untaken(t, f):
 * From where on is nothing of ${f} taken?
 */
uint64_t file_untaken(struct tail *t, struct file *f);

/**
 * file_drop_open(t, f):
 * ${f}'s open records will not go on in it.  One that began in the file before
 * a rotation comes again, to end elsewhere: return that file, or NULL.
 */
struct file *file_drop_open(struct tail *t, struct file *f);

#endif
