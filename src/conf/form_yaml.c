/*
 * Sections written in the YAML form: variables, the service, parsers, the pipeline.
 *
 * A key that is given several times becomes a list where its first stands; in a [FILTER],
 * whose rules may stand in an order, only those that follow each other do.
 */
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "conf.h"
#include "form_text.h"
#include "memory.h"

struct writing {
	FILE *to;
	struct findings *findings;
	const struct conf_block *block;
	bool *done; /* by entry of the block */
};

static void
indent(FILE *to, int n)
{
	fprintf(to, "%*s", n, "");
}

/* A text of the entry ${e}, behind its key or a list's dash. */
static void
part_print(struct writing *w, const struct conf_entry *e, struct slice text, int at)
{
	char shown[FINDINGS_NAME];

	if (form_text_print(text, at, w->to))
		return;
	findings_add(w->findings, FINDING_ERROR, w->block->file, e->line,
	    "%s: its value has bytes that no YAML has: control characters, or other text than "
	    "UTF-8",
	    findings_name(slice_of(e->key), shown));
	fputs("''\n", w->to);
}

static void
value_print(struct writing *w, const struct conf_entry *e, int at)
{
	part_print(w, e, slice_of(e->value), at);
}

/* ---- the rules of a parser */

/* The text in quotes that ${s} begins with, split off it; a quote behind a backslash is part of it. */
static bool
quoted_take(struct slice *s, struct slice *text)
{
	struct slice rest = slice_trim(*s);
	size_t n = 1;

	if (rest.len < 2 || rest.at[0] != '"')
		return false;
	while (n < rest.len && rest.at[n] != '"')
		n += rest.at[n] == '\\' ? 2 : 1;
	if (n >= rest.len)
		return false;
	*text = (struct slice){ rest.at + 1, n - 1 };
	*s = slice_from(rest, n + 1);
	return true;
}

static bool
rule_split(const struct conf_entry *e, struct slice parts[3])
{
	struct slice rest = slice_of(e->value);

	if (strcasecmp(e->key, "rule") != 0 || conf_has_control(e->value))
		return false;
	for (int i = 0; i < 3; i++)
		if (!quoted_take(&rest, &parts[i]))
			return false;
	return slice_trim(rest).len == 0;
}

static void
rules_print(struct writing *w, int at)
{
	static const char *const names[] = { "state", "regex", "next_state" };
	struct slice parts[3];

	fputs("rules:\n", w->to);
	for (size_t i = 0; i < w->block->n; i++) {
		const struct conf_entry *e = &w->block->entries[i];

		if (!rule_split(e, parts))
			continue;
		w->done[i] = true;
		for (int j = 0; j < 3; j++) {
			indent(w->to, at + 2);
			fprintf(w->to, "%s%s: ", j == 0 ? "- " : "  ", names[j]);
			part_print(w, e, parts[j], at + 4);
		}
	}
}

/* ---- entries */

/* True when the entry ${j} joins the list that the entry ${i}, of the same key, begins. */
static bool
joins(const struct writing *w, size_t i, size_t j)
{
	const struct conf_entry *at = w->block->entries;
	bool ordered = strcasecmp(w->block->name, "FILTER") == 0;

	if (w->done[j] || strcasecmp(at[i].key, at[j].key) != 0)
		return false;
	for (size_t k = i + 1; ordered && k < j; k++)
		if (strcasecmp(at[i].key, at[k].key) != 0)
			return false;
	return true;
}

static void
key_print(struct writing *w, const struct conf_entry *e)
{
	char *key = xstrdup(e->key), shown[FINDINGS_NAME];
	bool own = strcasecmp(key, "processors") == 0 || strcasecmp(key, "rules") == 0;

	for (char *c = key; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	if (own || !form_text_key(slice_of(key), w->to))
		findings_add(w->findings, FINDING_ERROR, w->block->file, e->line,
		    "'%s' is no key that YAML can have here",
		    findings_name(slice_of(e->key), shown));
	fputc(':', w->to);
	free(key);
}

/* The entry ${i}, with those that have its key. */
static void
entry_print(struct writing *w, size_t i, int at)
{
	const struct conf_entry *entries = w->block->entries;
	size_t n = 0;

	for (size_t j = i; j < w->block->n; j++)
		n += joins(w, i, j);
	key_print(w, &entries[i]);
	fputc(n > 1 ? '\n' : ' ', w->to);
	for (size_t j = i; j < w->block->n; j++) {
		if (!joins(w, i, j))
			continue;
		if (n > 1) {
			indent(w->to, at + 2);
			fputs("- ", w->to);
		}
		value_print(w, &entries[j], n > 1 ? at + 4 : at + 2);
		w->done[j] = j != i;
	}
	w->done[i] = true;
}

/* A section, whose keys stand in column ${at}; the first behind a list's dash. */
static void
block_print(struct writing *w, const struct conf_block *b, int at, bool item)
{
	bool multiline = strcasecmp(b->name, "MULTILINE_PARSER") == 0, first = true;
	struct slice parts[3];

	w->block = b;
	w->done = xcalloc(b->n + 1, sizeof(*w->done));
	if (item && b->n == 0)
		fprintf(w->to, "%*s- {}\n", at - 2, "");
	for (size_t i = 0; i < b->n; i++) {
		if (w->done[i])
			continue;
		fprintf(w->to, "%*s%s", first && item ? at - 2 : at, "", first && item ? "- " : "");
		if (multiline && rule_split(&b->entries[i], parts))
			rules_print(w, at);
		else
			entry_print(w, i, at);
		first = false;
	}
	free(w->done);
}

/* ---- the document */

static void
service_print(struct writing *w, const struct conf_blocks *blocks)
{
	bool any = false, empty = false;

	for (size_t i = 0; i < blocks->n; i++) {
		if (strcasecmp(blocks->at[i].name, "SERVICE") != 0)
			continue;
		empty = true;
		if (blocks->at[i].n == 0)
			continue;
		fputs(any ? "" : "\nservice:\n", w->to);
		block_print(w, &blocks->at[i], 2, false);
		any = true;
	}
	if (empty && !any)
		fputs("\nservice: {}\n", w->to);
}

/* A list of all sections called ${name}, below ${key} in the column ${at}. */
static void
list_print(
    struct writing *w, const struct conf_blocks *blocks, const char *name, const char *key, int at)
{
	bool any = false;

	for (size_t i = 0; i < blocks->n; i++) {
		if (strcasecmp(blocks->at[i].name, name) != 0)
			continue;
		if (!any)
			fprintf(w->to, "%s%*s%s:\n", at == 0 ? "\n" : "", at, "", key);
		any = true;
		block_print(w, &blocks->at[i], at + 4, true);
	}
}

static bool
has_block(const struct conf_blocks *blocks, const char *name)
{
	for (size_t i = 0; i < blocks->n; i++)
		if (strcasecmp(blocks->at[i].name, name) == 0)
			return true;
	return false;
}

/* @SET: of a name that is set twice the last counts. */
static void
env_print(struct writing *w, const struct conf_blocks *blocks)
{
	bool any = false;

	for (size_t i = 0; i < blocks->n; i++) {
		const struct conf_block *b = &blocks->at[i];
		bool last = true;

		if (strcmp(b->name, "@SET") != 0 || b->n == 0)
			continue;
		for (size_t j = i + 1; j < blocks->n; j++)
			last &= strcmp(blocks->at[j].name, "@SET") != 0 || blocks->at[j].n == 0 ||
				strcmp(blocks->at[j].entries[0].key, b->entries[0].key) != 0;
		if (!last) {
			findings_add(w->findings, FINDING_WARNING, b->file, b->line,
			    "@SET %s: it is set again further down, and the YAML form has the last "
			    "value alone",
			    b->entries[0].key);
			continue;
		}
		fputs(any ? "  " : "\nenv:\n  ", w->to);
		any = true;
		w->block = b;
		if (form_text_key(slice_of(b->entries[0].key), w->to))
			fputs(": ", w->to);
		value_print(w, b->entries, 4);
	}
}

static void
others_refuse(struct writing *w, const struct conf_blocks *blocks)
{
	static const char *const known[] = { "@SET", "SERVICE", "PARSER", "MULTILINE_PARSER",
		"INPUT", "FILTER", "OUTPUT" };
	char shown[FINDINGS_NAME];

	for (size_t i = 0; i < blocks->n; i++) {
		size_t j = 0;

		while (j < 7 && strcasecmp(known[j], blocks->at[i].name) != 0)
			j++;
		if (j == 7)
			findings_add(w->findings, FINDING_ERROR, blocks->at[i].file,
			    blocks->at[i].line, "no section [%s] in the YAML form",
			    findings_name(slice_of(blocks->at[i].name), shown));
	}
}

void
conf_form_yaml(const struct conf_blocks *blocks, struct findings *findings, FILE *to)
{
	struct writing w = { .to = to, .findings = findings };

	others_refuse(&w, blocks);
	env_print(&w, blocks);
	service_print(&w, blocks);
	list_print(&w, blocks, "PARSER", "parsers", 0);
	list_print(&w, blocks, "MULTILINE_PARSER", "multiline_parsers", 0);
	if (has_block(blocks, "INPUT") || has_block(blocks, "FILTER") ||
	    has_block(blocks, "OUTPUT"))
		fputs("\npipeline:\n", to);
	list_print(&w, blocks, "INPUT", "inputs", 2);
	list_print(&w, blocks, "FILTER", "filters", 2);
	list_print(&w, blocks, "OUTPUT", "outputs", 2);
}
