/* The directories below which files are read, each held by descriptor. */
#ifndef ROOTS_H
#define ROOTS_H

#include <sys/types.h>

#include "tail.h"

struct roots;

/**
 * roots_new(confs, n), roots_free(r):
 * The roots of ${n} inputs, those open that are there: the directory of each
 * Path, Allowed_Roots, and the kubelet's own.
 */
struct roots *roots_new(const struct tail_conf *const *confs, size_t n);
void roots_free(struct roots *r);

/**
 * roots_look(r):
 * Open those that have appeared; check that each is the same directory still.  One
 * that has become a link, or another directory below /var/log, is refused,
 * which is said: nothing is opened below it until it is the same again.
 */
void roots_look(struct roots *r);

/**
 * roots_open(r, conf, target, kind, why):
 * Open ${target}, a path without links, for reading, when it lies below a root
 * of ${conf}, is of ${kind} (S_IFREG or S_IFDIR), and in no pseudo file
 * system.  Return the descriptor, or -1 with *${why} (NULL: it is gone, which
 * is nothing to speak of) and errno, which is 0 when it is refused by us.
 */
int roots_open(struct roots *r, const struct tail_conf *conf, const char *target, mode_t kind,
    const char **why);

#endif
