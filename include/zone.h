/* Time zones: the offset from UTC that the clocks of a place had at a local time. */
#ifndef ZONE_H
#define ZONE_H

#include <stdint.h>

#include "slice.h"

struct zone;

/**
 * zone_read(bytes, why):
 * The zone of a TZif file (RFC 9636), version 1 to 4, without leap seconds.  NULL
 * with *${why}: ${bytes} are none.
 *
 * zone_posix(text, why):
 * The zone of a rule as in POSIX's TZ: `CET-1CEST,M3.5.0,M10.5.0/3`.  A summer time
 * without its days is that of the United States.
 *
 * zone_fixed(seconds):
 * Always so many seconds east of UTC.
 */
struct zone *zone_read(struct slice bytes, const char **why);
struct zone *zone_posix(struct slice text, const char **why);
struct zone *zone_fixed(int seconds);
void zone_free(struct zone *z);

/**
 * zone_offset(z, local):
 * Seconds east of UTC when the clocks showed ${local} (seconds since they showed 1970,
 * until 2261).  A time that they showed twice, as they were put back, is the first one;
 * one that they skipped is read as if they had not been put forward.
 */
int zone_offset(const struct zone *z, int64_t local);

#endif
