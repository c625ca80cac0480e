/* Files of our own: made for us alone, opened without following links. */
#include "own_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"

int
own_file_open(const char *path, int flags)
{
	/* O_NONBLOCK: a FIFO in its place is not waited for. */
	int fd = open(path, flags | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	struct stat st;
	int error;

	if (fd < 0 && errno == ENXIO) /* a FIFO that nobody reads, or a socket */
		errno = EINVAL;
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) < 0)
		error = errno;
	else if (!S_ISREG(st.st_mode))
		error = EINVAL;
	else
		return fd;
	close(fd);
	errno = error;
	return -1;
}

char *
own_file_named(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	char *dir = slash == NULL ? xstrdup(".") : xprintf("%.*s/", (int)(slash - path), path);
	char *real = realpath(dir, NULL), *whole;

	whole = real == NULL ? xstrdup(path) : xprintf("%s/%s", real, name);
	free(real);
	free(dir);
	return whole;
}

void
own_file_make(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
}

/* Why nothing can be made in the directory of ${path}. */
static const char *
place_fault(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL ? xstrdup(".") : xprintf("%.*s/", (int)(slash - path), path);
	int error = access(dir, W_OK | X_OK) == 0 ? 0 : errno;

	free(dir);
	if (error == ENOENT || error == ENOTDIR)
		return "its directory is not there";
	return error != 0 ? strerrordesc_np(error) : NULL;
}

/* Why the name, which lstat() or stat() has not found, cannot be given to something new. */
static const char *
absent_fault(const char *path)
{
	return errno == ENOENT || errno == ENOTDIR ? place_fault(path) : strerrordesc_np(errno);
}

static bool
ends_in_slash(const char *path)
{
	size_t len = strlen(path);

	return len == 0 || path[len - 1] == '/';
}

const char *
own_file_fault(const char *path)
{
	struct stat st;
	const char *fault;

	if (lstat(path, &st) < 0) {
		fault = absent_fault(path);
		return fault == NULL && ends_in_slash(path) ? "it is no regular file" : fault;
	}
	if (S_ISLNK(st.st_mode))
		return "it is a link, which is not followed";
	if (!S_ISREG(st.st_mode))
		return "it is no regular file";
	return access(path, R_OK | W_OK) == 0 ? NULL : strerrordesc_np(errno);
}

bool
own_file_dir_shared(const struct stat *st)
{
	return (st->st_mode & S_IWOTH) && !((st->st_mode & S_ISVTX) && st->st_uid == 0);
}

static const char *
dir_fault(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return lstat(path, &st) == 0 ? "it is no directory" : absent_fault(path);
	if (!S_ISDIR(st.st_mode))
		return "it is no directory";
	if (own_file_dir_shared(&st))
		return "it may be written by every user";
	return access(path, W_OK | X_OK) == 0 ? NULL : strerrordesc_np(errno);
}

const char *
own_file_dir_fault(const char *path)
{
	size_t len = strlen(path);
	const char *fault;
	char *name;

	while (len > 1 && path[len - 1] == '/')
		len--;
	name = xslicedup((struct slice){ path, len });
	fault = dir_fault(name);
	free(name);
	return fault;
}
