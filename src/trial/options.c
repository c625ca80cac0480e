/* [INPUT] dummy and stdin: their options. */
#include "json.h"
#include "model.h"

#define FIXED "the time is that of the record's making"

#define AT(member) offsetof(struct dummy_conf, member)
static const struct option dummy_options[] = {
	OPTION("Dummy", OPT_STRING, "{\"message\":\"dummy\"}", AT(text),
	    "the record, a JSON object", .flags = OPT_TEXT),
	OPTION("Rate", OPT_INT, "1", AT(rate), "records a second", .min = 1, .max = 100000),
	OPTION("Copies", OPT_INT, "1", AT(copies), "of each record", .min = 1, .max = 10000),
	OPTION("Samples", OPT_INT, "0", AT(samples), "records in all; 0: no end"),
	OPTION_IDLE("Interval_Sec", "Rate says it"),
	OPTION_IDLE("Interval_Nsec", "Rate says it"),
	OPTION_IDLE("Metadata", "a record has no metadata"),
	OPTION_IDLE("Start_Time_Sec", FIXED),
	OPTION_IDLE("Start_Time_Nsec", FIXED),
	OPTION_IDLE("Fixed_Timestamp", FIXED),
	OPTION_IDLE("Flush_On_Startup", "the first record comes at once"),
	OPTIONS_END,
};
#undef AT

static void
dummy_check(const struct section *section, struct findings *findings)
{
	const struct dummy_conf *conf = section->values;
	enum json_kind kind;

	if (conf->text != NULL &&
	    (json_check(slice_of(conf->text), &kind) != PARSE_OK || kind != JSON_OBJECT))
		findings_add(findings, FINDING_ERROR, section->file, conf_given(section, "Dummy"),
		    "Dummy is not a JSON object");
}

const struct plugin trial_dummy_plugin = {
	.kind = SECTION_INPUT,
	.name = "dummy",
	.help = "make records up, for tests",
	.options = dummy_options,
	.common = tail_input_options,
	.size = sizeof(struct dummy_conf),
	.check = dummy_check,
};

#define AT(member) offsetof(struct stdin_conf, member)
static const struct option stdin_options[] = {
	OPTION("Parser", OPT_STRING, NULL, AT(parser),
	    "takes each line apart (default: a JSON object is taken apart, any other line is text)"),
	OPTION("Buffer_Max_Size", OPT_SIZE, "1M", AT(most), "the most of a line that is kept",
	    .min = 1024, .max = 16 * 1000 * 1000),
	OPTION_IDLE("Buffer_Size", "Buffer_Max_Size bounds a line"),
	OPTIONS_END,
};

const struct plugin trial_stdin_plugin = {
	.kind = SECTION_INPUT,
	.name = "stdin",
	.help =
	    "read lines of standard input, for trials; towline ends with it when it is the only input",
	.options = stdin_options,
	.common = tail_input_options,
	.size = sizeof(struct stdin_conf),
};

void
trial_check(const struct conf *conf, struct findings *findings)
{
	const struct section *first = NULL;

	for (size_t i = 0; i < conf->n; i++) {
		const struct section *s = &conf->sections[i];

		if (s->plugin != &trial_stdin_plugin)
			continue;
		if (first != NULL)
			findings_add(findings, FINDING_ERROR, s->file, s->line,
			    "[INPUT] stdin stands at %s:%u, too: standard input has one reader",
			    first->file, first->line);
		first = s;
	}
}

/* A buffer doubles, and takes one read more than a line. */
uint64_t
trial_limit(const struct conf *conf)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < conf->n; i++) {
		const struct stdin_conf *lines = conf->sections[i].values;

		if (conf->sections[i].plugin == &trial_stdin_plugin)
			sum += 2 * (lines->most + TRIAL_READ);
	}
	return sum;
}
