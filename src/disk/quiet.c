/*
 * A table of hashes, of fixed size: a file has its place in a row, where the newest
 * comes first, and the oldest of a full row is forgotten.
 */
#include "quiet.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "memory.h"

#define ROW 16

struct quiet {
	uint64_t *files; /* NULL: none was noted */
};

struct quiet *
quiet_new(void)
{
	return xcalloc(1, sizeof(struct quiet));
}

void
quiet_free(struct quiet *q)
{
	free(q->files);
	free(q);
}

/* Which file it is, and how it is; never 0. */
static uint64_t
hash(const struct stat *st)
{
	const uint64_t is[] = { st->st_dev, st->st_ino, (uint64_t)st->st_size,
		(uint64_t)st->st_mtim.tv_sec, (uint64_t)st->st_mtim.tv_nsec };

	return XXH3_64bits(is, sizeof(is)) | 1;
}

static uint64_t *
row_of(const struct quiet *q, uint64_t file)
{
	return q->files + (file >> 1) % (QUIET_MOST / ROW) * ROW;
}

void
quiet_note(struct quiet *q, const struct stat *st)
{
	uint64_t file = hash(st), *row;

	if (q->files == NULL)
		q->files = xcalloc(1, QUIET_SIZE);
	row = row_of(q, file);
	memmove(row + 1, row, (ROW - 1) * sizeof(*row));
	row[0] = file;
}

bool
quiet_is(const struct quiet *q, const struct stat *st)
{
	uint64_t file = hash(st);

	for (size_t i = 0; q->files != NULL && i < ROW; i++) {
		if (row_of(q, file)[i] == file)
			return true;
	}
	return false;
}
