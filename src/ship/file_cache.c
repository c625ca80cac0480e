/* Open files, and what of them is on disk. */
#include "file_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "own_file.h"

static int
fail(struct file_cache *c, const char *path)
{
	snprintf(c->failed, sizeof(c->failed), "%s", path);
	return -1;
}

static int
kept_sync(struct file_cache *c, struct file_kept *k)
{
	if (k->path != NULL && k->dirty && fdatasync(k->fd) < 0) {
		c->dropped = true;
		return fail(c, k->path);
	}
	k->dirty = false;
	return 0;
}

static void
kept_close(struct file_kept *k)
{
	if (k->path == NULL)
		return;
	close(k->fd);
	free(k->path);
	*k = (struct file_kept){ .path = NULL };
}

/* True when the open file has its name still. */
static bool
is_there(const struct file_kept *k)
{
	struct stat open, named;

	return fstat(k->fd, &open) == 0 && lstat(k->path, &named) == 0 &&
	       open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

/* A line that was cut, by a kill perhaps, is ended: what follows is not part of it. */
static int
line_end(struct file_kept *k)
{
	struct stat st;
	char last;

	if (fstat(k->fd, &st) < 0)
		return -1;
	if (st.st_size == 0 || pread(k->fd, &last, 1, st.st_size - 1) != 1 || last == '\n')
		return 0;
	if (write(k->fd, "\n", 1) != 1)
		return -1;
	return 0;
}

/* The place of the file ${path}, or of the one that was not used for longest, synced and closed. */
static struct file_kept *
kept_find(struct file_cache *c, const char *path)
{
	struct file_kept *oldest = &c->kept[0];

	for (size_t i = 0; i < FILE_CACHE; i++) {
		struct file_kept *k = &c->kept[i];

		if (k->path != NULL && strcmp(k->path, path) == 0)
			return k;
		if (k->used < oldest->used)
			oldest = k;
	}
	if (kept_sync(c, oldest) < 0)
		return NULL;
	kept_close(oldest);
	return oldest;
}

struct file_kept *
file_cache_take(struct file_cache *c, const char *path, uint64_t batch)
{
	struct file_kept *k = kept_find(c, path);

	if (k == NULL)
		return NULL;
	k->used = ++c->uses;
	if (k->path != NULL && k->looked != batch && !is_there(k)) {
		if (kept_sync(c, k) < 0)
			return NULL;
		kept_close(k);
	}
	if (k->path == NULL) {
		int fd = own_file_open(path, O_RDWR | O_APPEND);

		if (fd < 0) {
			fail(c, path);
			return NULL;
		}
		*k = (struct file_kept){
			.path = xstrdup(path), .fd = fd, .torn = true, .used = c->uses
		};
	}
	if (k->torn && line_end(k) < 0) {
		fail(c, path);
		return NULL;
	}
	k->torn = false;
	k->looked = batch;
	return k;
}

/* The last ${done} bytes are half a line: cut off again, unless another process has gone on behind them. */
static void
part_cut(struct file_kept *k, size_t done)
{
	off_t end = lseek(k->fd, 0, SEEK_CUR);
	struct stat st;

	k->torn = true;
	if (done > 0 && end >= (off_t)done && fstat(k->fd, &st) == 0 && st.st_size == end)
		(void)!ftruncate(k->fd, end - (off_t)done);
}

int
file_cache_write(struct file_cache *c, struct file_kept *k, struct slice lines)
{
	size_t done = 0;

	while (done < lines.len) {
		ssize_t n = write(k->fd, lines.at + done, lines.len - done);
		int error = errno;

		if (n < 0 && error == EINTR)
			continue;
		if (n < 0) {
			part_cut(k, done);
			errno = error;
			return fail(c, k->path);
		}
		done += (size_t)n;
	}
	k->dirty = true;
	return 0;
}

int
file_cache_sync(struct file_cache *c)
{
	for (size_t i = 0; i < FILE_CACHE; i++)
		if (kept_sync(c, &c->kept[i]) < 0)
			return -1;
	return 0;
}

bool
file_cache_dropped(struct file_cache *c)
{
	bool was = c->dropped;

	c->dropped = false;
	return was;
}

void
file_cache_fini(struct file_cache *c)
{
	for (size_t i = 0; i < FILE_CACHE; i++)
		kept_close(&c->kept[i]);
}
