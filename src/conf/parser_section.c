/* [PARSER]: its options, and the parser that they describe. */
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

#include "memory.h"
#include "read.h"
#include "service.h"
#include "timestamp.h"
#include "zones.h"

/* In the order of enum parser_format. */
static const char *const formats[] = { "regex", "json", "cri", "logfmt", "ltsv", "tskv", NULL };

#define TYPES_MAX 64

#define AT(member) offsetof(struct parser_conf, member)

static const struct option parser_options[] = {
	OPTION("Name", OPT_STRING, NULL, AT(name), "what inputs and filters call it",
	    .flags = OPT_NEEDED),
	OPTION("Format", OPT_ENUM, NULL, AT(format), "what it reads", .flags = OPT_NEEDED,
	    .choices = formats),
	OPTION("Regex", OPT_STRING, NULL, AT(regex),
	    "for Format regex, in Ruby's syntax: (?<name>…)", .flags = OPT_TEXT),
	OPTION("Time_Key", OPT_STRING, "time", AT(time_key), "the field that is the record's time"),
	OPTION("Time_Format", OPT_STRING, NULL, AT(time_format),
	    "as strptime's, %L a fraction, %z a zone, by its offset or its name where that means one (not IST, BST, AST); behind seconds at its end a fraction, and +hhmm, are read in any case; without it: RFC 3339",
	    .flags = OPT_TEXT),
	OPTION("Time_Offset", OPT_STRING, NULL, AT(time_offset),
	    "+hhmm, where the text names no zone"),
	OPTION("Time_Zone", OPT_STRING, NULL, AT(time_zone),
	    "a zone of tzdata (Europe/Vienna), where the text names none: it counts before Time_System_Timezone and Time_Offset; an hour that comes twice is the first one, a time that is skipped is as if the clock had not been put forward"),
	OPTION("Time_System_Timezone", OPT_BOOL, "off", AT(time_system_timezone),
	    "the machine's zone, of TZ or /etc/localtime, where the text names none: it counts before Time_Offset"),
	OPTION("Time_Keep", OPT_BOOL, "off", AT(time_keep),
	    "keep the time's field as well; one that is not the record's time stays in any case"),
	OPTION("Skip_Empty_Values", OPT_BOOL, "on", AT(skip_empty_values),
	    "leave out empty fields of Format regex"),
	OPTION("Logfmt_No_Bare_Keys", OPT_BOOL, "off", AT(no_bare_keys),
	    "a line with a key that has no = is no logfmt"),
	OPTION("Types", OPT_STRING, NULL, AT(types),
	    "FIELD:TYPE …; types are integer, float, bool, hex, string"),
	OPTION_IDLE("Time_Strict", "a time that does not fit its format is never half read"),
	OPTION("Decode_Field", OPT_LINES, NULL, AT(decoders),
	    "DECODER FIELD [try_next|do_next]: members of the JSON object in a field's text become fields; decoders are json, escaped, escaped_utf8, mysql_quoted; the next one of the field is tried as well when this one reads nothing (try_next), or always (do_next)",
	    .flags = OPT_KEYED),
	OPTION("Decode_Field_As", OPT_LINES, NULL, AT(decoders),
	    "the same: the text that it reads takes the field's place", .flags = OPT_KEYED),
	OPTIONS_END,
};

/* ---- checks beyond the table's */

/* Split "k:type k:type" (commas, too) into pairs; the number of pairs, or -1. */
static int
types_split(const char *text, struct slice pairs[2 * TYPES_MAX])
{
	int n = 0;

	for (text += strspn(text, " \t,"); *text != '\0'; text += strspn(text, " \t,")) {
		size_t len = strcspn(text, " \t,");
		const char *colon = memchr(text, ':', len);

		if (colon == NULL || colon == text || n == TYPES_MAX)
			return -1;
		pairs[2 * n] = (struct slice){ text, (size_t)(colon - text) };
		pairs[2 * n + 1] = (struct slice){ colon + 1, len - (size_t)(colon - text) - 1 };
		n++;
		text += len;
	}
	return n;
}

/* The first conversion of ${format} that is none of ${known}; NULL: all are. */
static const char *
conversion_unknown(const char *format, const char *known)
{
	for (; *format != '\0'; format++)
		if (*format == '%' && *++format != '%' &&
		    (*format == '\0' || strchr(known, *format) == NULL))
			return format;
	return NULL;
}

/* The zone of times whose text has none; *zone is NULL for UTC.  False: ${error} says why. */
static bool
zone_make(const struct parser_conf *p, struct zone **zone, char *error, size_t size)
{
	const char *option = p->time_zone != NULL ? "Time_Zone" : "Time_System_Timezone";
	char why[256];
	int seconds;

	*zone = NULL;
	if (p->time_offset != NULL && !timestamp_offset(p->time_offset, &seconds)) {
		snprintf(error, size, "Time_Offset: '%s' is not +hhmm", p->time_offset);
		return false;
	}
	if (p->time_zone != NULL)
		*zone = zones_named(p->time_zone, why, sizeof(why));
	else if (p->time_system_timezone)
		*zone = zones_system(why, sizeof(why));
	else if (p->time_offset != NULL)
		*zone = zone_fixed(seconds);
	else
		return true;
	if (*zone == NULL)
		snprintf(error, size, "%s: %s", option, why);
	return *zone != NULL;
}

/*
 * Fluent Bit's own parsers.conf reads the runtime's format by an expression
 * that names the text `message`, so that later filters find no `log`.  A
 * parser of that name is taken as the runtime's format.
 */
static bool
is_runtimes(const struct parser_conf *p)
{
	return strcasecmp(p->name, "cri") == 0 && p->format == PARSER_REGEX && p->regex != NULL &&
	       strstr(p->regex, "<stream>") != NULL && strstr(p->regex, "<logtag>") != NULL;
}

struct parser *
parser_section_new(const struct section *section, char *error, size_t size)
{
	const struct parser_conf *p = section->values;
	struct slice types[2 * TYPES_MAX];
	struct parser_rules rules = {
		.name = p->name,
		.format = is_runtimes(p) ? PARSER_CRI : (enum parser_format)p->format,
		.regex = p->regex,
		/* Without a Time_Format a field called `time` is an ordinary field. */
		.time_key = p->time_format || conf_given(section, "Time_Key") ? p->time_key : NULL,
		.time_format = p->time_format,
		.time_keep = p->time_keep,
		.skip_empty_values = p->skip_empty_values,
		.no_bare_keys = p->no_bare_keys,
		.types = types,
		.decoders = (const char *const *)p->decoders.at,
		.ndecoders = p->decoders.n,
	};
	int ntypes = p->types ? types_split(p->types, types) : 0;

	if (ntypes < 0) {
		snprintf(error, size, "Types: '%s' is not FIELD:TYPE FIELD:TYPE … (at most %d)",
		    p->types, TYPES_MAX);
		return NULL;
	}
	rules.ntypes = (size_t)ntypes;
	if (!zone_make(p, &rules.zone, error, size))
		return NULL;
	return parser_new(&rules, error, size);
}

bool
parser_section_runtimes(const struct section *section)
{
	const struct parser_conf *p = section->values;

	return p->format == PARSER_CRI || is_runtimes(p) || strcmp(p->name, "docker") == 0;
}

static void
time_format_check(const struct section *section, struct findings *findings)
{
	static const char conversions[] = "YyCjmdeHkIlMSLfNbBhaApPzZsTXRrDxFcntuwUWVGg";
	const struct parser_conf *p = section->values;
	unsigned line = conf_given(section, "Time_Format");
	const char *unknown =
	    p->time_format ? conversion_unknown(p->time_format, conversions) : NULL;

	if (unknown != NULL)
		findings_add(findings, FINDING_ERROR, section->file, line,
		    "Time_Format: no conversion %%%.1s", unknown);
	else if (p->time_format != NULL && !timestamp_has_year(p->time_format))
		findings_add(findings, FINDING_NOTE, section->file, line,
		    "Time_Format '%s' names no year: a time is of the year that brings it nearest "
		    "to the one of the record before it",
		    p->time_format);
}

/* Of the options that say the zone one counts, where the text can be without one. */
static void
zone_check(const struct section *section, struct findings *findings)
{
	const struct parser_conf *p = section->values;
	unsigned by_name = conf_given(section, "Time_Zone"),
		 by_system =
		     p->time_system_timezone ? conf_given(section, "Time_System_Timezone") : 0,
		 by_offset = conf_given(section, "Time_Offset");
	const char *counts = by_name ? "Time_Zone" : "Time_System_Timezone";

	if (by_name && by_system)
		findings_add(findings, FINDING_WARNING, section->file, by_system,
		    "Time_System_Timezone has no effect: Time_Zone counts");
	if ((by_name || by_system) && by_offset)
		findings_add(findings, FINDING_WARNING, section->file, by_offset,
		    "Time_Offset has no effect: %s counts", counts);
	if ((by_name || by_system) && p->time_format == NULL)
		findings_add(findings, FINDING_WARNING, section->file,
		    by_name ? by_name : by_system,
		    "%s has no effect without Time_Format: times are RFC 3339 then, which name "
		    "their zone",
		    counts);
}

/* The line of the first decoder with which no parser can be made of ${section}; 0: of none. */
static unsigned
decoder_wrong(const struct section *section, struct parser_conf *conf)
{
	const size_t n = conf->decoders.n;
	struct parser *made;
	char ignored[512];

	for (conf->decoders.n = 0; conf->decoders.n <= n; conf->decoders.n++) {
		made = parser_section_new(section, ignored, sizeof(ignored));
		parser_free(made);
		if (made == NULL)
			break;
	}
	return conf->decoders.n > 0 && conf->decoders.n <= n
		   ? list_line(&conf->decoders, conf->decoders.n - 1)
		   : 0;
}

/* The line because of which no parser can be made of ${section}: without it there is one. */
static unsigned
line_wrong(const struct section *section)
{
	struct parser_conf conf = *(const struct parser_conf *)section->values;
	const char *const names[] = { "Types", "Time_Offset", "Time_Zone", "Time_System_Timezone" };
	char **const values[] = { &conf.types, &conf.time_offset, &conf.time_zone };
	struct section without = *section;
	struct parser *made;
	char ignored[512];
	unsigned line;

	without.values = &conf;
	line = decoder_wrong(&without, &conf);
	if (line != 0)
		return line;
	conf = *(const struct parser_conf *)section->values;
	for (int i = 0; i < 4; i++) {
		if (i < 3)
			*values[i] = NULL;
		else
			conf.time_system_timezone = false;
		made = parser_section_new(&without, ignored, sizeof(ignored));
		parser_free(made);
		if (made != NULL)
			return conf_given(section, names[i]);
	}
	return conf_given(section, "Regex");
}

static void
parser_check(const struct section *section, struct findings *findings)
{
	const struct parser_conf *p = section->values;
	struct parser *made;
	char error[512];

	if (p->name == NULL || conf_given(section, "Format") == 0)
		return; /* the table has added a finding */
	if (p->format == PARSER_REGEX && p->regex == NULL) {
		findings_add(findings, FINDING_ERROR, section->file, section->line,
		    "parser '%s' has Format regex and no Regex", p->name);
		return;
	}
	if (p->format != PARSER_REGEX && p->regex != NULL)
		findings_add(findings, FINDING_WARNING, section->file, conf_given(section, "Regex"),
		    "parser '%s': Regex has no effect with Format %s", p->name, formats[p->format]);
	time_format_check(section, findings);
	zone_check(section, findings);
	if (is_runtimes(p))
		findings_add(findings, FINDING_NOTE, section->file, section->line,
		    "parser 'cri' is the container runtime's format, which is built in: its "
		    "text is `log`");
	made = parser_section_new(section, error, sizeof(error));
	if (made == NULL) {
		findings_add(findings, FINDING_ERROR, section->file, line_wrong(section),
		    "parser '%s': %s", p->name, error);
	} else if (p->format == PARSER_REGEX && !is_runtimes(p) && parser_form(made) == FORM_CRI) {
		findings_add(findings, FINDING_NOTE, section->file, section->line,
		    "parser '%s' reads the container runtime's format: [INPUT] tail with it reads "
		    "that as with Parser cri, and its text is `log`",
		    p->name);
	}
	parser_free(made);
}

const struct plugin parser_section_plugin = {
	.kind = SECTION_PARSER,
	.help = "a named parser, for inputs and filters",
	.options = parser_options,
	.size = sizeof(struct parser_conf),
	.check = parser_check,
};
