/* Bytes to lines. */
#ifndef LINES_H
#define LINES_H

#include "file.h"

/**
 * lines_read(t, f):
 * Read ${f} on from f->offset, at most a budget of bytes.  Return true when
 * there is more; t->refused says that a record was refused.
 */
bool lines_read(struct tail *t, struct file *f);

/**
 * lines_end(t, f):
 * Nothing follows in ${f}: take its last line, whose newline will not come.
 * Return false when a record was refused.
 */
bool lines_end(struct tail *t, struct file *f);

#endif
