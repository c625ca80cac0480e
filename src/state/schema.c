/*
 * The store's file: made, checked, brought to the newest schema, read into
 * memory.  One that is corrupt is set aside, never deleted.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "memory.h"
#include "state_internal.h"
#include "voice.h"

#define BUSY_MS 2000
#define DAY (86400 * NS_PER_S)

/* Each brings the schema to its own number plus one; what is released is never changed. */
static const char *const migrations[] = {
	"CREATE TABLE streams (id BLOB PRIMARY KEY, path TEXT,"
	" shipped0 INTEGER NOT NULL, counted0 INTEGER NOT NULL,"
	" shipped1 INTEGER NOT NULL, counted1 INTEGER NOT NULL,"
	" generation INTEGER NOT NULL, sealed INTEGER NOT NULL, rules INTEGER NOT NULL,"
	" size INTEGER NOT NULL, first_seen INTEGER NOT NULL, touched INTEGER NOT NULL,"
	" open INTEGER NOT NULL, checkpoints BLOB) WITHOUT ROWID;"
	"CREATE TABLE breaks (id BLOB, side INTEGER, end INTEGER,"
	" PRIMARY KEY (id, side, end)) WITHOUT ROWID;"
	"CREATE TABLE counters (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;",
	"ALTER TABLE streams ADD COLUMN base BLOB;"
	"CREATE TABLE machine (boot TEXT NOT NULL);",
	"ALTER TABLE streams DROP COLUMN sealed;" /* these two were always 0 */
	"ALTER TABLE streams DROP COLUMN rules;"
	"ALTER TABLE streams ADD COLUMN rulings BLOB;"
	"CREATE TABLE rules (name INTEGER PRIMARY KEY, text TEXT NOT NULL);",
	"ALTER TABLE breaks ADD COLUMN next BLOB;",
	"CREATE TABLE forgotten (one INTEGER PRIMARY KEY, until INTEGER NOT NULL);",
	"CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;",
};

#define NEWEST (int)(sizeof(migrations) / sizeof(migrations[0]))

/* One number that a statement answers; -1: it fails. */
static int64_t
number_of(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement;
	int64_t n = -1;

	if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		n = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return n;
}

/* ---- the file */

static bool
is_sound(sqlite3 *db)
{
	sqlite3_stmt *statement;
	bool sound = false;

	if (sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &statement, NULL) == SQLITE_OK &&
	    sqlite3_step(statement) == SQLITE_ROW)
		sound = strcmp((const char *)sqlite3_column_text(statement, 0), "ok") == 0;
	sqlite3_finalize(statement);
	return sound;
}

static int
migrate(sqlite3 *db, int64_t from)
{
	for (int64_t i = from; i < NEWEST; i++) {
		char *sql = xprintf("BEGIN IMMEDIATE; %s PRAGMA user_version = %" PRId64 "; COMMIT",
		    migrations[i], i + 1);
		int code = sqlite3_exec(db, sql, NULL, NULL, NULL);

		free(sql);
		if (code != SQLITE_OK)
			return -1;
	}
	return 0;
}

enum opened { OPENED, OPEN_FAILED, OPEN_CORRUPT, OPEN_NEWER };

static bool
is_corrupt(sqlite3 *db)
{
	int code = sqlite3_errcode(db);

	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

/* What is known of pods is not for every user of the node; SQLite alone would make it 0644. */
static void
file_private(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return; /* SQLite will say why */
	fchmod(fd, 0600);
	close(fd);
}

static enum opened
file_open(struct state *s, const char *path)
{
	static const char settings[] =
	    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	    "PRAGMA journal_size_limit = 4194304; PRAGMA temp_store = MEMORY;";
	int64_t version;

	file_private(path);
	if (sqlite3_open_v2(path, &s->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
		NULL) != SQLITE_OK)
		return OPEN_FAILED;
	sqlite3_busy_timeout(s->db, BUSY_MS);
	if (sqlite3_exec(s->db, settings, NULL, NULL, NULL) != SQLITE_OK || !is_sound(s->db))
		return is_corrupt(s->db) || sqlite3_errcode(s->db) == SQLITE_OK ||
			       sqlite3_errcode(s->db) == SQLITE_ROW
			   ? OPEN_CORRUPT
			   : OPEN_FAILED;
	version = number_of(s->db, "PRAGMA user_version");
	if (version > NEWEST)
		return OPEN_NEWER;
	if (version < 0 || migrate(s->db, version) < 0)
		return is_corrupt(s->db) ? OPEN_CORRUPT : OPEN_FAILED;
	return OPENED;
}

static void
file_close(struct state *s)
{
	sqlite3_close(s->db);
	s->db = NULL;
}

/* Move the file and what SQLite keeps beside it out of the way. */
static int
set_aside(struct state *s, const char *path)
{
	static const char *const parts[] = { "", "-wal", "-shm" };
	int64_t now = clock_wall() / NS_PER_MS;
	int result = 0;

	file_close(s);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		char *from = xprintf("%s%s", path, parts[i]);
		char *to = xprintf("%s.corrupt-%" PRId64 "%s", path, now, parts[i]);

		if (rename(from, to) < 0 && i == 0)
			result = -1;
		free(from);
		free(to);
	}
	if (result == 0) {
		s->set_aside = true;
		say_error("state",
		    "%s is corrupt and was set aside as %s.corrupt-%" PRId64
		    ": files are read from their start, and the index keeps what it has; "
		    "counting goes on at the files' ends",
		    path, path, now);
	}
	return result;
}

/* ---- its content */

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

/* Streams that were not used for an age; a full disk: another time. */
static void
forget(struct state *s)
{
	int64_t before = clock_wall() - STATE_AGE_DAYS * DAY;
	char *sql =
	    xprintf("BEGIN IMMEDIATE; INSERT OR REPLACE INTO forgotten SELECT 1, max(max(touched),"
		    " coalesce((SELECT until FROM forgotten), 0)) FROM streams"
		    " WHERE NOT open AND touched < %" PRId64 " HAVING count(*) > 0;"
		    "DELETE FROM streams WHERE NOT open AND touched < %" PRId64 ";"
		    "DELETE FROM breaks WHERE id NOT IN (SELECT id FROM streams);"
		    "UPDATE streams SET open = 0, touched = %" PRId64 " WHERE open; COMMIT",
		before, before, clock_wall());

	if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
	free(sql);
	s->forgotten_to = number_of(s->db, "SELECT coalesce(max(until), 0) FROM forgotten");
}

/* Which start of the machine is it?  A store of before says another one, or, when it is new, none. */
static void
boot_note(struct state *s)
{
	FILE *from = fopen("/proc/sys/kernel/random/boot_id", "re");
	char boot[64] = "";
	char *sql;

	if (from != NULL) {
		if (fgets(boot, sizeof(boot), from) == NULL)
			boot[0] = '\0';
		fclose(from);
	}
	boot[strspn(boot, "0123456789abcdef-")] = '\0';
	sql = xprintf("SELECT count(*) FROM machine WHERE boot != '%s'", boot);
	s->rebooted = number_of(s->db, sql) > 0;
	free(sql);
	sql = xprintf("DELETE FROM machine; INSERT INTO machine VALUES ('%s')", boot);
	sqlite3_exec(s->db, sql, NULL, NULL, NULL);
	free(sql);
}

static int
load(struct state *s)
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

static int
say_newer(struct state *s, const char *path)
{
	say_error("state",
	    "%s was written by a newer towline (schema %" PRId64
	    ", this one knows %d): run that one, or set another --state DIR",
	    path, number_of(s->db, "PRAGMA user_version"), NEWEST);
	return -1;
}

static int
open_again(struct state *s, const char *path)
{
	enum opened opened = file_open(s, path);

	if (opened == OPEN_CORRUPT && set_aside(s, path) == 0)
		opened = file_open(s, path);
	if (opened == OPEN_NEWER)
		return say_newer(s, path);
	if (opened == OPENED) {
		forget(s);
		boot_note(s);
	}
	if (opened == OPENED && load(s) == 0) {
		rules_prune(s);
		return 0;
	}
	say_error("state", "cannot use %s: %s; free its disk, or set another --state DIR", path,
	    s->db != NULL ? sqlite3_errmsg(s->db) : "out of memory");
	return -1;
}

int
schema_open(struct state *s)
{
	char *path = xprintf("%s/state.db", s->dir);
	int result = open_again(s, path);

	free(path);
	if (result < 0)
		file_close(s);
	return result;
}

static int
look(struct state *s, const char *path)
{
	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(s->db, BUSY_MS);
		if (number_of(s->db, "PRAGMA user_version") > NEWEST)
			return say_newer(s, path);
		if (load(s) == 0)
			return 0;
	}
	say_error("state", "cannot read %s: %s; --state DIR names another directory", path,
	    s->db != NULL ? sqlite3_errmsg(s->db) : "out of memory");
	return -1;
}

int
schema_look(struct state *s)
{
	char *path = xprintf("%s/state.db", s->dir);
	int result = look(s, path);

	free(path);
	file_close(s);
	return result;
}
