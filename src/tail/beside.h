/* What rotations have left beside a live file. */
#ifndef BESIDE_H
#define BESIDE_H

#include "file.h"

struct dirent;

/* A directory's names, sorted; kept within one look, for all the files that lie there. */
struct listing {
	char *path;
	struct dirent **names;
	int n;
};

/**
 * beside_open(t, l, live):
 * Open what stands rotated beside ${live}, a file that was opened just now:
 * when it is the first of its container, or when several rotations came
 * between two looks.  They are read first, the oldest at first; what was read
 * before goes on at its cursor, which is its end.
 */
void beside_open(struct tail *t, struct listing *l, struct file *live);
void listing_free(struct listing *l);

/**
 * is_rotated(name, live):
 * Is ${name} what a rotation makes of the name ${live}: .20260101-000000 or
 * -20260101 or .1 behind it, perhaps compressed?  A .gz that is being written
 * (.tmp) is not.
 */
bool is_rotated(struct slice name, struct slice live);

/**
 * rotated_order(a, b, live):
 * Which of two such names is the older one?  As strcmp; of a file and its .gz
 * the file comes first.
 */
int rotated_order(struct slice a, struct slice b, struct slice live);

/* The directory that ${path} lies in. */
struct slice directory_of(const char *path);

#endif
