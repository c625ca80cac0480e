/*
 * A report from Elasticsearch or OpenSearch: the reference document's two
 * aggregations, with the further columns of the table, over the records that
 * the metrics count.
 *
 * Three requests: the first asks whether records have the label app; the
 * second is the query; the third asks each group for percentiles, by
 * percentages that its count aligns to the ranks of 50, 95 and 99 %: the two
 * products round ranks differently, and give one value for an aligned
 * percentage.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "cmd.h"
#include "report.h"

static const char *const fields[] = {
	[BY_ERROR_TYPE] = "log_parsed.error_type.keyword",
	[BY_PIPELINE] = "log_parsed.pipeline.keyword",
	[BY_POD] = "kubernetes.pod_name.keyword",
};

#define ANSWER_MAX (64u << 20)

/* ---- asking */

struct ask {
	const struct report_query *q;
	const struct section *output;
	char *path;
	bool labelled;
};

static void
say_status(const struct ask *a, long status, const struct buffer *answer)
{
	json_t *reply = json_loadb(answer->at != NULL ? answer->at : "", answer->len, 0, NULL);
	const char *why =
	    json_string_value(json_object_get(json_object_get(reply, "error"), "reason"));

	cmd_wrong("towline report: %s answers %ld to %.*s%s%.300s", server_host(), status,
	    (int)strcspn(a->path, "?"), a->path, why != NULL ? ": " : "", why != NULL ? why : "");
	json_decref(reply);
}

static bool
answer_take(void *arg, struct slice piece)
{
	struct buffer *answer = arg;

	if (piece.len == 0)
		buffer_clear(answer);
	return buffer_put(answer, piece) == 0;
}

/* The text of `body` (taken); the fields that it names are where lines are merged. */
static char *
text_of(const struct ask *a, json_t *body)
{
	char *text = json_dumps(body, JSON_COMPACT), *key, *named;

	json_decref(body);
	if (text == NULL || a->q->key == NULL)
		return text;
	key = xprintf("\"%s.", a->q->key);
	named = report_key_put(text, "\"log_parsed.", key);
	free(key);
	free(text);
	return named;
}

/* Send `body` (taken); return the answer, or NULL after saying why. */
static json_t *
send_search(const struct ask *a, json_t *body)
{
	char *text = text_of(a, body);
	struct buffer answer;
	json_t *reply = NULL;
	json_error_t error;
	long status;

	buffer_init(&answer, ANSWER_MAX);
	status = text == NULL ? -1
			      : server_post(a->output, &(struct server_ask){
							   .command = "report",
							   .path = a->path,
							   .type = "application/json",
							   .body = slice_of(text),
							   .take = answer_take,
							   .arg = &answer,
						       });
	if (status == 200) {
		reply = json_loadb(answer.at != NULL ? answer.at : "", answer.len, 0, &error);
		if (reply == NULL)
			cmd_wrong(
			    "towline report: %s answers no JSON: %s", server_host(), error.text);
	} else if (status >= 0) {
		say_status(a, status, &answer);
	}
	free(text);
	buffer_fini(&answer);
	return reply;
}

static json_t *
range_clause(const struct report_query *q)
{
	char *gte = xprintf("now-%s", q->since);
	json_t *clause = json_pack("{s:{s:{s:s}}}", "range", "@timestamp", "gte", gte);

	free(gte);
	return clause;
}

/* Errors by the type that each has; tasks by their event, whatever words their line has. */
static json_t *
kind_clause(const struct report_query *q)
{
	if (q->kind == REPORT_ERRORS)
		return json_pack("{s:{s:s}}", "exists", "field", "log_parsed.error_type");
	return json_pack(
	    "{s:{s:o}}", "terms", "log_parsed.event.keyword", json_loads(q->tasks, 0, NULL));
}

static json_t *
query_of(const struct ask *a)
{
	json_t *filter = json_pack("[o,o,o]", range_clause(a->q), kind_clause(a->q),
	    report_agents_excluded(a->q->service));

	if (a->labelled)
		json_array_append_new(filter, report_agents_labelled());
	return json_pack("{s:{s:o}}", "bool", "filter", filter);
}

/* The most hits to compare that share the newest @timestamp, which may have milliseconds alone. */
#define NEWEST 10

static json_t *
metrics_of(const struct report_query *q)
{
	if (q->kind == REPORT_ERRORS)
		return json_pack("{s:{s:{s:s}},s:{s:{s:s}},s:{s:{s:i,s:[s,s],s:[{s:s}]}}}",
		    "first_seen", "min", "field", "@timestamp", "last_seen", "max", "field",
		    "@timestamp", "sample", "top_hits", "size", NEWEST, "_source", "log", "time",
		    "sort", "@timestamp", "desc");
	return json_pack("{s:{s:{s:s}},s:{s:{s:s}}}", "avg_execution_time", "avg", "field",
	    "log_parsed.execution_time", "stats", "stats", "field", "log_parsed.execution_time");
}

static json_t *
aggregations_of(const struct report_query *q)
{
	json_t *terms;

	if (q->by == BY_NOTHING)
		return metrics_of(q);
	terms = json_pack("{s:s,s:i}", "field", fields[q->by], "size", REPORT_ROWS);
	if (q->by != BY_ERROR_TYPE)
		json_object_set_new(terms, "missing", json_string(REPORT_NONE));
	return json_pack("{s:{s:o,s:o}}", q->by == BY_ERROR_TYPE ? "error_types" : "groups",
	    "terms", terms, "aggs", metrics_of(q));
}

/* The aggregations, and the number of the records that the reference document's query would miss. */
static json_t *
aggregations_and_words(const struct report_query *q)
{
	json_t *all = aggregations_of(q);

	json_object_set_new(all, "wordless",
	    json_pack("{s:{s:{s:{s:{s:s}}}}}", "filter", "bool", "must_not", "match", "log",
		report_word(q)));
	return all;
}

/* ---- answers: whatever a server sends, a missing part is 0 */

static json_t *
inside(json_t *value, const char *const *keys)
{
	for (; *keys != NULL; keys++)
		value = json_object_get(value, *keys);
	return value;
}

#define INSIDE(value, ...) inside(value, (const char *const[]){ __VA_ARGS__, NULL })

static double
number(const json_t *value)
{
	return json_is_number(value) ? json_number_value(value) : NAN;
}

static int64_t
milliseconds(const json_t *value)
{
	double ms = number(value);

	return ms > 0 && ms < 1e15 ? (int64_t)ms : 0;
}

/* The sample: the hit that report_table_newer() picks, as over sqlite. */
static const char *
newest_log(json_t *hits)
{
	json_t *newest = INSIDE(json_array_get(hits, 0), "sort"), *hit;
	const char *time = NULL, *log = NULL;
	size_t i;

	json_array_foreach(hits, i, hit)
	{
		const char *its_time = json_string_value(INSIDE(hit, "_source", "time"));
		const char *its_log = json_string_value(INSIDE(hit, "_source", "log"));

		if (!json_equal(INSIDE(hit, "sort"), newest) && i > 0)
			break;
		if (!report_table_newer(its_time, its_log, time, log) && i > 0)
			continue;
		time = its_time;
		log = its_log;
	}
	return log;
}

static void
error_row(struct report_row *row, json_t *bucket)
{
	const char *log = newest_log(INSIDE(bucket, "sample", "hits", "hits"));

	row->first = milliseconds(INSIDE(bucket, "first_seen", "value"));
	row->last = milliseconds(INSIDE(bucket, "last_seen", "value"));
	row->sample = report_table_sample(slice_of(log));
}

static void
task_row(struct report_row *row, json_t *bucket)
{
	row->mean = number(INSIDE(bucket, "avg_execution_time", "value"));
	row->max = number(INSIDE(bucket, "stats", "max"));
	row->p50 = row->p95 = row->p99 = NAN;
}

static void
row_from(const struct report_query *q, json_t *bucket, uint64_t count, struct report *out)
{
	struct report_row *row;
	const char *key = json_string_value(json_object_get(bucket, "key"));

	if (count == 0)
		return;
	row = report_table_add(out);
	row->count = count;
	row->group = key != NULL ? xstrdup(key) : NULL;
	if (q->by != BY_NOTHING && row->group == NULL)
		row->group = xstrdup(REPORT_NONE);
	if (q->kind == REPORT_ERRORS)
		error_row(row, bucket);
	else
		task_row(row, bucket);
}

static void
rows_from(const struct report_query *q, json_t *reply, struct report *out)
{
	json_t *all = json_object_get(reply, "aggregations"), *groups, *buckets;
	json_int_t hits = json_integer_value(INSIDE(reply, "hits", "total", "value"));
	json_int_t wordless = json_integer_value(INSIDE(all, "wordless", "doc_count"));

	out->wordless = wordless > 0 ? (uint64_t)wordless : 0;
	if (q->by == BY_NOTHING) {
		row_from(q, all, hits > 0 ? (uint64_t)hits : 0, out);
		return;
	}
	groups = json_object_get(all, q->by == BY_ERROR_TYPE ? "error_types" : "groups");
	buckets = json_object_get(groups, "buckets");
	for (size_t i = 0; i < json_array_size(buckets) && i < REPORT_ROWS; i++) {
		json_t *bucket = json_array_get(buckets, i);
		json_int_t count = json_integer_value(json_object_get(bucket, "doc_count"));

		row_from(q, bucket, count > 0 ? (uint64_t)count : 0, out);
	}
	hits = json_integer_value(json_object_get(groups, "sum_other_doc_count"));
	out->left_out = hits > 0 ? (uint64_t)hits : 0;
}

/* ---- percentiles */

/*
 * The percentage with the rank of `percent` among `n` values, however a server
 * rounds ranks.  Different percents give different percentages, even of one
 * rank, as servers refuse equal ones.
 */
static double
aligned(uint64_t n, unsigned percent)
{
	return ((double)report_rank(n, percent) - 0.4 + percent / 1000.0) / (double)n * 100;
}

static json_t *
group_filter(const struct report_query *q, const struct report_row *row)
{
	if (row->group == NULL)
		return json_pack("{s:{}}", "match_all");
	if (strcmp(row->group, REPORT_NONE) == 0)
		return json_pack(
		    "{s:{s:{s:{s:s}}}}", "bool", "must_not", "exists", "field", fields[q->by]);
	return json_pack("{s:{s:s}}", "term", fields[q->by], row->group);
}

/* A percentile, cut to the largest value, as a server's histogram is exact to 0.1 %. */
static double
percentile(json_t *values, size_t i, double max)
{
	double value = number(json_object_get(json_array_get(values, i), "value"));

	return value > max ? max : value;
}

/* Ask for the percentiles of all rows; `timed[i]` is the number of tasks of row i that have a time. */
static int
percentiles(const struct ask *a, const uint64_t *timed, struct report *out)
{
	json_t *groups = json_object(), *reply;
	char name[24];

	for (size_t i = 0; i < out->n; i++) {
		if (timed[i] == 0)
			continue;
		snprintf(name, sizeof(name), "%zu", i);
		json_object_set_new(groups, name,
		    json_pack("{s:o,s:{s:{s:{s:s,s:b,s:[f,f,f],s:{s:i}}}}}", "filter",
			group_filter(a->q, &out->rows[i]), "aggs", "p", "percentiles", "field",
			"log_parsed.execution_time", "keyed", 0, "percents", aligned(timed[i], 50),
			aligned(timed[i], 95), aligned(timed[i], 99), "hdr",
			"number_of_significant_value_digits", 3));
	}
	reply = send_search(
	    a, json_pack("{s:i,s:o,s:o}", "size", 0, "query", query_of(a), "aggs", groups));
	if (reply == NULL)
		return -1;
	for (size_t i = 0; i < out->n; i++) {
		struct report_row *row = &out->rows[i];
		json_t *values;

		if (timed[i] == 0)
			continue;
		snprintf(name, sizeof(name), "%zu", i);
		values = INSIDE(reply, "aggregations", name, "p", "values");
		row->p50 = percentile(values, 0, row->max);
		row->p95 = percentile(values, 1, row->max);
		row->p99 = percentile(values, 2, row->max);
	}
	json_decref(reply);
	return 0;
}

/* The number of tasks of each row that have a time, in the order of the rows. */
static uint64_t *
timed_of(const struct report_query *q, json_t *reply, size_t n)
{
	json_t *all = json_object_get(reply, "aggregations");
	json_t *buckets = INSIDE(all, "groups", "buckets");
	uint64_t *timed = xcalloc(n, sizeof(*timed));

	for (size_t i = 0; i < n; i++) {
		json_t *bucket = q->by == BY_NOTHING ? all : json_array_get(buckets, i);
		json_int_t count = json_integer_value(INSIDE(bucket, "stats", "count"));

		timed[i] = count > 0 ? (uint64_t)count : 0;
	}
	return timed;
}

/* ---- the report */

static int
labels_ask(struct ask *a)
{
	json_t *filter = json_pack(
	    "[o,{s:{s:s}}]", range_clause(a->q), "exists", "field", "kubernetes.labels.app");
	json_t *reply =
	    send_search(a, json_pack("{s:i,s:i,s:{s:{s:o}}}", "size", 0, "terminate_after", 1,
			       "query", "bool", "filter", filter));

	if (reply == NULL)
		return -1;
	a->labelled = json_integer_value(INSIDE(reply, "hits", "total", "value")) > 0;
	if (json_integer_value(INSIDE(reply, "_shards", "total")) == 0)
		cmd_wrong("towline report: %s has no index %.*s yet", server_host(),
		    (int)strcspn(a->path + 1, "/"), a->path + 1);
	json_decref(reply);
	return 0;
}

static int
main_ask(struct ask *a, struct report *out)
{
	json_t *reply =
	    send_search(a, json_pack("{s:i,s:b,s:o,s:o}", "size", 0, "track_total_hits", 1, "query",
			       query_of(a), "aggs", aggregations_and_words(a->q)));
	int result = 0;

	if (reply == NULL)
		return -1;
	rows_from(a->q, reply, out);
	if (a->q->kind == REPORT_PERFORMANCE && out->n > 0) {
		uint64_t *timed = timed_of(a->q, reply, out->n);

		result = percentiles(a, timed, out);
		free(timed);
	}
	json_decref(reply);
	return result;
}

int
report_es(const struct report_query *q, const struct section *output, struct report *out)
{
	struct ask a = { .q = q, .output = output, .path = report_path(output) };
	int result = labels_ask(&a);

	out->labelled = a.labelled;
	out->source = xprintf("%s%.*s", server_host(), (int)(strcspn(a.path + 1, "/") + 1), a.path);
	if (result == 0)
		result = main_ask(&a, out);
	free(a.path);
	return result;
}
