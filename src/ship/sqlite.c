/*
 * The sqlite output: one file, one table, one transaction a batch.  The
 * document is stored as it is; its main columns are computed from it when
 * asked for, and cost nothing here.  A file that is deleted or replaced is left,
 * with all that it was given in it, and the one that has its name then is opened.
 */
#include <sqlite3.h>
#include <stddef.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "clock.h"
#include "fifo.h"
#include "least.h"
#include "own_file.h"
#include "sink.h"

#define BUSY_MS 200
#define RETRY_FIRST (NS_PER_S / 2)
#define RETRY_MAX (30 * NS_PER_S)
#define RETRY_BUSY (2 * NS_PER_S) /* other processes lock the file for a short time */

struct sqlite_conf {
	struct output output;
	char *path;
};

static const struct option sqlite_options[] = {
	OPTION("Path", OPT_STRING, NULL, offsetof(struct sqlite_conf, path),
	    "the database file; made when absent, 0600; no link is followed", .flags = OPT_NEEDED),
	OPTIONS_END,
};

/* Why the database cannot be written here: the fault of the file, or of those that SQLite keeps beside it. */
static const char *
path_fault(const char *path)
{
	static const char *const ends[] = { "", "-wal", "-shm" };
	const char *fault = NULL;

	for (size_t i = 0; fault == NULL && i < sizeof(ends) / sizeof(*ends); i++) {
		char *file = xprintf("%s%s", path, ends[i]);

		fault = own_file_fault(file);
		free(file);
	}
	return fault;
}

/* The machine that `check` runs on may not be the one that has the directory: a warning. */
static void
sqlite_check(const struct section *section, struct findings *findings)
{
	const struct sqlite_conf *conf = section->values;
	const char *fault = conf->path != NULL ? path_fault(conf->path) : NULL;

	if (fault != NULL)
		findings_add(findings, FINDING_WARNING, section->file, conf_given(section, "Path"),
		    "Path '%s' cannot be written here: %s; records wait in their files", conf->path,
		    fault);
}

const struct plugin sqlite_plugin = {
	.kind = SECTION_OUTPUT,
	.name = "sqlite",
	.help = "a SQLite file: table logs, the document as JSON",
	.options = sqlite_options,
	.common = output_options,
	.size = sizeof(struct sqlite_conf),
	.check = sqlite_check,
};

#define COLUMN(name, type, path)                                                                   \
	", " name " " type " GENERATED ALWAYS AS (json_extract(doc, '$." path "')) VIRTUAL"

static const char schema[] =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;" /* with NORMAL a power cut would lose rows that the cursors have passed */
    "CREATE TABLE IF NOT EXISTS logs (id TEXT PRIMARY KEY, time INTEGER, doc TEXT" COLUMN(
	"namespace", "TEXT", "kubernetes.namespace_name") COLUMN("pod", "TEXT",
	"kubernetes.pod_name") COLUMN("container", "TEXT", "kubernetes.container_name")
	COLUMN("log", "TEXT", "log") COLUMN("level", "TEXT", "log_parsed.level") COLUMN(
	    "event", "TEXT", "log_parsed.event") COLUMN("task_id", "TEXT", "log_parsed.task_id")
	    COLUMN("pipeline", "TEXT", "log_parsed.pipeline") COLUMN(
		"execution_time", "REAL", "log_parsed.execution_time") COLUMN("error_type", "TEXT",
		"log_parsed.error_type") ");"
					 "CREATE INDEX IF NOT EXISTS logs_time ON logs (time);";

static const char insert[] = "INSERT OR IGNORE INTO logs (id, time, doc) VALUES (?1, ?2, ?3)";

struct sqlite {
	struct sink *sink;
	const char *path;
	char *journal; /* its name */
	sqlite3 *db;   /* NULL: not open */
	sqlite3_stmt *insert;
	struct stat file, log; /* the open file and its journal, which may have none */
	struct fifo queue;
	int code; /* the last failure */
	char why[128];
	unsigned failures;
	uint64_t collided; /* ids of this transaction that were never sent and had a row already */
	int64_t not_before;
	struct said said;
};

static void
db_close(struct sqlite *q)
{
	sqlite3_finalize(q->insert);
	sqlite3_close(q->db);
	q->insert = NULL;
	q->db = NULL;
}

/* Note why the last call failed; always -1. */
static int
failure(struct sqlite *q)
{
	q->code = q->db != NULL ? sqlite3_errcode(q->db) : SQLITE_NOMEM;
	snprintf(
	    q->why, sizeof(q->why), "%s", q->db != NULL ? sqlite3_errmsg(q->db) : "out of memory");
	return -1;
}

/* True when the name leads to the open file still. */
static bool
has_name(const char *path, const struct stat *open)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == open->st_dev && st.st_ino == open->st_ino;
}

static bool
is_emptied(const struct sqlite *q)
{
	struct stat st;

	return q->file.st_size > 0 && stat(q->path, &st) == 0 && st.st_size == 0;
}

/* True when the file, or its journal, was deleted, renamed, replaced, or the file emptied. */
static bool
is_moved(const struct sqlite *q)
{
	return !has_name(q->path, &q->file) || is_emptied(q) ||
	       (q->log.st_ino != 0 && !has_name(q->journal, &q->log));
}

/* Open the file at ${path}, which has no links in it, and note which one it is. */
static int
file_open(struct sqlite *q, const char *path)
{
	int moved = 0;

	own_file_make(path);
	if (sqlite3_open_v2(path, &q->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW,
		NULL) != SQLITE_OK)
		return failure(q);
	sqlite3_busy_timeout(q->db, BUSY_MS);
	if (sqlite3_exec(q->db, schema, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v3(q->db, insert, -1, SQLITE_PREPARE_PERSISTENT, &q->insert, NULL) !=
		SQLITE_OK)
		return failure(q);
	q->file = q->log = (struct stat){ 0 };
	(void)!stat(path, &q->file);
	(void)!stat(q->journal, &q->log);
	/* Replaced meanwhile: no file has this number, and it is left in the next turn. */
	if (sqlite3_file_control(q->db, NULL, SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved)
		q->file.st_ino = 0;
	return 0;
}

static int
db_open(struct sqlite *q)
{
	const char *fault;
	char *path;
	int result;

	if (q->db != NULL)
		return 0;
	fault = path_fault(q->path);
	if (fault != NULL) {
		q->code = SQLITE_CANTOPEN;
		snprintf(q->why, sizeof(q->why), "%s", fault);
		return -1;
	}
	path = own_file_named(q->path);
	result = file_open(q, path);
	free(path);
	if (result == 0)
		atomic_store(&q->sink->answered, true);
	else
		db_close(q);
	return result;
}

/*
 * The file has been deleted, replaced or emptied.  All that it was given is put into it
 * first: it may have another name now, and its journal must not be taken for that of
 * the file that has the name.  Into one that was emptied nothing can be put.
 */
static int
db_leave(struct sqlite *q)
{
	int code = SQLITE_OK;

	if (is_emptied(q))
		sqlite3_db_config(q->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	else
		code =
		    sqlite3_wal_checkpoint_v2(q->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	if (code == SQLITE_BUSY || code == SQLITE_LOCKED)
		return failure(q);
	say_warn("sqlite",
	    "%s, or its journal, was deleted or replaced: it is opened anew  output=%s", q->path,
	    q->sink->name);
	db_close(q);
	return 0;
}

static bool
is_busy(const struct sqlite *q)
{
	return q->code == SQLITE_BUSY || q->code == SQLITE_LOCKED;
}

/* The file cannot be opened or written: when to try again. */
static void
wait_on(struct sqlite *q, int64_t now)
{
	int64_t wait = RETRY_FIRST << (q->failures < 6 ? q->failures : 6);

	wait = earlier(wait, is_busy(q) ? RETRY_BUSY : RETRY_MAX);
	q->failures++;
	q->not_before = now + wait;
	metrics_retry(q->sink->metrics, REASON_HOLD, fifo_items(&q->queue));
	atomic_store(&q->sink->waits, "the database cannot be written");
	atomic_store(&q->sink->fails, q->queue.n > 0 && !is_busy(q) ? FAILS_FOR_NOW : FAILS_NOT);
	if (!said_lately(&q->said))
		say_warn("sqlite", "%s: %s; records wait in their files  output=%s retry_in=%.1fs",
		    q->path, q->why, q->sink->name, (double)wait / NS_PER_S);
	if (q->db != NULL)
		sqlite3_exec(q->db, "ROLLBACK", NULL, NULL, NULL);
	if (!is_busy(q)) /* the file may have been replaced meanwhile */
		db_close(q);
}

static void
well(struct sqlite *q)
{
	if (q->failures > 0)
		say_info("sqlite", "%s is written again  output=%s", q->path, q->sink->name);
	q->failures = 0;
	q->said.at = 0;
	atomic_store(&q->sink->waits, NULL);
	atomic_store(&q->sink->fails, FAILS_NOT);
}

static int
sqlite_open(struct sink *sink)
{
	struct sqlite *q = xcalloc(1, sizeof(*q));
	const struct sqlite_conf *conf = sink->section->values;

	sink->own = q;
	q->sink = sink;
	q->path = conf->path;
	q->journal = xprintf("%s-wal", q->path);
	if (db_open(q) < 0)
		wait_on(q, clock_mono());
	return 0;
}

static void
sqlite_close(struct sink *sink)
{
	struct sqlite *q = sink->own;

	if (q == NULL)
		return;
	db_close(q);
	fifo_fini(&q->queue);
	free(q->journal);
	free(q);
}

static int
row_insert(struct sqlite *q, const struct batch *b, const struct item *item)
{
	struct slice id = item_id(b, item), doc = item_document(b, item);
	int code;

	sqlite3_bind_text(q->insert, 1, id.at, (int)id.len, SQLITE_STATIC);
	sqlite3_bind_int64(q->insert, 2, item->time);
	sqlite3_bind_text(q->insert, 3, doc.at, (int)doc.len, SQLITE_STATIC);
	code = sqlite3_step(q->insert);
	q->collided += code == SQLITE_DONE && sqlite3_changes(q->db) == 0 && item->fresh;
	sqlite3_reset(q->insert);
	return code == SQLITE_DONE ? 0 : -1;
}

static int
batch_insert(struct sqlite *q, const struct batch *b)
{
	q->collided = 0;
	if (sqlite3_exec(q->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return failure(q);
	for (uint32_t i = 0; i < b->nitems; i++) {
		if (row_insert(q, b, &b->items[i]) < 0)
			return failure(q);
	}
	return sqlite3_exec(q->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK ? 0 : failure(q);
}

static void
batch_taken(struct sqlite *q, const struct batch *b)
{
	int64_t wall = clock_wall();

	if (q->collided > 0) {
		metrics_add(&metrics.collisions, q->collided);
		say_error("sqlite",
		    "%" PRIu64 " ids that were never sent are taken already; their records are not "
		    "stored  output=%s",
		    q->collided, q->sink->name);
	}
	for (uint32_t i = 0; i < b->nitems; i++) {
		const struct item *item = &b->items[i];

		metrics_delivered(q->sink->metrics, item->time, item_document(b, item).len, wall);
		delivery_settle(q->sink->delivery, item);
	}
	delivery_return(q->sink->delivery, fifo_take(&q->queue));
}

static void
sqlite_give(struct sink *sink, struct batch *b)
{
	struct sqlite *q = sink->own;

	fifo_put(&q->queue, b);
}

/* The file of this name is open; -1: it cannot be. */
static int
db_ready(struct sqlite *q)
{
	if (q->db != NULL && is_moved(q) && db_leave(q) < 0)
		return -1;
	return db_open(q);
}

static int64_t
sqlite_turn(struct sink *sink, int64_t now)
{
	struct sqlite *q = sink->own;

	if (q->queue.n == 0 && q->db != NULL && !is_moved(q))
		return NEVER;
	if (now < q->not_before)
		return q->not_before;
	if (db_ready(q) < 0 || (q->queue.n > 0 && batch_insert(q, q->queue.at[0]) < 0)) {
		wait_on(q, now);
		return q->not_before;
	}
	well(q);
	if (is_moved(q)) /* with the rows, perhaps: they go into the next file as well */
		return now;
	if (q->queue.n > 0)
		batch_taken(q, q->queue.at[0]);
	return q->queue.n > 0 ? now : NEVER;
}

const struct sink_type sqlite_sink = {
	.plugin = &sqlite_plugin,
	.durable = true,
	.open = sqlite_open,
	.close = sqlite_close,
	.give = sqlite_give,
	.turn = sqlite_turn,
};
