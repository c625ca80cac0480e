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
