/*
 * JSON records: logstash's encoder, ECS nested and dotted, GELF, and any other
 * object.  One walk that also checks; objects that ECS nests are entered,
 * others are kept whole.
 *
 * An object that this walk refuses (too deep, cut at its end, NaN) is torn: a second
 * walk, which checks nothing, finds its members that are fields.
 */
#include "agent_reading.h"
#include "agent_trace.h"

#include "agent_scan.h"
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
static inline struct slice
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

/* The field that a name is.  GELF's additional fields begin with an underscore. */
static inline const struct word *
field_word(const struct reading *r, struct slice name)
{
	const struct word *w = word_find(&r->words->keys, name);

	if (w == NULL && name.len > 1 && name.at[0] == '_')
		w = word_find(&r->words->keys, slice_from(name, 1));
	return w;
}

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
	w = field_word(r, name);
	if (w != NULL && v->kind == JSON_NULL)
		return true; /* null counts as absent */
	if (kind != VALUE_JSON ? v->escaped && w == NULL : v->kind != JSON_NUMBER) {
		if (agent_json_trace(r, name, v, w != NULL))
			return true;
	}
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

/* ---- torn objects */

#define TORN_DEPTH 3 /* process.thread.name */

/* The place behind the string whose first quote is at ${at}; ${end} when nothing closes it. */
static const char *
string_end(const char *at, const char *end)
{
	for (at++; at < end; at++) {
		if (*at == '"')
			return at + 1;
		if (*at == '\\' && at + 1 < end)
			at++;
	}
	return end;
}

/* The place behind the value at ${at}: a string, a container of any depth, or a word. */
static const char *
torn_value_end(const char *at, const char *end)
{
	size_t depth = 0;

	while (at < end) {
		char c = *at;

		if (depth == 0 && (c == ',' || c == '}' || c == ']'))
			return at;
		if (c == '"') {
			at = string_end(at, end);
		} else {
			depth += c == '{' || c == '[';
			depth -= c == '}' || c == ']';
			at++;
		}
		if (depth == 0 && (c == '"' || c == '}' || c == ']'))
			return at;
	}
	return end;
}

/* The value from ${at} on of a member that is a field. */
static void
torn_field(struct reading *r, const struct word *w, struct slice name, struct slice raw)
{
	struct found found = { name, raw, VALUE_TEXT, false, { 1, 0 } };
	enum json_kind kind;
	bool whole;

	if (raw.len == 0 || raw.at[0] == '{' || raw.at[0] == '[')
		return;
	whole = json_check(raw, &kind) == PARSE_OK;
	if (whole && kind >= JSON_TRUE)
		return;
	if (raw.at[0] == '"') {
		bool closed = raw.len > 1 && raw.at[raw.len - 1] == '"';

		found.value = (struct slice){ raw.at + 1, raw.len - 1 - closed };
		if (!whole)
			found.value = agent_value_unescaped(r, found.value);
		else if (memchr(raw.at, '\\', raw.len) != NULL)
			found.kind = VALUE_ESCAPED;
	} else if (whole) {
		found.kind = VALUE_JSON;
		found.number = true;
	}
	agent_reading_take(r, w, &found);
}

/*
 * The members of a torn object.  Objects with names of their own are entered,
 * ${paths} has their names from the outermost on.
 */
static void
torn_members(struct reading *r, struct slice text)
{
	struct slice paths[TORN_DEPTH] = { { NULL, 0 } };
	const char *at = text.at + 1, *end = text.at + text.len;
	unsigned depth = 0;

	while (at < end) {
		struct slice name;
		const char *close, *value;
		const struct word *w;

		if (*at != '"') {
			if (*at == '}' && depth-- == 0)
				return;
			at++;
			continue;
		}
		close = string_end(at, end);
		value = json_skip_blanks(close, end);
		if (value == end)
			return;
		name = joined(r, paths[depth], (struct slice){ at + 1, (size_t)(close - at) - 2 });
		at = value;
		if (*value != ':')
			continue;
		value = json_skip_blanks(value + 1, end);
		if (value < end && *value == '{' && depth + 1 < TORN_DEPTH && is_nested(name)) {
			paths[++depth] = name;
			at = value + 1;
			continue;
		}
		at = torn_value_end(value, end);
		w = field_word(r, name);
		if (w != NULL)
			torn_field(
			    r, w, name, slice_trim((struct slice){ value, (size_t)(at - value) }));
	}
}

/* ---- the message */

/* The message as text, searched for events and keys. */
static void
message_scan(struct reading *r)
{
	struct found *message = &r->found[AGENT_MESSAGE];

	if (!agent_reading_has(r, AGENT_MESSAGE))
		return;
	r->message = message->value;
	if (message->kind == VALUE_ESCAPED) {
		char *to = arena_take(r->arena, message->value.len);

		if (to == NULL)
			r->out->failures |= 1u << FAILURE_FIELDS;
		else
			r->message = (struct slice){ to, json_unescape(message->value, to) };
	}
	if ((message->kind == VALUE_ESCAPED || !r->one_line) &&
	    memchr(r->message.at, '\n', r->message.len) != NULL)
		agent_trace_split(&r->message, &r->trace);
	agent_scan_message(r, r->message);
}

bool
agent_json_read(struct reading *r, struct slice text)
{
	bool valid;

	r->out->encoding = "json";
	r->members = true;
	valid = members(r, text, (struct slice){ NULL, 0 });
	r->members = false;
	if (valid)
		message_scan(r);
	return valid;
}

bool
agent_json_torn(struct reading *r, struct slice text)
{
	r->out->encoding = "json";
	r->members = true;
	torn_members(r, text);
	r->members = false;
	message_scan(r);
	return r->has >> AGENT_EVENT != 0;
}
