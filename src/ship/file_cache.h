/* The files that a file output has open.  Inside src/ship/ alone. */
#ifndef FILE_CACHE_H
#define FILE_CACHE_H

#include <stdint.h>

#include "slice.h"

#define FILE_CACHE 64 /* open at a time; of more files one is closed for another */

struct file_kept {
	char *path; /* NULL: none */
	int fd;
	bool torn;       /* its last line may be half a one */
	bool dirty;      /* lines were written since the last sync */
	uint64_t looked; /* the batch in which its name was looked at */
	uint64_t used;   /* when: the one that is the least is closed for another */
};

struct file_cache {
	struct file_kept kept[FILE_CACHE];
	uint64_t uses;
	bool dropped;      /* a sync failed: file_cache_dropped() */
	char failed[4096]; /* the path of which the last failure was */
};

/**
 * file_cache_take(c, path, batch):
 * The file ${path}, made 0600 when nothing has the name, once for each ${batch} looked at:
 * one that was renamed or deleted is left, and made anew.  A line that a kill has cut is
 * ended.  NULL and errno when it cannot be opened, or another cannot be synced.
 */
struct file_kept *file_cache_take(struct file_cache *c, const char *path, uint64_t batch);

/**
 * file_cache_write(c, k, lines), file_cache_sync(c):
 * Append whole lines; a part of them is cut off again.  Put all that was appended on disk.
 * Return 0, or -1 with errno.
 */
int file_cache_write(struct file_cache *c, struct file_kept *k, struct slice lines);
int file_cache_sync(struct file_cache *c);

/**
 * file_cache_dropped(c):
 * True once after a sync has failed, by whichever call: the kernel may have dropped lines
 * that were appended since file_cache_sync(), and says that once.
 */
bool file_cache_dropped(struct file_cache *c);

void file_cache_fini(struct file_cache *c);

#endif
