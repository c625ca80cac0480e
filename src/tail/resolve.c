/*
 * From a path to an open file.  The kubelet's links are absolute, so each is
 * resolved first and the result then opened below one of the allowed roots
 * with openat2(RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS): between the two nothing
 * can be swapped to lead elsewhere.
 */
#include "resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "memory.h"

static const char *const kubelet_roots[] = { "/var/log/pods", "/var/log/containers",
	"/var/lib/docker/containers" };

/* Is `path` below the directory `root`?  Then where its rest begins, else NULL. */
static const char *
below(const char *path, const char *root)
{
	size_t n = strlen(root);

	while (n > 1 && root[n - 1] == '/')
		n--;
	if (strncmp(path, root, n) != 0)
		return NULL;
	if (n == 1)
		return path + 1;
	return path[n] == '/' ? path + n + 1 : NULL;
}

static int
open_beneath(const char *root, const char *rest)
{
	struct open_how how = {
		.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
	};
	int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC), fd;

	if (dir < 0)
		return -1;
	fd = (int)syscall(SYS_openat2, dir, rest, &how, sizeof(how));
	close(dir);
	return fd;
}

/* Below `root` (itself without links)?  -2: not below it. */
static int
open_below_root(const char *root, const char *target)
{
	char *real = realpath(root, NULL);
	const char *rest = real == NULL ? NULL : below(target, real);
	int fd = rest == NULL || *rest == '\0' ? -2 : open_beneath(real, rest);

	free(real);
	return fd;
}

/* The parent of the directory of a Path: DIR of DIR/containers/x*.log. */
static char *
parent_of(const char *path)
{
	char *copy = xstrdup(path);

	for (int i = 0; i < 2; i++) {
		char *slash = strrchr(copy, '/');

		if (slash == NULL || slash == copy)
			break;
		*slash = '\0';
	}
	return copy;
}

/* The root of a Path: its directory's parent, unless that is no more than the root directory. */
static int
open_below_path(const char *path, const char *target)
{
	char *parent = parent_of(path);
	const char *slash = strrchr(path, '/');
	char *directory =
	    slash == NULL
		? xstrdup(".")
		: xslicedup((struct slice){ path, (size_t)(slash - path) + (slash == path) });
	int fd = open_below_root(strchr(parent + 1, '/') != NULL ? parent : directory, target);

	free(directory);
	free(parent);
	return fd;
}

static int
open_allowed(const struct tail_conf *conf, const char *path, const char *target)
{
	int fd = open_below_path(path, target);

	for (size_t i = 0; fd == -2 && i < conf->allowed_roots.n; i++)
		fd = open_below_root(conf->allowed_roots.at[i], target);
	for (size_t i = 0; fd == -2 && i < sizeof(kubelet_roots) / sizeof(*kubelet_roots); i++)
		fd = open_below_root(kubelet_roots[i], target);
	return fd;
}

int
resolve_open(const struct tail_conf *conf, const char *path, struct resolved *out, const char **why)
{
	struct stat st;

	*why = NULL;
	out->target = realpath(path, NULL);
	if (out->target == NULL) {
		if (errno != ENOENT)
			*why = strerrordesc_np(errno);
		return -1;
	}
	out->fd = open_allowed(conf, path, out->target);
	if (out->fd >= 0 && fstat(out->fd, &st) == 0 && S_ISREG(st.st_mode))
		return 0;
	if (out->fd == -2)
		*why = "it leads outside of what Allowed_Roots names";
	else if (out->fd >= 0)
		*why = "it is no regular file";
	else if (errno != ENOENT)
		*why = strerrordesc_np(errno);
	if (out->fd >= 0)
		close(out->fd);
	free(out->target);
	return -1;
}
