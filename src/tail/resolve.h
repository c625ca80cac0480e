/* Opening the file that a path leads to, without being led astray. */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "tail.h"

struct roots;

struct resolved {
	int fd;
	char *target; /* the path behind all links; the caller frees */
};

/**
 * resolve_open(roots, conf, path, out, why):
 * Open the regular file that ${path} leads to.  Links are followed only to
 * below the roots of ${conf}: a pod that may write to /var/log could plant one
 * to any file of the node.  Return 0, or -1 with *${why} (NULL: it is gone,
 * which is nothing to speak of).
 */
int resolve_open(struct roots *roots, const struct tail_conf *conf, const char *path,
    struct resolved *out, const char **why);

/**
 * resolve_directory(roots, conf, path):
 * The same for a directory: to be watched, or listed.  Return a descriptor, or
 * -1.
 */
int resolve_directory(struct roots *roots, const struct tail_conf *conf, const char *path);

#endif
