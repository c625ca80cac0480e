/*
 * The tree of a record's fields: nodes in an arena, opened where someone looks
 * inside.  Maps are lists of members, looked through one by one: a record has tens
 * of fields, and json_mend() bounds what may be opened at once.
 */
#include "shape.h"

#include "json.h"

void
shape_init(struct shape *s, size_t size)
{
	*s = (struct shape){ .root = NULL };
	arena_init(&s->arena, size);
	shape_clear(s);
}

void
shape_fini(struct shape *s)
{
	arena_fini(&s->arena);
}

static void *
take(struct shape *s, size_t n)
{
	void *at = arena_take(&s->arena, n);

	s->full |= at == NULL;
	return at;
}

static struct shape_node *
node_new(struct shape *s, struct slice name)
{
	struct shape_node *node = take(s, sizeof(*node));

	if (node == NULL)
		return NULL;
	*node = (struct shape_node){ .name = name };
	TAILQ_INIT(&node->members);
	return node;
}

void
shape_clear(struct shape *s)
{
	arena_reset(&s->arena);
	s->full = false;
	s->root = node_new(s, SLICE(""));
	if (s->root != NULL)
		s->root->kind = SHAPE_MAP;
}

struct slice
shape_join(struct shape *s, struct slice a, struct slice b)
{
	char *at = take(s, a.len + b.len);

	if (at == NULL)
		return (struct slice){ NULL, 0 };
	if (a.len > 0)
		memcpy(at, a.at, a.len);
	if (b.len > 0)
		memcpy(at + a.len, b.at, b.len);
	return (struct slice){ at, a.len + b.len };
}

struct slice
shape_keep(struct shape *s, struct slice text)
{
	return shape_join(s, text, SLICE(""));
}

/* ---- a closed value is opened */

/* A JSON string's inside without its escapes. */
static struct slice
plain(struct shape *s, struct slice raw)
{
	char *at;

	if (raw.len == 0 || memchr(raw.at, '\\', raw.len) == NULL)
		return raw;
	at = take(s, raw.len);
	if (at == NULL)
		return (struct slice){ NULL, 0 };
	return (struct slice){ at, json_unescape(raw, at) };
}

static void
value_set(struct shape *s, struct shape_node *node, const struct json_value *v)
{
	shape_set(node, SHAPE_SCALAR, v->text);
	switch (v->kind) {
	case JSON_OBJECT:
	case JSON_ARRAY:
		node->kind = v->kind == JSON_OBJECT ? SHAPE_MAP : SHAPE_LIST;
		node->closed = true;
		break;
	case JSON_STRING:
		node->kind = SHAPE_TEXT;
		node->text = plain(s, v->text);
		break;
	case JSON_NUMBER:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		break;
	}
}

static void
members_read(struct shape *s, struct shape_node *node, struct slice json)
{
	struct json_walk walk;
	struct json_value value;
	struct slice name = SLICE("");

	json_enter(&walk, json);
	while (json_next(&walk, &name, &value) == PARSE_OK) {
		struct shape_node *member =
		    node_new(s, node->kind == SHAPE_MAP ? plain(s, name) : SLICE(""));

		if (member == NULL)
			return;
		value_set(s, member, &value);
		TAILQ_INSERT_TAIL(&node->members, member, in);
	}
}

/* The JSON of a closed value in the arena, each name once in a map. */
static struct slice
closed_json(struct shape *s, const struct shape_node *node)
{
	size_t room = node->owner != NULL ? node->owner->room(node->owner->of) : 0;
	struct slice text = node->text;
	char *at;

	if (node->owner != NULL) {
		at = take(s, room);
		if (at == NULL)
			return SLICE("");
		text = (struct slice){ at, (size_t)(node->owner->write(at, node->owner->of) - at) };
		s->arena.used -= room - text.len; /* the rest is given back */
		if (text.len == 0)
			return SLICE("{}");
	}
	at = take(s, JSON_WRITE_MAX(text.len) + text.len / 500);
	if (at == NULL)
		return SLICE("");
	room = (size_t)(json_mend(at, text, SIZE_MAX) - at);
	s->arena.used -= JSON_WRITE_MAX(text.len) + text.len / 500 - room;
	return (struct slice){ at, room };
}

static void
node_open(struct shape *s, struct shape_node *node)
{
	struct slice json = closed_json(s, node);

	if (s->full)
		return;
	node->closed = false;
	node->owner = NULL;
	TAILQ_INIT(&node->members);
	node->text = SLICE("");
	if (json.at[0] == '"') {
		node->kind = SHAPE_TEXT;
		node->text = plain(s, (struct slice){ json.at + 1, json.len - 2 });
	} else {
		members_read(s, node, json);
	}
}

/* ---- to read */

struct shape_node *
shape_first(struct shape *s, struct shape_node *node)
{
	if (node->kind != SHAPE_MAP && node->kind != SHAPE_LIST)
		return NULL;
	if (node->closed)
		node_open(s, node);
	return node->closed ? NULL : TAILQ_FIRST(&node->members);
}

struct shape_node *
shape_get(struct shape *s, struct shape_node *map, struct slice name)
{
	struct shape_node *member;

	if (map->kind != SHAPE_MAP)
		return NULL;
	for (member = shape_first(s, map); member != NULL; member = shape_next(member))
		if (slice_eq(member->name, name))
			return member;
	return NULL;
}

struct shape_node *
shape_at(struct shape *s, struct shape_node *list, size_t i)
{
	struct shape_node *member;

	if (list->kind != SHAPE_LIST)
		return NULL;
	for (member = shape_first(s, list); member != NULL && i > 0; i--)
		member = shape_next(member);
	return member;
}

struct slice
shape_text(struct shape *s, struct shape_node *node)
{
	size_t room;
	char *at;

	if (node->kind == SHAPE_TEXT || node->kind == SHAPE_SCALAR)
		return node->text;
	room = shape_room(node);
	at = take(s, room);
	if (at == NULL)
		return SLICE("");
	s->arena.used -= room - (size_t)(shape_write(at, node) - at);
	return (struct slice){ at, (size_t)(s->arena.at + s->arena.used - at) };
}

/* ---- to change */

void
shape_set(struct shape_node *node, enum shape_kind kind, struct slice text)
{
	node->kind = kind;
	node->text = text;
	node->owner = NULL;
	node->closed = false;
	TAILQ_INIT(&node->members);
}

bool
shape_set_json(struct shape *s, struct shape_node *node, struct slice text)
{
	struct json_value value = { .text = slice_trim(text) };

	if (json_check(text, &value.kind) != PARSE_OK)
		return false;
	if (value.kind == JSON_STRING)
		value.text = (struct slice){ value.text.at + 1, value.text.len - 2 };
	value_set(s, node, &value);
	return !s->full;
}

struct shape_node *
shape_put(struct shape *s, struct shape_node *map, struct slice name)
{
	struct shape_node *member = map->kind == SHAPE_MAP ? shape_get(s, map, name) : NULL;

	if (member != NULL) {
		shape_set(member, SHAPE_TEXT, SLICE(""));
		return member;
	}
	(void)shape_first(s, map); /* a closed list, too, is opened */
	member = s->full ? NULL : node_new(s, name);
	if (member != NULL)
		TAILQ_INSERT_TAIL(&map->members, member, in);
	return member;
}

static bool
members_copy(struct shape *s, struct shape_node *to, const struct shape_node *from)
{
	struct shape_node *member;

	TAILQ_FOREACH (member, &from->members, in) {
		struct shape_node *copy = node_new(s, member->name);

		if (copy == NULL)
			return false;
		TAILQ_INSERT_TAIL(&to->members, copy, in);
		if (!shape_copy(s, copy, member))
			return false;
	}
	return true;
}

bool
shape_copy(struct shape *s, struct shape_node *to, struct shape_node *from)
{
	struct shape_node copy = { .kind = from->kind };
	struct shape_node *member;

	TAILQ_INIT(&copy.members);
	if (from->closed || from->kind == SHAPE_TEXT || from->kind == SHAPE_SCALAR) {
		shape_set(to, from->kind, from->text);
		to->closed = from->closed;
		to->owner = from->owner;
		return true;
	}
	if (!members_copy(s, &copy, from)) /* before ${to} changes: it may be within ${from} */
		return false;
	shape_set(to, from->kind, SLICE(""));
	while ((member = TAILQ_FIRST(&copy.members)) != NULL) {
		TAILQ_REMOVE(&copy.members, member, in);
		TAILQ_INSERT_TAIL(&to->members, member, in);
	}
	return true;
}

void
shape_remove(struct shape_node *map, struct shape_node *node)
{
	TAILQ_REMOVE(&map->members, node, in);
}

void
shape_add(struct shape *s, struct shape_node *map, struct shape_node *node)
{
	struct shape_node *old = shape_get(s, map, node->name);

	if (old != NULL)
		shape_remove(map, old);
	TAILQ_INSERT_TAIL(&map->members, node, in);
}

/* ---- to write */

static size_t
json_room(size_t n)
{
	return JSON_WRITE_MAX(n) + n / 500;
}

size_t
shape_room(const struct shape_node *node)
{
	const struct shape_node *member;
	size_t n = 2;

	if (node->owner != NULL)
		return node->owner->room(node->owner->of) + 2;
	if (node->closed || node->kind == SHAPE_TEXT || node->kind == SHAPE_SCALAR)
		return json_room(node->text.len) + 4;
	TAILQ_FOREACH (member, &node->members, in)
		n += JSON_WRITE_MAX(member->name.len) + 4 + shape_room(member);
	return n;
}

static char *
members_write(char *to, const struct shape_node *node)
{
	const bool map = node->kind == SHAPE_MAP;
	const struct shape_node *member;
	char *from = to;

	*to++ = map ? '{' : '[';
	TAILQ_FOREACH (member, &node->members, in) {
		if (to > from + 1)
			*to++ = ',';
		if (map) {
			to = json_name(to, member->name, false);
			*to++ = ':';
		}
		to = shape_write(to, member);
	}
	*to++ = map ? '}' : ']';
	return to;
}

char *
shape_write(char *to, const struct shape_node *node)
{
	char *end;

	if (node->owner != NULL) {
		end = node->owner->write(to, node->owner->of);
		if (end > to)
			return end;
		memcpy(to, "{}", 2); /* he had nothing to write */
		return to + 2;
	}
	if (node->kind == SHAPE_TEXT)
		return json_write(to, node->text);
	if (!node->closed && node->kind != SHAPE_SCALAR)
		return members_write(to, node);
	if (node->text.len == 0) {
		memcpy(to, "null", 4);
		return to + 4;
	}
	return json_mend(to, node->text, SIZE_MAX);
}
