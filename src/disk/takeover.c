/*
 * Taking over from Fluent Bit: its DB names files by inode, with the offset
 * that it had read to.  Records in its memory then that were never delivered are
 * unknown to it, and so to us.
 */
#include "takeover.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "memory.h"
#include "voice.h"

#define MARKER_MAX 32 /* bytes before the offset that its marker is a hash of */

struct row {
	ino_t ino;
	uint64_t offset, marker;
	unsigned marker_size; /* 0: it has none */
};

struct takeover {
	struct row *rows;
	size_t n;
};

/* Fluent Bit 5.1 has markers, older ones have not. */
static sqlite3_stmt *
files_of(sqlite3 *db)
{
	sqlite3_stmt *rows = NULL;

	if (sqlite3_prepare_v2(db,
		"SELECT inode, offset, offset_marker, offset_marker_size FROM in_tail_files", -1,
		&rows, NULL) == SQLITE_OK)
		return rows;
	if (sqlite3_prepare_v2(
		db, "SELECT inode, offset, 0, 0 FROM in_tail_files", -1, &rows, NULL) == SQLITE_OK)
		return rows;
	return NULL;
}

static void
row_add(struct takeover *t, sqlite3_stmt *from)
{
	int64_t size = sqlite3_column_int64(from, 3);

	t->rows = xrealloc(t->rows, (t->n + 1) * sizeof(*t->rows));
	t->rows[t->n++] = (struct row){
		.ino = (ino_t)sqlite3_column_int64(from, 0),
		.offset = (uint64_t)sqlite3_column_int64(from, 1),
		.marker = (uint64_t)sqlite3_column_int64(from, 2),
		.marker_size = size > 0 && size <= MARKER_MAX ? (unsigned)size : 0,
	};
}

/* The name by which SQLite reads a database as it stands, and makes no file beside it. */
static char *
as_it_stands(const char *path)
{
	struct buffer uri;

	buffer_init(&uri, 0);
	buffer_put(&uri, SLICE("file:"));
	for (; *path != '\0'; path++)
		buffer_printf(
		    &uri, strchr("%?#", *path) != NULL ? "%%%02x" : "%c", (unsigned char)*path);
	buffer_put(&uri, (struct slice){ "?immutable=1", sizeof("?immutable=1") });
	return uri.at;
}

/*
 * A DB in WAL mode, as Fluent Bit's is, needs a file more to be read, which may
 * not be made here (a read-only mount, Landlock).  Without a -wal all of it is
 * in the database itself.
 */
static sqlite3_stmt *
rows_open(const char *path, sqlite3 **db, sqlite3_stmt *(*rows_of)(sqlite3 *db))
{
	char *wal = xprintf("%s-wal", path), *uri;
	sqlite3_stmt *rows = NULL;

	if (sqlite3_open_v2(path, db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK)
		rows = rows_of(*db);
	if (rows == NULL && access(wal, F_OK) < 0) {
		uri = as_it_stands(path);
		sqlite3_close(*db);
		if (sqlite3_open_v2(uri, db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) ==
		    SQLITE_OK)
			rows = rows_of(*db);
		free(uri);
	}
	free(wal);
	return rows;
}

struct takeover *
takeover_open(const char *path)
{
	struct takeover *t = xcalloc(1, sizeof(*t));
	sqlite3_stmt *rows = NULL;
	sqlite3 *db = NULL;
	struct stat st;

	if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) /* a FIFO would be waited for */
		rows = rows_open(path, &db, files_of);
	while (rows != NULL && sqlite3_step(rows) == SQLITE_ROW)
		row_add(t, rows);
	if (db != NULL && rows == NULL)
		say_warn("tail",
		    "DB %s is not read: %s; files without a cursor are read from their start", path,
		    sqlite3_errmsg(db));
	sqlite3_finalize(rows);
	sqlite3_close(db);
	if (t->n > 0) {
		say_info("tail", "going on where Fluent Bit stopped: %zu files in %s", t->n, path);
		return t;
	}
	takeover_free(t);
	return NULL;
}

void
takeover_free(struct takeover *t)
{
	if (t == NULL)
		return;
	free(t->rows);
	free(t);
}

/* The bytes before the offset are those that Fluent Bit read there: 1, 0; -1: they cannot be read. */
static int
marker_matches(const struct row *r, int fd)
{
	char before[MARKER_MAX];
	ssize_t got;

	if (r->marker_size == 0)
		return 1;
	if (r->offset < r->marker_size)
		return 0;
	got = pread(fd, before, r->marker_size, (off_t)(r->offset - r->marker_size));
	if (got < 0)
		return -1;
	return got == (ssize_t)r->marker_size && XXH3_64bits(before, r->marker_size) == r->marker;
}

int
takeover_find(const struct takeover *t, int fd, ino_t ino, uint64_t size, uint64_t *offset)
{
	for (size_t i = 0; t != NULL && i < t->n; i++) {
		const struct row *r = &t->rows[i];

		int matches = r->ino == ino && r->offset <= size ? marker_matches(r, fd) : 0;

		if (matches == 0)
			continue;
		*offset = r->offset;
		return matches;
	}
	return 0;
}

/* ---- of the systemd input */

static sqlite3_stmt *
cursors_of(sqlite3 *db)
{
	sqlite3_stmt *rows = NULL;

	return sqlite3_prepare_v2(db, "SELECT cursor FROM in_systemd_cursor", -1, &rows, NULL) ==
		       SQLITE_OK
		   ? rows
		   : NULL;
}

char *
takeover_journal(const char *path)
{
	sqlite3_stmt *rows = NULL;
	sqlite3 *db = NULL;
	struct stat st;
	char *cursor = NULL;
	bool is_there = stat(path, &st) == 0 && S_ISREG(st.st_mode);

	if (is_there)
		rows = rows_open(path, &db, cursors_of);
	if (rows != NULL && sqlite3_step(rows) == SQLITE_ROW &&
	    sqlite3_column_text(rows, 0) != NULL)
		cursor = xstrdup((const char *)sqlite3_column_text(rows, 0));
	if (is_there && rows == NULL)
		say_warn("systemd",
		    "DB %s is not read: %s; the journal is read as at a first start", path,
		    sqlite3_errmsg(db));
	sqlite3_finalize(rows);
	sqlite3_close(db);
	return cursor;
}
