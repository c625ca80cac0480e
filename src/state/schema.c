/*
 * The store's file: made, checked, opened.  One that is corrupt is
 * set aside, never deleted; one of another schema is refused and left alone.
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

#define TEXT_OF(number) #number
#define TEXT(number) TEXT_OF(number)

/* Marks the file as ours; and the schema's version: of another one nothing is known. */
#define MARK 0x746f776c
#define VERSION 1

static const char create[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE streams (id BLOB PRIMARY KEY, path TEXT,"
    " shipped0 INTEGER NOT NULL, counted0 INTEGER NOT NULL,"
    " shipped1 INTEGER NOT NULL, counted1 INTEGER NOT NULL,"
    " generation INTEGER NOT NULL, size INTEGER NOT NULL, first_seen INTEGER NOT NULL,"
    " touched INTEGER NOT NULL, open INTEGER NOT NULL, checkpoints BLOB, base BLOB,"
    " rulings BLOB) WITHOUT ROWID;"
    "CREATE TABLE breaks (id BLOB, side INTEGER, end INTEGER, next BLOB,"
    " PRIMARY KEY (id, side, end)) WITHOUT ROWID;"
    "CREATE TABLE rules (name INTEGER PRIMARY KEY, text TEXT NOT NULL);"
    "CREATE TABLE counters (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE holds (stream BLOB, parked INTEGER, output TEXT, why TEXT,"
    " PRIMARY KEY (stream, parked, output, why)) WITHOUT ROWID;"
    "CREATE TABLE forgotten (one INTEGER PRIMARY KEY, until INTEGER NOT NULL);"
    "CREATE TABLE machine (boot TEXT NOT NULL);"
    "PRAGMA application_id = " TEXT(MARK) "; PRAGMA user_version = " TEXT(VERSION) "; COMMIT";

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

/* True when the file has a schema that is not ours; an empty one has none. */
static bool
is_foreign(sqlite3 *db)
{
	int64_t version = number_of(db, "PRAGMA user_version");

	return version > 0 &&
	       (version != VERSION || number_of(db, "PRAGMA application_id") != MARK);
}

enum opened { OPENED, OPEN_FAILED, OPEN_CORRUPT, OPEN_FOREIGN };

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
	if (is_foreign(s->db))
		return OPEN_FOREIGN;
	version = number_of(s->db, "PRAGMA user_version");
	if (version < 0 ||
	    (version == 0 && sqlite3_exec(s->db, create, NULL, NULL, NULL) != SQLITE_OK))
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

/* ---- at the start */

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

/* Note which start of the machine this is; a new store has none to compare it with. */
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
say_foreign(const char *path)
{
	say_error("state",
	    "%s has another schema than this towline's (%d): a newer towline wrote it, or one from "
	    "before the first release; it is left as it is: run that one, or set another --state DIR",
	    path, VERSION);
	return -1;
}

static int
open_again(struct state *s, const char *path)
{
	enum opened opened = file_open(s, path);

	if (opened == OPEN_CORRUPT && set_aside(s, path) == 0)
		opened = file_open(s, path);
	if (opened == OPEN_FOREIGN)
		return say_foreign(path);
	if (opened == OPENED) {
		forget(s);
		boot_note(s);
	}
	if (opened == OPENED && load_store(s) == 0) {
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
		if (is_foreign(s->db))
			return say_foreign(path);
		if (load_store(s) == 0 && holds_load(s->db, &s->holds) == 0)
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
