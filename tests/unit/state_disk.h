/* What the store has on its disk, as text, now and for a process that comes after a kill. */
#ifndef STATE_DISK_H
#define STATE_DISK_H

#include "points.h"
#include "state_rig.h"

static inline void
row_print(FILE *out, sqlite3_stmt *row)
{
	for (int i = 0; i < sqlite3_column_count(row); i++) {
		const unsigned char *bytes = sqlite3_column_blob(row, i);
		int len = sqlite3_column_bytes(row, i);

		fprintf(out, " %d:", sqlite3_column_type(row, i));
		for (int at = 0; at < len; at++)
			fprintf(
			    out, bytes[at] > ' ' && bytes[at] <= '~' ? "%c" : "<%02x>", bytes[at]);
	}
	fputc('\n', out);
}

/* Which start of the machine it is changes when the store is opened: its rows are counted. */
static inline void
table_print(FILE *out, sqlite3 *db, const char *name)
{
	char *sql = xprintf("SELECT %s FROM %s", strcmp(name, "machine") == 0 ? "1" : "*", name);
	sqlite3_stmt *row = NULL;

	fprintf(out, "== %s\n", name);
	sqlite3_prepare_v2(db, sql, -1, &row, NULL);
	while (sqlite3_step(row) == SQLITE_ROW)
		row_print(out, row);
	if (sqlite3_finalize(row) != SQLITE_OK)
		fprintf(out, "failed: %s\n", sqlite3_errmsg(db));
	free(sql);
}

/* All tables of the store of `in`; any thread. */
static inline char *
disk(const char *in)
{
	static const char names[] =
	    "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY 1";
	char *path = xprintf("%s/state.db", in), *text = NULL;
	sqlite3_stmt *row = NULL;
	sqlite3 *db;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	aside = true;
	sqlite3_open(path, &db);
	sqlite3_prepare_v2(db, names, -1, &row, NULL);
	while (sqlite3_step(row) == SQLITE_ROW)
		table_print(out, db, (const char *)sqlite3_column_text(row, 0));
	if (sqlite3_finalize(row) != SQLITE_OK)
		fprintf(out, "failed: %s\n", sqlite3_errmsg(db));
	sqlite3_close(db);
	aside = false;
	fclose(out);
	free(path);
	return text;
}

/* The store as a process finds it that comes after a kill. */
static char *after_kill;

static inline void
file_copy(const char *from, const char *to)
{
	FILE *in = fopen(from, "r"), *out;
	char bytes[8192];
	size_t n;

	if (in == NULL)
		return;
	out = fopen(to, "w");
	while (out != NULL && (n = fread(bytes, 1, sizeof(bytes), in)) > 0)
		fwrite(bytes, 1, n, out);
	if (out != NULL)
		fclose(out);
	fclose(in);
}

static inline void
kill_here(void)
{
	static const char *const parts[] = { "", "-wal", "-journal" };

	unit_remove(after_kill);
	mkdir(after_kill, 0700);
	for (size_t i = 0; i < COUNT(parts); i++) {
		char *from = xprintf("%s/state.db%s", dir, parts[i]),
		     *to = xprintf("%s/state.db%s", after_kill, parts[i]);

		file_copy(from, to);
		free(from);
		free(to);
	}
}

#endif
