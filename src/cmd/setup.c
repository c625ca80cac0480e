/*
 * towline setup: what an administrator puts into Elasticsearch or OpenSearch, as
 * requests for the console of Kibana or Dashboards.  It sends nothing.
 *
 * The templates are those that an output puts by itself (src/ship/es_mapping.c); all
 * else are the files of conf/elasticsearch, which this file has inside.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "memory.h"
#include "ship.h"

static int setup_run(int argc, char **argv);

enum { OPT_PRINT, OPT_FOR };

static const struct cmd_option options[] = {
	{ 0, "print", "WHAT", "template, lifecycle, queries or dashboards" },
	{ 0, "for", "PRODUCT",
	    "elasticsearch-8 or -9, opensearch-2 or -3 (default: elasticsearch-8)" },
	{ 0 },
};

const struct command cmd_setup = {
	.name = "setup",
	.run = setup_run,
	.help = "Print what an administrator puts into Elasticsearch or OpenSearch.",
	.more = "template, lifecycle, queries: requests for the console of Kibana or Dashboards.\n"
		"dashboards: saved objects, to be imported there from a file.\n"
		"Nothing is sent.",
	.options = options,
};

/* ---- the files */

/* A file of conf/elasticsearch as NAME to NAME_end; the path is from the source's root. */
#define FILE_INSIDE(name, path)                                                                    \
	__asm__(".section .rodata\n" #name ": .incbin \"conf/elasticsearch/" path "\"\n" #name     \
		"_end: .byte 0\n.previous\n");                                                     \
	extern const char name[] __attribute__((visibility("hidden")));                            \
	extern const char name##_end[] __attribute__((visibility("hidden")))

FILE_INSIDE(setup_stream_es, "lifecycle/elasticsearch-data-stream.json");
FILE_INSIDE(setup_ilm, "lifecycle/elasticsearch-ilm-policy.json");
FILE_INSIDE(setup_stream_ilm, "lifecycle/elasticsearch-ilm-template.json");
FILE_INSIDE(setup_stream_os, "lifecycle/opensearch-data-stream.json");
FILE_INSIDE(setup_ism, "lifecycle/opensearch-ism-policy.json");
FILE_INSIDE(setup_errors, "queries/error_analysis.json");
FILE_INSIDE(setup_performance, "queries/performance_analysis.json");
FILE_INSIDE(setup_pipelines, "queries/by_pipeline.json");
FILE_INSIDE(setup_new, "queries/new_failures.json");
FILE_INSIDE(setup_slowest, "queries/slowest_tasks.json");
FILE_INSIDE(setup_rate, "queries/failure_rate.json");
FILE_INSIDE(setup_objects, "saved-objects.ndjson");

enum what { TEMPLATE, LIFECYCLE, QUERIES, DASHBOARDS, WHATS };

static const char *const whats[] = { "template", "lifecycle", "queries", "dashboards" };

enum product { ELASTICSEARCH = 1, OPENSEARCH = 2, BOTH = 3 };

#define TEXT(name) name, name##_end
#define INDEX "matillion-agent-logs"
#define SEARCH "GET matillion-*-logs*/_search"

static const struct row {
	enum what what;
	enum product product;
	const char *about; /* NULL: nothing is said, as it is no request */
	const char *request;
	const char *text, *end;
} rows[] = {
	{ LIFECYCLE, ELASTICSEARCH, "A data stream that deletes by itself, after 30 days.",
	    "PUT _index_template/matillion-logs", TEXT(setup_stream_es) },
	{ LIFECYCLE, ELASTICSEARCH, "Or by ILM: the policy ...", "PUT _ilm/policy/matillion-logs",
	    TEXT(setup_ilm) },
	{ LIFECYCLE, ELASTICSEARCH, "... and, instead of the first, a data stream that it governs.",
	    "PUT _index_template/matillion-logs", TEXT(setup_stream_ilm) },
	{ LIFECYCLE, OPENSEARCH, "A data stream.", "PUT _index_template/matillion-logs",
	    TEXT(setup_stream_os) },
	{ LIFECYCLE, OPENSEARCH, "The policy of its indices; it finds them by their names.",
	    "PUT _plugins/_ism/policies/matillion-logs", TEXT(setup_ism) },
	{ QUERIES, BOTH, "Errors of an hour by type, found by the word ERROR.", SEARCH,
	    TEXT(setup_errors) },
	{ QUERIES, BOTH, "Mean execution time of a day, found by the word TASK_COMPLETED.", SEARCH,
	    TEXT(setup_performance) },
	{ QUERIES, BOTH, "Tasks of a day by pipeline: how long, how many failed, of what.", SEARCH,
	    TEXT(setup_pipelines) },
	{ QUERIES, BOTH, "Failures new in the last hour come first: before.doc_count is 0.", SEARCH,
	    TEXT(setup_new) },
	{ QUERIES, BOTH, "The slowest tasks of a day.", SEARCH, TEXT(setup_slowest) },
	{ QUERIES, BOTH, "Failed tasks over time; the rate is failed.doc_count / doc_count.",
	    SEARCH, TEXT(setup_rate) },
	{ DASHBOARDS, BOTH, NULL, NULL, TEXT(setup_objects) },
};

/* ---- printing */

static void
print_rows(enum what what, enum product product)
{
	const char *between = "";

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		if (row->what != what || !(row->product & product))
			continue;
		if (row->about != NULL)
			printf("%s# %s\n%s\n", between, row->about, row->request);
		fwrite(row->text, 1, (size_t)(row->end - row->text), stdout);
		between = "\n";
	}
}

static void
print_template(const char *about, const char *request, const char *pattern, enum product product)
{
	struct buffer text;
	json_t *body;
	char *shown;

	buffer_init(&text, 0);
	ship_template(&text, pattern, product == OPENSEARCH);
	body = json_loadb(text.at, text.len, 0, NULL);
	shown = json_dumps(body, JSON_INDENT(2));
	printf("# %s\nPUT %s\n%s\n", about, request, shown);
	free(shown);
	json_decref(body);
	buffer_fini(&text);
}

static void
print_templates(enum product product)
{
	print_template("The mapping; a template of yours may include it (composed_of).",
	    "_component_template/" SHIP_COMPONENT, NULL, product);
	putchar('\n');
	print_template("What towline puts for an Index of this name where no template of yours is.",
	    "_index_template/towline-" INDEX, INDEX, product);
}

/* ---- the command line */

static int
what_read(const char *word)
{
	for (int what = 0; word != NULL && what < WHATS; what++) {
		if (strcmp(whats[what], word) == 0)
			return what;
	}
	return -1;
}

/* The product that `word` names, with one of its versions that are tried; 0: there is none. */
static enum product
product_read(const char *word)
{
	static const struct {
		const char *name;
		enum product product;
	} known[] = {
		{ "elasticsearch-8", ELASTICSEARCH },
		{ "elasticsearch-9", ELASTICSEARCH },
		{ "opensearch-2", OPENSEARCH },
		{ "opensearch-3", OPENSEARCH },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t len = strlen(known[i].name);

		if (strncmp(word, known[i].name, len) == 0 &&
		    (word[len] == '\0' || word[len] == '.'))
			return known[i].product;
	}
	return 0;
}

static int
wrong(const char *what, const char *word)
{
	if (word != NULL)
		cmd_wrong("towline setup: %s '%s'", what, word);
	else
		cmd_wrong("towline setup: --print WHAT is needed");
	fputc('\n', stderr);
	cmd_usage(&cmd_setup, stderr);
	return EXIT_USAGE;
}

static int
setup_run(int argc, char **argv)
{
	const char *values[CMD_OPTIONS];
	const char *named;
	enum product product;
	int what;

	if (cmd_options(&cmd_setup, argc, argv, values) < 0)
		return EXIT_USAGE;
	named = values[OPT_FOR] != NULL ? values[OPT_FOR] : "elasticsearch-8";
	what = what_read(values[OPT_PRINT]);
	product = product_read(named);
	if (what < 0)
		return wrong("--print takes template, lifecycle, queries or dashboards, not",
		    values[OPT_PRINT]);
	if (product == 0)
		return wrong("--for takes elasticsearch-8, elasticsearch-9, opensearch-2 or "
			     "opensearch-3, not",
		    named);
	if (what == TEMPLATE)
		print_templates(product);
	else
		print_rows((enum what)what, product);
	return EXIT_DONE;
}
