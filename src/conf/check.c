/*
 * Mistakes that show between sections: a parser that no section defines, an
 * input whose records no output takes.  (Files that two inputs would read:
 * overlap.c; sections of plugins that are not built: skipped.c.)
 */
#include <stdlib.h>
#include <strings.h>

#include "glob.h"
#include "memory.h"
#include "pattern.h"
#include "read.h"
#include "service.h"
#include "table.h"
#include "tag.h"

#define NAMES_MAX 256 /* so many may be the one that is meant */

static const char *
text_of(const struct section *s, const char *option)
{
	const void *at = conf_value(s, option);

	return at ? *(char *const *)at : NULL;
}

/* ---- names of parsers */

/* Fluent Bit's built-in parsers that join lines; tail does so in any case. */
static const char *const multiline_built_in[] = { "docker", "cri", "java", "go", "python", "ruby" };
#define BUILT_IN (sizeof(multiline_built_in) / sizeof(*multiline_built_in))

static const struct unbuilt *
unbuilt_find(const struct reading *r, const char *name, bool multiline)
{
	for (size_t i = 0; i < r->nunbuilt; i++)
		if (r->unbuilt[i].multiline == multiline && strcmp(r->unbuilt[i].name, name) == 0)
			return &r->unbuilt[i];
	return NULL;
}

/* True when ${name} is one of them; ${names} has the first ${n}. */
static bool
parser_is_defined(
    const struct reading *r, const char *name, bool multiline, const char **names, size_t *n)
{
	for (*n = 0; multiline && *n < BUILT_IN; ++*n) {
		if (strcmp(names[*n] = multiline_built_in[*n], name) == 0)
			return true;
	}
	for (size_t i = 0; i < r->conf->n; i++) {
		const struct section *s = &r->conf->sections[i];
		const char *of;

		if (s->plugin->kind != (multiline ? SECTION_MULTILINE_PARSER : SECTION_PARSER))
			continue;
		of = *(char *const *)s->values; /* the first member of either */
		if (of != NULL && strcmp(of, name) == 0)
			return true;
		if (of != NULL && *n < NAMES_MAX)
			names[(*n)++] = of;
	}
	return false;
}

static void
parser_name_check(struct reading *r, const struct section *s, const char *option, const char *name,
    bool multiline)
{
	const char *names[NAMES_MAX], *meant;
	const struct unbuilt *u = unbuilt_find(r, name, multiline);
	unsigned line = conf_given(s, option);
	size_t n;

	if (parser_is_defined(r, name, multiline, names, &n))
		return;
	if (u != NULL) {
		findings_add(r->findings, FINDING_ERROR, s->file, line,
		    "%s '%s' cannot be used: what it says at %s:%u is not built yet", option, name,
		    u->file, u->line);
		return;
	}
	if (r->incomplete[multiline ? SECTION_MULTILINE_PARSER : SECTION_PARSER])
		return;
	meant = findings_nearest(name, names, n);
	findings_add(r->findings, FINDING_ERROR, s->file, line, "no parser '%s' is defined%s%s%s%s",
	    name, meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "",
	    r->parsers_missing ? "; it may stand in a Parsers_File that is not there" : "");
}

static void
option_names_check(struct reading *r, const struct section *s, const char *option, bool multiline)
{
	int row = table_find(s->plugin, option);
	const void *at = conf_value(s, option);
	const struct list *list = at;
	const char *name;

	if (row < 0 || at == NULL || s->lines[row] == 0)
		return;
	if (table_row(s->plugin, (size_t)row)->type == OPT_STRING) {
		name = text_of(s, option);
		if (name != NULL) /* else the table has refused it */
			parser_name_check(r, s, option, name, multiline);
		return;
	}
	for (size_t i = 0; i < list->n; i++)
		parser_name_check(r, s, option, list->at[i], multiline);
}

/* True when a parser of the list is none of the built-in ones. */
static bool
names_own(const struct list *names)
{
	for (size_t i = 0; i < names->n; i++) {
		size_t k = 0;

		while (k < BUILT_IN && strcmp(multiline_built_in[k], names->at[i]) != 0)
			k++;
		if (k == BUILT_IN)
			return true;
	}
	return false;
}

/*
 * Lines are joined where they are a runtime's; with another Parser each line is
 * a record, but for rules of the configuration's own.
 */
static void
multiline_check(struct reading *r, const struct section *s)
{
	const char *name = text_of(s, "Parser");
	unsigned line = conf_given(s, "multiline.parser");

	if (line == 0 || name == NULL || names_own(conf_value(s, "multiline.parser")))
		return;
	for (size_t i = 0; i < r->conf->n; i++) {
		const struct section *p = &r->conf->sections[i];
		const struct parser_conf *parser = p->values;

		if (p->plugin->kind == SECTION_PARSER && parser->name != NULL &&
		    strcmp(parser->name, name) == 0 && !parser_section_runtimes(p))
			findings_add(r->findings, FINDING_WARNING, s->file, line,
			    "multiline.parser has no effect: with Parser '%s' each line is a "
			    "record; lines are joined without Parser, or with cri or docker",
			    name);
	}
}

/* ---- tags */

/* The * of a tag becomes a path: an expression is tried with an example of a path. */
static bool
regex_may_match(const char *regex, const char *tag)
{
	char why[256];
	struct pattern *p;
	bool may;

	if (strchr(tag, '*') != NULL)
		return true; /* the path decides */
	p = pattern_new(regex, why, sizeof(why));
	may = p != NULL && pattern_match(p, slice_of(tag));
	pattern_free(p);
	return may;
}

/* True when a record of the tag ${tag}, in which * becomes a path, can be taken. */
static bool
may_take(const char *match, const char *regex, const char *tag)
{
	return (regex != NULL && regex_may_match(regex, tag)) ||
	       (match != NULL && glob_meet(match, tag, '\0'));
}

/* True when a record of the input ${in} can reach ${s}, a filter or an output. */
static bool
may_reach(const struct section *in, const struct section *s)
{
	const char *tag = text_of(in, "Tag");
	char *pattern = tag == NULL ? NULL : tag_pattern(tag, text_of(in, "Tag_Regex"));
	bool may = tag == NULL || may_take(text_of(s, "Match"), text_of(s, "Match_Regex"), pattern);

	free(pattern);
	return may;
}

/* A relative name depends on the directory that the program was started in. */
static void
paths_check(struct reading *r, const struct section *s)
{
	int row = table_find(s->plugin, "Path");
	const struct list *paths = NULL;

	if (row >= 0 && table_row(s->plugin, (size_t)row)->type == OPT_LIST)
		paths = conf_value(s, "Path");
	for (size_t i = 0; s->plugin->kind == SECTION_INPUT && paths != NULL && i < paths->n; i++)
		if (strchr("/\"'", paths->at[i][0]) == NULL)
			findings_add(r->findings, FINDING_WARNING, s->file, conf_given(s, "Path"),
			    "Path '%s' does not begin with /: it is looked for below the directory "
			    "that towline is started in",
			    paths->at[i]);
}

/* Fluent Bit discards the records of an input that is not routable. */
static void
routable_check(struct reading *r, const struct section *s)
{
	const bool *routable = s->plugin->kind == SECTION_INPUT ? conf_value(s, "Routable") : NULL;
	char title[TABLE_TITLE];

	if (routable != NULL && !*routable)
		findings_add(r->findings, FINDING_ERROR, s->file, conf_given(s, "Routable"),
		    "Routable off would discard all that %s reads: leave the input out",
		    table_title(s->plugin, title));
}

static void
match_check(struct reading *r, const struct section *s)
{
	const char *regex = text_of(s, "Match_Regex");
	char why[256], title[TABLE_TITLE];
	struct pattern *p;

	if (text_of(s, "Match") == NULL && regex == NULL) {
		bool filter = s->plugin->kind == SECTION_FILTER;

		findings_add(r->findings, filter ? FINDING_WARNING : FINDING_ERROR, s->file,
		    s->line, "%s has no Match%s; it says which tags are taken, * takes all",
		    table_title(s->plugin, title), filter ? " and applies to nothing" : "");
		return;
	}
	if (regex == NULL)
		return;
	p = pattern_new(regex, why, sizeof(why));
	if (p == NULL)
		findings_add(r->findings, FINDING_ERROR, s->file, conf_given(s, "Match_Regex"),
		    "Match_Regex: %s", why);
	pattern_free(p);
}

static unsigned
match_line(const struct section *s)
{
	unsigned line = conf_given(s, "Match_Regex");

	line = line ? line : conf_given(s, "Match");
	return line ? line : s->line;
}

/* True when a section of ${kind} reaches ${s}, or is reached by it. */
static bool
any_reaches(const struct reading *r, const struct section *s, enum section_kind kind)
{
	for (size_t i = 0; i < r->conf->n; i++) {
		const struct section *other = &r->conf->sections[i];

		if (other->plugin->kind == kind &&
		    (kind == SECTION_INPUT ? may_reach(other, s) : may_reach(s, other)))
			return true;
	}
	return r->incomplete[kind];
}

static size_t
count(const struct reading *r, enum section_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < r->conf->n; i++)
		n += r->conf->sections[i].plugin->kind == kind;
	return n;
}

/* Sections of ${kind} that are skipped. */
static size_t
skipped_count(const struct reading *r, enum section_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < r->conf->nskipped; i++)
		n += r->conf->skipped[i].plugin->kind == kind;
	return n;
}

/* The skipped output that takes the tag; NULL: none does. */
static const struct skipped *
skipped_taking(const struct reading *r, const struct section *in)
{
	char *tag = tag_pattern(text_of(in, "Tag"), text_of(in, "Tag_Regex"));
	const struct skipped *found = NULL;

	for (size_t i = 0; i < r->conf->nskipped && found == NULL; i++) {
		const struct skipped *k = &r->conf->skipped[i];

		if (k->plugin->kind == SECTION_OUTPUT && may_take(k->match, k->match_regex, tag))
			found = k;
	}
	free(tag);
	return found;
}

/* No output takes the records of ${s}. */
static void
undelivered(struct reading *r, const struct section *s)
{
	const char *tag = text_of(s, "Tag");
	const struct skipped *k = skipped_taking(r, s);
	unsigned line = conf_given(s, "Tag");

	line = line ? line : s->line;
	if (k == NULL)
		findings_add(r->findings, FINDING_ERROR, s->file, line,
		    "no [OUTPUT] matches the tag '%s': nothing of it would be delivered", tag);
	else
		findings_add(r->findings, FINDING_WARNING, s->file, line,
		    "of the [OUTPUT]s that are built none matches the tag '%s': it is read, and "
		    "nothing of it is delivered (%s:%u is skipped)",
		    tag, k->file, k->line);
}

/* Of one input and one output the output takes all, unless it says what. */
static void
match_imply(struct reading *r)
{
	static char all[] = "*";
	size_t outputs = count(r, SECTION_OUTPUT) + skipped_count(r, SECTION_OUTPUT);
	size_t inputs = count(r, SECTION_INPUT) + skipped_count(r, SECTION_INPUT);

	for (size_t i = 0; inputs == 1 && outputs == 1 && i < r->conf->n; i++) {
		struct section *s = &r->conf->sections[i];
		int row = table_find(s->plugin, "Match");

		if (s->plugin->kind == SECTION_OUTPUT && row >= 0 && text_of(s, "Match") == NULL &&
		    text_of(s, "Match_Regex") == NULL)
			*(char **)((char *)s->values + table_row(s->plugin, (size_t)row)->where) =
			    all;
	}
}

/* True when a filter may give records other tags. */
static bool
has_retags(const struct reading *r)
{
	for (size_t i = 0; i < r->conf->n; i++) {
		const struct plugin *p = r->conf->sections[i].plugin;

		if (p->kind == SECTION_FILTER && strcasecmp(p->name, "rewrite_tag") == 0)
			return true;
	}
	return false;
}

static void
tags_check(struct reading *r, const struct section *s)
{
	enum section_kind kind = s->plugin->kind;
	char title[TABLE_TITLE];

	if (kind == SECTION_INPUT && count(r, SECTION_OUTPUT) > 0 && !has_retags(r) &&
	    !any_reaches(r, s, SECTION_OUTPUT))
		undelivered(r, s);
	if (kind != SECTION_FILTER && kind != SECTION_OUTPUT)
		return;
	match_check(r, s);
	if ((text_of(s, "Match") != NULL || text_of(s, "Match_Regex") != NULL) &&
	    count(r, SECTION_INPUT) > 0 && skipped_count(r, SECTION_INPUT) == 0 && !has_retags(r) &&
	    !any_reaches(r, s, SECTION_INPUT))
		findings_add(r->findings, FINDING_WARNING, s->file, match_line(s),
		    "%s matches the tag of no [INPUT]", table_title(s->plugin, title));
}

static void
none_check(struct reading *r, enum section_kind kind, const char *then)
{
	if (count(r, kind) == 0 && !r->incomplete[kind])
		findings_add(r->findings, FINDING_ERROR, r->conf->file, 0, "no [%s]%s: %s",
		    table_section_names[kind],
		    skipped_count(r, kind) > 0 ? " of those that are built" : "", then);
}

/* A parser that is asked in a mode of the input's alone. */
static void
mode_parser_check(struct reading *r, const struct section *s, const char *mode, const char *option)
{
	const bool *on = conf_value(s, mode);

	if (on != NULL && *on)
		option_names_check(r, s, option, false);
	else if (conf_given(s, option) != 0)
		findings_add(r->findings, FINDING_NOTE, s->file, conf_given(s, option),
		    "'%s' has no effect without %s On", option, mode);
}

void
check_sections(struct reading *r)
{
	match_imply(r);
	for (size_t i = 0; i < r->conf->n; i++) {
		const struct section *s = &r->conf->sections[i];

		if (s->plugin->kind != SECTION_PARSER &&
		    s->plugin->kind != SECTION_MULTILINE_PARSER) {
			option_names_check(r, s, "Parser", false);
			option_names_check(r, s, "Merge_Parser", false);
			mode_parser_check(r, s, "Multiline", "Parser_Firstline");
			mode_parser_check(r, s, "Docker_Mode", "Docker_Mode_Parser");
			option_names_check(r, s, "Parser_*", false);
			option_names_check(r, s, "multiline.parser", true);
			multiline_check(r, s);
		}
		paths_check(r, s);
		routable_check(r, s);
		tags_check(r, s);
	}
	none_check(r, SECTION_INPUT, "there is nothing to read");
	none_check(r, SECTION_OUTPUT, "nothing would be delivered");
	overlap_check(r);
}
