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
	struct shape_node *apart;

	x->record = r;
	x->rules = rules;
	shape_clear(s);
	s->apart = rules->parsed_key;
	s->apart_within = rules->merged ? SLICE("") : SLICE("extra");
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
			(void)shape_field_put(s, s->root, &r->fields[i]);
	if (r->pod != NULL)
		pod_add(x);
	if (r->parsed != NULL && document_parsed_any(rules, r))
		owned_add(s, rules->parsed_key, &x->parsed);
	for (int i = 0; i < r->nfields; i++) /* as in a document */
		if (is_own(x, r->fields[i].name) && (apart = shape_apart(s)) != NULL)
			(void)shape_field_put(s, apart, &r->fields[i]);
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
	if (r->parsed != NULL && before->parsed != r->parsed && document_parsed_any(x->rules, r))
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

static void
node_aside(struct reshape *x, struct shape_node *node)
{
	struct shape *s = &x->shape;
	struct shape_node *map;

	shape_remove(s->root, node);
	map = shape_apart(s);
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
