/*
 * What the grammar reads in a text, as one line of facts:
 *
 *	logback INFO TASK_COMPLETED/task_completed task_id=42 execution_time=12.5 rows:100
 *
 * encoding, level (- for none), event/meaning (when there is one), fields by
 * name with `=`, extras with `:`, in the order of agent.h.
 */
#ifndef AGENT_TRY_H
#define AGENT_TRY_H

#include "unit.h"

#include "agent.h"
#include "json.h"

#define FACTS_MAX 8192

struct facts {
	char text[FACTS_MAX];
	size_t len;
};

static inline void
say(struct facts *f, const char *name, char mark, struct slice value)
{
	int n = snprintf(f->text + f->len, FACTS_MAX - f->len, "%s%s%c%.*s", f->len > 0 ? " " : "",
	    name, mark, (int)value.len, value.len > 0 ? value.at : "");

	assert_true(n > 0 && (size_t)n < FACTS_MAX - f->len);
	f->len += (size_t)n;
}

/* A stack trace is told by its number of lines. */
static inline void
say_field(struct facts *f, const char *name, const struct field *field)
{
	unsigned lines = 1;
	char number[24];

	if (field->value.len == 0)
		return;
	if (strcmp(name, "stack_trace") != 0) {
		say(f, name, '=', field->value);
		return;
	}
	for (size_t i = 0; i < field->value.len; i++)
		lines += field->kind == VALUE_ESCAPED
			     ? i > 0 && memcmp(field->value.at + i - 1, "\\n", 2) == 0
			     : field->value.at[i] == '\n';
	snprintf(number, sizeof(number), "%u", lines);
	say(f, name, '=', slice_of(number));
}

static inline void
say_measure(struct facts *f, const char *name, const struct measure *m)
{
	if (m->present)
		say(f, name, '=', m->decimal);
}

static inline void
facts_of(const struct agent_line *l, struct facts *f)
{
	static const char *const names[] = { "timestamp", "logger", "thread", "task_id",
		"pipeline" };
	const struct field *fields[] = { &l->timestamp, &l->logger, &l->thread, &l->task_id,
		&l->pipeline };

	f->len = 0;
	say(f, l->encoding, ' ', l->level == LEVEL_NONE ? SLICE("-") : agent_level_names[l->level]);
	if (l->event != EVENT_NONE) {
		char name[160];

		snprintf(name, sizeof(name), "%.*s", (int)l->event_name.len, l->event_name.at);
		say(f, name, '/', slice_of(agent_event_names[l->event]));
	}
	for (size_t i = 0; i < 5; i++)
		say_field(f, names[i], fields[i]);
	say_measure(f, "execution_time", &l->execution_time);
	if (l->execution_time_raw.len > 0)
		say(f, "raw", '=', l->execution_time_raw);
	say_field(f, "error_type", &l->error.type);
	say_field(f, "root_error_type", &l->error.root_type);
	say_field(f, "error_message", &l->error.message);
	say_field(f, "stack_trace", &l->stack_trace);
	say_measure(f, "duration", &l->duration);
	say_measure(f, "open_sessions", &l->open_sessions);
	say_measure(f, "active_requests", &l->active_requests);
	say_measure(f, "active_tasks", &l->active_tasks);
	say_field(f, "version", &l->build.version);
	say_field(f, "commit", &l->build.commit);
	say_field(f, "build_timestamp", &l->build.timestamp);
	for (int i = 0; i < l->nextra; i++) {
		char name[256];

		snprintf(
		    name, sizeof(name), "%.*s", (int)l->extra[i].name.len, l->extra[i].name.at);
		say(f, name, ':', l->extra[i].value);
	}
	for (unsigned i = 0; i < FAILURES; i++)
		if (l->failures >> i & 1)
			say(f, "failure", '!', slice_of(agent_failure_names[i]));
}

/* What must hold whatever the text: the document can be written, no name stands twice. */
static inline void
check_line(const struct agent_line *l)
{
	const struct measure *measures[] = { &l->execution_time, &l->duration, &l->open_sessions,
		&l->active_requests, &l->active_tasks };
	enum json_kind kind;

	assert_non_null(l->encoding);
	assert_in_range(l->nextra, 0, RECORD_FIELDS);
	for (size_t i = 0; i < sizeof(measures) / sizeof(*measures); i++) {
		if (!measures[i]->present)
			continue;
		assert_int_equal(json_check(measures[i]->decimal, &kind), PARSE_OK);
		assert_int_equal(kind, JSON_NUMBER);
		assert_true(measures[i]->value >= 0 && measures[i]->value < 1e12);
	}
	for (int i = 0; i < l->nextra; i++) {
		const struct field *f = &l->extra[i];

		assert_in_range(f->name.len, 1, 6 * 128);
		if (f->kind == VALUE_JSON)
			assert_int_equal(json_check(f->value, &kind), PARSE_OK);
		for (int j = 0; j < i; j++)
			assert_false(slice_eq(f->name, l->extra[j].name));
	}
	assert_true(l->error.root_type.value.len == 0 || l->error.type.value.len > 0);
}

/* Parse ${text} from memory of just its size. */
static inline void
try_text(const struct agent_words *w, struct slice text, struct agent_line *out, struct arena *a,
    struct facts *facts)
{
	struct slice copy = exact(text);

	arena_reset(a);
	agent_parse(w, copy, a, out);
	check_line(out);
	facts_of(out, facts);
	exact_free(copy);
}

struct agent_case {
	const char *text, *facts;
};

/* Every case says its facts; none can be cut so that reading it goes wrong. */
static inline void
try_cases(const struct agent_case *cases, size_t n)
{
	struct agent_words *w = agent_words_new();
	struct agent_line *line = malloc(sizeof(*line));
	struct facts *facts = malloc(sizeof(*facts));
	struct arena arena;

	arena_init(&arena, 1 << 16);
	for (size_t i = 0; i < n; i++) {
		struct slice text = slice_of(cases[i].text);

		try_text(w, text, line, &arena, facts);
		assert_string_equal(facts->text, cases[i].facts);
		while (text.len-- > 0)
			try_text(w, text, line, &arena, facts);
	}
	arena_fini(&arena);
	free(facts);
	free(line);
	agent_words_free(w);
}

#endif
