/* Reports: words as an analyzer cuts them, rows from a database, tables and JSON to the letter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "../../src/cmd/report.h"
#include "clock.h"
#include "service.h"

/* What OpenSearch 2.19 and Elasticsearch 8.19 answer to _analyze. */
static const struct {
	const char *text;
	bool has;
} words[] = {
	{ "ERROR", true },
	{ "error x", true },
	{ "[ERROR]", true },
	{ "level=ERROR", true },
	{ "2026-11-22 08:00:00.123 ERROR [main]", true },
	{ "ERROR: foo", true },
	{ "ERROR-x", true },
	{ "ERROR/.x", true },
	{ "a;ERROR", true },
	{ "9.ERROR", true },
	{ "ERROR,9", true },
	{ "x_.ERROR", true },
	{ "a:.ERROR", true },
	{ "'ERROR'", true },
	{ "\xe2\x80\x9c"
	  "ERROR\xe2\x80\x9d",
	    true }, /* quotes */
	{ "\xe6\x97\xa5"
	  "ERROR",
	    true }, /* an ideograph */
	{ "\xf0\x9f\x98\x80"
	  "ERROR",
	    true },
	{ "\xff"
	  "ERROR\xc3",
	    true },
	{ "", false },
	{ "ERRO", false },
	{ "ERRORS", false },
	{ "ERROR9", false },
	{ "9ERROR", false },
	{ "_ERROR", false },
	{ "ERROR_x", false },
	{ "java.lang.ERROR", false },
	{ "x.ERROR ", false },
	{ "ERROR:foo", false },
	{ "ERROR's", false },
	{ "\xc3\xa9"
	  "ERROR",
	    false },
	{ "ERROR\xc3\xa9", false },
	{ "ERROR\xcc\x81", false }, /* a combining accent */
	{ "a\xe2\x80\x8c"
	  "ERROR",
	    false }, /* a joiner without width */
	{ "a\xe2\x80\x99"
	  "ERROR",
	    false }, /* an apostrophe */
	{ "\xed\x95\x9c"
	  "ERROR",
	    false }, /* Hangul */
	{ "NOERROR, but an ERROR", true },
};

static void
test_words_are_those_of_the_standard_analyzer(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct slice text = slice_of(words[i].text);

		if (report_word_in(text, SLICE("ERROR")) != words[i].has)
			fail_msg("%s", words[i].text);
		for (size_t cut = 0; cut < text.len; cut++) {
			char *exact = malloc(cut + 1);

			memcpy(exact, text.at, cut);
			exact = realloc(exact, cut ? cut : 1);
			report_word_in((struct slice){ exact, cut }, SLICE("ERROR"));
			free(exact);
		}
	}
}

static void
test_of_records_at_one_time_every_output_shows_the_same(void **state)
{
	(void)state;
	assert_true(report_table_newer("2", "a", "1", "b"));
	assert_false(report_table_newer("1", "b", "2", "a"));
	assert_true(report_table_newer("1", "b", "1", "a"));
	assert_false(report_table_newer("1", "a", "1", "a"));
	assert_true(report_table_newer(NULL, "b", NULL, "a"));
	assert_true(report_table_newer(NULL, "a", NULL, NULL));
}

static void
test_ranks(void **state)
{
	static const struct {
		uint64_t n;
		unsigned percent;
		uint64_t rank;
	} cases[] = { { 1, 50, 1 }, { 2, 50, 1 }, { 3, 50, 2 }, { 100, 95, 95 }, { 101, 95, 96 },
		{ 12, 95, 12 }, { 10, 99, 10 }, { 10, 100, 10 } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(report_rank(cases[i].n, cases[i].percent), cases[i].rank);
}

/* ---- a database such as the sqlite output makes, as far as reports look at it */

struct values {
	char *path;
};

static const struct option output_table[] = {
	{ .name = "Path", .type = OPT_STRING, .where = offsetof(struct values, path) },
	{ 0 },
};

static const struct plugin plugin = {
	.kind = SECTION_OUTPUT, .name = "sqlite", .options = output_table
};

static char path[] = "/tmp/test_report.XXXXXX";
static struct values values = { path };
static const struct section output = { .plugin = &plugin, .values = &values };

#define ERROR_AT(time, type, pod, text)                                                            \
	"{\"@timestamp\":\"2026-11-22T08:" time "Z\",\"log\":\"" text                              \
	"\",\"kubernetes\":{\"pod_name\":\"" pod "\"},\"log_parsed\":{\"error_type\":\"" type      \
	"\"}}"
#define TASK_AT(time, event, pipeline, took)                                                       \
	"{\"@timestamp\":\"2026-11-22T08:" time "Z\",\"log\":\"[" event                            \
	"] done\",\"log_parsed\":{\"event\":\"" event "\",\"pipeline\":\"" pipeline                \
	"\",\"execution_time\":" took "}}"
#define AT_0830 "{\"@timestamp\":\"2026-11-22T08:30:00.000Z\","
#define OF_POD(pod, container)                                                                     \
	",\"kubernetes\":{\"pod_name\":\"" pod "\",\"container_name\":\"" container "\"}}"

static const char *const documents[] = {
	ERROR_AT("00:00.001", "IO", "agent-a", "too ERROR old"),
	ERROR_AT("30:00.000", "IO", "agent-a", "an ERROR \\u001b[31mred"),
	ERROR_AT("31:00.123456789", "IO", "agent-b", "ERROR last\\nsecond line"),
	ERROR_AT("30:30.5", "SQL", "agent-a", "ERROR \xc3\xbc"),
	ERROR_AT("30:30.4", "SQL", "agent-a", "FATAL without the word"),
	ERROR_AT("30:30.5", "SQL", "a-script", "ERROR of a pod that is no agent"),
	AT_0830 "\"log\":\"INFO the word ERROR alone\"}",
	TASK_AT("30:00.000", "TASK_COMPLETED", "load", "12.5"),
	TASK_AT("30:00.000", "TASK_COMPLETED", "load", "3.0"),
	TASK_AT("30:00.000", "job's \\\"end\\\"", "load", "0.125"),
	TASK_AT("30:00.000", "TASK_COMPLETED", "dump", "100"),
	TASK_AT("30:00.000", "TASK_STARTED", "TASK_COMPLETED", "1"),
	AT_0830 "\"log\":\"TASK_COMPLETED without a time\",\"log_parsed\":{\"event\":"
		"\"TASK_COMPLETED\"}}",
	AT_0830 "\"log\":\"the word TASK_COMPLETED alone\"}",
	AT_0830
	"\"log\":\"x\",\"log_parsed\":{\"event\":\"TASK_COMPLETED\"}" OF_POD("agent-a", "exporter"),
	AT_0830 "\"log\":\"x\",\"log_parsed\":{\"event\":\"TASK_COMPLETED\"}" OF_POD(
	    "agent-script", "main"),
};

static int
database_make(void **state)
{
	int fd = mkstemp(path);
	sqlite3 *db;

	(void)state;
	if (fd < 0 || sqlite3_open(path, &db) != SQLITE_OK)
		return -1;
	close(fd);
	sqlite3_exec(db, "CREATE TABLE logs(id TEXT PRIMARY KEY, time INTEGER, doc TEXT)", 0, 0, 0);
	for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
		char *sql =
		    sqlite3_mprintf("INSERT INTO logs VALUES(%d, 0, %Q)", (int)i, documents[i]);

		if (sqlite3_exec(db, sql, 0, 0, 0) != SQLITE_OK)
			return -1;
		sqlite3_free(sql);
	}
	sqlite3_close(db);
	return 0;
}

static int
database_remove(void **state)
{
	(void)state;
	return unlink(path);
}

static char *scripts[] = { (char[]){ "*-script" } }, *exporters[] = { (char[]){ "exporter" } };
static const struct service service = { .agent_exclude_pods = { .at = scripts, .n = 1 },
	.agent_exclude_containers = { .at = exporters, .n = 1 } };
static char tasks[] = "[\"TASK_COMPLETED\",\"job's \\\"end\\\"\"]";

/* What the report prints, without the line that names the file. */
static char *
printed(enum report_kind kind, enum report_by by, bool json)
{
	struct report_query q = { .kind = kind,
		.by = by,
		.since = "1h",
		.service = &service,
		.tasks = tasks,
		.from = INT64_C(1795334400) * NS_PER_S + 600 * NS_PER_S }; /* 08:10 */
	struct report report = { 0 };
	char *text = NULL, *rest;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	assert_int_equal(report_sqlite(&q, &output, &report), 0);
	report_table_sort(&report);
	report_table_print(&q, &report, json, to);
	fclose(to);
	report_table_free(&report);
	if (!json) {
		rest = strchr(text, '\n');
		assert_non_null(rest);
		memmove(text, rest + 1, strlen(rest));
	}
	return text;
}

static void
test_error_table(void **state)
{
	char *text = printed(REPORT_ERRORS, BY_ERROR_TYPE, false);

	(void)state;
	assert_string_equal(text,
	    "matched: level ERROR or above, or TASK_FAILED, @timestamp >= now-1h; not by "
	    "kubernetes.labels.app: no record there has labels\n"
	    "\n"
	    "error_type  count  first_seen                last_seen                 sample\n"
	    "IO              2  2026-11-22T08:30:00.000Z  2026-11-22T08:31:00.123Z  ERROR last\n"
	    "SQL             2  2026-11-22T08:30:30.400Z  2026-11-22T08:30:30.500Z  ERROR \xc3\xbc\n"
	    "\n"
	    "1 of the records is without the word ERROR in log: a query for the word does not find "
	    "it\n");
	free(text);
	text = printed(REPORT_ERRORS, BY_POD, false);
	assert_non_null(strstr(text, "\npod      count  first_seen "));
	assert_non_null(strstr(text,
	    "\nagent-a      3  2026-11-22T08:30:00.000Z  2026-11-22T08:30:30.500Z  ERROR \xc3\xbc\n"));
	assert_non_null(strstr(text, "\nagent-b      1  "));
	free(text);
}

static void
test_performance_table(void **state)
{
	char *text = printed(REPORT_PERFORMANCE, BY_NOTHING, false);

	(void)state;
	assert_non_null(strstr(text, "\ntasks    mean    p50      p95      p99      max\n"
				     "    5  28.906  3.000  100.000  100.000  100.000\n"));
	free(text);
	text = printed(REPORT_PERFORMANCE, BY_PIPELINE, false);
	assert_non_null(
	    strstr(text, "\npipeline  tasks     mean      p50      p95      p99      max\n"
			 "load          3    5.208    3.000   12.500   12.500   12.500\n"
			 "-             1        -        -        -        -        -\n"
			 "dump          1  100.000  100.000  100.000  100.000  100.000\n"
			 "\n"
			 "1 of the records is without the word TASK_COMPLETED in log: "));
	free(text);
}

static void
test_json_is_an_array_of_objects_named_as_the_columns(void **state)
{
	char *text = printed(REPORT_ERRORS, BY_PIPELINE, true);

	(void)state;
	assert_string_equal(text, "[\n"
				  "  {\n"
				  "    \"pipeline\": \"-\",\n"
				  "    \"count\": 4,\n"
				  "    \"first_seen\": \"2026-11-22T08:30:00.000Z\",\n"
				  "    \"last_seen\": \"2026-11-22T08:31:00.123Z\",\n"
				  "    \"sample\": \"ERROR last\"\n"
				  "  }\n"
				  "]\n");
	free(text);
	text = printed(REPORT_PERFORMANCE, BY_NOTHING, true);
	assert_string_equal(text, "[\n"
				  "  {\n"
				  "    \"tasks\": 5,\n"
				  "    \"mean\": 28.90625,\n"
				  "    \"p50\": 3.0,\n"
				  "    \"p95\": 100.0,\n"
				  "    \"p99\": 100.0,\n"
				  "    \"max\": 100.0\n"
				  "  }\n"
				  "]\n");
	free(text);
}

static void
test_a_table_commands_no_terminal(void **state)
{
	const struct report_query q = { .kind = REPORT_ERRORS, .by = BY_ERROR_TYPE, .since = "1h" };
	struct report r = { .source = xstrdup("x"), .labelled = true };
	struct report_row *row = report_table_add(&r);
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	(void)state;
	row->group = xstrdup("\x1b[2J\xc2\x9b");
	row->count = 1;
	row->sample = report_table_sample(SLICE("a\tb\x7f\nc"));
	report_table_print(&q, &r, false, to);
	fclose(to);
	assert_non_null(strstr(text, "\n\\x1b[2J\\xc2\\x9b  "));
	assert_non_null(strstr(text, "  a\\x09b\\x7f\n"));
	assert_non_null(strstr(text,
	    ", kubernetes.labels.app is matillion-agent[-…] or matillion-runner[-…], or missing\n"));
	free(text);
	report_table_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_are_those_of_the_standard_analyzer),
		cmocka_unit_test(test_of_records_at_one_time_every_output_shows_the_same),
		cmocka_unit_test(test_ranks),
		cmocka_unit_test(test_error_table),
		cmocka_unit_test(test_performance_table),
		cmocka_unit_test(test_json_is_an_array_of_objects_named_as_the_columns),
		cmocka_unit_test(test_a_table_commands_no_terminal),
	};

	return cmocka_run_group_tests(tests, database_make, database_remove);
}
