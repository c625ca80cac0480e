/* Bytes that were seen and will never be read. */
#ifndef LOST_H
#define LOST_H

#include "file.h"
#include "metrics.h"

/**
 * lost_add(path, target, why, bytes), lost_count(path, target, why, bytes):
 * Count that ${bytes} of the file ${target}, found as ${path}, are lost; and say it.
 */
void lost_add(const char *path, const char *target, enum lost why, uint64_t bytes);
void lost_count(const char *path, const char *target, enum lost why, uint64_t bytes);

/**
 * lost_settle(t):
 * Once after the start, when each file that is there has found its stream:
 * what the others had unread is lost.
 */
void lost_settle(struct tail *t);

#endif
