/* [FILTER] parser: a field's text, taken apart by the first parser that fits. */
#include <stddef.h>
#include <stdlib.h>

#include "json.h"
#include "ops.h"
#include "parser.h"
#include "rule.h"
#include "shape.h"
#include "voice.h"

struct parser_filter_conf {
	struct filter_common common;
	char *key_name;
	struct list parser;
	bool preserve_key, reserve_data;
	char *nest_under, *hash_field;
};

#define AT(member) offsetof(struct parser_filter_conf, member)

static const struct option parser_filter_options[] = {
	OPTION("Key_Name", OPT_STRING, NULL, AT(key_name),
	    "the field to take apart: a name, or $name['inner']", .flags = OPT_NEEDED),
	OPTION("Parser", OPT_LIST, NULL, AT(parser), "[PARSER]s, tried in order; the first fits",
	    .flags = OPT_NEEDED),
	OPTION("Preserve_Key", OPT_BOOL, "off", AT(preserve_key), "keep the field itself as well"),
	OPTION("Reserve_Data", OPT_BOOL, "off", AT(reserve_data),
	    "keep the other fields (what the runtime and the pod say stays in any case)"),
	OPTION("Nest_Under", OPT_STRING, NULL, AT(nest_under), "put the fields under this one"),
	OPTION("Hash_Value_Field", OPT_STRING, NULL, AT(hash_field), "the same"),
	OPTION_IDLE(
	    "Unescape_Key", "parsers read escapes by themselves; Fluent Bit has given it up"),
	OPTIONS_END,
};

static void
parser_filter_check(const struct section *section, struct findings *findings)
{
	const struct parser_filter_conf *conf = section->values;
	const struct rule rule = { .option = "Key_Name", .line = conf_given(section, "Key_Name") };
	struct accessor key;

	if (conf->key_name != NULL)
		(void)rule_accessor(section, &rule, slice_of(conf->key_name), &key, findings);
}

const struct plugin parser_filter_plugin = {
	.kind = SECTION_FILTER,
	.name = "parser",
	.help = "take a field's text apart with a [PARSER]",
	.options = parser_filter_options,
	.common = filter_options,
	.size = sizeof(struct parser_filter_conf),
	.check = parser_filter_check,
};

struct parser_filter {
	struct filter filter;
	struct accessor key;
	const struct parser_filter_conf *conf;
	struct parser **parsers;
	size_t n;
};

static void
parser_fini(struct filter *f)
{
	free(((struct parser_filter *)f)->parsers);
}

/* Names that the record has of its own: they stay, and a parser's field takes none of them. */
static bool
is_own(const struct shape *s, struct slice name)
{
	static const char *const own[] = { "time", "stream", "logtag", "kubernetes",
		"kubernetes_namespace" };

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		if (slice_eq(name, slice_of(own[i])))
			return true;
	return slice_eq(name, s->apart);
}

/* True for what only a tree has: fields in fields, and the record's own. */
static bool
needs_tree(const struct parser_filter_conf *conf)
{
	const struct shape s = { .apart = SLICE("log_parsed") };

	return conf->nest_under != NULL || conf->hash_field != NULL || conf->key_name[0] == '$' ||
	       is_own(&s, slice_of(conf->key_name));
}

static int
parser_init(struct filter *f, const struct filter_world *world)
{
	struct parser_filter *p = (struct parser_filter *)f;

	p->conf = f->section->values;
	f->reshapes = needs_tree(p->conf);
	(void)accessor_read(slice_of(p->conf->key_name), &p->key);
	p->parsers = xcalloc(p->conf->parser.n + 1, sizeof(struct parser *));
	for (; p->n < p->conf->parser.n; p->n++) {
		const char *name = p->conf->parser.at[p->n];

		p->parsers[p->n] = world->parser(world->arg, name);
		if (p->parsers[p->n] == NULL) {
			say_error("filter", "%s:%u: no parser '%s'", f->section->file,
			    list_line(&p->conf->parser, p->n), name);
			return -1;
		}
	}
	return 0;
}

/* The text of the field ${key}, and its index in r->fields (-1: log). */
static bool
key_find(
    const struct record *r, struct slice key, struct arena *arena, struct slice *text, int *which)
{
	char *plain;

	*which = -1;
	if (slice_eq(key, r->log_key)) {
		*text = r->log;
		return r->has_log;
	}
	for (int i = 0; i < r->nfields; i++) {
		const struct field *f = &r->fields[i];

		if (!slice_eq(f->name, key))
			continue;
		*which = i;
		*text = f->value;
		if (f->kind != VALUE_ESCAPED)
			return true;
		plain = arena_take(arena, f->value.len);
		if (plain == NULL)
			return false;
		*text = (struct slice){ plain, json_unescape(f->value, plain) };
		return true;
	}
	return false;
}

/* Drop the fields that were there before, as far as the options do not keep them. */
static void
forget(const struct parser_filter_conf *conf, struct record *r, int which)
{
	struct field key = { 0 };

	if (which >= 0)
		key = r->fields[which];
	else
		r->has_log = conf->preserve_key;
	if (!conf->reserve_data) {
		r->nfields = 0;
		if (which >= 0) {
			r->has_log = false;
			if (conf->preserve_key)
				r->fields[r->nfields++] = key;
		}
	} else if (which >= 0 && !conf->preserve_key) {
		memmove(&r->fields[which], &r->fields[which + 1],
		    (size_t)(r->nfields - which - 1) * sizeof(r->fields[0]));
		r->nfields--;
	}
}

/*
 * Where a parser puts the text's time: nowhere while the line has the runtime's, of which the
 * index name and the id are made; the text's is a field then.
 */
static int64_t *
time_of(const struct record *r, int64_t *time)
{
	return r->time_text.len == 0 ? time : NULL;
}

/* ---- a record that is a tree */

static void
tree_forget(const struct parser_filter *p, struct shape *s, struct shape_node *key)
{
	struct shape_node *node = shape_first(s, s->root), *next, *parent;
	struct accessor within = p->key;

	for (; !p->conf->reserve_data && node != NULL; node = next) {
		next = shape_next(node);
		if (node != key && !is_own(s, node->name))
			shape_remove(s->root, node);
	}
	if (p->conf->preserve_key)
		return;
	within.n--;
	parent = accessor_find(&within, s);
	if (parent != NULL && !is_own(s, p->key.steps[0].name))
		shape_remove(parent, key);
}

static void
tree_put(const struct parser_filter *p, struct shape *s, const struct field *found, int n)
{
	const char *const under[] = { p->conf->nest_under, p->conf->hash_field };
	struct shape_node *map;

	for (int k = 0; k < 2; k++) {
		map = under[k] == NULL ? NULL : shape_map(s, s->root, slice_of(under[k]));
		for (int i = 0; map != NULL && i < n; i++)
			(void)shape_field_put(s, map, &found[i]);
	}
	if (under[0] != NULL || under[1] != NULL)
		return;
	for (int i = 0; i < n; i++) {
		map = s->root;
		if (is_own(s, found[i].name) && shape_get(s, map, found[i].name) != NULL)
			map = shape_apart(s);
		if (map != NULL)
			(void)shape_field_put(s, map, &found[i]);
	}
}

static void
tree_run(struct parser_filter *p, struct record *r, struct arena *arena)
{
	struct shape *s = r->shape;
	struct shape_node *key = accessor_find(&p->key, s);
	struct field found[RECORD_FIELDS];
	struct slice text = key != NULL ? shape_text(s, key) : SLICE("");
	int64_t time = r->time, *to = time_of(r, &time);
	int n = -1;

	for (size_t i = 0; key != NULL && n < 0 && i < p->n; i++)
		n = parser_run(p->parsers[i], text, arena, found, RECORD_FIELDS, to);
	if (n < 0)
		return;
	r->time = time;
	if (n < RECORD_FIELDS) /* else the text has more, perhaps */
		tree_forget(p, s, key);
	tree_put(p, s, found, n);
}

static bool
parser_filter_run(struct filter *f, struct record *r, const struct agent_line *parsed,
    const struct pod *pod, struct arena *arena)
{
	struct parser_filter *p = (struct parser_filter *)f;
	struct field found[RECORD_FIELDS];
	struct slice text;
	int which;

	(void)parsed;
	(void)pod;
	if (r->shape != NULL) {
		tree_run(p, r, arena);
		return true;
	}
	if (!key_find(r, slice_of(p->conf->key_name), arena, &text, &which))
		return true;
	for (size_t i = 0; i < p->n; i++) {
		int64_t time = r->time, *to = time_of(r, &time);
		int n = parser_run(p->parsers[i], text, arena, found, RECORD_FIELDS, to);

		if (n < 0)
			continue;
		r->time = time;
		forget(p->conf, r, which);
		if (!filter_put(r, found, n, arena) || n == RECORD_FIELDS)
			r->has_log = true; /* the text has more, perhaps */
		break;
	}
	return true;
}

const struct filter_ops parser_ops = {
	.plugin = &parser_filter_plugin,
	.size = sizeof(struct parser_filter),
	.init = parser_init,
	.fini = parser_fini,
	.run = parser_filter_run,
};
