/* Names that fit a pattern, one after the other: in memory is one name, however many there are. */
#ifndef NAMES_H
#define NAMES_H

#include "roots.h"

typedef void names_found(void *arg, const char *path);

/**
 * names_each(r, of, pattern, found, arg):
 * Call ${found} for each path that is there and that ${pattern} fits (glob(7)), in no
 * order.  Directories are listed below the roots of ${of} alone.  Return 0, or the
 * errno of a directory that could not be listed: not all paths were found then.
 */
int names_each(
    struct roots *r, const struct roots_of *of, const char *pattern, names_found *found, void *arg);

#endif
