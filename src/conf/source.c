/* The files of a configuration: found, and read whole. */
#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP 65536

bool
source_read(const char *path, struct source_id *id, struct buffer *b, char *why, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	ssize_t got = -1;

	buffer_init(b, SOURCE_MAX + 2 * STEP);
	if (fd < 0 || fstat(fd, &st) != 0)
		goto out;
	*id = (struct source_id){ st.st_dev, st.st_ino };
	while (b->len <= SOURCE_MAX) {
		got = read(fd, buffer_need(b, STEP), STEP);
		if (got <= 0)
			break;
		b->len += (size_t)got;
	}
out:
	if (got < 0)
		snprintf(why, size, "cannot read %s: %s", path, strerror(errno));
	else if (got > 0)
		snprintf(why, size, "%s is larger than %d KiB; is it a configuration?", path,
		    SOURCE_MAX >> 10);
	if (fd >= 0)
		close(fd);
	return got == 0;
}

/* A directory that is not there matches nothing; glob(3) gives up at one that cannot be read. */
static int
is_unreadable(const char *directory, int error)
{
	(void)directory;
	return error != ENOENT && error != ENOTDIR;
}

int
source_beside(const char *file, const char *pattern, glob_t *found)
{
	const char *slash = strrchr(file, '/');
	char *beside;
	int result;

	if (pattern[0] == '/' || slash == NULL)
		return glob(pattern, 0, is_unreadable, found);
	beside = xprintf("%.*s/%s", (int)(slash - file), file, pattern);
	result = glob(beside, 0, is_unreadable, found);
	free(beside);
	return result;
}

int
source_find(const char *main, const char *pattern, glob_t *found)
{
	int result = glob(pattern, 0, is_unreadable, found);

	if (result != GLOB_NOMATCH || pattern[0] == '/' || strchr(main, '/') == NULL)
		return result;
	globfree(found);
	return source_beside(main, pattern, found);
}
