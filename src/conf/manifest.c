/*
 * The objects of Kubernetes in a YAML file: of a ConfigMap with a configuration each key
 * is a file, of a DaemonSet the variables count, a HelmRelease has the chart's values.
 */
#include "manifest.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <strings.h>

#include "chart.h"
#include "memory.h"

static const char *
text_of(const struct yaml_node *map, const char *key)
{
	const struct yaml_node *n = yaml_doc_find(map, key);

	return n != NULL && n->kind == YAML_DOC_SCALAR ? n->text : NULL;
}

/* ---- files */

struct inner *
manifest_add(struct manifest *m, const char *name, const struct yaml_node *n)
{
	const char *text = n->text;
	char *file = NULL;

	m->at = pool_grow(m->pool, m->at, m->n, sizeof(*m->at));
	/* The lines of a text in quotes are not those of the file. */
	if (!n->literal)
		file = xprintf("%s[%s]", m->file, name);
	m->at[m->n] = (struct inner){
		.name = pool_text(m->pool, slice_of(name)),
		.file = n->literal ? m->file : pool_text(m->pool, slice_of(file)),
		.line = n->literal ? n->begins : 0,
		.text = { pool_text(m->pool, slice_of(text)), strlen(text) },
	};
	free(file);
	return &m->at[m->n++];
}

/* True for a further part of the main file. */
static bool
is_part(const struct manifest *m, const struct inner *of)
{
	for (const struct inner *at = m->at; at < of; at++)
		if (strcmp(at->name, of->name) == 0)
			return true;
	return false;
}

/* The first file from number ${i} on that fits ${pattern}; ${aside}: of another ConfigMap. */
static const struct inner *
fitting(const struct manifest *m, const char *pattern, size_t i, bool aside)
{
	for (; i < m->n; i++) {
		const struct inner *at = &m->at[i];

		if (fnmatch(pattern, at->name, 0) == 0 && !is_part(m, at) && (at->aside || !aside))
			return at;
	}
	return NULL;
}

const struct inner *
manifest_find(const struct manifest *m, const char *path, const struct inner *after)
{
	const char *slash = strrchr(path, '/'), *last = slash != NULL ? slash + 1 : path;
	bool many = strpbrk(last, "*?[") != NULL;
	size_t from;

	if (m == NULL)
		return NULL;
	from = many ? m->main : 0;
	return fitting(m, last, after == NULL ? from : (size_t)(after - m->at) + 1,
	    many && slash != NULL && fitting(m, last, from, true) != NULL);
}

/* ---- variables */

void
manifest_env(struct manifest *m, const struct yaml_node *list)
{
	for (const struct yaml_node *n = list != NULL ? list->first : NULL; n != NULL;
	     n = n->next) {
		const char *name = text_of(n, "name"), *value = text_of(n, "value");

		if (name == NULL || (value == NULL && yaml_doc_find(n, "valueFrom") == NULL))
			continue;
		if (value == NULL)
			findings_add(m->findings, FINDING_NOTE, m->file, n->line,
			    "the value of %s stands elsewhere: its name is taken for it", name);
		m->variables =
		    pool_grow(m->pool, m->variables, m->nvariables, sizeof(*m->variables));
		m->variables[m->nvariables++] = (struct inner_variable){
			.name = pool_text(m->pool, slice_of(name)),
			.value = pool_text(m->pool, slice_of(value != NULL ? value : name)),
		};
	}
}

static void
containers_take(struct manifest *m, const struct yaml_node *object)
{
	static const char *const way[] = { "spec", "template", "spec", "containers" };
	const struct yaml_node *n = object;

	for (size_t i = 0; i < sizeof(way) / sizeof(way[0]); i++)
		n = yaml_doc_find(n, way[i]);
	for (n = n != NULL ? n->first : NULL; n != NULL; n = n->next)
		manifest_env(m, yaml_doc_find(n, "env"));
}

/* ---- ConfigMaps */

/* True when the text seems to be a whole configuration, or its main file. */
static bool
is_main(const struct yaml_node *n)
{
	static const char *const signs[] = { "[service]", "[input]", "\npipeline:" };

	if (n->kind != YAML_DOC_SCALAR)
		return false;
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++)
		if (strcasestr(n->text, signs[i]) != NULL)
			return true;
	return strncmp(n->text, "pipeline:", 9) == 0;
}

/* The key that is the main file by its name. */
static const struct yaml_node *
main_named(const struct yaml_node *data)
{
	static const char *const names[] = { "fluent-bit.conf", "fluent-bit.yaml", "fluent-bit.yml",
		"td-agent-bit.conf", "towline.conf", "towline.yaml" };
	const struct yaml_node *n;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		n = yaml_doc_find(data, names[i]);
		if (n != NULL && n->kind == YAML_DOC_SCALAR)
			return n;
	}
	return NULL;
}

/* The same by its text. */
static const struct yaml_node *
main_guessed(const struct yaml_node *data)
{
	const struct yaml_node *n = data != NULL && data->kind == YAML_DOC_MAP ? data->first : NULL;

	while (n != NULL && !is_main(n))
		n = n->next;
	return n;
}

static void
map_name(struct manifest *m, const struct yaml_node *object)
{
	const struct yaml_node *about = yaml_doc_find(object, "metadata");
	const char *space = text_of(about, "namespace"), *name = text_of(about, "name");
	char *text = xprintf("ConfigMap %s%s%s", space != NULL ? space : "",
	    space != NULL ? "/" : "", name != NULL ? name : "");

	m->inside = pool_text(m->pool, slice_of(text));
	free(text);
}

static void
main_add(struct manifest *m, const struct yaml_node *object, const struct yaml_node *n)
{
	map_name(m, object);
	manifest_add(m, n->key, n);
	m->main = 1;
	m->object = object;
}

/* The main file comes first: the ConfigMaps are taken in rounds. */
static void
main_take(struct manifest *m, const struct yaml_node *object)
{
	const struct yaml_node *n = main_named(yaml_doc_find(object, "data"));

	if (n != NULL && m->inside != NULL)
		findings_add(m->findings, FINDING_WARNING, m->file, n->line,
		    "a second configuration begins here: it is not read; give it in a file of "
		    "its own");
	else if (n != NULL)
		main_add(m, object, n);
}

static void
files_take(struct manifest *m, const struct yaml_node *object)
{
	const struct yaml_node *data = yaml_doc_find(object, "data");

	for (const struct yaml_node *n = data != NULL ? data->first : NULL;
	     n != NULL && data->kind == YAML_DOC_MAP; n = n->next)
		if (n->kind == YAML_DOC_SCALAR && manifest_find(m, n->key, NULL) == NULL)
			manifest_add(m, n->key, n)->aside = object != m->object;
}

/* ---- objects */

static bool
is_kind(const struct yaml_node *object, const char *kind)
{
	const char *text = text_of(object, "kind");

	return text != NULL && strcmp(text, kind) == 0;
}

static void
main_of(struct manifest *m, const struct yaml_node *object)
{
	const struct yaml_node *values = yaml_doc_find(yaml_doc_find(object, "spec"), "values");

	if (is_kind(object, "ConfigMap"))
		main_take(m, object);
	if (values == NULL)
		values = yaml_doc_find(object, "valuesInline");
	if (m->inside == NULL && values != NULL)
		chart_take(m, values);
	containers_take(m, object);
}

/* Where no name tells the main file its text does. */
static void
main_guess(struct manifest *m, const struct yaml_node *object)
{
	const struct yaml_node *n =
	    is_kind(object, "ConfigMap") ? main_guessed(yaml_doc_find(object, "data")) : NULL;

	if (n != NULL && m->inside == NULL)
		main_add(m, object, n);
	else if (n != NULL && object != m->object &&
		 main_named(yaml_doc_find(object, "data")) == NULL)
		findings_add(m->findings, FINDING_NOTE, m->file, n->line,
		    "another ConfigMap: what an @INCLUDE names is read of it, and no more");
}

static void
files_beside(struct manifest *m, const struct yaml_node *object)
{
	if (object == m->object)
		files_take(m, object);
}

static void
files_of(struct manifest *m, const struct yaml_node *object)
{
	if (is_kind(object, "ConfigMap"))
		files_take(m, object);
}

/* Each object of the file; a List has several. */
static void
objects(struct manifest *m, const struct yaml_node *documents,
    void (*each)(struct manifest *m, const struct yaml_node *object))
{
	for (const struct yaml_node *n = documents->first; n != NULL; n = n->next) {
		const struct yaml_node *items = yaml_doc_find(n, "items");

		if (items != NULL && items->kind == YAML_DOC_LIST)
			objects(m, items, each);
		else
			each(m, n);
	}
}

struct manifest *
manifest_read(struct pool *pool, const char *file, const struct yaml_node *documents,
    struct findings *findings)
{
	struct manifest *m = pool_take(pool, sizeof(*m));
	bool kubernetes = false;

	*m = (struct manifest){ .pool = pool, .findings = findings, .file = file };
	for (const struct yaml_node *n = documents->first; n != NULL; n = n->next)
		kubernetes |= text_of(n, "kind") != NULL && text_of(n, "apiVersion") != NULL;
	if (!kubernetes) {
		if (documents->first != NULL)
			chart_take(m, documents->first);
		return m->inside != NULL ? m : NULL;
	}
	objects(m, documents, main_of);
	objects(m, documents, main_guess);
	if (m->inside == NULL) {
		findings_add(findings, FINDING_ERROR, file, 0,
		    "no ConfigMap in this file has a configuration (fluent-bit.conf, "
		    "fluent-bit.yaml)");
		m->inside = "nothing";
	}
	objects(m, documents, files_beside);
	objects(m, documents, files_of);
	return m;
}
