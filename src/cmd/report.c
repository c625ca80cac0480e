/* towline report: the two aggregations of the reference document, from the configuration's output. */
#include "report.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "agent_conf.h"
#include "clock.h"
#include "cmd.h"
#include "service.h"

static int report_run(int argc, char **argv);

enum { OPT_C, OPT_SINCE, OPT_BY, OPT_JSON };

static const struct cmd_option options[] = {
	{ 'c', "config", "FILE", "the configuration (default: " CMD_CONF_DEFAULT ")" },
	{ 0, "since", "TIME", "how far back: 30m, 1h, 7d (default: errors 1h, performance 24h)" },
	{ 0, "by", "WHAT", "a row for each error_type, pipeline or pod" },
	{ 0, "json", NULL, "an array of objects, named as the table's columns" },
	{ 0 },
};

const struct command cmd_report = {
	.name = "report",
	.run = report_run,
	.operands = "errors|performance",
	.help = "Which errors there were, or how long tasks took: asked of the output.",
	.more =
	    "errors: agents' records of level ERROR or above, and of TASK_FAILED, by error_type.\n"
	    "performance: agents' records of TASK_COMPLETED, and their execution_time.\n"
	    "Where fewer of them have the word ERROR or TASK_COMPLETED, it says how many.\n"
	    "The first output of es, opensearch or sqlite answers.",
	.options = options,
};

static const char *const by_names[] = { NULL, "error_type", "pipeline", "pod" };

/* ---- the configuration */

typedef int report_from(
    const struct report_query *q, const struct section *output, struct report *out);

static const struct {
	const char *plugin;
	report_from *from;
} sources[] = {
	{ "es", report_es },
	{ "opensearch", report_es },
	{ "sqlite", report_sqlite },
};

static report_from *
source_of(const struct section *section)
{
	if (section->plugin->kind != SECTION_OUTPUT)
		return NULL;
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (strcmp(sources[i].plugin, section->plugin->name) == 0)
			return sources[i].from;
	}
	return NULL;
}

static int
ask(const struct report_query *q, const struct conf *conf, struct report *out)
{
	for (size_t i = 0; i < conf->n; i++) {
		report_from *from = source_of(&conf->sections[i]);

		if (from != NULL)
			return from(q, &conf->sections[i], out);
	}
	cmd_wrong("towline report: %s has no output that can be asked: es, opensearch or sqlite",
	    conf->file);
	return -1;
}

/* The words that the metrics count as TASK_COMPLETED, as a JSON array. */
static char *
tasks_of(const struct conf *conf)
{
	struct findings *findings = findings_new();
	struct agent_words *words = agent_conf_load(service_of(conf), conf->file, findings);
	json_t *array = json_array();
	struct slice word;
	size_t at = 0;
	char *text;

	while ((word = agent_words_next(words, EVENT_TASK_COMPLETED, &at)).len > 0) {
		json_array_append_new(array, json_stringn(word.at, word.len));
		/* a document shows two words as the event that they mean */
		if (memchr(word.at, ' ', word.len) != NULL)
			json_array_append_new(array, json_string("TASK_COMPLETED"));
	}
	text = json_dumps(array, JSON_COMPACT);
	json_decref(array);
	agent_words_free(words);
	findings_free(findings);
	return text;
}

/* ---- the command line */

/* 90s, 30m, 1h, 7d, 2w: seconds, or -1. */
static int64_t
since_read(const char *text)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };
	char *end;
	long n = strtol(text, &end, 10);

	if (text[0] < '0' || text[0] > '9' || n <= 0 || n > 100000 || end[0] == '\0' ||
	    end[1] != '\0')
		return -1;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (units[i].unit == end[0])
			return n * units[i].seconds;
	}
	return -1;
}

static int
wrong(const char *what, const char *word)
{
	cmd_wrong("towline report: %s '%s'", what, word);
	fputc('\n', stderr);
	cmd_usage(&cmd_report, stderr);
	return -1;
}

static int
by_read(const char *word, struct report_query *q)
{
	q->by = q->kind == REPORT_ERRORS ? BY_ERROR_TYPE : BY_NOTHING;
	if (word == NULL)
		return 0;
	for (int by = BY_ERROR_TYPE; by <= BY_POD; by++) {
		if (strcmp(by_names[by], word) == 0)
			q->by = (enum report_by)by;
	}
	if (q->by == BY_NOTHING || strcmp(by_names[q->by], word) != 0)
		return wrong("--by is error_type, pipeline or pod, not", word);
	if (q->kind == REPORT_PERFORMANCE && q->by == BY_ERROR_TYPE)
		return wrong("a completed task has no", word);
	return 0;
}

/* Fill `q` from the command line; -1 after saying its mistake. */
static int
query_read(int argc, char **argv, const char *values[], int first, struct report_query *q)
{
	int64_t seconds;

	if (first >= argc)
		return wrong("which report:", "errors or performance");
	if (first + 1 < argc)
		return wrong("unexpected:", argv[first + 1]);
	if (strcmp(argv[first], "errors") == 0)
		q->kind = REPORT_ERRORS;
	else if (strcmp(argv[first], "performance") == 0)
		q->kind = REPORT_PERFORMANCE;
	else
		return wrong("no such report:", argv[first]);
	q->since = values[OPT_SINCE];
	if (q->since == NULL)
		q->since = q->kind == REPORT_ERRORS ? "1h" : "24h";
	seconds = since_read(q->since);
	if (seconds < 0)
		return wrong("--since is a number and s, m, h, d or w, not", q->since);
	q->from = clock_wall() - seconds * NS_PER_S;
	return by_read(values[OPT_BY], q);
}

static int
report_run(int argc, char **argv)
{
	const char *values[CMD_OPTIONS];
	struct report_query q = { 0 };
	struct report report = { 0 };
	struct conf *conf;
	int first, code = EXIT_WRONG;

	first = cmd_options(&cmd_report, argc, argv, values);
	if (first < 0 || query_read(argc, argv, values, first, &q) < 0)
		return EXIT_USAGE;
	conf = cmd_conf(values[OPT_C] != NULL ? values[OPT_C] : CMD_CONF_DEFAULT, FINDING_WARNING);
	if (conf == NULL)
		return EXIT_WRONG;
	q.service = service_of(conf);
	q.tasks = tasks_of(conf);
	q.key = report_key_of(conf);
	if (ask(&q, conf, &report) == 0) {
		report_table_sort(&report);
		report_table_print(&q, &report, values[OPT_JSON] != NULL, stdout);
		code = EXIT_DONE;
	}
	report_table_free(&report);
	free(q.tasks);
	conf_free(conf);
	return code;
}
