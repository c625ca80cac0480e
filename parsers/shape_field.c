/* Fields of parsers become members of a tree; those that have no place at its root go apart. */
#include "json.h"
#include "record.h"
#include "shape.h"

static struct slice
unescaped(struct shape *s, struct slice raw)
{
	char *at = arena_take(&s->arena, raw.len);

	s->full |= at == NULL;
	return at == NULL ? SLICE("") : (struct slice){ at, json_unescape(raw, at) };
}

bool
shape_field_put(struct shape *s, struct shape_node *map, const struct field *f)
{
	struct shape_node *node =
	    shape_put(s, map, f->name_escaped ? unescaped(s, f->name) : f->name);

	if (node == NULL)
		return false;
	if (f->kind == VALUE_TEXT)
		shape_set(node, SHAPE_TEXT, f->value);
	else if (f->kind == VALUE_ESCAPED)
		shape_set(node, SHAPE_TEXT, unescaped(s, f->value));
	else if (f->value.len == 0 || !shape_set_json(s, node, f->value))
		shape_set(node, SHAPE_SCALAR, SLICE("null"));
	return !s->full;
}

struct shape_node *
shape_map(struct shape *s, struct shape_node *map, struct slice name)
{
	struct shape_node *node = shape_get(s, map, name), *made;

	if (node != NULL && node->kind == SHAPE_MAP)
		(void)shape_first(s, node); /* it may be text, once it is open */
	if (s->full || (node != NULL && node->kind == SHAPE_MAP))
		return s->full ? NULL : node;
	if (node != NULL)
		shape_remove(map, node);
	made = shape_put(s, map, name);
	if (made == NULL)
		return NULL;
	shape_set(made, SHAPE_MAP, SLICE(""));
	if (node != NULL)
		shape_add(s, made, node);
	return made;
}

struct shape_node *
shape_apart(struct shape *s)
{
	struct shape_node *map = shape_map(s, s->root, s->apart);

	return map == NULL || s->apart_within.len == 0 ? map : shape_map(s, map, s->apart_within);
}
