/*
 * The kubelet compresses while we look: X.tmp is written, renamed to X.gz, then
 * X is deleted.  A name that is gone when it is opened has its successor in a
 * newer listing, so the directory is read again.  When both are there, they are
 * places of one content (naming.c).
 */
#include "rotation.h"

#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "opener.h"
#include "order.h"
#include "roots.h"
#include "rotated.h"

#define LISTINGS 5 /* how often a directory is read again whose names go while we look */

/* No rotation leaves a link, which could lead to another pod's file. */
static int
is_file(const struct dirent *e)
{
	return e->d_type == DT_REG || e->d_type == DT_UNKNOWN;
}

/* False: the name leads nowhere any more. */
static bool
name_open(struct tail *t, struct log *log, struct slice directory, const char *name)
{
	char *path = xprintf("%.*s/%s", (int)directory.len, directory.at, name);
	struct place *p;
	bool gone;

	p = opener_open(t, log->stream.conf, path, log->name, &gone);
	if (p != NULL && p->content == NULL)
		order_add(t, log, p);
	else if (p != NULL)
		order_renamed(p, xstrdup(path), false);
	free(path);
	return !gone;
}

/* True: none of the names was gone. */
static bool
listing_open(struct tail *t, struct log *log)
{
	struct slice directory = rotated_directory(log->name);
	struct slice live = slice_of(log->name + directory.len + (directory.len > 1));
	char *path = xslicedup(directory);
	int fd = roots_directory(t->roots, &log->stream.conf->from, path), n = 0;
	struct dirent **names = NULL;
	bool all = true;

	if (fd >= 0) {
		n = scandirat(fd, ".", &names, is_file, NULL);
		close(fd);
	}
	for (int i = 0; i < n; i++) {
		if (rotated_is(slice_of(names[i]->d_name), live))
			all &= name_open(t, log, directory, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	free(path);
	return all;
}

void
rotation_open(struct tail *t, struct log *log)
{
	for (int i = 0; i < LISTINGS && !listing_open(t, log); i++)
		;
}
