/*
 * Stack traces of JSON records, wherever a layout puts them: a string of any
 * name, an array of lines or of frames, an object of an exception's parts
 * (log4j2's thrown, its causes in it).  Each becomes the text that the JVM
 * would have printed, so that type, root and fingerprint are those of text.
 */
#include "agent_reading.h"

#include "json.h"

#define CAUSES 8 /* of one another */

struct text {
	char *at;
	size_t len, most;
};

static void
put(struct text *t, struct slice s)
{
	if (s.len > t->most - t->len)
		return;
	memcpy(t->at + t->len, s.at, s.len);
	t->len += s.len;
}

static void
put_value(struct text *t, const struct json_value *v)
{
	if (v->kind != JSON_STRING)
		put(t, v->text);
	else if (v->text.len <= t->most - t->len)
		t->len += json_unescape(v->text, t->at + t->len);
}

/* The parts of a throwable, or of a frame, by the names that layouts have for them. */
enum part {
	PART_CLASS,
	PART_MESSAGE,
	PART_TRACE,
	PART_CAUSE,
	PART_METHOD,
	PART_FILE,
	PART_LINE,
	PARTS
};

static const struct {
	struct slice name;
	enum part part;
} names[] = {
	{ SLICE("class"), PART_CLASS },
	{ SLICE("className"), PART_CLASS },
	{ SLICE("declaringClass"), PART_CLASS },
	{ SLICE("name"), PART_CLASS },
	{ SLICE("type"), PART_CLASS },
	{ SLICE("exception_class"), PART_CLASS },
	{ SLICE("exceptionType"), PART_CLASS },
	{ SLICE("message"), PART_MESSAGE },
	{ SLICE("exception_message"), PART_MESSAGE },
	{ SLICE("extendedStackTrace"), PART_TRACE },
	{ SLICE("stackTrace"), PART_TRACE },
	{ SLICE("stack_trace"), PART_TRACE },
	{ SLICE("stacktrace"), PART_TRACE },
	{ SLICE("stack"), PART_TRACE },
	{ SLICE("frames"), PART_TRACE },
	{ SLICE("cause"), PART_CAUSE },
	{ SLICE("causedBy"), PART_CAUSE },
	{ SLICE("method"), PART_METHOD },
	{ SLICE("methodName"), PART_METHOD },
	{ SLICE("file"), PART_FILE },
	{ SLICE("fileName"), PART_FILE },
	{ SLICE("line"), PART_LINE },
	{ SLICE("lineNumber"), PART_LINE },
};

/* The parts that ${object} has; of each the first. */
static unsigned
parts_read(struct slice object, struct json_value out[PARTS])
{
	struct json_walk walk;
	struct json_value v;
	struct slice key;
	unsigned has = 0;

	json_enter(&walk, object);
	while (json_next(&walk, &key, &v) == PARSE_OK) {
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
			unsigned bit = 1u << names[i].part;

			if (!slice_eq(key, names[i].name) || v.kind == JSON_NULL ||
			    (has & bit) != 0)
				continue;
			has |= bit;
			out[names[i].part] = v;
		}
	}
	return has;
}

static void
put_frame(struct text *t, struct slice object)
{
	struct json_value parts[PARTS];
	unsigned has = parts_read(object, parts);

	if ((has & 1u << PART_CLASS) == 0)
		return;
	put(t, SLICE("\tat "));
	put_value(t, &parts[PART_CLASS]);
	if ((has & 1u << PART_METHOD) != 0) {
		put(t, SLICE("."));
		put_value(t, &parts[PART_METHOD]);
	}
	put(t, SLICE("("));
	if ((has & 1u << PART_FILE) != 0)
		put_value(t, &parts[PART_FILE]);
	if ((has & 1u << PART_LINE) != 0) {
		put(t, SLICE(":"));
		put_value(t, &parts[PART_LINE]);
	}
	put(t, SLICE(")\n"));
}

/* The lines or frames of an array. */
static void
put_array(struct text *t, struct slice array)
{
	struct json_walk walk;
	struct json_value v;
	struct slice key;

	json_enter(&walk, array);
	while (json_next(&walk, &key, &v) == PARSE_OK) {
		if (v.kind == JSON_OBJECT) {
			put_frame(t, v.text);
		} else if (v.kind == JSON_STRING) {
			put_value(t, &v);
			if (t->len > 0 && t->at[t->len - 1] != '\n')
				put(t, SLICE("\n"));
		}
	}
}

/* A throwable and its causes.  False: the object is none. */
static bool
put_throwable(struct text *t, struct slice object)
{
	struct json_value parts[PARTS];
	unsigned has = 0;

	for (unsigned i = 0; i < CAUSES; i++) {
		const struct json_value *trace = &parts[PART_TRACE];

		has = parts_read(object, parts);
		if ((has & 1u << PART_TRACE) != 0 && trace->kind == JSON_STRING &&
		    memmem(trace->text.at, trace->text.len, "\\n", 2) != NULL) {
			put_value(t, trace); /* all of it, causes included */
			return true;
		}
		if ((has & 1u << PART_CLASS) == 0 || parts[PART_CLASS].kind != JSON_STRING)
			return i > 0;
		put(t, i > 0 ? SLICE("Caused by: ") : SLICE(""));
		put_value(t, &parts[PART_CLASS]);
		if ((has & 1u << PART_MESSAGE) != 0) {
			put(t, SLICE(": "));
			put_value(t, &parts[PART_MESSAGE]);
		}
		put(t, SLICE("\n"));
		if ((has & 1u << PART_TRACE) != 0 && trace->kind == JSON_ARRAY)
			put_array(t, trace->text);
		if ((has & 1u << PART_CAUSE) == 0 || parts[PART_CAUSE].kind != JSON_OBJECT)
			break;
		object = parts[PART_CAUSE].text;
	}
	return true;
}

/* ---- members */

/* A string, still escaped, with a line that is a frame. */
static bool
has_frame(struct slice raw)
{
	return memmem(raw.at, raw.len, "\\n\\tat ", 7) != NULL ||
	       memmem(raw.at, raw.len, "\\n    at ", 9) != NULL;
}

static bool
is_trace_name(struct slice name)
{
	static const struct slice ends[] = { SLICE("stack_trace"), SLICE("stackTrace"),
		SLICE("stacktrace"), SLICE("StackTrace") };

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		if (slice_ends(name, ends[i]))
			return true;
	}
	return false;
}

static bool
is_throwable_name(struct slice name)
{
	static const struct slice all[] = { SLICE("thrown"), SLICE("exception"), SLICE("throwable"),
		SLICE("err"), SLICE("error.cause") };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		if (slice_eq(name, all[i]))
			return true;
	}
	return false;
}

static void
trace_take(struct reading *r, struct slice name, struct slice text, enum value_kind kind)
{
	if (agent_reading_has(r, AGENT_STACK_TRACE))
		return;
	r->has |= (uint32_t)1 << AGENT_STACK_TRACE;
	r->found[AGENT_STACK_TRACE] = (struct found){ name, text, kind, false, { 1, 0 } };
}

bool
agent_json_trace(struct reading *r, struct slice name, const struct json_value *v, bool known)
{
	struct text t = { .most = v->text.len + 64 };
	bool object = v->kind == JSON_OBJECT;

	if (v->kind == JSON_STRING) {
		if (known || !v->escaped || agent_reading_has(r, AGENT_STACK_TRACE) ||
		    !has_frame(v->text))
			return false;
		trace_take(r, name, v->text, VALUE_ESCAPED);
		return true;
	}
	if (object ? !is_throwable_name(name) : v->kind != JSON_ARRAY || !is_trace_name(name))
		return false;
	t.at = arena_take(r->arena, t.most);
	if (t.at == NULL)
		return false;
	if (object && !put_throwable(&t, v->text))
		return false;
	if (!object)
		put_array(&t, v->text);
	while (t.len > 0 && t.at[t.len - 1] == '\n')
		t.len--;
	if (t.len > 0)
		trace_take(r, name, (struct slice){ t.at, t.len }, VALUE_TEXT);
	return !object &&
	       t.len > 0; /* an object has more than its trace: it stays among the extras */
}
