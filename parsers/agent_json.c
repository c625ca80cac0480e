/*
 * JSON records: logstash's encoder, ECS nested and dotted, GELF, and any other
 * object.  One walk that also checks; objects that ECS nests are entered,
 * others are kept whole.
 */
#include "agent_reading.h"

#include "json.h"

#define PATH_MAX_BYTES 128

/* Objects whose members have names of their own: log.level is level of log. */
static const struct slice nested[] = { SLICE("log"), SLICE("process"), SLICE("process.thread"),
	SLICE("error"), SLICE("event") };

static bool members(struct reading *r, struct slice object, struct slice path);

static bool
is_nested(struct slice name)
{
	for (size_t i = 0; i < sizeof(nested) / sizeof(*nested); i++) {
		if (slice_eq(name, nested[i]))
			return true;
	}
	return false;
}

/* path.key, in the arena; empty when the arena has no room or the name is too long. */
static struct slice
joined(struct reading *r, struct slice path, struct slice key)
{
	char *to;

	if (path.len == 0)
		return key;
	if (key.len > PATH_MAX_BYTES)
		key.len = 0;
	to = arena_take(r->arena, path.len + 1 + key.len);
	if (to == NULL)
		return (struct slice){ NULL, 0 };
	memcpy(to, path.at, path.len);
	to[path.len] = '.';
	memcpy(to + path.len + 1, key.at, key.len);
	return (struct slice){ to, path.len + 1 + key.len };
}

/* The encoder of the record, as far as one name tells it. */
static void
encoder_seen(struct reading *r, struct slice name)
{
	if (slice_eq(name, SLICE("short_message")))
		r->out->encoding = "gelf";
	else if (slice_eq(name, SLICE("log.level")) || slice_eq(name, SLICE("ecs.version")))
		r->out->encoding = "ecs";
}

/* One member.  GELF's additional fields begin with an underscore. */
static bool
member(struct reading *r, struct slice name, const struct json_value *v)
{
	const struct word *w;
	struct found found;
	enum value_kind kind = v->kind == JSON_STRING ? VALUE_ESCAPED : VALUE_JSON;

	if (v->kind == JSON_OBJECT && is_nested(name))
		return members(r, v->text, name);
	if (name.len > 0 && (name.at[0] == 's' || name.at[0] == 'l' || name.at[0] == 'e'))
		encoder_seen(r, name);
	w = word_find(&r->words->keys, name);
	if (w == NULL && name.len > 1 && name.at[0] == '_')
		w = word_find(&r->words->keys, slice_from(name, 1));
	if (w != NULL && v->kind == JSON_NULL)
		return true; /* null counts as absent */
	if (w != NULL && kind == VALUE_ESCAPED && !v->escaped)
		kind = VALUE_TEXT; /* plain text, which the metrics need not unescape */
	found = (struct found){ name, v->text, kind, v->kind == JSON_NUMBER, { 1, 0 } };
	agent_reading_take(r, w, &found);
	return true;
}

static bool
members(struct reading *r, struct slice object, struct slice path)
{
	struct json_walk walk;
	struct json_value value;
	struct slice key;
	enum parsed got;

	json_enter(&walk, object);
	while ((got = json_next(&walk, &key, &value)) == PARSE_OK) {
		if (!member(r, joined(r, path, key), &value))
			return false;
	}
	return got == PARSE_MORE && json_trailing(&walk);
}

bool
agent_json_read(struct reading *r, struct slice text)
{
	struct found *message = &r->found[AGENT_MESSAGE];
	bool valid;

	r->out->encoding = "json";
	r->members = true;
	valid = members(r, text, (struct slice){ NULL, 0 });
	r->members = false;
	if (!valid)
		return false;
	if (!agent_reading_has(r, AGENT_MESSAGE))
		return true;
	r->message = message->value;
	if (message->kind == VALUE_ESCAPED) {
		char *to = arena_take(r->arena, message->value.len);

		if (to == NULL)
			r->out->failures |= 1u << FAILURE_FIELDS;
		else
			r->message = (struct slice){ to, json_unescape(message->value, to) };
	}
	agent_scan_message(r, r->message);
	return true;
}
