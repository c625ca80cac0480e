/* Where Fluent Bit's tail stopped, as its DB says. */
#ifndef TAKEOVER_H
#define TAKEOVER_H

#include <stdbool.h>
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
 * takeover_find(t, fd, ino, size, offset):
 * How far the file ${fd} (inode ${ino}, ${size} bytes) was read: *${offset}, perhaps
 * within a line.  Return 1; 0: nothing is known of it, or it is another file under an
 * old inode number; -1 with errno: it cannot be read.
 */
int takeover_find(const struct takeover *t, int fd, ino_t ino, uint64_t size, uint64_t *offset);

/**
 * takeover_journal(path):
 * The cursor that Fluent Bit's systemd input has stored in its DB ${path}; NULL as above.  The
 * caller frees.
 */
char *takeover_journal(const char *path);

#endif
