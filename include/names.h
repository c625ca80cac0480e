/* Names that fit a pattern, one after the other: in memory is one name, however many there are. */
#ifndef NAMES_H
#define NAMES_H

#include <dirent.h>

#include "roots.h"

typedef void names_found(void *arg, const char *path);

/**
 * names_each(r, of, pattern, found, arg):
 * Call ${found} for each path that is there and that ${pattern} fits (glob(7)), in no
 * order.  Directories are listed below the roots of ${of} alone.  Return 0, or the
 * errno of a directory that could not be listed: not all paths were found then.
 *
 * names_list(r, of, directory):
 * Open ${directory}, as roots_directory does, for readdir(3).  Return it, or NULL and errno.
 *
 * names_behind(path):
 * The name that a file at ${path}, which need not be there, has behind the links of its
 * directory; NULL: the directory is not there.  The caller frees.
 */
int names_each(
    struct roots *r, const struct roots_of *of, const char *pattern, names_found *found, void *arg);
DIR *names_list(struct roots *r, const struct roots_of *of, const char *directory);
char *names_behind(const char *path);

#endif
