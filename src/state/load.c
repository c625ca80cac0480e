/* The store's tables, read into memory. */
#include <stdlib.h>

#include "memory.h"
#include "state_internal.h"

static void
checkpoints_load(struct known *k, sqlite3_stmt *row, int column)
{
	const void *blob = sqlite3_column_blob(row, column);
	size_t n = (size_t)sqlite3_column_bytes(row, column) / sizeof(k->checks[0]);

	k->nchecks = n < CHECKPOINTS ? (unsigned)n : CHECKPOINTS;
	if (k->nchecks > 0)
		memcpy(k->checks, blob, k->nchecks * sizeof(k->checks[0]));
}

static void
rulings_load(struct stream_state *to, sqlite3_stmt *row, int column)
{
	const void *blob = sqlite3_column_blob(row, column);
	size_t n = (size_t)sqlite3_column_bytes(row, column) / sizeof(to->rulings[0]);

	to->nrulings = n < RULINGS ? (unsigned)n : RULINGS;
	if (to->nrulings > 0)
		memcpy(to->rulings, blob, to->nrulings * sizeof(to->rulings[0]));
}

/* The stream of a row; NULL: its id has not the size of one. */
static struct known *
row_known(struct state *s, sqlite3_stmt *row)
{
	struct identity id;

	if (sqlite3_column_bytes(row, 0) != sizeof(id.at))
		return NULL;
	memcpy(id.at, sqlite3_column_blob(row, 0), sizeof(id.at));
	return known_of(s, &id);
}

static uint64_t
offset_at(sqlite3_stmt *row, int column)
{
	return (uint64_t)sqlite3_column_int64(row, column);
}

static void
stream_load(struct state *s, sqlite3_stmt *row)
{
	struct known *k = row_known(s, row);

	if (k == NULL)
		return;
	if (sqlite3_column_type(row, 1) == SQLITE_TEXT)
		k->path = xstrdup((const char *)sqlite3_column_text(row, 1));
	for (int side = 0; side < SIDES; side++) {
		k->stream.side[side].shipped = offset_at(row, 2 + 2 * side);
		k->stream.side[side].counted = offset_at(row, 3 + 2 * side);
	}
	k->stream.generation = offset_at(row, 6);
	k->stream.size = offset_at(row, 7);
	k->stream.first_seen = sqlite3_column_int64(row, 8);
	k->touched = sqlite3_column_int64(row, 9);
	k->open = sqlite3_column_int(row, 10) != 0;
	checkpoints_load(k, row, 11);
	if (sqlite3_column_bytes(row, 12) == sizeof(k->stream.base.at))
		memcpy(k->stream.base.at, sqlite3_column_blob(row, 12), sizeof(k->stream.base.at));
	rulings_load(&k->stream, row, 13);
	known_link(s, k);
}

static void
break_load(struct state *s, sqlite3_stmt *row)
{
	struct known *k = row_known(s, row);
	int side = sqlite3_column_int(row, 1);
	struct brk *b;

	if (k == NULL || side < 0 || side >= SIDES)
		return;
	k->breaks = xrealloc(k->breaks, (k->nbreaks + 1) * sizeof(*k->breaks));
	b = &k->breaks[k->nbreaks++];
	*b = (struct brk){ .side = (enum side)side, .end = offset_at(row, 2) };
	b->goes_on = sqlite3_column_bytes(row, 3) == sizeof(b->next.at);
	if (b->goes_on)
		memcpy(b->next.at, sqlite3_column_blob(row, 3), sizeof(b->next.at));
	k->nstored = k->nbreaks;
}

static void
text_load(struct state *s, sqlite3_stmt *row)
{
	struct text *t = xcalloc(1, sizeof(*t));

	t->value = xstrdup((const char *)sqlite3_column_text(row, 1));
	t = map_put(s->texts, slice_of((const char *)sqlite3_column_text(row, 0)), t);
	if (t != NULL) {
		free(t->value);
		free(t);
	}
}

static void
metadata_load(struct state *s, sqlite3_stmt *row)
{
	free(map_put(s->loaded, slice_of((const char *)sqlite3_column_text(row, 0)),
	    xstrdup((const char *)sqlite3_column_text(row, 1))));
}

static void
rules_load(struct state *s, sqlite3_stmt *row)
{
	rules_keep(s, offset_at(row, 0), (const char *)sqlite3_column_text(row, 1));
	s->nrules_stored = s->nrules;
}

static int
rows_load(struct state *s, const char *sql, void (*load)(struct state *s, sqlite3_stmt *row))
{
	sqlite3_stmt *statement;
	int code;

	if (sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL) != SQLITE_OK)
		return -1;
	while ((code = sqlite3_step(statement)) == SQLITE_ROW)
		load(s, statement);
	sqlite3_finalize(statement);
	return code == SQLITE_DONE ? 0 : -1;
}

int
load_store(struct state *s)
{
	return rows_load(s,
		   "SELECT id, path, shipped0, counted0, shipped1, counted1, generation,"
		   " size, first_seen, touched, open, checkpoints, base, rulings FROM streams",
		   stream_load) < 0 ||
		       rows_load(s, "SELECT id, side, end, next FROM breaks", break_load) < 0 ||
		       rows_load(s, "SELECT name, text FROM rules", rules_load) < 0 ||
		       rows_load(s, "SELECT key, value FROM metadata", metadata_load) < 0 ||
		       rows_load(s, "SELECT key, value FROM counters", text_load) < 0
		   ? -1
		   : 0;
}
