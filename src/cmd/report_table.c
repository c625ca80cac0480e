/* The rows of a report, as a table for people and as JSON for programs. */

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>

#include "clock.h"
#include "cmd.h"
#include "report.h"
#include "shown.h"
#include "timestamp.h"

struct report_row *
report_table_add(struct report *out)
{
	out->rows = xrealloc(out->rows, (out->n + 1) * sizeof(*out->rows));
	out->rows[out->n] = (struct report_row){ 0 };
	return &out->rows[out->n++];
}

static int
by_count(const void *a, const void *b)
{
	const struct report_row *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return strcmp(x->group != NULL ? x->group : "", y->group != NULL ? y->group : "");
}

void
report_table_sort(struct report *out)
{
	if (out->n > 1)
		qsort(out->rows, out->n, sizeof(*out->rows), by_count);
	while (out->n > REPORT_ROWS) {
		struct report_row *last = &out->rows[--out->n];

		out->left_out += last->count;
		free(last->group);
		free(last->sample);
	}
}

void
report_table_free(struct report *out)
{
	for (size_t i = 0; i < out->n; i++) {
		free(out->rows[i].group);
		free(out->rows[i].sample);
	}
	free(out->rows);
	free(out->source);
}

static int
compare(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "");
}

bool
report_table_newer(const char *time, const char *log, const char *than_time, const char *than_log)
{
	int order = compare(time, than_time);

	return order != 0 ? order > 0 : compare(log, than_log) > 0;
}

char *
report_table_sample(struct slice log)
{
	const char *end = log.len > 0 ? memchr(log.at, '\n', log.len) : NULL;
	size_t len = end != NULL ? (size_t)(end - log.at) : log.len;

	if (len > REPORT_SAMPLE) {
		len = REPORT_SAMPLE;
		while (len > 0 && ((unsigned char)log.at[len] & 0xc0) == 0x80)
			len--;
	}
	return xslicedup((struct slice){ log.at, len });
}

/* ---- columns */

/* A column: its cells as text for the table, and as JSON values. */
struct column {
	const char *name;
	char *(*text)(const struct report_row *row);
	json_t *(*json)(const struct report_row *row);
	bool right; /* aligned to the right, as numbers are */
};

static char *
group_text(const struct report_row *row)
{
	return xstrdup(row->group);
}

static json_t *
group_json(const struct report_row *row)
{
	return json_string(row->group);
}

static char *
count_text(const struct report_row *row)
{
	return xprintf("%" PRIu64, row->count);
}

static json_t *
count_json(const struct report_row *row)
{
	return json_integer((json_int_t)row->count);
}

static char *
time_text(int64_t ms)
{
	char text[TIMESTAMP_MAX];

	return xslicedup((struct slice){ text, timestamp_write(ms * NS_PER_MS, 3, text) });
}

static json_t *
text_json(char *text)
{
	json_t *value = json_string(text);

	free(text);
	return value;
}

static char *
number_text(double seconds)
{
	return isnan(seconds) ? xstrdup(REPORT_NONE) : xprintf("%.3f", seconds);
}

static json_t *
number_json(double seconds)
{
	return isnan(seconds) ? json_null() : json_real(seconds);
}

static char *
first_text(const struct report_row *row)
{
	return time_text(row->first);
}

static json_t *
first_json(const struct report_row *row)
{
	return text_json(time_text(row->first));
}

static char *
last_text(const struct report_row *row)
{
	return time_text(row->last);
}

static json_t *
last_json(const struct report_row *row)
{
	return text_json(time_text(row->last));
}

static char *
sample_text(const struct report_row *row)
{
	return xstrdup(row->sample);
}

static json_t *
sample_json(const struct report_row *row)
{
	return json_string(row->sample);
}

#define NUMBER(field)                                                                              \
	static char *field##_text(const struct report_row *row)                                    \
	{                                                                                          \
		return number_text(row->field);                                                    \
	}                                                                                          \
	static json_t *field##_json(const struct report_row *row)                                  \
	{                                                                                          \
		return number_json(row->field);                                                    \
	}

NUMBER(mean)
NUMBER(p50)
NUMBER(p95)
NUMBER(p99)
NUMBER(max)

static const struct column groups[] = {
	[BY_ERROR_TYPE] = { "error_type", group_text, group_json, false },
	[BY_PIPELINE] = { "pipeline", group_text, group_json, false },
	[BY_POD] = { "pod", group_text, group_json, false },
};

static const struct column error_columns[] = {
	{ "count", count_text, count_json, true },
	{ "first_seen", first_text, first_json, false },
	{ "last_seen", last_text, last_json, false },
	{ "sample", sample_text, sample_json, false },
};

static const struct column task_columns[] = {
	{ "tasks", count_text, count_json, true },
	{ "mean", mean_text, mean_json, true },
	{ "p50", p50_text, p50_json, true },
	{ "p95", p95_text, p95_json, true },
	{ "p99", p99_text, p99_json, true },
	{ "max", max_text, max_json, true },
};

#define COLUMNS 8

static size_t
columns_of(const struct report_query *q, const struct column *to[COLUMNS])
{
	bool errors = q->kind == REPORT_ERRORS;
	const struct column *from = errors ? error_columns : task_columns;
	size_t n = errors ? sizeof(error_columns) / sizeof(error_columns[0])
			  : sizeof(task_columns) / sizeof(task_columns[0]);
	size_t at = 0;

	if (q->by != BY_NOTHING)
		to[at++] = &groups[q->by];
	for (size_t i = 0; i < n; i++)
		to[at++] = &from[i];
	return at;
}

/* ---- the table */

/* The number of characters that a terminal shows of `text`, when it is UTF-8. */
static size_t
width(const char *text)
{
	size_t n = 0;

	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* No log line commands a terminal. */
static char *
harmless(char *text)
{
	size_t len = strlen(text);
	char *out = xmalloc(4 * len + 1);

	out[shown_write(out, 4 * len, (struct slice){ text, len })] = '\0';
	free(text);
	return out;
}

static void
put_cell(const char *text, size_t wide, bool right, bool last, FILE *to)
{
	int pad = (int)(wide - width(text));

	if (right)
		fprintf(to, "%*s%s", pad, "", text);
	else
		fprintf(to, "%s%*s", text, last ? 0 : pad, "");
	fputs(last ? "\n" : "  ", to);
}

static void
print_rows(const struct report_query *q, const struct report *r, FILE *to)
{
	const struct column *columns[COLUMNS];
	size_t n = columns_of(q, columns), wide[COLUMNS];
	char **cells = xcalloc(r->n * n, sizeof(*cells));

	for (size_t c = 0; c < n; c++) {
		wide[c] = strlen(columns[c]->name);
		for (size_t i = 0; i < r->n; i++) {
			char *text = harmless(columns[c]->text(&r->rows[i]));

			cells[i * n + c] = text;
			wide[c] = width(text) > wide[c] ? width(text) : wide[c];
		}
	}
	for (size_t c = 0; c < n; c++)
		put_cell(columns[c]->name, wide[c], columns[c]->right, c + 1 == n, to);
	for (size_t i = 0; i < r->n * n; i++) {
		put_cell(cells[i], wide[i % n], columns[i % n]->right, (i + 1) % n == 0, to);
		free(cells[i]);
	}
	free(cells);
}

static void
print_head(const struct report_query *q, const struct report *r, FILE *to)
{
	bool errors = q->kind == REPORT_ERRORS;

	fprintf(to, "%s since %s ago, from %s\n",
	    errors ? "Errors" : "Completed tasks, execution_time in seconds,", q->since, r->source);
	fprintf(to, "matched: %s, @timestamp >= now-%s",
	    errors ? "level ERROR or above, or TASK_FAILED" : "event TASK_COMPLETED", q->since);
	if (r->labelled)
		fputs(", kubernetes.labels.app is " REPORT_AGENT "[-…] or " REPORT_RUNNER
		      "[-…], or missing\n\n",
		    to);
	else
		fputs("; not by kubernetes.labels.app: no record there has labels\n\n", to);
}

static void
print_json(const struct report_query *q, const struct report *r, FILE *to)
{
	const struct column *columns[COLUMNS];
	size_t n = columns_of(q, columns);
	json_t *all = json_array();

	for (size_t i = 0; i < r->n; i++) {
		json_t *row = json_object();

		for (size_t c = 0; c < n; c++) {
			json_t *value = columns[c]->json(&r->rows[i]);

			/* Text that is not UTF-8 cannot be a JSON string; the outputs store no such text. */
			json_object_set_new(
			    row, columns[c]->name, value != NULL ? value : json_null());
		}
		json_array_append_new(all, row);
	}
	cmd_print_json(json_dumps(all, JSON_INDENT(2) | JSON_REAL_PRECISION(15)), to);
	json_decref(all);
}

/* What the rows do not say. */
static void
print_notes(const struct report_query *q, const struct report *r, FILE *to)
{
	if (r->left_out > 0)
		fprintf(to, "\nand %" PRIu64 " records of further groups: only %d are shown\n",
		    r->left_out, REPORT_ROWS);
	if (r->wordless > 0)
		fprintf(to,
		    "\n%" PRIu64 " of the records %s without the word %s in log: a query for the "
		    "word does not find %s\n",
		    r->wordless, r->wordless == 1 ? "is" : "are", report_word(q),
		    r->wordless == 1 ? "it" : "them");
}

void
report_table_print(const struct report_query *q, const struct report *r, bool json, FILE *to)
{
	if (json) {
		print_json(q, r, to);
	} else {
		print_head(q, r, to);
		if (r->n == 0)
			fputs("none\n", to);
		else
			print_rows(q, r, to);
	}
	print_notes(q, r, json ? stderr : to);
}
