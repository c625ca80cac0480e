/* A file of dead letters that is done with gets another name; nothing is deleted. */
#include "retire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define END ".ndjson"

/* NAME.ndjson: NAME.20261122T080000Z.ndjson */
static char *
name_with_time(const char *file)
{
	size_t len = strlen(file), end = strlen(END);
	time_t now = time(NULL);
	char text[32];
	struct tm tm;

	if (len > end && strcmp(file + len - end, END) == 0)
		len -= end;
	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm);
	return xprintf("%.*s.%s" END, (int)len, file, text);
}

/* Rename, over nothing; on file systems that cannot, by a second name. */
static int
rename_file(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	return link(from, to) < 0 ? -1 : unlink(from);
}

static void
sync_directory(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *dir = slash == NULL ? xstrdup(".") : xprintf("%.*s/", (int)(slash - file), file);
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(dir);
}

/* True when ${file} is the opened file itself, and no link to it. */
static bool
is_named(const struct letters *l, const char *file)
{
	struct stat open, named;

	return fstat(l->fd, &open) == 0 && lstat(file, &named) == 0 &&
	       open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

static enum retire
retire_locked(struct letters *l, const char *file, const char *to)
{
	if (!is_named(l, file)) {
		fprintf(stderr, "towline replay: %s is a link, or another file now: not renamed\n",
		    file);
		return RETIRE_FAILED;
	}
	if (letters_more(l))
		return RETIRE_GROWN;
	if (rename_file(file, to) == 0)
		return RETIRE_DONE;
	fprintf(stderr, "towline replay: cannot rename %s to %s: %m\n", file, to);
	return RETIRE_FAILED;
}

enum retire
retire(struct letters *l, const char *file, char **to)
{
	enum retire result = RETIRE_FAILED;

	*to = name_with_time(file);
	if (flock(l->fd, LOCK_EX) < 0)
		fprintf(stderr, "towline replay: cannot lock %s: %m\n", file);
	else
		result = retire_locked(l, file, *to);
	flock(l->fd, LOCK_UN);
	if (result == RETIRE_DONE) {
		sync_directory(file);
		return result;
	}
	free(*to);
	*to = NULL;
	return result;
}
