/*
 * Mistakes that show between sections: a parser that no section defines.  (An input
 * whose records no output takes: routes.c; files that two inputs would read: overlap.c;
 * sections of plugins that are not built: skipped.c.)
 */
#include "read.h"
#include "service.h"
#include "table.h"

#define NAMES_MAX 256 /* so many may be the one that is meant */

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
    unsigned line, bool multiline)
{
	const char *names[NAMES_MAX], *meant;
	const struct unbuilt *u = unbuilt_find(r, name, multiline);
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
		name = table_text(s, option);
		if (name != NULL) /* else the table has refused it */
			parser_name_check(r, s, option, name, s->lines[row], multiline);
		return;
	}
	for (size_t i = 0; i < list->n; i++)
		parser_name_check(r, s, option, list->at[i], list_line(list, i), multiline);
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
	const char *name = table_text(s, "Parser");
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

/* ---- paths */

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
			findings_add(r->findings, FINDING_WARNING, s->file, list_line(paths, i),
			    "Path '%s' does not begin with /: it is looked for below the directory "
			    "that towline is started in",
			    paths->at[i]);
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
	}
	routes_check(r);
	overlap_check(r);
}
