/*
 * A report from the file of a sqlite output: the clauses of report_es.c in SQL,
 * with the word of the log matched as a server's standard analyzer would.  Groups, means and ranks are made here, since SQL
 * has no percentiles.
 */
#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "clock.h"
#include "cmd.h"
#include "map.h"
#include "report.h"
#include "service.h"
#include "timestamp.h"

/* The most groups; records of further ones are left out, and counted. */
#define GROUPS 100000

static const char *const groups[] = {
	[BY_NOTHING] = "NULL",
	[BY_ERROR_TYPE] = "json_extract(doc, '$.log_parsed.error_type')",
	[BY_PIPELINE] = "json_extract(doc, '$.log_parsed.pipeline')",
	[BY_POD] = "json_extract(doc, '$.kubernetes.pod_name')",
};

#define TIME "json_extract(doc, '$.\"@timestamp\"')"
#define LOG "json_extract(doc, '$.log')"
#define APP "json_extract(doc, '$.kubernetes.labels.app')"

/* A group while its records are read. */
struct group {
	char *name;
	uint64_t count;
	int64_t first, last; /* ns */
	char *time, *log;    /* of the newest error */
	double *times;       /* execution_time of each task that has one */
	size_t ntimes, size;
};

/* ---- SQL */

static void
has_word(sqlite3_context *context, int n, sqlite3_value **values)
{
	struct slice text = { (const char *)sqlite3_value_text(values[0]), 0 };
	struct slice word = { (const char *)sqlite3_value_text(values[1]), 0 };

	(void)n;
	text.len = (size_t)sqlite3_value_bytes(values[0]);
	word.len = (size_t)sqlite3_value_bytes(values[1]);
	sqlite3_result_int(
	    context, text.at != NULL && word.at != NULL && report_word_in(text, word));
}

/* is_excluded(pod, container): true for what Agent_Exclude_… names; a name that is NULL is none. */
static void
is_excluded(sqlite3_context *context, int n, sqlite3_value **values)
{
	const char *pod = (const char *)sqlite3_value_text(values[0]);
	const char *container = (const char *)sqlite3_value_text(values[1]);

	(void)n;
	sqlite3_result_int(
	    context, service_excludes(sqlite3_user_data(context), pod != NULL ? pod : "",
			 container != NULL ? container : ""));
}

static int
say_failure(sqlite3 *db, const char *path)
{
	cmd_wrong("towline report: %s: %s%s", path, sqlite3_errmsg(db),
	    strstr(sqlite3_errmsg(db), "no such table") != NULL
		? " (has towline written to it yet?)"
		: "");
	return -1;
}

/* ns since the epoch of a document's time; 0 when it is none. */
static int64_t
time_read(struct slice text)
{
	int64_t ns;
	size_t used;

	return timestamp_rfc3339(text, &ns, &used) == PARSE_OK ? ns : 0;
}

static sqlite3_stmt *
prepare(sqlite3 *db, const struct report_query *q, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	char from[TIMESTAMP_MAX]; /* in the documents' form, which sorts like the time */
	char *key = q->key != NULL ? xprintf("$.\"%s\".", q->key) : NULL;
	char *named = key != NULL ? report_key_put(sql, "$.log_parsed.", key) : NULL;
	int code = sqlite3_prepare_v2(db, named != NULL ? named : sql, -1, &statement, NULL);

	free(key);
	free(named);
	if (code != SQLITE_OK)
		return NULL;
	sqlite3_bind_text(
	    statement, 1, from, (int)timestamp_write(q->from, 3, from), SQLITE_TRANSIENT);
	return statement;
}

static int
labels_ask(sqlite3 *db, const struct report_query *q, bool *labelled)
{
	sqlite3_stmt *statement = prepare(
	    db, q, "SELECT 1 FROM logs WHERE " TIME " >= ?1 AND " APP " IS NOT NULL LIMIT 1");
	int code = SQLITE_ERROR;

	if (statement != NULL)
		code = sqlite3_step(statement);
	*labelled = code == SQLITE_ROW;
	sqlite3_finalize(statement);
	return code == SQLITE_ROW || code == SQLITE_DONE ? 0 : -1;
}

static sqlite3_stmt *
select_records(sqlite3 *db, const struct report_query *q, bool labelled)
{
	bool errors = q->kind == REPORT_ERRORS;
	char *sql = xprintf("SELECT %s, " TIME ", " LOG ", "
			    "json_extract(doc, '$.log_parsed.execution_time'), "
			    "json_extract(doc, '$.time'), has_word(" LOG ", '%s') FROM logs "
			    "WHERE " TIME " >= ?1 AND %s AND "
			    "NOT is_excluded(json_extract(doc, '$.kubernetes.pod_name'), "
			    "json_extract(doc, '$.kubernetes.container_name'))%s",
	    groups[q->by], report_word(q),
	    errors ? "json_extract(doc, '$.log_parsed.error_type') IS NOT NULL"
		   : "json_extract(doc, '$.log_parsed.event') IN (SELECT value FROM json_each(?2))",
	    labelled ? " AND (" APP " IS NULL OR " APP " || '-' GLOB '" REPORT_AGENT "-*' OR " APP
		       " || '-' GLOB '" REPORT_RUNNER "-*')"
		     : "");
	sqlite3_stmt *statement = prepare(db, q, sql);

	if (statement != NULL && !errors)
		sqlite3_bind_text(statement, 2, q->tasks, -1, SQLITE_STATIC);
	free(sql);
	return statement;
}

/* ---- groups */

static struct slice
column(sqlite3_stmt *row, int i)
{
	struct slice text = { (const char *)sqlite3_column_text(row, i), 0 };

	text.len = (size_t)sqlite3_column_bytes(row, i);
	return text;
}

static struct group *
group_find(struct map *map, struct slice name)
{
	struct group *g;

	if (name.at == NULL)
		name = SLICE(REPORT_NONE);
	g = map_get(map, name);
	if (g != NULL || map_count(map) == GROUPS)
		return g;
	g = xcalloc(1, sizeof(*g));
	g->name = xslicedup(name);
	map_put(map, name, g);
	return g;
}

/* Keep the text of a record at `ns` when it is the newest of its group. */
static void
newest_keep(struct group *g, int64_t ns, sqlite3_stmt *row)
{
	const char *log = (const char *)sqlite3_column_text(row, 2);
	const char *time = (const char *)sqlite3_column_text(row, 4);

	if (g->count > 1 &&
	    (ns < g->last || (ns == g->last && !report_table_newer(time, log, g->time, g->log))))
		return;
	free(g->log);
	free(g->time);
	g->log = xslicedup(slice_of(log));
	g->time = xslicedup(slice_of(time));
}

static void
time_add(struct group *g, double seconds)
{
	if (g->ntimes == g->size) {
		g->size = g->size != 0 ? 2 * g->size : 64;
		g->times = xrealloc(g->times, g->size * sizeof(*g->times));
	}
	g->times[g->ntimes++] = seconds;
}

static void
group_add(struct group *g, sqlite3_stmt *row, bool errors)
{
	int64_t ns = time_read(column(row, 1));

	g->count++;
	if (errors)
		newest_keep(g, ns, row);
	else if (sqlite3_column_type(row, 3) != SQLITE_NULL)
		time_add(g, sqlite3_column_double(row, 3));
	if (g->count == 1 || ns < g->first)
		g->first = ns;
	if (g->count == 1 || ns > g->last)
		g->last = ns;
}

static int
by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double
at_rank(const struct group *g, unsigned percent)
{
	return g->ntimes == 0 ? NAN : g->times[report_rank(g->ntimes, percent) - 1];
}

/* Turn the group (taken) into a row. */
static void
group_row(struct group *g, const struct report_query *q, struct report *out)
{
	struct report_row *row = report_table_add(out);
	long double sum = 0;

	if (g->ntimes > 0)
		qsort(g->times, g->ntimes, sizeof(*g->times), by_value);
	for (size_t i = 0; i < g->ntimes; i++)
		sum += (long double)g->times[i];
	row->group = q->by == BY_NOTHING ? NULL : xstrdup(g->name);
	row->count = g->count;
	row->first = g->first / NS_PER_MS;
	row->last = g->last / NS_PER_MS;
	row->sample = report_table_sample(slice_of(g->log));
	row->mean = g->ntimes == 0 ? NAN : (double)(sum / (long double)g->ntimes);
	row->p50 = at_rank(g, 50);
	row->p95 = at_rank(g, 95);
	row->p99 = at_rank(g, 99);
	row->max = at_rank(g, 100);
	free(g->times);
	free(g->time);
	free(g->log);
	free(g->name);
	free(g);
}

static int
read_groups(sqlite3 *db, const struct report_query *q, struct report *out)
{
	sqlite3_stmt *records = select_records(db, q, out->labelled);
	struct map *map = map_new();
	struct group *g;
	size_t at = 0;
	int code = SQLITE_ERROR;

	while (records != NULL && (code = sqlite3_step(records)) == SQLITE_ROW) {
		g = group_find(map, column(records, 0));
		if (g != NULL)
			group_add(g, records, q->kind == REPORT_ERRORS);
		else
			out->left_out++;
		out->wordless += sqlite3_column_int(records, 5) == 0;
	}
	sqlite3_finalize(records);
	while ((g = map_next(map, &at, NULL)) != NULL)
		group_row(g, q, out);
	map_free(map);
	return code == SQLITE_DONE ? 0 : -1;
}

int
report_sqlite(const struct report_query *q, const struct section *output, struct report *out)
{
	const char *path = server_option_string(output, "Path");
	sqlite3 *db = NULL;
	int result = -1;

	out->source = xstrdup(path);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
		say_failure(db, path);
	} else {
		sqlite3_busy_timeout(db, 5000);
		sqlite3_create_function(db, "has_word", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL,
		    has_word, NULL, NULL);
		sqlite3_create_function(db, "is_excluded", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
		    (void *)(uintptr_t)q->service, is_excluded, NULL, NULL);
		if (labels_ask(db, q, &out->labelled) < 0 || read_groups(db, q, out) < 0)
			say_failure(db, path);
		else
			result = 0;
	}
	sqlite3_close(db);
	return result;
}
