/* The directories below which files are read, each held by descriptor. */
#ifndef ROOTS_H
#define ROOTS_H

#include "conf.h"

/* Of which an input says where its files lie. */
struct roots_of {
	struct list path;          /* Path: names and globs */
	struct list allowed_roots; /* Allowed_Roots: directories */
	/* A rehearsal's folder, with which each path begins and no tag and no document; NULL: none. */
	const char *below;
};

/**
 * roots_each(of, each, arg):
 * Call ${each} with every directory below which files of the input may be read:
 * that of each Path, Allowed_Roots, and the kubelet's own, of which ${of} is NULL.
 */
typedef void roots_path(void *arg, const struct roots_of *of, const char *path);
void roots_each(const struct roots_of *of, roots_path *each, void *arg);

struct roots;

/**
 * roots_new(), roots_free(r):
 * No root yet.
 *
 * roots_add(r, of):
 * Add those of an input, which outlives ${r}.  roots_look opens them.
 */
struct roots *roots_new(void);
void roots_free(struct roots *r);
void roots_add(struct roots *r, const struct roots_of *of);

/**
 * roots_look(r):
 * Open those that have appeared; check that each is the same directory still.  One
 * that has become a link, or another directory below /var/log, is refused,
 * which is said: nothing is opened below it until it is the same again.  One that
 * cannot be looked at stays as it was: return its name, and errno; else NULL.
 */
const char *roots_look(struct roots *r);

struct root_file {
	int fd;
	char *target; /* the path behind all links; the caller frees */
};

/**
 * roots_open(r, of, path, out, why):
 * Open the regular file that ${path} leads to, for reading.  Links are followed
 * only to below the roots of ${of}: a pod that may write to /var/log could plant
 * one to any file of the node.  Return 0, or -1 with *${why} (NULL: the file is
 * gone, which is nothing to speak of) and errno, which is 0 when it is refused by
 * us.
 *
 * roots_directory(r, of, path):
 * The same for a directory: to be watched, or listed.  Return a descriptor, or -1
 * and errno as above.
 */
int roots_open(struct roots *r, const struct roots_of *of, const char *path, struct root_file *out,
    const char **why);
int roots_directory(struct roots *r, const struct roots_of *of, const char *path);

#endif
