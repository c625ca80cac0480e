/*
 * The sqlite output: one file, one table, one transaction a batch.  The
 * document is stored as it is; its main columns are computed from it when
 * asked for, and cost nothing here.
 */
#include <sqlite3.h>
#include <stddef.h>
#include <inttypes.h>
#include <stdlib.h>

#include "clock.h"
#include "fifo.h"
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
	    "the database file; made when absent", .flags = OPT_NEEDED),
	OPTIONS_END,
};

const struct plugin sqlite_plugin = {
	.kind = SECTION_OUTPUT,
	.name = "sqlite",
	.help = "a SQLite file: table logs, the document as JSON",
	.options = sqlite_options,
	.common = output_options,
	.size = sizeof(struct sqlite_conf),
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
	sqlite3 *db;
	sqlite3_stmt *insert;
	struct fifo queue;
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

static int
db_open(struct sqlite *q)
{
	if (q->db != NULL)
		return 0;
	if (sqlite3_open(q->path, &q->db) != SQLITE_OK)
		return -1;
	sqlite3_busy_timeout(q->db, BUSY_MS);
	if (sqlite3_exec(q->db, schema, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v3(q->db, insert, -1, SQLITE_PREPARE_PERSISTENT, &q->insert, NULL) !=
		SQLITE_OK)
		return -1;
	return 0;
}

static int
sqlite_open(struct sink *sink)
{
	struct sqlite *q = xcalloc(1, sizeof(*q));
	const struct sqlite_conf *conf = sink->section->values;

	sink->own = q;
	q->sink = sink;
	q->path = conf->path;
	if (db_open(q) == 0)
		return 0;
	say_error("sqlite", "%s: %s; Path has to be a file that towline may write", q->path,
	    q->db != NULL ? sqlite3_errmsg(q->db) : "out of memory");
	db_close(q);
	return -1;
}

static void
sqlite_close(struct sink *sink)
{
	struct sqlite *q = sink->own;

	if (q == NULL)
		return;
	db_close(q);
	fifo_fini(&q->queue);
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
	if (db_open(q) < 0 || sqlite3_exec(q->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return -1;
	for (uint32_t i = 0; i < b->nitems; i++) {
		if (row_insert(q, b, &b->items[i]) < 0)
			return -1;
	}
	return sqlite3_exec(q->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

static void
batch_failed(struct sqlite *q, int64_t now)
{
	int64_t wait = RETRY_FIRST << (q->failures < 6 ? q->failures : 6);
	int code = q->db != NULL ? sqlite3_errcode(q->db) : SQLITE_NOMEM;
	bool busy = code == SQLITE_BUSY || code == SQLITE_LOCKED;
	int64_t most = busy ? RETRY_BUSY : RETRY_MAX;

	if (wait > most)
		wait = most;
	q->failures++;
	q->not_before = now + wait;
	metrics_add(&q->sink->metrics->retries[REASON_HOLD], 1);
	atomic_store(&q->sink->waits, "the database cannot be written");
	if (!said_lately(&q->said))
		say_warn("sqlite", "%s: %s; records wait in their files  output=%s retry_in=%.1fs",
		    q->path, q->db != NULL ? sqlite3_errmsg(q->db) : "cannot be opened",
		    q->sink->name, (double)wait / NS_PER_S);
	if (q->db != NULL)
		sqlite3_exec(q->db, "ROLLBACK", NULL, NULL, NULL);
	if (!busy) /* the file may have been replaced meanwhile */
		db_close(q);
}

static void
batch_taken(struct sqlite *q, const struct batch *b)
{
	int64_t wall = clock_wall();

	q->failures = 0;
	q->said.at = 0;
	atomic_store(&q->sink->waits, NULL);
	atomic_store(&q->sink->answered, true);
	if (q->collided > 0) {
		metrics_add(&metrics.collisions, q->collided);
		say_error("sqlite",
		    "%" PRIu64 " ids that were never sent are taken already; their records are not "
		    "stored  output=%s",
		    q->collided, q->sink->name);
	}
	for (uint32_t i = 0; i < b->nitems; i++) {
		metrics_delivered(q->sink->metrics, b->items[i].time, wall);
		delivery_settle(q->sink->delivery, &b->items[i]);
	}
	delivery_return(q->sink->delivery, fifo_take(&q->queue));
}

static void
sqlite_give(struct sink *sink, struct batch *b)
{
	struct sqlite *q = sink->own;

	fifo_put(&q->queue, b);
}

static int64_t
sqlite_turn(struct sink *sink, int64_t now)
{
	struct sqlite *q = sink->own;

	atomic_store(&sink->answered, true); /* the file was opened */
	if (q->queue.n == 0)
		return NEVER;
	if (now < q->not_before)
		return q->not_before;
	if (batch_insert(q, q->queue.at[0]) < 0) {
		batch_failed(q, now);
		return q->not_before;
	}
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
