/* Every plugin of this program, and the plugins of Fluent Bit that it does not have yet. */
#include "plugins.h"

#include "filter.h"
#include "service.h"
#include "ship.h"
#include "tail.h"

/* Plugins of Fluent Bit that are not built yet. */
#define LATER(section, what, text)                                                                 \
	&(const struct plugin)                                                                     \
	{                                                                                          \
		.kind = section, .name = what, .help = text, .later = true                         \
	}

static const struct plugin *const plugins[] = {
	&service_plugin,
	&tail_plugin,
	LATER(SECTION_INPUT, "dummy", "records that are made up"),
	LATER(SECTION_INPUT, "stdin", "lines of standard input"),
	&kubernetes_filter_plugin,
	&parser_filter_plugin,
	LATER(SECTION_FILTER, "grep", "keep or drop records by a field"),
	LATER(SECTION_FILTER, "modify", "set, rename, remove fields"),
	LATER(SECTION_FILTER, "record_modifier", "add and remove fields"),
	LATER(SECTION_FILTER, "nest", "put fields under one, or lift them out"),
	LATER(SECTION_FILTER, "multiline", "join lines by rules"),
	LATER(SECTION_FILTER, "throttle", "drop records above a rate"),
	LATER(SECTION_FILTER, "rewrite_tag", "give records another tag"),
	LATER(SECTION_FILTER, "log_to_metrics", "count records as metrics"),
	&es_plugin,
	&opensearch_plugin,
	&sqlite_plugin,
	&stdout_plugin,
	&null_plugin,
	LATER(SECTION_OUTPUT, "http", "post records to a server"),
	LATER(SECTION_OUTPUT, "file", "write records to files"),
	LATER(SECTION_OUTPUT, "prometheus_exporter", "serve metrics"),
	&parser_section_plugin,
	LATER(SECTION_MULTILINE_PARSER, NULL, "rules that join lines"),
	NULL,
};

const struct registry plugins_registry = { plugins };
