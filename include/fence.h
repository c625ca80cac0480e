/*
 * What the process may open, from one moment on: Landlock, by paths.  Made of
 * grants, closed once, before any other thread exists; it holds for the
 * process and its children, and nothing opens it again.
 */
#ifndef FENCE_H
#define FENCE_H

#include <stdbool.h>

struct fence;

enum fence_right {
	FENCE_READ,  /* files and directories */
	FENCE_WRITE, /* that, and make, change, rename and remove files */
};

/* How far a grant reaches. */
enum fence_reach {
	FENCE_ITSELF, /* what is at the path, and below it; nothing when nothing is there */
	FENCE_AROUND, /* the directory that a file lies in, as files are replaced; behind links, too */
	FENCE_NEAREST, /* what is at the path, or its nearest parent that is there */
	FENCE_PARENT, /* the directory that a directory lies in, or the nearest: it may be made anew */
};

/**
 * fence_new(), fence_free(f):
 * Without any grant.
 */
struct fence *fence_new(void);
void fence_free(struct fence *f);

/**
 * fence_grant(f, path, right, reach):
 * What lies around is not granted where that is one of the system's own
 * directories (/, /etc, /var, /tmp, …): then ${path} alone is.
 */
void fence_grant(struct fence *f, const char *path, enum fence_right right, enum fence_reach reach);

/**
 * fence_close(f, exec):
 * From now on nothing else can be opened; no program be run, unless ${exec}.
 * Return the version of Landlock, or 0 with errno when there is none: then all
 * is as before.
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
 * NULL: all are.
 */
const char *fence_beyond(const struct fence *wanted, const struct fence *standing);

#endif
