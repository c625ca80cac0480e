/* Opening files below a directory, and no others. */
#ifndef BENEATH_H
#define BENEATH_H

#include "slice.h"

/**
 * beneath_begin():
 * Find out the way; where the kernel has no openat2, that is said, once.
 */
void beneath_begin(void);

/**
 * beneath_open(dir, rest):
 * Find the file at ${rest}, a path without `.` and `..`, below the directory
 * ${dir}: no component of it may be a link.  Return a descriptor as of O_PATH,
 * or -1 with errno; a link is ELOOP or ENOTDIR.
 */
int beneath_open(int dir, const char *rest);

/**
 * beneath_read(fd):
 * Open the file of the O_PATH descriptor ${fd} for reading.  Return -1 with errno
 * (ENOSYS: /proc, which this takes, is not mounted).
 */
int beneath_read(int fd);

/**
 * beneath_name(fd):
 * The name that the kernel has for ${fd}, without any link; NULL: it has
 * none, or /proc is not mounted.  The caller frees.
 */
char *beneath_name(int fd);

/**
 * beneath_rest(path, directory):
 * Where the rest of ${path} begins that lies below ${directory}; "" when it is
 * that itself, NULL when it is not there.
 */
const char *beneath_rest(const char *path, const char *directory);

#endif
