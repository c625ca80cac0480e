/* [MULTILINE_PARSER]: its options, and the rules that they say (multiline.h). */
#include <stddef.h>
#include <stdlib.h>

#include "multiline.h"
#include "service.h"

#define WHY 256 /* bytes of the reason why there are no rules */

enum kind { KIND_REGEX, KIND_ENDSWITH, KIND_EQ, KIND_EQUAL };

static const char *const kinds[] = { "regex", "endswith", "eq", "equal", NULL };

#define AT(member) offsetof(struct multiline_conf, member)

static const struct option multiline_options[] = {
	OPTION("Name", OPT_STRING, NULL, AT(name), "what multiline.parser calls it",
	    .flags = OPT_NEEDED),
	OPTION("type", OPT_ENUM, NULL, AT(type),
	    "regex: rules decide; endswith, eq: the line that ends with match_string, or is that, is the last one of its record",
	    .flags = OPT_NEEDED, .choices = kinds),
	OPTION("rule", OPT_LINES, NULL, AT(rules),
	    "\"STATE\" \"/RE/\" \"NEXT\": a line that RE matches goes on with a record in STATE (several: commas between them), and moves it to NEXT; start_state: it begins one",
	    .flags = OPT_VERBATIM),
	OPTION("match_string", OPT_STRING, NULL, AT(match_string), "for endswith and eq",
	    .flags = OPT_TEXT),
	OPTION("negate", OPT_BOOL, "off", AT(negate),
	    "the last line is the one that does not end with match_string, or is not that"),
	OPTION("flush_timeout", OPT_INT, NULL, AT(flush),
	    "an open record ends when nothing follows for so many milliseconds (default: Flush_ms of the input); the longest of those that an input has counts",
	    .min = 10, .max = 3600000),
	OPTION("parser", OPT_STRING, NULL, AT(parser),
	    "the runtime's lines (cri, docker) are taken apart in any case; with another parser the rules see the whole line"),
	OPTION_IDLE("key_content", "rules see the text of a line"),
	OPTION_IDLE("key_pattern", "rules see the text of a line"),
	OPTION_IDLE("key_group", "lines of stdout and of stderr are never joined"),
	OPTIONS_END,
};

/* `"WORD"` at the front of `s` (at its end: `last`), which is taken off. */
static bool
quoted_take(struct slice *s, bool last, struct slice *word)
{
	size_t n = 1;

	*s = slice_trim(*s);
	if (s->len < 2 || s->at[last ? s->len - 1 : 0] != '"')
		return false;
	while (n < s->len && s->at[last ? s->len - 1 - n : n] != '"')
		n++;
	if (n == s->len)
		return false;
	*word = (struct slice){ last ? s->at + s->len - n : s->at + 1, n - 1 };
	*s = last ? slice_cut(*s, s->len - n - 1) : slice_from(*s, n + 1);
	return true;
}

/* FROM, RE, TO of a rule.  Quotes within the expression are its own. */
static bool
rule_split(const char *text, struct slice part[3])
{
	struct slice rest = slice_of(text);

	if (!quoted_take(&rest, false, &part[0]) || !quoted_take(&rest, true, &part[2]))
		return false;
	rest = slice_trim(rest);
	if (rest.len < 2 || rest.at[0] != '"' || rest.at[rest.len - 1] != '"')
		return false;
	part[1] = (struct slice){ rest.at + 1, rest.len - 2 };
	return true;
}

static bool
rules_put(const struct multiline_conf *m, struct buffer *to, char *error, size_t size)
{
	char number[24];

	multiline_word(to, SLICE("regex"));
	snprintf(number, sizeof(number), "%zu", m->rules.n);
	multiline_word(to, slice_of(number));
	for (size_t i = 0; i < m->rules.n; i++) {
		struct slice part[3];

		if (!rule_split(m->rules.at[i], part)) {
			snprintf(error, size, "rule %zu is not \"STATE\" \"/RE/\" \"NEXT\"", i + 1);
			return false;
		}
		for (int k = 0; k < 3; k++)
			multiline_word(to, part[k]);
	}
	return true;
}

static void
match_put(const struct multiline_conf *m, struct buffer *to)
{
	multiline_word(to, m->type == KIND_ENDSWITH ? SLICE("endswith") : SLICE("eq"));
	multiline_word(to, m->negate ? SLICE("1") : SLICE("0"));
	multiline_word(to, slice_of(m->match_string));
}

bool
multiline_section_rules(const struct section *section, struct buffer *to, char *error, size_t size)
{
	const struct multiline_conf *m = section->values;
	struct buffer text;
	struct multiline *made = NULL;

	buffer_init(&text, 0);
	if (m->type != KIND_REGEX)
		match_put(m, &text);
	if (m->type != KIND_REGEX || rules_put(m, &text, error, size))
		made = multiline_new(buffer_slice(&text), error, size);
	if (made != NULL)
		buffer_put(to, buffer_slice(&text));
	buffer_fini(&text);
	multiline_free(made);
	return made != NULL;
}

static void
unused_check(const struct section *section, struct findings *findings)
{
	const struct multiline_conf *m = section->values;
	const char *other = m->type == KIND_REGEX ? "match_string" : "rule";
	bool runtimes =
	    m->parser == NULL || strcmp(m->parser, "cri") == 0 || strcmp(m->parser, "docker") == 0;

	if (conf_given(section, other) != 0)
		findings_add(findings, FINDING_WARNING, section->file, conf_given(section, other),
		    "multiline parser '%s': %s has no effect with type %s", m->name, other,
		    kinds[m->type]);
	if (!runtimes)
		findings_add(findings, FINDING_WARNING, section->file,
		    conf_given(section, "parser"),
		    "multiline parser '%s': its rules see the whole line; what parser '%s' makes "
		    "of it is made behind them, by Parser or a [FILTER] parser",
		    m->name, m->parser);
}

/* The line of the rule without which, and without those behind it, ${why} would not be said. */
static unsigned
rule_wrong(const struct section *section, const char *why)
{
	struct multiline_conf conf = *(const struct multiline_conf *)section->values;
	const struct list all = conf.rules;
	struct section first = *section;
	struct buffer ignored;
	char other[WHY] = "";

	buffer_init(&ignored, 0);
	first.values = &conf;
	for (conf.rules.n = 1; conf.rules.n < all.n; conf.rules.n++)
		if (!multiline_section_rules(&first, &ignored, other, sizeof(other)) &&
		    strcmp(other, why) == 0)
			break;
	buffer_fini(&ignored);
	return list_line(&all, conf.rules.n - 1);
}

static void
multiline_check(const struct section *section, struct findings *findings)
{
	const struct multiline_conf *m = section->values;
	struct buffer text;
	char why[WHY];

	if (m->name == NULL || conf_given(section, "type") == 0)
		return; /* the table has added a finding */
	unused_check(section, findings);
	buffer_init(&text, 0);
	if (!multiline_section_rules(section, &text, why, sizeof(why)))
		findings_add(findings, FINDING_ERROR, section->file,
		    m->rules.n > 0 && m->type == KIND_REGEX ? rule_wrong(section, why)
							    : section->line,
		    "multiline parser '%s': %s", m->name, why);
	buffer_fini(&text);
}

const struct plugin multiline_section_plugin = {
	.kind = SECTION_MULTILINE_PARSER,
	.help = "rules that join lines to records, for inputs and [FILTER] multiline",
	.options = multiline_options,
	.size = sizeof(struct multiline_conf),
	.check = multiline_check,
};
