/* A configuration of a few lines, tried in a directory of its own. */
#ifndef CONF_TRY_H
#define CONF_TRY_H

#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf.h"
#include "service.h"

static char try_dir[64];

static inline void
try_begin(void)
{
	snprintf(try_dir, sizeof(try_dir), "/tmp/towline-conf-XXXXXX");
	if (mkdtemp(try_dir) == NULL || chdir(try_dir) != 0)
		abort();
}

static inline void
try_write(const char *name, const char *text, size_t len)
{
	FILE *f = fopen(name, "wb");

	if (f == NULL || fwrite(text, 1, len, f) != len || fclose(f) != 0)
		abort();
}

static inline void
try_file(const char *name, const char *text)
{
	try_write(name, text, strlen(text));
}

static inline void
try_end(const char *const *names)
{
	for (; *names != NULL; names++)
		unlink(*names);
	if (chdir("/") != 0 || rmdir(try_dir) != 0)
		abort();
}

/* cmocka's setup and teardown of tests that write the file f alone. */
static inline int
try_setup(void **state)
{
	(void)state;
	try_begin();
	return 0;
}

static inline int
try_teardown(void **state)
{
	static const char *const names[] = { "f", NULL };

	(void)state;
	try_end(names);
	return 0;
}

/* What findings_print says; the caller frees. */
static inline char *
try_findings(const struct findings *f)
{
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	findings_print(f, FINDING_NOTE, to);
	fclose(to);
	return text;
}

/* ---- plugins as small as the tests need them */

struct try_input {
	char *tag;
	struct list path, exclude_path;
	char *parser;
	bool flag;
	int64_t number, time;
	uint64_t size;
	struct list rule, multiline;
};

static const struct option try_input_options[] = {
	OPTION(
	    "Path", OPT_LIST, NULL, offsetof(struct try_input, path), "files", .flags = OPT_NEEDED),
	OPTION("Exclude_Path", OPT_LIST, NULL, offsetof(struct try_input, exclude_path), "files"),
	OPTION("Parser", OPT_STRING, NULL, offsetof(struct try_input, parser), "parser"),
	OPTION("Flag", OPT_BOOL, "on", offsetof(struct try_input, flag), "a flag"),
	OPTION("Number", OPT_INT, "7", offsetof(struct try_input, number), "a number", .min = 1,
	    .max = 100),
	OPTION("Time", OPT_TIME, "60", offsetof(struct try_input, time), "a time"),
	OPTION("Size", OPT_SIZE, "32K", offsetof(struct try_input, size), "a size"),
	OPTION("Rule", OPT_LINES, NULL, offsetof(struct try_input, rule), "rules"),
	OPTION("multiline.parser", OPT_LIST, NULL, offsetof(struct try_input, multiline), "joins"),
	OPTION_LATER("DB.Sync", "how the state is written"),
	OPTIONS_END,
};

static const struct option try_input_common[] = {
	OPTION("Tag", OPT_STRING, NULL, offsetof(struct try_input, tag), "tag"),
	OPTION_IDLE("Mem_Buf_Limit", "memory is bounded anyway"),
	OPTIONS_END,
};

struct try_output {
	char *match, *match_regex;
	char *passwd;
	int64_t port, retry;
	int compress;
};

static const char *const try_compress[] = { "off", "gzip", NULL };
static const char *const try_retry[] = { "no_limits", "no_retries", NULL };

static const struct option try_output_options[] = {
	OPTION("Match", OPT_STRING, NULL, offsetof(struct try_output, match), "tags"),
	OPTION("Match_Regex", OPT_STRING, NULL, offsetof(struct try_output, match_regex), "tags"),
	OPTION("HTTP_Passwd", OPT_STRING, NULL, offsetof(struct try_output, passwd), "secret",
	    .flags = OPT_SECRET),
	OPTION("Port", OPT_INT, "9200", offsetof(struct try_output, port), "port", .min = 1,
	    .max = 65535, .flags = OPT_SECRET),
	OPTION("Retry_Limit", OPT_INT, "no_limits", offsetof(struct try_output, retry), "retries",
	    .choices = try_retry),
	OPTION("Compress", OPT_ENUM, "off", offsetof(struct try_output, compress), "gzip",
	    .choices = try_compress),
	OPTION_IDLE("net.*", "connections are kept"),
	OPTIONS_END,
};

struct try_filter {
	char *match, *match_regex, *url;
};

static const struct option try_filter_options[] = {
	OPTION("Match", OPT_STRING, NULL, offsetof(struct try_filter, match), "tags"),
	OPTION("Match_Regex", OPT_STRING, NULL, offsetof(struct try_filter, match_regex), "tags"),
	OPTION("Kube_URL", OPT_STRING, NULL, offsetof(struct try_filter, url), "server"),
	OPTIONS_END,
};

static const struct plugin try_input_plugin = {
	.kind = SECTION_INPUT,
	.name = "tail",
	.help = "files",
	.options = try_input_options,
	.common = try_input_common,
	.size = sizeof(struct try_input),
};
static const struct plugin try_filter_plugin = {
	.kind = SECTION_FILTER,
	.name = "kubernetes",
	.help = "pods",
	.options = try_filter_options,
	.size = sizeof(struct try_filter),
};
static const struct plugin try_later_plugin = {
	.kind = SECTION_FILTER,
	.name = "grep",
	.help = "keep or drop",
	.later = true,
	.instead = "Match chooses",
};
static const struct plugin try_cpu_plugin = {
	.kind = SECTION_INPUT,
	.name = "cpu",
	.later = true,
	.spared = true,
	.instead = "an exporter measures",
};
static const struct plugin try_http_plugin = {
	.kind = SECTION_INPUT,
	.name = "http",
	.later = true,
};
static const struct plugin try_expect_plugin = {
	.kind = SECTION_FILTER,
	.name = "expect",
	.later = true,
	.spared = true,
};
static const struct plugin try_loki_plugin = {
	.kind = SECTION_OUTPUT,
	.name = "loki",
	.later = true,
	.instead = "es is",
};
static const struct plugin try_output_plugin = {
	.kind = SECTION_OUTPUT,
	.name = "es",
	.also = "elastic",
	.help = "server",
	.options = try_output_options,
	.size = sizeof(struct try_output),
};
static const struct plugin *const try_plugins[] = { &service_plugin, &try_input_plugin,
	&try_filter_plugin, &try_later_plugin, &try_output_plugin, &parser_section_plugin,
	&multiline_section_plugin, &try_cpu_plugin, &try_http_plugin, &try_expect_plugin,
	&try_loki_plugin, NULL };
static const struct registry try_registry = { .plugins = try_plugins };

#endif
