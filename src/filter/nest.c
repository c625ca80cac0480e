/* [FILTER] nest: members at a record's root go into a map, or those of a map to the root. */
#include <stddef.h>

#include "memory.h"
#include "ops.h"
#include "rule.h"

enum nest_operation { NEST, LIFT };

struct nest_conf {
	struct filter_common common;
	int operation;
	struct list wildcards;
	char *under, *from;
	char *add_prefix, *remove_prefix;
};

#define AT(member) offsetof(struct nest_conf, member)

static const char *const operations[] = { "nest", "lift", NULL };

static const struct option nest_options[] = {
	OPTION("Operation", OPT_ENUM, "nest", AT(operation),
	    "nest: fields go under Nest_under; lift: those under Nested_under go to the root",
	    .choices = operations),
	OPTION("Wildcard", OPT_LINES, NULL, AT(wildcards),
	    "names of the fields that are nested; * at its end is any text"),
	OPTION("Nest_under", OPT_STRING, NULL, AT(under), "the field that nested ones go under"),
	OPTION("Nested_under", OPT_STRING, NULL, AT(from),
	    "the field whose members are lifted; it is gone then"),
	OPTION("Add_prefix", OPT_STRING, NULL, AT(add_prefix), "before the names of these fields"),
	OPTION("Remove_prefix", OPT_STRING, NULL, AT(remove_prefix),
	    "taken off the names of these fields that begin so"),
	OPTIONS_END,
};

static void
nest_check(const struct section *section, struct findings *findings)
{
	const struct nest_conf *conf = section->values;
	const char *needed = conf->operation == LIFT ? "Nested_under" : "Nest_under";

	if ((conf->operation == LIFT ? conf->from : conf->under) == NULL)
		findings_add(findings, FINDING_ERROR, section->file, section->line,
		    "Operation %s needs %s", operations[conf->operation], needed);
	if (conf->operation == NEST && conf->wildcards.n == 0)
		findings_add(findings, FINDING_WARNING, section->file, section->line,
		    "Operation nest without Wildcard: no field is nested");
}

const struct plugin nest_filter_plugin = {
	.kind = SECTION_FILTER,
	.name = "nest",
	.help = "put fields into one, or the fields of one to the root",
	.options = nest_options,
	.common = filter_options,
	.size = sizeof(struct nest_conf),
	.check = nest_check,
};

struct nest {
	struct filter filter;
	const struct nest_conf *conf;
};

static int
nest_init(struct filter *f, const struct filter_world *world)
{
	(void)world;
	((struct nest *)f)->conf = f->section->values;
	return 0;
}

/* ---- a record */

static bool
is_nested(const struct nest_conf *conf, struct slice name)
{
	for (size_t i = 0; i < conf->wildcards.n; i++)
		if (conf_match(conf->wildcards.at[i], name))
			return true;
	return false;
}

/* The name with one prefix off and another on; at is NULL where there is no room. */
static struct slice
renamed(const struct nest_conf *conf, struct shape *s, struct slice name)
{
	struct slice off = slice_of(conf->remove_prefix), on = slice_of(conf->add_prefix);

	if (off.len > 0 && slice_starts(name, off))
		name = slice_from(name, off.len);
	return on.len == 0 ? name : shape_join(s, on, name);
}

/* Move ${node} from one map to another, renamed; a member of its name there is replaced. */
static void
member_move(const struct nest_conf *conf, struct shape *s, struct shape_node *from,
    struct shape_node *to, struct shape_node *node)
{
	struct slice name = renamed(conf, s, node->name);

	if (name.at == NULL)
		return;
	shape_remove(from, node);
	node->name = name;
	shape_add(s, to, node);
}

static void
nest(const struct nest_conf *conf, struct shape *s)
{
	struct shape_members moved = TAILQ_HEAD_INITIALIZER(moved);
	struct shape_node *node = shape_first(s, s->root), *next, *map;

	for (; node != NULL; node = next) {
		next = shape_next(node);
		if (!is_nested(conf, node->name))
			continue;
		shape_remove(s->root, node);
		TAILQ_INSERT_TAIL(&moved, node, in);
	}
	if (TAILQ_EMPTY(&moved))
		return;
	map = shape_map(s, s->root, slice_of(conf->under));
	if (map == NULL)
		return;
	while ((node = TAILQ_FIRST(&moved)) != NULL) {
		TAILQ_REMOVE(&moved, node, in);
		node->name = renamed(conf, s, node->name);
		shape_add(s, map, node);
	}
}

static void
lift(const struct nest_conf *conf, struct shape *s)
{
	struct shape_node *map = shape_get(s, s->root, slice_of(conf->from)), *node, *next;

	if (map == NULL || map->kind != SHAPE_MAP)
		return;
	node = shape_first(s, map);
	if (s->full || map->kind != SHAPE_MAP)
		return;
	shape_remove(s->root, map);
	for (; node != NULL; node = next) {
		next = shape_next(node);
		member_move(conf, s, map, s->root, node);
	}
}

static bool
nest_run(struct filter *f, struct record *r, const struct agent_line *parsed, const struct pod *pod,
    struct arena *arena)
{
	const struct nest_conf *conf = ((struct nest *)f)->conf;

	(void)parsed;
	(void)pod;
	(void)arena;
	if (conf->operation == NEST)
		nest(conf, r->shape);
	else
		lift(conf, r->shape);
	return true;
}

const struct filter_ops nest_ops = {
	.plugin = &nest_filter_plugin,
	.reshapes = true,
	.size = sizeof(struct nest),
	.init = nest_init,
	.run = nest_run,
};
