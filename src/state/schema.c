/*
 * The store's file: made, checked, opened.  One that is corrupt is
 * set aside, never deleted; one of another schema is refused and left alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "memory.h"
#include "own_file.h"
#include "state_internal.h"
#include "voice.h"

#define BUSY_MS 2000

#define DIGITS_OF(number) #number
#define DIGITS(number) DIGITS_OF(number)

/* Marks the file as ours; and the schema's version: a file of another one is refused. */
#define MARK 0x746f776c
#define VERSION 1

static const char create[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE contents (id BLOB PRIMARY KEY, log BLOB NOT NULL, home BLOB NOT NULL,"
    " path TEXT NOT NULL, generation INTEGER NOT NULL, head INTEGER NOT NULL,"
    " head_size INTEGER NOT NULL, dev INTEGER NOT NULL, ino INTEGER NOT NULL,"
    " size INTEGER NOT NULL, first_seen INTEGER NOT NULL, touched INTEGER NOT NULL,"
    " open INTEGER NOT NULL, checkpoints BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE spans (log BLOB, id BLOB, start INTEGER, base INTEGER NOT NULL, seal INTEGER,"
    " rules INTEGER NOT NULL, PRIMARY KEY (log, id, start)) WITHOUT ROWID;"
    "CREATE TABLE cursors (log BLOB, side INTEGER, reader TEXT, position INTEGER NOT NULL,"
    " PRIMARY KEY (log, side, reader)) WITHOUT ROWID;"
    "CREATE TABLE breaks (log BLOB, side INTEGER, position INTEGER,"
    " PRIMARY KEY (log, side, position)) WITHOUT ROWID;"
    "CREATE TABLE rules (name INTEGER PRIMARY KEY, text TEXT NOT NULL);"
    "CREATE TABLE counters (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE holds (log BLOB, parked INTEGER, output TEXT, why TEXT,"
    " PRIMARY KEY (log, parked, output, why)) WITHOUT ROWID;"
    "CREATE TABLE forgotten (one INTEGER PRIMARY KEY, until INTEGER NOT NULL);"
    "CREATE TABLE machine (boot TEXT NOT NULL);"
    "PRAGMA application_id = " DIGITS(MARK) "; PRAGMA user_version = " DIGITS(VERSION) "; COMMIT";

/* The number that a statement answers; -1: it fails. */
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

/* True when the file has a schema that is not ours; an empty one has none. */
static bool
is_foreign(sqlite3 *db)
{
	int64_t version = number_of(db, "PRAGMA user_version");
	int64_t mark = number_of(db, "PRAGMA application_id");

	return version > 0 && mark >= 0 && (version != VERSION || mark != MARK);
}

enum opened { OPENED, OPEN_FAILED, OPEN_CORRUPT, OPEN_FOREIGN, OPEN_LINK };

static bool
is_corrupt(sqlite3 *db)
{
	int code = sqlite3_errcode(db);

	return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

/*
 * Pods' metadata is not for every user of the node; SQLite alone would make the file
 * 0644.
 */
static enum opened
file_private(const char *path)
{
	int fd = own_file_open(path, O_RDWR);

	if (fd < 0)
		return errno == ELOOP || errno == EINVAL ? OPEN_LINK : OPEN_FAILED;
	fchmod(fd, 0600);
	close(fd);
	return OPENED;
}

static bool
is_readable(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char bytes[65536];
	ssize_t n = -1;
	off_t at = 0;

	while (fd >= 0 && (n = pread(fd, bytes, sizeof(bytes), at)) > 0)
		at += n;
	if (fd >= 0)
		close(fd);
	return n == 0;
}

static bool
are_readable(const char *path)
{
	char *wal = xprintf("%s-wal", path);
	bool are = is_readable(path) && (access(wal, F_OK) < 0 || is_readable(wal));

	free(wal);
	return are;
}

/* Why a statement has failed.  SQLite says "corrupt" of a page that the disk does not give, too. */
static enum opened
failure_of(sqlite3 *db)
{
	return is_corrupt(db) ? OPEN_CORRUPT : OPEN_FAILED;
}

static enum opened
file_open(struct state *s, const char *path)
{
	static const char settings[] =
	    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
	    "PRAGMA journal_size_limit = 4194304; PRAGMA temp_store = MEMORY;";
	static const char sound[] =
	    "SELECT quick_check = 'ok' FROM pragma_quick_check WHERE arg = 1";
	enum opened private = file_private(path);
	int64_t version, is_sound;

	if (private != OPENED)
		return private;
	if (sqlite3_open_v2(path, &s->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_NOFOLLOW,
		NULL) != SQLITE_OK)
		return OPEN_FAILED;
	sqlite3_busy_timeout(s->db, BUSY_MS);
	if (sqlite3_exec(s->db, settings, NULL, NULL, NULL) != SQLITE_OK)
		return failure_of(s->db);
	is_sound = number_of(s->db, sound);
	if (is_sound != 1)
		return is_sound == 0 ? OPEN_CORRUPT : failure_of(s->db);
	if (is_foreign(s->db))
		return OPEN_FOREIGN;
	version = number_of(s->db, "PRAGMA user_version");
	if (version < 0 ||
	    (version == 0 && sqlite3_exec(s->db, create, NULL, NULL, NULL) != SQLITE_OK))
		return failure_of(s->db);
	return OPENED;
}

static void
file_close(struct state *s)
{
	sqlite3_close(s->db);
	s->db = NULL;
}

/* Move one of the files; one that is not there needs no moving. */
static int
file_move(const char *path, const char *to, const char *part)
{
	char *from = xprintf("%s%s", path, part), *new = xprintf("%s%s", to, part);
	int result = rename(from, new) < 0 && errno != ENOENT ? -1 : 0;

	if (result < 0)
		say_error("state",
		    "%s is corrupt, and cannot be renamed to %s: %m; move it away, with all its "
		    "parts, or set another --state DIR",
		    from, new);
	free(from);
	free(new);
	return result;
}

/*
 * Move the file, and SQLite's files beside it, out of the way: all, or none, as the
 * file without its -wal is an older store.
 */
static int
set_aside(struct state *s, const char *path)
{
	char *to = xprintf("%s.corrupt-%" PRId64, path, clock_wall() / NS_PER_MS);
	int result;

	file_close(s);
	result = file_move(path, to, "");
	if (result == 0 && file_move(path, to, "-wal") < 0) {
		file_move(to, path, "");
		result = -1;
	}
	if (result == 0) {
		file_move(path, to, "-shm"); /* made anew when it stays */
		s->set_aside = true;
		say_error("state",
		    "%s is corrupt and was set aside as %s: files are read from their start, and "
		    "the index keeps what it has; counting goes on at the files' ends",
		    path, to);
	}
	free(to);
	return result;
}

/* ---- at the start */

/* Delete rows that no span needs any more; on a full disk, at a later start. */
static void
orphans_drop(sqlite3 *db)
{
	sqlite3_exec(db,
	    "DELETE FROM cursors WHERE log NOT IN (SELECT log FROM spans);"
	    "DELETE FROM breaks WHERE log NOT IN (SELECT log FROM spans);"
	    "DELETE FROM rules WHERE name NOT IN (SELECT rules FROM spans)",
	    NULL, NULL, NULL);
}

static void
boot_read(struct state *s)
{
	static const char path[] = "/proc/sys/kernel/random/boot_id";
	FILE *from = fopen(path, "re");

	if (from == NULL || fgets(s->boot, sizeof(s->boot), from) == NULL)
		say_warn("state",
		    "cannot read %s: %m; if the machine was started again since, what a power cut "
		    "took from the files' ends is not looked for",
		    path);
	if (from != NULL)
		fclose(from);
	s->boot[strspn(s->boot, "0123456789abcdef-")] = '\0';
}

/* A new store takes this start of the machine; in one that has another, that stays (state_judged). */
static int
boot_note(struct state *s)
{
	int64_t others;
	char *sql;

	boot_read(s);
	if (s->boot[0] == '\0')
		return 0;
	sql = xprintf("SELECT count(*) FROM machine WHERE boot != '%s'", s->boot);
	others = number_of(s->db, sql);
	s->rebooted = others > 0;
	free(sql);
	sql = xprintf(
	    "INSERT INTO machine SELECT '%s' WHERE NOT EXISTS (SELECT 1 FROM machine)", s->boot);
	if (others >= 0 && sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		others = -1;
	free(sql);
	return others < 0 ? -1 : 0;
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

static const char *
why_not(sqlite3 *db)
{
	if (db == NULL) /* it was not opened, or there is no memory for it */
		return strerrordesc_np(errno);
	return is_corrupt(db) ? "its disk does not give all of it" : sqlite3_errmsg(db);
}

/* A read that failed once, or does again, is no corruption. */
static enum opened
open_twice(struct state *s, const char *path)
{
	enum opened opened = file_open(s, path);

	if (opened != OPEN_CORRUPT)
		return opened;
	say_warn("state", "%s cannot be read, or is corrupt: it is opened once more", path);
	file_close(s);
	opened = file_open(s, path);
	return opened == OPEN_CORRUPT && !are_readable(path) ? OPEN_FAILED : opened;
}

static int
open_again(struct state *s, const char *path)
{
	enum opened opened = open_twice(s, path);

	if (opened == OPEN_CORRUPT && set_aside(s, path) < 0)
		return -1;
	if (opened == OPEN_CORRUPT)
		opened = file_open(s, path);
	if (opened == OPEN_FOREIGN)
		return say_foreign(path);
	if (opened == OPEN_LINK) {
		say_error("state",
		    "%s is a link, or no file: remove it, or set another --state DIR", path);
		return -1;
	}
	if (opened == OPENED)
		orphans_drop(s->db);
	if (opened == OPENED && boot_note(s) == 0 && load_store(s) == 0) {
		forget_start(s);
		return 0;
	}
	say_error("state", "cannot use %s: %s; free its disk, or set another --state DIR", path,
	    why_not(s->db));
	return -1;
}

static int
look_at(struct state *s, const char *path)
{
	if (sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOFOLLOW, NULL) ==
	    SQLITE_OK) {
		sqlite3_busy_timeout(s->db, BUSY_MS);
		if (is_foreign(s->db))
			return say_foreign(path);
		if (load_store(s) == 0)
			return 0;
	}
	say_error("state", "cannot read %s: %s; --state DIR names another directory", path,
	    why_not(s->db));
	return -1;
}

int
schema_open(struct state *s, bool look)
{
	char *as_given = xprintf("%s/state.db", s->dir), *path = own_file_named(as_given);
	int result = look ? look_at(s, path) : open_again(s, path);

	free(path);
	free(as_given);
	if (look || result < 0)
		file_close(s);
	return result;
}
