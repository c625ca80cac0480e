/* Where Fluent Bit's tail stopped, as its DB says. */
#ifndef TAKEOVER_H
#define TAKEOVER_H

#include <stdint.h>
#include <sys/types.h>

struct takeover;

/**
 * takeover_open(path), takeover_free(t):
 * Read the table in_tail_files of ${path}.  NULL: there is none, which is
 * nothing to speak of, or it cannot be read, which was said.
 */
struct takeover *takeover_open(const char *path);
void takeover_free(struct takeover *t);

/**
 * takeover_offset(t, fd, ino, size):
 * Where reading of the file ${fd} (inode ${ino}, ${size} bytes) goes on: the
 * first line of which something had not been read; 0: nothing is known of it,
 * or it is another file under an old inode number.
 */
uint64_t takeover_offset(const struct takeover *t, int fd, ino_t ino, uint64_t size);

#endif
