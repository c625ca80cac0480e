/*
 * log_parsed: the fields that the agent's grammar found, as JSON.  Its own fields by
 * name, all others under extra: there are those for the metrics, too, as the
 * line has them.  On the hot path: names are constants, and whoever calls has
 * made room.
 */
#include "parsed.h"

/* Bytes of all constant names and marks of the object together, and to spare. */
#define NAMES_ROOM 512

#define NAMED 9 /* fields that have a name */

size_t
parsed_text_room(struct slice text)
{
	size_t n = 2;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.at[i];

		n += c < 0x20 ? 6 : c == '"' || c == '\\' ? 2 : c < 0x80 ? 1 : 3;
	}
	return n;
}

/* A number too long for a server becomes a string: two bytes more. */
static inline size_t
value_room(const struct field *f, bool tight)
{
	size_t more = f->kind == VALUE_JSON ? f->value.len / 500 : 0;

	return f->value.len == 0 ? 4 : text_room(f->value, tight) + more;
}

size_t
parsed_field_room(const struct field *f, bool tight)
{
	return text_room(f->name, tight) + value_room(f, tight) + 2;
}

static inline char *
value_write(char *to, const struct field *f)
{
	if (f->kind == VALUE_TEXT)
		return json_write(to, f->value);
	if (f->kind == VALUE_ESCAPED)
		return json_write_raw(to, f->value);
	if (f->value.len == 0)
		return PUT(to, "null");
	return json_mend(to, f->value, SIZE_MAX);
}

static inline char *
name_write(char *to, const struct field *f)
{
	*to++ = ',';
	to = f->name_escaped ? json_write_raw(to, f->name) : json_write(to, f->name);
	*to++ = ':';
	return to;
}

char *
parsed_field_write(char *to, const struct field *f)
{
	return value_write(name_write(to, f), f);
}

/* The fields that have a name, by their lengths alone: at least as much as below. */
static inline size_t
named_room_loose(const struct agent_line *a)
{
	size_t n = a->logger.value.len + a->thread.value.len + a->timestamp.value.len +
		   a->task_id.value.len + a->pipeline.value.len + a->error.type.value.len +
		   a->error.root_type.value.len + a->error.message.value.len +
		   a->stack_trace.value.len;

	return NAMED * JSON_WRITE_MAX(0) + JSON_WRITE_MAX(n) + n / 500;
}

static inline size_t
named_room_tight(const struct agent_line *a)
{
	const struct field *named[NAMED] = { &a->logger, &a->thread, &a->timestamp, &a->task_id,
		&a->pipeline, &a->error.type, &a->error.root_type, &a->error.message,
		&a->stack_trace };
	size_t n = 0;

	for (size_t i = 0; i < NAMED; i++) {
		if (named[i]->value.len > 0)
			n += value_room(named[i], true);
	}
	return n;
}

size_t
parsed_room(const struct agent_line *a, bool tight)
{
	size_t n = NAMES_ROOM + (tight ? named_room_tight(a) : named_room_loose(a)) +
		   text_room(a->event_name, tight) + text_room(a->execution_time_raw, tight) +
		   a->execution_time.decimal.len;

	for (int i = 0; i < a->nextra; i++)
		n += parsed_field_room(&a->extra[i], tight);
	return n;
}

/* Members are written with a comma before them; the first one becomes the brace. */
#define PUT_FIELD(to, name, field)                                                                 \
	((field).value.len > 0 ? value_write(PUT(to, ",\"" name "\":"), &(field)) : (to))
#define PUT_MEASURE(to, name, measure)                                                             \
	((measure).present ? put_slice(PUT(to, ",\"" name "\":"), (measure).decimal) : (to))
#define PUT_TEXT(to, name, text)                                                                   \
	((text).len > 0 ? json_write(PUT(to, ",\"" name "\":"), text) : (to))

/* A value that is cut where a server would not take it as one term. */
static char *
extra_field_write(char *to, const struct field *f)
{
	to = name_write(to, f);
	if (f->value.len <= AGENT_TERM)
		return value_write(to, f);
	if (f->kind == VALUE_JSON)
		return json_mend(to, f->value, AGENT_TERM);
	return json_write_cut(to, f->value, f->kind == VALUE_ESCAPED, AGENT_TERM);
}

/*
 * A field that is set aside: the same as the grammar has it, most often, which is
 * written once; another one of that name has a _ before its own.
 */
static char *
aside_write(char *to, const struct agent_line *a, const struct field *f)
{
	char *end;

	for (int i = 0; a != NULL && i < a->nextra; i++) {
		if (!slice_eq(a->extra[i].name, f->name))
			continue;
		if (slice_eq(a->extra[i].value, f->value))
			return to;
		end = extra_field_write(to + 1, f);
		memcpy(to, ",\"_", 3); /* over the comma and the quote */
		return end;
	}
	return extra_field_write(to, f);
}

static char *
extra_write(char *to, const struct agent_line *a, const struct aside *aside)
{
	char *from = PUT(to, ",\"extra\":"), *at = from;

	for (int i = 0; a != NULL && i < a->nextra; i++)
		at = extra_field_write(at, &a->extra[i]);
	for (uint64_t which = aside->which; which != 0; which &= which - 1)
		at = aside_write(at, a, &aside->fields[__builtin_ctzll(which)]);
	if (at == from)
		return to;
	*from = '{';
	*at++ = '}';
	return at;
}

/* The fields that have a name. */
static char *
named_write(char *at, const struct agent_line *a)
{
	if (a->level != LEVEL_NONE) {
		at = PUT(at, ",\"level\":\"");
		at = put_slice(at, agent_level_names[a->level]);
		*at++ = '"';
	}
	at = PUT_FIELD(at, "logger", a->logger);
	at = PUT_FIELD(at, "thread", a->thread);
	at = PUT_FIELD(at, "timestamp", a->timestamp);
	at = PUT_TEXT(at, "event", a->event_name);
	at = PUT_FIELD(at, "task_id", a->task_id);
	at = PUT_FIELD(at, "pipeline", a->pipeline);
	at = PUT_MEASURE(at, "execution_time", a->execution_time);
	at = PUT_TEXT(at, "execution_time_raw", a->execution_time_raw);
	at = PUT_FIELD(at, "error_type", a->error.type);
	at = PUT_FIELD(at, "root_error_type", a->error.root_type);
	at = PUT_FIELD(at, "error_message", a->error.message);
	if (a->error.type.value.len > 0)
		at = PUT(
		    agent_fingerprint(PUT(at, ",\"error_fingerprint\":\""), a->error.fingerprint),
		    "\"");
	return PUT_FIELD(at, "stack_trace", a->stack_trace);
}

char *
parsed_write(char *to, const struct agent_line *a, const struct aside *aside)
{
	char *at = a != NULL ? named_write(to, a) : to;

	at = extra_write(at, a, aside);
	if (at == to)
		return to;
	*to = '{';
	*at++ = '}';
	return at;
}

bool
parsed_any(const struct agent_line *a)
{
	return a->level != LEVEL_NONE || a->nextra > 0 || a->execution_time.present ||
	       a->event_name.len + a->execution_time_raw.len + a->logger.value.len +
		       a->thread.value.len + a->timestamp.value.len + a->task_id.value.len +
		       a->pipeline.value.len + a->error.type.value.len +
		       a->error.root_type.value.len + a->error.message.value.len +
		       a->stack_trace.value.len >
		   0;
}

/* ---- under a key of the configuration's, as Fluent Bit merges a line */

/* The bytes of the object, or of its text as it is put together. */
static size_t
merged_room(const struct record *r, bool tight)
{
	size_t n = parsed_room(r->parsed, tight) + text_room(r->log, tight) + r->log.len / 500;

	for (int i = 0; i < r->nfields; i++)
		n += parsed_field_room(&r->fields[i], tight);
	return n;
}

size_t
parsed_merged_room(const struct record *r, bool tight)
{
	return 2 * merged_room(r, tight);
}

/* The members of a line that is one JSON object, without its braces; empty: it is none. */
static struct slice
members_of(struct slice line)
{
	enum json_kind kind;

	line = slice_trim(line);
	if (line.len < 2 || line.at[0] != '{' || json_check(line, &kind) != PARSE_OK)
		return SLICE("");
	return slice_trim((struct slice){ line.at + 1, line.len - 2 });
}

/*
 * All members are put behind each other, some perhaps twice: of one name the last is
 * kept as they are mended.  That is the line's, where it is JSON, else the grammar's.
 */
char *
parsed_merged_write(char *to, const struct record *r, const struct aside *aside)
{
	const struct agent_line *a = r->parsed;
	struct slice members = members_of(r->log);
	char *from = to + merged_room(r, true), *at, *own, *end;

	at = from;
	for (int i = 0; members.len == 0 && i < a->nextra; i++)
		at = parsed_field_write(at, &a->extra[i]);
	for (uint64_t which = aside->which; which != 0; which &= which - 1)
		at = parsed_field_write(at, &aside->fields[__builtin_ctzll(which)]);
	own = at = named_write(at, a);
	if (members.len > 0)
		at = put_slice(PUT(at, ","), members);
	if (at == from)
		return to;
	*from = '{';
	*at++ = '}';
	end = json_mend(to, (struct slice){ from, (size_t)(at - from) }, SIZE_MAX);
	if (*to == '{')
		return end;
	if (own == from)
		return to;
	*own++ = '}'; /* without the line's, which are more than can be mended */
	return json_mend(to, (struct slice){ from, (size_t)(own - from) }, SIZE_MAX);
}

bool
parsed_merged_any(const struct record *r)
{
	return parsed_any(r->parsed) || members_of(r->log).len > 0;
}
