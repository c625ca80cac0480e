/*
 * Fluent Bit's YAML form, as the sections and entries of the classic form:
 *
 *	env: {NAME: value}			@SET NAME=value
 *	includes: [path]			@INCLUDE path
 *	service: {key: value}			[SERVICE]
 *	parsers: [{…}]				[PARSER]
 *	multiline_parsers: [{…, rules: [{…}]}]	[MULTILINE_PARSER]
 *	pipeline:
 *	  inputs: [{…, processors: …}]		[INPUT]
 *	  filters: [{…}]			[FILTER]
 *	  outputs: [{…}]			[OUTPUT]
 *
 * This is the document; grammar_section.c has its sections.
 */
#include <stdlib.h>
#include <string.h>

#include "grammar_section.h"

/* ---- variables and files */

static void
variable_take(struct yaml *y, const struct yaml_node *at, const char *name, const char *value)
{
	struct slice text = slice_trim(slice_of(value));
	char shown[FINDINGS_NAME];

	y->p->line = at->line;
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.at[i] < 0x20 && text.at[i] != '\t') {
			WRONG_AT(y, at,
			    "%s: its value has a control character, such as a line break",
			    findings_name(slice_of(name), shown));
			return;
		}
	}
	grammar_entry_set(y->g, y->p, slice_of(name), text, y->blocks);
}

/* {name: NAME, value: text} or {name: NAME, uri: file:///path} */
static void
variable_described(struct yaml *y, const struct yaml_node *n)
{
	const struct yaml_node *name = yaml_doc_find(n, "name"), *value = yaml_doc_find(n, "value");
	const struct yaml_node *uri = yaml_doc_find(n, "uri");
	const char *why;
	char *secret;

	if (name == NULL || name->kind != YAML_DOC_SCALAR || (value == NULL) == (uri == NULL) ||
	    (value != NULL ? value : uri)->kind != YAML_DOC_SCALAR) {
		WRONG_AT(y, n, "a variable has a name, and a value or a uri (file:///…)");
		return;
	}
	if (value != NULL) {
		variable_take(y, n, name->text, value->text);
		return;
	}
	if (strncmp(uri->text, "file:///", 8) != 0) {
		WRONG_AT(y, uri, "uri names a file of this machine: file:///run/secrets/…");
		return;
	}
	if (y->g->typed) {
		WRONG_AT(y, uri, "uri: the classic form has variables of the environment alone");
		return;
	}
	secret = conf_secret_file(uri->text + 7, &why);
	if (secret == NULL)
		WRONG_AT(y, uri, "uri: the file %s %s", uri->text + 7, why);
	else if (!variables_set(y->g->variables, slice_of(name->text),
		     pool_text(y->g->pool, slice_of(secret))))
		WRONG_AT(y, name, "this cannot be a variable's name");
	free(secret);
}

static void
env_take(struct yaml *y, int unused, const struct yaml_node *n)
{
	char shown[FINDINGS_NAME];

	(void)unused;
	if (n->kind == YAML_DOC_LIST) {
		for (const struct yaml_node *e = n->first; e != NULL; e = e->next)
			variable_described(y, e);
		return;
	}
	for (const struct yaml_node *e = grammar_section_entries(y, n, YAML_DOC_MAP, IS_NO_MAP);
	     e != NULL; e = e->next) {
		if (e->kind != YAML_DOC_SCALAR)
			WRONG_AT(y, e, "the variable '%s' is no text",
			    findings_name(slice_of(e->key), shown));
		else
			variable_take(y, e, e->key, e->text);
	}
}

static void
includes_take(struct yaml *y, int unused, const struct yaml_node *n)
{
	(void)unused;
	for (const struct yaml_node *e = grammar_section_entries(y, n, YAML_DOC_LIST, IS_NO_LIST);
	     e != NULL; e = e->next) {
		y->p->line = e->line;
		if (e->kind != YAML_DOC_SCALAR)
			WRONG_AT(y, e, "includes: is a list of paths; this is none");
		else
			grammar_file_include(
			    y->g, y->p, "includes:", slice_trim(slice_of(e->text)), y->blocks);
	}
}

/* ---- sections */

static void
sections_take(struct yaml *y, int kind, const struct yaml_node *n)
{
	const struct yaml_node *e = grammar_section_entries(y, n, YAML_DOC_LIST, IS_NO_LIST);

	for (; e != NULL; e = e->next)
		grammar_section_take(y, (enum section_kind)kind, e, n);
}

static void
service_take(struct yaml *y, int kind, const struct yaml_node *n)
{
	if (!yaml_doc_is_null(n))
		grammar_section_take(y, (enum section_kind)kind, n, NULL);
}

/* ---- the document */

/* A key of the document, or of the pipeline: how it is read, or what to do in its place. */
struct part {
	const char *name;
	void (*take)(struct yaml *y, int kind, const struct yaml_node *n);
	int kind;
	const char *instead;
};

static void
parts_take(struct yaml *y, const struct yaml_node *map, const struct part *parts, size_t n)
{
	const char *names[16];

	for (size_t i = 0; i < n; i++)
		names[i] = parts[i].name;
	for (const struct yaml_node *e = grammar_section_entries(y, map, YAML_DOC_MAP, IS_NO_MAP);
	     e != NULL; e = e->next) {
		char shown[FINDINGS_NAME];
		const char *meant;
		size_t i = 0;

		while (i < n && strcmp(e->key, names[i]) != 0)
			i++;
		if (i < n && parts[i].take != NULL) {
			parts[i].take(y, parts[i].kind, e);
			continue;
		}
		meant = i < n ? NULL : findings_nearest(e->key, names, n);
		if (i < n)
			WRONG_AT(y, e, "%s: is Fluent Bit's and not built; %s", names[i],
			    parts[i].instead);
		else
			WRONG_AT(y, e, "no section '%s:' here%s%s%s",
			    findings_name(slice_of(e->key), shown), meant ? "; did you mean '" : "",
			    meant ? meant : "", meant ? ":'?" : "");
	}
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void
pipeline_take(struct yaml *y, int unused, const struct yaml_node *n)
{
	static const struct part parts[] = {
		{ "inputs", sections_take, SECTION_INPUT, NULL },
		{ "filters", sections_take, SECTION_FILTER, NULL },
		{ "outputs", sections_take, SECTION_OUTPUT, NULL },
	};

	(void)unused;
	parts_take(y, n, parts, COUNT(parts));
}

/* Variables are set before the values that name them, wherever env: stands. */
static void
env_skip(struct yaml *y, int unused, const struct yaml_node *n)
{
	(void)y;
	(void)unused;
	(void)n;
}

static void
document_take(struct yaml *y, const struct yaml_node *root)
{
	static const struct part parts[] = {
		{ "env", env_skip, 0, NULL },
		{ "includes", includes_take, 0, NULL },
		{ "service", service_take, SECTION_SERVICE, NULL },
		{ "parsers", sections_take, SECTION_PARSER, NULL },
		{ "multiline_parsers", sections_take, SECTION_MULTILINE_PARSER, NULL },
		{ "pipeline", pipeline_take, 0, NULL },
		{ "upstream_servers", NULL, 0, "name the servers in host: of the output" },
		{ "plugins", NULL, 0, "plugins made by others are not loaded" },
		{ "stream_processor", NULL, 0, "a filter chooses records" },
		{ "customs", NULL, 0, "there is no such agent" },
	};

	y->g->missed |= root->kind != YAML_DOC_MAP && !yaml_doc_is_null(root);
	for (const struct yaml_node *e = root->first; root->kind == YAML_DOC_MAP && e != NULL;
	     e = e->next)
		if (strcmp(e->key, "env") == 0)
			env_take(y, 0, e);
	parts_take(y, root, parts, COUNT(parts));
}

/* The files that stand in an object of Kubernetes, or in a chart's values.  False: it is none. */
static bool
manifest_take(struct yaml *y, const struct yaml_node *documents)
{
	struct grammar *g = y->g;
	struct manifest *m;

	if (y->p->depth > 0 || g->manifest != NULL)
		return false;
	m = manifest_read(g->pool, y->p->file, documents, g->findings);
	if (m == NULL)
		return false;
	g->manifest = m;
	g->missed |= m->main == 0;
	for (size_t i = 0; i < m->nvariables; i++)
		variables_set(g->variables, slice_of(m->variables[i].name),
		    pool_text(g->pool, slice_of(m->variables[i].value)));
	y->p->line = 0;
	for (size_t i = 0; i < m->main; i++)
		grammar_file_inner(g, y->p, &m->at[i], y->blocks);
	return true;
}

void
grammar_yaml_read(struct grammar *g, struct place *p, struct slice text, struct conf_blocks *blocks)
{
	struct yaml y = { g, p, blocks };
	struct yaml_doc *doc = yaml_doc_parse(text, p->file, p->line, g->findings);

	g->missed |= doc == NULL;
	if (doc != NULL && doc->root->first != NULL && !manifest_take(&y, doc->root)) {
		if (doc->root->first->next != NULL)
			WRONG_AT(&y, doc->root->first->next,
			    "a second document begins here: only one is read");
		blocks->yaml |= p->depth == 0;
		document_take(&y, doc->root->first);
	}
	yaml_doc_free(doc);
}
