/* Disk that deleted files keep as long as they are open. */
#ifndef DISK_QUOTA_H
#define DISK_QUOTA_H

#include "tail_internal.h"

/**
 * disk_quota_turn(t):
 * Now and then: of the deleted files that are held open, those beyond
 * Held_Deleted_Limit are read from their .gz, or let go.
 */
void disk_quota_turn(struct tail *t);

#endif
