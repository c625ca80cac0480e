/* The files of a configuration: found, and read whole. */
#ifndef SOURCE_H
#define SOURCE_H

#include <glob.h>
#include <sys/types.h>

#include "memory.h"

/* A larger file is no configuration: those are written by hand. */
#define SOURCE_MAX (1 << 20)

/* The identity of a file, whatever its name. */
struct source_id {
	dev_t device;
	ino_t inode;
};

/**
 * source_read(path, id, b, why, size):
 * Read the file ${path} into ${b}, which this function initialises and the
 * caller ends.  Return true, or false with the reason, which names the file,
 * in ${why}.
 */
bool source_read(const char *path, struct source_id *id, struct buffer *b, char *why, size_t size);

/**
 * source_find(main, pattern, found), source_beside(file, pattern, found):
 * The files that ${pattern} names in the current directory, or else beside the
 * file ${main}; beside ${file} alone.  Sorted.  As glob(3): GLOB_ABORTED with errno when
 * a directory is there and cannot be read.  The caller calls globfree.
 */
int source_find(const char *main, const char *pattern, glob_t *found);
int source_beside(const char *file, const char *pattern, glob_t *found);

#endif
