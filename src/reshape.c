/*
 * A record as a tree: its members by the names and in the order of its document.  The
 * pod and log_parsed stay closed: who looks inside has them written and read.
 */
#include "reshape.h"

#include <stdlib.h>

#include "agent.h"
#include "json.h"
#include "pod.h"
#include "timestamp.h"

static size_t
parsed_room(const void *of)
{
	const struct reshape *x = of;

	return document_parsed_room(x->rules, x->record);
}

static char *
parsed_write(char *to, const void *of)
{
	const struct reshape *x = of;

	return document_parsed_write(to, x->rules, x->record);
}

static size_t
pod_room(const void *of)
{
	return pod_json_len(((const struct reshape *)of)->record->pod);
}

static char *
pod_write(char *to, const void *of)
{
	return pod_json_write(to, ((const struct reshape *)of)->record->pod);
}

struct reshape *
reshape_new(size_t size)
{
	struct reshape *x = xcalloc(1, sizeof(*x));

	shape_init(&x->shape, size);
	x->parsed = (struct shape_owner){ parsed_room, parsed_write, x };
	x->pod = (struct shape_owner){ pod_room, pod_write, x };
	return x;
}

void
reshape_free(struct reshape *x)
{
	if (x == NULL)
		return;
	shape_fini(&x->shape);
	free(x);
}

/* ---- members */

static void
text_add(struct shape *s, struct slice name, struct slice text)
{
	struct shape_node *node = shape_put(s, s->root, name);

	if (node != NULL)
		shape_set(node, SHAPE_TEXT, text);
}

static void
owned_add(struct shape *s, struct slice name, const struct shape_owner *owner)
{
	struct shape_node *node = shape_put(s, s->root, name);

	if (node == NULL)
		return;
	shape_set(node, SHAPE_MAP, SLICE(""));
	node->closed = true;
	node->owner = owner;
}

static struct slice
unescaped(struct shape *s, struct slice raw)
{
	char *at = arena_take(&s->arena, raw.len);

	s->full |= at == NULL;
	return at == NULL ? SLICE("") : (struct slice){ at, json_unescape(raw, at) };
}

static void
field_add(struct shape *s, struct shape_node *map, const struct field *f)
{
	struct shape_node *node =
	    shape_put(s, map, f->name_escaped ? unescaped(s, f->name) : f->name);

	if (node == NULL)
		return;
	if (f->kind == VALUE_TEXT)
		shape_set(node, SHAPE_TEXT, f->value);
	else if (f->kind == VALUE_ESCAPED)
		shape_set(node, SHAPE_TEXT, unescaped(s, f->value));
	else if (f->value.len == 0 || !shape_set_json(s, node, f->value))
		shape_set(node, SHAPE_SCALAR, SLICE("null"));
}

/* The map under ${map} of this name, made where there is none. */
static struct shape_node *
map_within(struct shape *s, struct shape_node *map, struct slice name)
{
	struct shape_node *node = map == NULL ? NULL : shape_get(s, map, name);

	if (map == NULL || (node != NULL && node->kind == SHAPE_MAP))
		return node;
	node = s->full ? NULL : shape_put(s, map, name);
	if (node != NULL)
		shape_set(node, SHAPE_MAP, SLICE(""));
	return node;
}

/* A parser's field whose name the record has of its own is under log_parsed, as in a document. */
static void
aside_add(struct reshape *x, const struct field *f)
{
	struct shape *s = &x->shape;
	struct shape_node *map = map_within(s, s->root, x->rules->parsed_key);

	if (!x->rules->merged)
		map = map_within(s, map, SLICE("extra"));
	if (map != NULL)
		field_add(s, map, f);
}

static void
pod_add(struct reshape *x)
{
	const struct pod *pod = x->record->pod;
	struct shape_node *node;

	owned_add(&x->shape, SLICE("kubernetes"), &x->pod);
	if (pod->space == NULL)
		return;
	node = shape_put(&x->shape, x->shape.root, SLICE("kubernetes_namespace"));
	if (node != NULL)
		(void)shape_set_json(&x->shape, node, pod->space->json);
}

static bool
is_own(const struct reshape *x, struct slice name)
{
	const struct record *r = x->record;

	if (r->time_text.len > 0 &&
	    (slice_eq(name, SLICE("time")) || slice_eq(name, SLICE("stream")) ||
		slice_eq(name, SLICE("logtag"))))
		return true;
	if (r->pod != NULL && slice_eq(name, SLICE("kubernetes")))
		return true;
	return (r->has_log && slice_eq(name, x->rules->log_key)) ||
	       slice_eq(name, x->rules->parsed_key);
}

/* A time that a server would refuse is written anew, as in a document. */
static void
time_add(struct shape *s, const struct record *r)
{
	struct slice text = r->time_text;
	char *at;

	if (!timestamp_is_plain(text)) {
		at = arena_take(&s->arena, TIMESTAMP_MAX);
		s->full |= at == NULL;
		if (at == NULL)
			return;
		text = (struct slice){ at, timestamp_write(r->time, 9, at) };
	}
	text_add(s, SLICE("time"), text);
}

bool
reshape_begin(struct reshape *x, struct record *r, const struct document_rules *rules)
{
	struct shape *s = &x->shape;

	x->record = r;
	x->rules = rules;
	shape_clear(s);
	if (r->time_text.len > 0) {
		time_add(s, r);
		text_add(
		    s, SLICE("stream"), r->side == SIDE_STDERR ? SLICE("stderr") : SLICE("stdout"));
		text_add(s, SLICE("logtag"), r->partial ? SLICE("P") : SLICE("F"));
	}
	if (r->has_log)
		text_add(s, rules->log_key, r->log);
	for (int i = 0; i < r->nfields; i++)
		if (!is_own(x, r->fields[i].name))
			field_add(s, s->root, &r->fields[i]);
	if (r->pod != NULL)
		pod_add(x);
	if (r->parsed != NULL)
		owned_add(s, rules->parsed_key, &x->parsed);
	for (int i = 0; i < r->nfields; i++)
		if (is_own(x, r->fields[i].name))
			aside_add(x, &r->fields[i]);
	r->shape = s->full ? NULL : s;
	return !s->full;
}

void
reshape_follow(struct reshape *x, struct record *r, const struct reshape_seen *before)
{
	struct shape *s = &x->shape;
	struct shape_node *log = shape_get(s, s->root, x->rules->log_key);

	if (r->pod != NULL && before->pod != r->pod)
		pod_add(x);
	if (r->parsed != NULL && before->parsed != r->parsed)
		owned_add(s, x->rules->parsed_key, &x->parsed);
	if (before->has_log && !r->has_log && log != NULL)
		shape_remove(s->root, log);
}

/* ---- to a document */

static struct field
field_of(const struct shape_node *node)
{
	struct field f = { .name = node->name, .value = node->text };

	if (node->kind == SHAPE_TEXT)
		return f;
	f.kind = VALUE_JSON;
	if (node->kind == SHAPE_MAP)
		f.value = SLICE("{");
	else if (node->kind == SHAPE_LIST)
		f.value = SLICE("[");
	return f;
}

/* The place of fields that are set aside; what has its name, and is no map, goes into it, too. */
static struct shape_node *
aside_map(struct shape *s, struct shape_node *map, struct slice name)
{
	struct shape_node *node = shape_get(s, map, name), *made;

	if (s->full || (node != NULL && node->kind == SHAPE_MAP))
		return node;
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

static void
node_aside(struct reshape *x, struct shape_node *node)
{
	struct shape *s = &x->shape;
	struct shape_node *map;

	shape_remove(s->root, node);
	map = aside_map(s, s->root, x->rules->parsed_key);
	if (!x->rules->merged && map != NULL)
		map = aside_map(s, map, SLICE("extra"));
	if (node->kind == SHAPE_TEXT)
		node->text = slice_cut(node->text, AGENT_TERM);
	if (map != NULL)
		shape_add(s, map, node);
}

void
reshape_settle(struct reshape *x, struct record *r)
{
	struct shape *s = &x->shape;
	struct shape_node *node = shape_first(s, s->root), *next;

	for (; node != NULL && !s->full; node = next) {
		struct field f = field_of(node);

		next = shape_next(node);
		if (!document_takes(x->rules, r, &f))
			node_aside(x, node);
	}
}
