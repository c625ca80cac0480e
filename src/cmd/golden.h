/* Documents that came, and those that were expected: for `towline test`. */
#ifndef GOLDEN_H
#define GOLDEN_H

#include <stdbool.h>
#include <stdio.h>

#include "collect.h"

/**
 * golden_path(dir, name):
 * The file of the documents expected of the output ${name}; the caller frees.
 */
char *golden_path(const char *dir, const char *name);

/**
 * golden_compare(c, path, to):
 * Print how the documents of ${c} differ from those of the file ${path}, by members
 * where two belong together.  A file that is not there expects none.  Return true
 * when they are the same: the order of members and blanks mean nothing.
 */
bool golden_compare(const struct collection *c, const char *path, FILE *to);

/**
 * golden_update(c, path, to):
 * Write the documents of ${c} to the file ${path}, remove it when there are none; say so,
 * when that changes it.  Return 0, or -1 after saying why.
 */
int golden_update(const struct collection *c, const char *path, FILE *to);

#endif
