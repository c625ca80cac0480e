/* Rotated files beside a live one. */
#ifndef ROTATION_H
#define ROTATION_H

#include "tail_internal.h"

/**
 * rotation_open(t, log):
 * Open the rotated files beside the live file of ${log} that are not open yet: they
 * are pending there.  Files that are open get their present names.  While the disk
 * does not give all of them, log->unlisted says so, and nothing is entered.
 *
 * rotation_look(t, wanted):
 * The same for each log that wants it so (log->list): a directory is listed once for all.
 */
void rotation_open(struct tail *t, struct log *log);
void rotation_look(struct tail *t, enum listed wanted);

/* There is a file that rotations made of the live file ${name}. */
bool rotation_any(struct tail *t, const struct tail_conf *conf, const char *name);

#endif
