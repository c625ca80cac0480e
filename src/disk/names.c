/* What glob(3) does, but it collects all names before it tells of the first. */
#include "names.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "rotated.h"
#include "unread.h"

struct names {
	struct roots *roots;
	const struct roots_of *of;
	names_found *found;
	void *arg;
	int *error; /* errno of a directory that could not be listed */
};

static void step(const struct names *n, char *path, const char *rest);

/* Go on with each name in the directory `path` that `part` fits. */
static void
list(const struct names *n, const char *path, const char *part, const char *rest)
{
	size_t len = strlen(path);
	char *directory = len == 0 ? xstrdup(".") : xprintf("%.*s", (int)(len - (len > 1)), path);
	DIR *names = names_list(n->roots, n->of, directory);
	const struct dirent *e;
	int error = errno;

	if (names == NULL && error != ENOENT && error != 0)
		*n->error = error;
	if (names == NULL && (error == EACCES || error == EIO))
		unread_note(directory, UNREAD_ERROR, strerrordesc_np(error));
	else if (names != NULL)
		unread_well(directory, false);
	while (names != NULL && (errno = 0, e = readdir(names)) != NULL) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
		    fnmatch(part, e->d_name, FNM_PERIOD) == 0)
			step(n, xprintf("%s%s", path, e->d_name), rest);
	}
	if (names != NULL && errno != 0)
		*n->error = errno;
	if (names != NULL)
		closedir(names);
	free(directory);
}

/* `path`, which is freed here, is what the pattern before `rest` fits. */
static void
step(const struct names *n, char *path, const char *rest)
{
	size_t slashes = strspn(rest, "/"), len = strcspn(rest + slashes, "/");
	char *before = xprintf("%s%.*s", path, (int)slashes, rest);
	char *part = xprintf("%.*s", (int)len, rest + slashes);
	struct stat st;

	rest += slashes + len;
	if (strpbrk(part, "*?[\\") != NULL)
		list(n, before, part, rest);
	else if (*rest != '\0')
		step(n, xprintf("%s%s", before, part), rest);
	else if (free(path), path = xprintf("%s%s", before, part), lstat(path, &st) == 0)
		n->found(n->arg, path);
	free(before);
	free(part);
	free(path);
}

int
names_each(
    struct roots *r, const struct roots_of *of, const char *pattern, names_found *found, void *arg)
{
	int error = 0;

	step(&(struct names){ r, of, found, arg, &error }, xstrdup(""), pattern);
	return error;
}

DIR *
names_list(struct roots *r, const struct roots_of *of, const char *directory)
{
	int fd = roots_directory(r, of, directory), error;
	DIR *names = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && names == NULL) {
		error = errno;
		close(fd);
		errno = error;
	}
	return names;
}

char *
names_behind(const char *path)
{
	char *directory = xslicedup(rotated_directory(path)), *real = realpath(directory, NULL);
	char *name = real == NULL ? NULL : xprintf("%s%s", real, strrchr(path, '/'));

	free(directory);
	free(real);
	return name;
}
