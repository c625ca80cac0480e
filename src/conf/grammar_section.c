/*
 * A section of the YAML form: a mapping of keys.  A list gives its key several times.  A
 * scalar is its text as typed: on, 0123 and 1e3 mean nothing here that they do not mean in
 * the classic form.
 */
#include "grammar_section.h"

#include <string.h>
#include <strings.h>

#include "memory.h"
#include "table.h"

/* ---- nodes */

/* The first entry of a mapping or a list; NULL: it has none, or is something else, which is said. */
const struct yaml_node *
grammar_section_entries(
    struct yaml *y, const struct yaml_node *n, enum yaml_kind kind, const char *what)
{
	char shown[FINDINGS_NAME];

	if (n->kind == kind || yaml_doc_is_null(n))
		return n->first;
	WRONG_AT(y, n, "%s%s%s", n->key != NULL ? findings_name(slice_of(n->key), shown) : "this",
	    n->key != NULL ? ": " : " ", what);
	return NULL;
}

const struct yaml_node *
grammar_section_find(const struct yaml_node *map, const char *name)
{
	for (const struct yaml_node *n = map->first; n != NULL; n = n->next)
		if (strcasecmp(n->key, name) == 0)
			return n;
	return NULL;
}

/* ---- entries of a section */

/*
 * Line breaks are meant where a text is written as a block, and in a program; those at the
 * end are of no matter.
 */
static bool
is_clean(const struct yaml_node *n, const char *key)
{
	bool breaks = n->literal || strcasecmp(key, "code") == 0;

	for (const char *at = n->text; *at != '\0'; at++) {
		unsigned char c = (unsigned char)*at;

		if ((c < 0x20 && c != '\t' && !(c == '\n' && breaks)) || c == 0x7f)
			return slice_trim_end(slice_of(at)).len == 0;
	}
	return true;
}

static void
scalar_take(struct yaml *y, struct conf_block *b, const char *key, const struct yaml_node *n)
{
	char shown[FINDINGS_NAME];

	y->p->line = n->line;
	if (slice_trim(slice_of(n->text)).len == 0) /* null is a text, and an output */
		findings_add(y->g->findings, FINDING_WARNING, y->p->file, n->line,
		    "'%s' has no value: as if it were not there",
		    findings_name(slice_of(key), shown));
	else if (!is_clean(n, key))
		WRONG_AT(y, n,
		    "%s: its value has a control character, such as a line break; a text of "
		    "several lines stands behind |",
		    findings_name(slice_of(key), shown));
	else
		grammar_entry_add(y->g, y->p, b, slice_of(key), slice_of(n->text));
}

/* A key and its value, or its values. */
void
grammar_section_entry(struct yaml *y, struct conf_block *b, const struct yaml_node *n)
{
	char shown[FINDINGS_NAME];
	const char *key = n->key;
	size_t i;

	for (i = 0; key[i] != '\0' && (unsigned char)key[i] > ' '; i++)
		;
	if (key[i] != '\0' || i == 0) {
		WRONG_AT(
		    y, n, "'%s' is no key: it has a blank", findings_name(slice_of(key), shown));
		return;
	}
	if (n->kind == YAML_DOC_SCALAR)
		scalar_take(y, b, key, n);
	for (const struct yaml_node *e = n->first; n->kind == YAML_DOC_LIST && e != NULL;
	     e = e->next) {
		if (e->kind == YAML_DOC_SCALAR)
			scalar_take(y, b, key, e);
		else
			WRONG_AT(y, e, "'%s' is a list of texts; this is none",
			    findings_name(slice_of(key), shown));
	}
	if (n->kind == YAML_DOC_MAP)
		WRONG_AT(y, n, "no mapping '%s' is known here; an option has a text, or a list",
		    findings_name(slice_of(key), shown));
}

struct conf_block
grammar_section_new(struct yaml *y, enum section_kind kind, const struct yaml_node *n)
{
	return (struct conf_block){
		.name = pool_text(y->g->pool, slice_of(table_section_names[kind])),
		.file = y->p->file,
		.line = n->line,
	};
}

void
grammar_section_add(struct yaml *y, struct conf_block b)
{
	struct conf_blocks *all = y->blocks;

	all->at = pool_grow(y->g->pool, all->at, all->n, sizeof(*all->at));
	all->at[all->n++] = b;
}

/* ---- a parser's rules */

/* ${text} in quotes, as a rule of the classic form has it.  False: it would end within them. */
static bool
quoted_put(struct buffer *to, const char *text)
{
	bool escaped = false;

	buffer_put(to, SLICE("\""));
	for (; *text != '\0'; text++) {
		if (*text == '"' && !escaped)
			buffer_put(to, SLICE("\\"));
		escaped = *text == '\\' && !escaped;
		buffer_put(to, (struct slice){ text, 1 });
	}
	buffer_put(to, SLICE("\""));
	return !escaped;
}

static void
rule_take(struct yaml *y, struct conf_block *b, const struct yaml_node *rule)
{
	static const char *const parts[] = { "state", "regex", "next_state" };
	struct buffer text;
	char shown[FINDINGS_NAME];

	if (grammar_section_entries(
		y, rule, YAML_DOC_MAP, "is no rule: write state, regex and next_state") == NULL)
		return;
	buffer_init(&text, 0);
	for (size_t i = 0; i < 3; i++) {
		const struct yaml_node *part = grammar_section_find(rule, parts[i]);

		buffer_put(&text, i > 0 ? SLICE(" ") : SLICE(""));
		if (part == NULL || part->kind != YAML_DOC_SCALAR || conf_has_control(part->text) ||
		    !quoted_put(&text, part->text)) {
			WRONG_AT(y, rule,
			    "a rule has a text of one line for each of state, regex, "
			    "next_state");
			goto out;
		}
	}
	for (const struct yaml_node *n = rule->first; n != NULL; n = n->next) {
		if (strcasecmp(n->key, parts[0]) != 0 && strcasecmp(n->key, parts[1]) != 0 &&
		    strcasecmp(n->key, parts[2]) != 0)
			WRONG_AT(y, n, "'%s' is not of a rule: state, regex and next_state are",
			    findings_name(slice_of(n->key), shown));
	}
	y->p->line = rule->line;
	grammar_entry_add(y->g, y->p, b, SLICE("rule"), buffer_slice(&text));
out:
	buffer_fini(&text);
}

/* ---- sections */

void
grammar_section_take(
    struct yaml *y, enum section_kind kind, const struct yaml_node *n, const struct yaml_node *all)
{
	struct conf_block b = grammar_section_new(y, kind, n);
	const struct yaml_node *e = grammar_section_entries(y, n, YAML_DOC_MAP, IS_NO_MAP);
	bool processed = kind == SECTION_INPUT || kind == SECTION_OUTPUT;

	for (; e != NULL; e = e->next) {
		if (processed && strcasecmp(e->key, "processors") == 0) {
			grammar_processor_take(y, e, n, all, kind);
		} else if (kind == SECTION_MULTILINE_PARSER && strcasecmp(e->key, "rules") == 0) {
			for (const struct yaml_node *rule =
				 grammar_section_entries(y, e, YAML_DOC_LIST, IS_NO_LIST);
			     rule != NULL; rule = rule->next)
				rule_take(y, &b, rule);
		} else {
			grammar_section_entry(y, &b, e);
		}
	}
	grammar_section_add(y, b);
}
