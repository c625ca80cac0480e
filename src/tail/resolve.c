/*
 * From a path to an open file.  The kubelet's links are absolute, so each is
 * resolved first and the result then opened below one of the roots, without
 * links: between the two nothing can be swapped to lead elsewhere.
 */
#include "resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "roots.h"

int
resolve_open(struct roots *roots, const struct tail_conf *conf, const char *path,
    struct resolved *out, const char **why)
{
	*why = NULL;
	out->target = realpath(path, NULL);
	if (out->target == NULL) {
		if (errno != ENOENT)
			*why = strerrordesc_np(errno);
		return -1;
	}
	out->fd = roots_open(roots, conf, out->target, S_IFREG, why);
	if (out->fd >= 0)
		return 0;
	free(out->target);
	return -1;
}

int
resolve_directory(struct roots *roots, const struct tail_conf *conf, const char *path)
{
	char *target = realpath(path, NULL);
	const char *why;
	int fd = target == NULL ? -1 : roots_open(roots, conf, target, S_IFDIR, &why);

	free(target);
	return fd;
}
