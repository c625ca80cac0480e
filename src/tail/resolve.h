/* Opening what a path leads to, without being led astray. */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "tail.h"

struct resolved {
	int fd;
	char *target; /* the path behind all links; the caller frees */
};

/**
 * resolve_open(conf, path, out):
 * Open the regular file that ${path} leads to.  Links are followed only to
 * below the allowed roots: a pod that may write to /var/log could plant one to
 * any file of the node.  Return 0, or -1 with *${why} (NULL: it is gone, which
 * is nothing to speak of).
 */
int resolve_open(
    const struct tail_conf *conf, const char *path, struct resolved *out, const char **why);

#endif
