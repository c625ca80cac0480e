/*
 * [FILTER] multiline: its options.  Its rules hold for the inputs whose tags it
 * matches, where bytes are cut into records (joins.h), so that a record keeps its id,
 * and no record waits in memory.  No record passes through it.
 */
#include <stddef.h>

#include "filter.h"

static const char *const modes[] = { "parser", "partial_message", NULL };
static const char no_copy[] = "tail joins the lines: no record is written a second time";

#define AT(member) offsetof(struct multiline_filter_conf, member)

static const struct option multiline_filter_options[] = {
	OPTION("multiline.parser", OPT_LIST, NULL, AT(parsers),
	    "[MULTILINE_PARSER]s, tried in order, behind those of the input; cri, docker, java, go, python, ruby: these join in any case"),
	OPTION("mode", OPT_ENUM, "parser", AT(mode),
	    "partial_message: parts of a line, which tail joins in any case", .choices = modes),
	OPTION("flush_ms", OPT_INT, NULL, AT(flush),
	    "an open record ends when nothing follows for so many milliseconds (default: Flush_ms of the input)",
	    .min = 10, .max = 3600000),
	OPTION_IDLE("multiline.key_content", "the lines' text is joined"),
	OPTION_IDLE("buffer", no_copy),
	OPTION_IDLE("debug_flush", no_copy),
	OPTION_IDLE("emitter_name", no_copy),
	OPTION_IDLE("emitter_storage.type", no_copy),
	OPTION_IDLE("emitter_mem_buf_limit", no_copy),
	OPTIONS_END,
};

static void
multiline_filter_check(const struct section *section, struct findings *findings)
{
	const struct multiline_filter_conf *m = section->values;

	if (m->mode == 0 && m->parsers.n == 0)
		findings_add(findings, FINDING_ERROR, section->file, section->line,
		    "[FILTER] multiline has no multiline.parser");
}

const struct plugin multiline_filter_plugin = {
	.kind = SECTION_FILTER,
	.name = "multiline",
	.help = "join lines by rules of one's own, where tail cuts records",
	.options = multiline_filter_options,
	.common = filter_options,
	.size = sizeof(struct multiline_filter_conf),
	.check = multiline_filter_check,
};
