/* Time zones by their names: files of the system's zoneinfo, read while the configuration is. */
#ifndef ZONES_H
#define ZONES_H

#include <stddef.h>

#include "zone.h"

/**
 * zones_named(name, error, size), zones_system(error, size):
 * The zone of an IANA name (Europe/Vienna), of which no part leaves the directory of
 * zones; the machine's: of the environment's TZ, as the C library reads it, else of
 * /etc/localtime, else UTC.  NULL with the reason in ${error} (${size} bytes).
 */
struct zone *zones_named(const char *name, char *error, size_t size);
struct zone *zones_system(char *error, size_t size);

#endif
