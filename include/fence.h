/*
 * A limit on the files that the process may open: Landlock, by paths.  A fence
 * is made of grants and closed once, before any other thread exists; it holds
 * for the process and its children, for good.
 */
#ifndef FENCE_H
#define FENCE_H

#include <stdbool.h>

struct fence;

enum fence_right {
	FENCE_READ,  /* files and directories */
	FENCE_WRITE, /* the same; make, change, rename and remove files */
};

/* How far a grant reaches. */
enum fence_reach {
	FENCE_ITSELF, /* the path, and all below it; nothing when it does not exist */
	FENCE_AROUND, /* the directory of a file, as files are replaced; also of the file that a link leads to */
	FENCE_NEAREST, /* the path, or its nearest existing parent */
	FENCE_PARENT,  /* the existing parent of a directory, which may be made anew */
};

/**
 * fence_new(), fence_free(f):
 * Without any grant.
 */
struct fence *fence_new(void);
void fence_free(struct fence *f);

/**
 * fence_grant(f, path, right, reach):
 * Grant ${path}.  FENCE_AROUND does not grant one of the system's own
 * directories (/, /etc, /var, /tmp, …): then ${path} alone is granted.
 */
void fence_grant(struct fence *f, const char *path, enum fence_right right, enum fence_reach reach);

/**
 * fence_close(f, exec):
 * From now on only granted paths can be opened, and programs be run only with
 * ${exec}.  Return the version of Landlock, or 0 with errno when the kernel
 * has none: then nothing has changed.
 */
int fence_close(struct fence *f, bool exec);

/**
 * fence_is_closed():
 * True when a fence has been closed around this process.
 */
bool fence_is_closed(void);

/**
 * fence_beyond(wanted, standing):
 * The path of the first grant of ${wanted} that is not within ${standing};
 * NULL: all grants are.
 */
const char *fence_beyond(const struct fence *wanted, const struct fence *standing);

#endif
