/*
 * The names that rotations make: behind the live file's name .20260101-000000
 * or -20260101 or .1, perhaps compressed (.gz).  A .gz that is being written
 * (.tmp) is none.
 */
#ifndef ROTATED_H
#define ROTATED_H

#include "slice.h"

/**
 * rotated_is(name, live):
 * True when ${name} is a name that a rotation makes of ${live}.
 *
 * rotated_live(name, live):
 * Set ${live} to the next longer name of which a rotation makes ${name}; begin
 * with length 0.  False: there is none.
 *
 * rotated_order(a, b, live):
 * The order of two such names by age, the oldest first, as strcmp; of a file
 * and its .gz the file comes first.
 *
 * rotated_base(name):
 * ${name} without .gz and all that rotations by number or date with a dot have
 * put behind it: the part of it that is in identities, and so never changes.
 */
bool rotated_is(struct slice name, struct slice live);
bool rotated_live(struct slice name, struct slice *live);
int rotated_order(struct slice a, struct slice b, struct slice live);
struct slice rotated_base(struct slice name);

/* The directory that ${path} lies in. */
struct slice rotated_directory(const char *path);

#endif
