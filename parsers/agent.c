/*
 * One record of an agent, from its text to its fields: the choice of its
 * layout, and the meaning of its keys together.
 */
#include "agent.h"

#include "agent_measure.h"
#include "agent_reading.h"
#include "agent_trace.h"
#include "ansi.h"
#include "bytes.h"
#include "json.h"

#define EVENT_NAME_MAX 128
#define RAW_MAX 64 /* of an execution_time_raw */

/* A value as text, its escapes resolved; empty when the arena has no room. */
static struct slice
plain_text(struct reading *r, struct slice value, enum value_kind kind)
{
	char *to;

	if (kind != VALUE_ESCAPED)
		return value;
	to = arena_take(r->arena, value.len);
	if (to == NULL) {
		r->out->failures |= 1u << FAILURE_FIELDS;
		return (struct slice){ NULL, 0 };
	}
	return (struct slice){ to, json_unescape(value, to) };
}

/* Set ${f} to the value that was found; a number becomes text. */
static void
field_set(struct reading *r, struct field *f, enum agent_field field)
{
	const struct found *found = &r->found[field];

	if (!agent_reading_has(r, field) || f->value.len > 0)
		return;
	f->value = found->value;
	f->kind = found->kind == VALUE_JSON ? VALUE_TEXT : found->kind;
}

/* A field that was found, but that this kind of record does not have, goes under extra. */
static void
found_aside(struct reading *r, enum agent_field field)
{
	if (agent_reading_has(r, field))
		agent_reading_extra(r, &r->found[field]);
}

/* ---- level and event */

/* The numbers of RFC 5424, which GELF uses. */
static enum level
syslog_level(struct slice number)
{
	static const enum level levels[] = { LEVEL_FATAL, LEVEL_FATAL, LEVEL_FATAL, LEVEL_ERROR,
		LEVEL_WARN, LEVEL_INFO, LEVEL_INFO, LEVEL_DEBUG };

	if (number.len != 1 || number.at[0] < '0' || number.at[0] > '7')
		return LEVEL_NONE;
	return levels[number.at[0] - '0'];
}

static void
set_level(struct reading *r)
{
	const struct found *level = &r->found[AGENT_LEVEL];
	struct agent_line *out = r->out;

	if (agent_reading_has(r, AGENT_LEVEL_NAME))
		out->level = agent_head_level(r->found[AGENT_LEVEL_NAME].value);
	if (out->level != LEVEL_NONE || !agent_reading_has(r, AGENT_LEVEL))
		return;
	out->level = agent_head_level(slice_trim(level->value));
	if (out->level == LEVEL_NONE)
		out->level = syslog_level(slice_trim(level->value));
}

/* The event: from the field that names it, else from the word in the message. */
static void
set_event(struct reading *r)
{
	struct agent_line *out = r->out;
	const struct word *w;

	for (unsigned i = AGENT_EVENT; i <= AGENT_EVENT_TYPE; i++) {
		const struct found *found = &r->found[i];

		if (!agent_reading_has(r, (enum agent_field)i))
			continue;
		if (out->event_name.len > 0 || found->kind == VALUE_JSON || found->value.len == 0 ||
		    found->value.len > EVENT_NAME_MAX) {
			found_aside(r, (enum agent_field)i);
			continue;
		}
		out->event_name = plain_text(r, found->value, found->kind);
		w = word_find(&r->words->events, out->event_name);
		out->event =
		    w == NULL || w->means == EVENT_NONE ? EVENT_OTHER : (enum event)w->means;
	}
	if (out->event_name.len == 0) {
		out->event_name = r->token;
		out->event = r->token_is;
	}
}

/* ---- measures */

/* The text of a duration: no blanks around it, no full stop of a sentence behind its unit. */
static struct slice
duration_text(const struct found *found)
{
	struct slice s = slice_trim(found->value);

	if (s.len > 1 && s.at[s.len - 1] == '.')
		s.len--;
	return s;
}

static void
set_duration(struct reading *r, struct measure *m, enum agent_field field)
{
	const struct found *found = &r->found[field];
	struct decimal d;
	bool plain = false;

	if (!agent_reading_has(r, field))
		return;
	if (found->kind != VALUE_ESCAPED &&
	    agent_measure_duration(duration_text(found), found->unit, &d, &plain))
		agent_measure_set(m, d, r->arena);
	else
		r->out->failures |= 1u << FAILURE_DURATION;
	if (field == AGENT_EXECUTION_TIME && !plain && found->kind != VALUE_ESCAPED &&
	    found->value.len <= RAW_MAX)
		r->out->execution_time_raw = found->value;
}

static void
set_count(struct reading *r, struct measure *m, enum agent_field field)
{
	struct decimal d;

	if (agent_reading_has(r, field) && agent_measure_count(r->found[field].value, &d))
		agent_measure_set(m, d, r->arena);
}

/* The banner has commit or build time; a version alone may be that of any library. */
static void
set_banner(struct reading *r)
{
	struct agent_line *out = r->out;

	if (!agent_reading_has(r, AGENT_VERSION) ||
	    !(agent_reading_has(r, AGENT_COMMIT) || agent_reading_has(r, AGENT_BUILD_TIMESTAMP)))
		return;
	field_set(r, &out->build.version, AGENT_VERSION);
	field_set(r, &out->build.commit, AGENT_COMMIT);
	field_set(r, &out->build.timestamp, AGENT_BUILD_TIMESTAMP);
}

/* Fields for the metrics, which few lines have. */
static void
set_measures(struct reading *r)
{
	const uint32_t all = ((uint32_t)1 << (AGENT_BUILD_TIMESTAMP + 1)) - (1 << AGENT_DURATION);
	struct agent_line *out = r->out;

	if ((r->has & all) == 0)
		return;
	set_duration(r, &out->duration, AGENT_DURATION);
	set_count(r, &out->open_sessions, AGENT_OPEN_SESSIONS);
	set_count(r, &out->active_requests, AGENT_ACTIVE_REQUESTS);
	set_count(r, &out->active_tasks, AGENT_ACTIVE_TASKS);
	set_banner(r);
}

/* ---- errors */

static void
text_set(struct field *f, struct slice text)
{
	if (f->value.len == 0)
		f->value = text;
}

static struct slice
first_line(struct slice s)
{
	const char *newline = s.len == 0 ? NULL : memchr(s.at, '\n', s.len);

	return slice_trim(newline == NULL ? s : (struct slice){ s.at, (size_t)(newline - s.at) });
}

/*
 * The type: the explicit field, else error.type, the class in the trace, the
 * class in the line, UNKNOWN.  Exceptions are read from the trace as text in
 * every encoding, so that their fingerprint is the same.
 */
static void
set_error(struct reading *r)
{
	struct agent_error *out = &r->out->error;
	struct slice line = first_line(r->message);
	struct trace_parts parts = { .frames = { NULL, 0 } };
	struct slice message;

	field_set(r, &out->type, AGENT_ERROR_TYPE);
	field_set(r, &out->type, AGENT_ERROR_CLASS);
	field_set(r, &out->message, AGENT_ERROR_MESSAGE);
	if (r->trace.len > 0)
		agent_trace_read(r->trace, &parts);
	if (parts.outer.class.len == 0)
		parts.outer = agent_trace_in_line(line);
	text_set(&out->type, parts.outer.class);
	text_set(&out->type, SLICE("UNKNOWN"));
	out->root_type.value = parts.root.class;

	message = parts.outer.message;
	if (message.len == 0 && out->message.value.len > 0)
		message = plain_text(r, out->message.value, out->message.kind);
	if (message.len == 0)
		message = line;
	text_set(&out->message, message);
	out->fingerprint = agent_mask_fingerprint(
	    plain_text(r, out->type.value, out->type.kind), message, parts.frames);
}

static void
set_stack_trace(struct reading *r, bool error)
{
	struct field *f = &r->out->stack_trace;

	field_set(r, f, AGENT_STACK_TRACE);
	if (f->value.len == 0)
		f->value = r->trace;
	else if (error)
		r->trace = plain_text(r, f->value, f->kind);
}

/* A message field of its own stays among the extras: without log it would be lost. */
static void
set_message(struct reading *r)
{
	const struct found *found = &r->found[AGENT_MESSAGE];

	if (!agent_reading_has(r, AGENT_MESSAGE))
		return;
	found_aside(r, AGENT_MESSAGE);
	if (r->layout == LAYOUT_KEYS)
		r->message = found->value;
}

/* ---- the whole record */

static void
settle(struct reading *r)
{
	struct agent_line *out = r->out;
	bool error;

	if (r->has != 0) {
		set_level(r);
		field_set(r, &out->timestamp, AGENT_TIMESTAMP);
		field_set(r, &out->logger, AGENT_LOGGER);
		field_set(r, &out->thread, AGENT_THREAD);
		field_set(r, &out->task_id, AGENT_TASK_ID);
		field_set(r, &out->pipeline, AGENT_PIPELINE);
		set_duration(r, &out->execution_time, AGENT_EXECUTION_TIME);
		set_measures(r);
		set_message(r);
	}
	set_event(r);
	error = out->level >= LEVEL_ERROR || out->event == EVENT_TASK_FAILED;
	set_stack_trace(r, error);
	if (error) {
		set_error(r);
	} else {
		found_aside(r, AGENT_ERROR_TYPE);
		found_aside(r, AGENT_ERROR_CLASS);
		found_aside(r, AGENT_ERROR_MESSAGE);
	}
}

static void
begin(struct reading *r)
{
	memset(r->out, 0, offsetof(struct agent_line, extra));
	r->names = 0;
	r->has = 0;
	r->members = false;
	r->layout = LAYOUT_LEVEL;
	r->token = r->message = r->trace = (struct slice){ NULL, 0 };
	r->token_is = EVENT_NONE;
}

/* The text without its colours, which would hide words. */
static struct slice
without_colours(struct slice text, struct arena *arena)
{
	char *to;

	if (!ansi_any(text))
		return text;
	to = arena_take(arena, text.len);
	return to == NULL ? text : (struct slice){ to, ansi_strip(text, to) };
}

/* A text that begins as an object, and is none that is read as a whole. */
static void
torn_read(struct reading *r, struct slice text)
{
	begin(r);
	if (!agent_json_torn(r, text)) {
		begin(r);
		agent_text_read(r, text);
	}
	r->out->failures |= 1u << FAILURE_JSON;
}

void
agent_parse(
    const struct agent_words *w, struct slice text, struct arena *arena, struct agent_line *out)
{
	struct reading r;

	r.words = w;
	r.arena = arena;
	r.out = out;
	begin(&r);
	r.one_line = !bytes_controls(text);
	if (!r.one_line)
		text = without_colours(text, arena);
	if (slice_starts(text, SLICE("\xef\xbb\xbf"))) /* a byte order mark */
		text = slice_from(text, 3);
	out->encoding = "text";
	if (text.len == 0)
		return;
	if (text.at[0] != '{') {
		agent_text_read(&r, text);
	} else if (!agent_json_read(&r, text)) {
		torn_read(&r, text);
	}
	settle(&r);
}
