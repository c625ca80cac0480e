/* The disk of test_moves.c: a read fails, or gives a part of what is there; a directory cannot be listed. */
#ifndef MOVES_DISK_H
#define MOVES_DISK_H

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>

#include "moves.h"

static unsigned reads_left; /* before the one that fails; 0: none does */
static bool in_part;        /* it gives a part */
static unsigned lists_left; /* before the directory that cannot be listed; 0: none */
static unsigned failed;     /* so many reads and lists gave nothing */

/* By its symbol: the library's header has an inline function of the name. */
ssize_t disk_read(int fd, void *to, size_t n, off_t at) __asm__("pread");

ssize_t
disk_read(int fd, void *to, size_t n, off_t at)
{
	static ssize_t (*call)(int, void *, size_t, off_t);

	if (call == NULL)
		*(void **)&call = dlsym(RTLD_NEXT, "pread");
	if (reads_left == 0 || --reads_left > 0)
		return call(fd, to, n, at);
	TRACE("%s of %zu bytes at %lld\n", in_part ? "A PART" : "EIO", n, (long long)at);
	if (in_part)
		return call(fd, to, n - n / 2, at);
	failed++;
	errno = EIO;
	return -1;
}

static bool
list_fails(void)
{
	if (lists_left == 0 || --lists_left > 0)
		return false;
	TRACE("EIO of a directory\n");
	failed++;
	errno = EIO;
	return true;
}

/* What names.c and rotation.c list. */
DIR *
fdopendir(int fd)
{
	static DIR *(*call)(int);

	if (call == NULL)
		*(void **)&call = dlsym(RTLD_NEXT, "fdopendir");
	return list_fails() ? NULL : call(fd);
}

static void (*midst)(
    void); /* once names of the logs' directory were read, and before one is given */

/* The names that come are of before. */
struct dirent *
readdir(DIR *names)
{
	static struct dirent *(*call)(DIR *);
	void (*move)(void) = midst;
	struct dirent *e;
	char link[64], *path;

	if (call == NULL)
		*(void **)&call = dlsym(RTLD_NEXT, "readdir");
	e = call(names);
	if (move == NULL)
		return e;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", dirfd(names));
	path = realpath(link, NULL);
	if (path != NULL && (slice_ends(slice_of(path), SLICE("/agent")) ||
				slice_ends(slice_of(path), SLICE("/plain")))) {
		midst = NULL;
		move();
	}
	free(path);
	return e;
}

static void
disk_fail_soon(void)
{
	reads_left = lists_left = 0;
	in_part = any(3) == 0;
	if (any(3) > 0)
		reads_left = 1 + any(12);
	else
		lists_left = 1 + any(4);
}

#endif
