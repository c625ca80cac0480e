/*
 * A document of a record's tree: its members in their order, log_parsed last, so that
 * it can be cut off.  Names that cannot stand at a document's root were put aside
 * before (src/reshape.c), but for those that only this output has.
 */
#include "shaped.h"

#include "parsed.h"

/* True for a name that the document has of its own. */
static bool
is_taken(const struct document_rules *rules, struct slice name)
{
	return slice_eq(name, rules->time_key) || slice_eq(name, rules->tag_key) ||
	       (!rules->keep_log && slice_eq(name, rules->log_key));
}

static bool
is_parsed(const struct document_rules *rules, struct slice name)
{
	return slice_eq(name, rules->parsed_key);
}

static bool
is_core(const struct document_rules *rules, struct slice name)
{
	return slice_eq(name, SLICE("time")) || slice_eq(name, SLICE("stream")) ||
	       slice_eq(name, SLICE("logtag")) || slice_eq(name, rules->log_key);
}

size_t
shaped_room(const struct document_rules *rules, const struct record *r, bool parsed)
{
	const struct shape_node *node;
	size_t n = 0;

	TAILQ_FOREACH (node, &r->shape->root->members, in)
		if (parsed || !is_parsed(rules, node->name))
			n += JSON_WRITE_MAX(node->name.len) + shape_room(node) + 2;
	return n;
}

static char *
member_write(char *to, const struct shape_node *node)
{
	*to++ = ',';
	to = json_write(to, node->name);
	*to++ = ':';
	return shape_write(to, node);
}

char *
shaped_core_write(char *to, const struct document_rules *rules, const struct record *r,
    const struct shape_node **next)
{
	const struct shape_node *node = TAILQ_FIRST(&r->shape->root->members);

	for (; node != NULL && is_core(rules, node->name); node = TAILQ_NEXT(node, in))
		if (!is_taken(rules, node->name))
			to = member_write(to, node);
	*next = node;
	return to;
}

char *
shaped_rest_write(char *to, const struct document_rules *rules, const struct shape_node *next)
{
	for (; next != NULL; next = TAILQ_NEXT(next, in))
		if (!is_taken(rules, next->name) && !is_parsed(rules, next->name))
			to = member_write(to, next);
	return to;
}

char *
shaped_parsed_write(char *to, const struct document_rules *rules, const struct record *r)
{
	const struct shape_node *node;
	char *end;

	TAILQ_FOREACH (node, &r->shape->root->members, in) {
		if (!is_parsed(rules, node->name) || node->kind != SHAPE_MAP)
			continue;
		end = member_write(to, node);
		return end[-2] == '{' ? to : end; /* nothing was read of the text */
	}
	return to;
}
