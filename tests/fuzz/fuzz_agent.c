/*
 * The agent's grammar: what it finds in any text becomes a document that jansson reads,
 * without a name twice, with the text as its log; numbers are what strtod(3) reads.
 */
#include "fuzz.h"

#include "agent.h"
#include "batch.h"
#include "mended.h"
#include "pod.h"
#include "stream.h"

static struct agent_words *words;
static struct arena arena;

static void
measure_judge(const struct measure *m, const char *name)
{
	char *text = xslicedup(m->decimal), *end;
	double value = strtod(text, &end);
	json_error_t error;
	json_t *number = m->present ? jansson(m->decimal, 0, &error) : NULL;

	if (m->present && (*end != '\0' || end == text || !(m->value >= 0) ||
			      m->value > value * (1 + 1e-9) || m->value < value * (1 - 1e-9)))
		WRONG("%s: '%s' is not %.17g", name, text, m->value);
	if (m->present && !json_is_number(number))
		WRONG("%s: '%s' is no number", name, text);
	json_decref(number);
	free(text);
}

static json_t *
document_read(struct slice text, bool merged, const struct agent_line *line)
{
	static struct batch *b;
	static struct stream stream;
	static struct record_id id;
	struct document_rules rules = document_rules_default();
	struct record r = { .time = INT64_C(1795334400002176064),
		.has_log = true,
		.log = text,
		.place = { &stream, &id, false },
		.parsed = line };
	struct slice document;
	json_error_t error;
	json_t *tree;

	if (b == NULL)
		b = batch_new(1 << 20, 8 << 20);
	batch_clear(b, 1, 1 << 20);
	rules.merged = merged;
	if (!batch_put(b, &rules, &r))
		WRONG("no document");
	document = (struct slice){ b->body.at + b->items[0].document,
		b->items[0].end - b->items[0].document };
	if (memchr(document.at, '\n', document.len) != NULL)
		WRONG("lines: %.*s", SHOW(document));
	tree = jansson(document, JSON_REJECT_DUPLICATES, &error);
	if (tree == NULL && json_error_code(&error) != json_error_numeric_overflow)
		WRONG("jansson: %s: %.*s", error.text, SHOW(document));
	return tree;
}

/*
 * True when a line that is merged has this level: that of its own member where it is an
 * object, else, where the grammar has found none, that of any key of its text.
 */
static bool
level_is_own(struct slice text, json_t *level, bool found)
{
	struct slice whole = slice_trim(text);
	enum json_kind kind;
	json_error_t error;
	json_t *line, *own;
	bool is;

	if (json_check(whole, &kind) != PARSE_OK || kind != JSON_OBJECT)
		return !found;
	line = jansson(whole, 0, &error);
	own = json_object_get(line, "level");
	is = line == NULL || json_equal(level, own) ||
	     (json_is_number(own) && text.len > 1000); /* such a long one is a string */
	json_decref(line);
	return is;
}

static void
level_judge(struct slice text, bool merged, json_t *level, enum level found)
{
	if (json_is_string(level) &&
	    !slice_eq(slice_of(json_string_value(level)), agent_level_names[found]) &&
	    !(merged && level_is_own(text, level, found != LEVEL_NONE)))
		WRONG("level %s of %.*s", json_string_value(level), SHOW(text));
}

static void
document_judge(struct slice text, bool merged, json_t *tree, const struct agent_line *line)
{
	json_t *log = json_stringn(text.at, text.len), *parsed;

	if (log != NULL && tree != NULL && !json_equal(log, json_object_get(tree, "log")))
		WRONG("the log is another: %.*s", SHOW(text));
	parsed = json_object_get(tree, "log_parsed");
	level_judge(text, merged, json_object_get(parsed, "level"), line->level);
	json_decref(log);
}

static void
extras_judge(const struct agent_line *line)
{
	if (line->nextra < 0 || line->nextra > RECORD_FIELDS)
		WRONG("%d extras", line->nextra);
	for (int i = 0; i < line->nextra; i++) {
		for (int j = 0; j < i; j++) {
			if (slice_eq(line->extra[i].name, line->extra[j].name) &&
			    line->extra[i].name_escaped == line->extra[j].name_escaped)
				WRONG("two of '%.*s'", SHOW(line->extra[i].name));
		}
	}
}

static bool
field_is(const struct field *a, const struct field *b)
{
	return slice_eq(a->value, b->value);
}

/* A plain message means the same behind a level as in JSON. */
static void
encodings_judge(struct slice message)
{
	static struct arena other;
	static struct agent_line as_text, as_json;
	char *text, *json;

	for (size_t i = 0; i < message.len; i++) {
		if (message.at[i] < ' ' || message.at[i] == '"' || message.at[i] == '\\')
			return;
	}
	if (other.at == NULL)
		arena_init(&other, 256 << 10);
	arena_reset(&other);
	text = xprintf("2026-11-22 08:00:00.000 INFO  [main] a.b.C - x %.*s", SHOW(message));
	json = xprintf("{\"level\":\"INFO\",\"message\":\"x %.*s\"}", SHOW(message));
	agent_parse(words, slice_of(text), &other, &as_text);
	agent_parse(words, slice_of(json), &other, &as_json);
	if (as_text.event != as_json.event || !field_is(&as_text.task_id, &as_json.task_id) ||
	    !field_is(&as_text.pipeline, &as_json.pipeline) ||
	    !slice_eq(as_text.execution_time.decimal, as_json.execution_time.decimal))
		WRONG(
		    "'%s': event %d, task '%.*s', pipeline '%.*s', took '%.*s'; as JSON event %d, task '%.*s', pipeline '%.*s', took '%.*s'",
		    text, as_text.event, SHOW(as_text.task_id.value), SHOW(as_text.pipeline.value),
		    SHOW(as_text.execution_time.decimal), as_json.event,
		    SHOW(as_json.task_id.value), SHOW(as_json.pipeline.value),
		    SHOW(as_json.execution_time.decimal));
	free(text);
	free(json);
}

static void
fuzz(struct slice input)
{
	struct slice text = exact(fuzz_chance(input));
	struct agent_line line;
	bool merged;
	json_t *tree;

	if (words == NULL) {
		words = agent_words_new();
		arena_init(&arena, 256 << 10);
	}
	arena_reset(&arena);
	agent_parse(words, text, &arena, &line);
	measure_judge(&line.execution_time, "execution_time");
	measure_judge(&line.duration, "duration");
	measure_judge(&line.open_sessions, "open_sessions");
	measure_judge(&line.active_requests, "active_requests");
	measure_judge(&line.active_tasks, "active_tasks");
	extras_judge(&line);
	encodings_judge(text);
	merged = any(4) == 0;
	tree = document_read(text, merged, &line);
	document_judge(text, merged, tree, &line);
	json_decref(tree);
	exact_free(text);
}
