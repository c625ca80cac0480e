/* Inflating one .gz at a time, forward, with the newest bytes kept. */
#ifndef GUNZIP_H
#define GUNZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct gunzip;

enum gunzip_end { GUNZIP_MORE, GUNZIP_ENDED, GUNZIP_CORRUPT };

/**
 * gunzip_new(most), gunzip_free(g):
 * An inflater of which up to ${most} bytes at once are read.
 */
struct gunzip *gunzip_new(size_t most);
void gunzip_free(struct gunzip *g);

/**
 * gunzip_at(g, fd, offset):
 * The byte at ${offset} of ${fd}'s content is at hand or ahead.  Otherwise
 * reading it begins at the file's start.
 */
bool gunzip_at(const struct gunzip *g, int fd, uint64_t offset);

/**
 * gunzip_read(g, fd, to, n, offset, end):
 * Read ${n} bytes of ${fd}'s content from ${offset} on.  Return fewer at its
 * end alone; *${end} says how it ended, gunzip_out(g) at which offset.  -1 with
 * errno: the file cannot be read.
 */
ssize_t gunzip_read(
    struct gunzip *g, int fd, void *to, size_t n, uint64_t offset, enum gunzip_end *end);
uint64_t gunzip_out(const struct gunzip *g);

/**
 * gunzip_go(g, fd, offset, most):
 * Go forward to ${offset}, but inflate no more than about ${most} bytes.  False: it
 * is not at hand yet; the next call goes on.  True: it is, or reading says why not.
 */
bool gunzip_go(struct gunzip *g, int fd, uint64_t offset, uint64_t most);

/**
 * gunzip_head(fd, to, n):
 * Read the first ${n} bytes of ${fd}'s content, as gunzip_read does, with an inflater of its own.
 */
ssize_t gunzip_head(int fd, void *to, size_t n);

/* Forget the file: its descriptor is about to be closed. */
void gunzip_forget(struct gunzip *g, int fd);

#endif
