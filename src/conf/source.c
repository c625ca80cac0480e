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

int
source_find(const char *main, const char *pattern, glob_t *found)
{
	const char *slash = strrchr(main, '/');
	int result = glob(pattern, GLOB_ERR, NULL, found);
	char *beside;

	if (result != GLOB_NOMATCH || pattern[0] == '/' || slash == NULL)
		return result;
	globfree(found);
	beside = xprintf("%.*s/%s", (int)(slash - main), main, pattern);
	result = glob(beside, GLOB_ERR, NULL, found);
	free(beside);
	return result;
}
