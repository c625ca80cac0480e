/*
 * Traces as services write them: each is one record, behind a header and without
 * one, with its type and its root; in JSON it is the same failure.
 */
#include "unit.h"

#include "agent.h"
#include "json.h"
#include "memory.h"
#include "trace.h"
#include "traces.h"

#define BEFORE "2026-11-22 08:00:00.001 INFO  [t-1] c.m.T - before\n"
#define HEADER "2026-11-22 08:00:00.002 ERROR [t-1] c.m.T - failed\n"
#define BEHIND "2026-11-22 08:00:00.003 INFO  [t-1] c.m.T - behind\n"
#define MOST 200

/* The records that the lines are, cut as the frame cuts: what was held and is nobody's is read again. */
static size_t
records_of(struct slice text, struct slice records[MOST])
{
	trace_state open = 0;
	const char *at = text.at, *end = text.at + text.len, *held = NULL;
	size_t n = 0;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((newline != NULL ? newline : end) - at);
		enum trace_verdict verdict = trace_line(&open, (struct slice){ at, len });

		if (verdict == TRACE_NEW && held != NULL) {
			at = held;
			held = NULL;
			open = 0;
			continue;
		}
		if (verdict == TRACE_HOLD) {
			held = held == NULL ? at : held;
		} else {
			held = NULL;
			n += verdict == TRACE_NEW;
			assert_true(n > 0 && n <= MOST);
			if (verdict == TRACE_NEW)
				records[n - 1].at = at;
			records[n - 1].len = (size_t)(at + len - records[n - 1].at);
		}
		at += len + 1;
	}
	return n;
}

/* The record that begins with `head` and has the trace, among two others. */
static char *
one_record(const struct trace_case *c, const char *head)
{
	char *all = xprintf(BEFORE "%s%s\n" BEHIND, head, c->text);
	char *want = xprintf("%s%s", head, c->text), *got;
	struct slice records[MOST];
	size_t n = records_of(slice_of(all), records);

	if (n != 3)
		fail_msg("%s: %zu records: '%.*s'", c->of, n, (int)records[1].len, records[1].at);
	got = xslicedup(records[1]);
	if (strcmp(got, want) != 0)
		fail_msg("%s: '%s'", c->of, got);
	free(all);
	free(want);
	return got;
}

static void
test_each_is_one_record(void **state)
{
	(void)state;
	assert_true(COUNT(jvm_traces) >= 60);
	for (size_t i = 0; i < COUNT(jvm_traces); i++)
		free(one_record(&jvm_traces[i], HEADER));
	for (size_t i = 0; i < COUNT(other_traces); i++)
		free(one_record(&other_traces[i], HEADER));
}

/* Behind a line without a level, too: what may not join that is a record of its own. */
static void
test_each_is_one_record_without_a_header(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(other_traces); i++) {
		char *all = xprintf("{\"a\":1}\n%s\n" BEHIND, other_traces[i].text);
		struct slice records[MOST];
		size_t n;

		if (strncmp(other_traces[i].of, "groovy", 6) != 0) {
			n = records_of(slice_from(slice_of(all), 8), records);
			if (n != 2)
				fail_msg("%s: %zu records", other_traces[i].of, n);
			assert_slice(records[0], other_traces[i].text);
		}
		free(all);
	}
}

/* ---- type, root, fingerprint */

struct read {
	struct agent_words *words;
	struct arena arena;
	struct agent_line *line;
};

static void
parse(struct read *r, const char *text)
{
	arena_reset(&r->arena);
	agent_parse(r->words, slice_of(text), &r->arena, r->line);
	if (r->line->level != LEVEL_ERROR)
		fail_msg("no error: %s", text);
}

static void
assert_field(const struct trace_case *c, const struct field *got, const char *want)
{
	struct slice is = slice_of(want != NULL ? want : "");

	if (!slice_eq(got->value, is))
		fail_msg("%s: '%.*s', not '%.*s'", c->of, (int)got->value.len,
		    got->value.len > 0 ? got->value.at : "", (int)is.len, is.at);
}

static void
begin(struct read *r)
{
	r->words = agent_words_new();
	r->line = malloc(sizeof(*r->line));
	arena_init(&r->arena, 1 << 16);
}

static void
end(struct read *r)
{
	arena_fini(&r->arena);
	agent_words_free(r->words);
	free(r->line);
}

static void
test_each_has_its_type_and_root(void **state)
{
	struct read r;

	(void)state;
	begin(&r);
	for (size_t i = 0; i < COUNT(jvm_traces); i++) {
		const struct trace_case *c = &jvm_traces[i];
		char *record = one_record(c, HEADER);

		parse(&r, record);
		assert_field(c, &r.line->error.type, c->type);
		assert_field(c, &r.line->error.root_type, c->root);
		free(record);
	}
	end(&r);
}

/* What nobody caught is printed without a header.  A bare level begins a record behind it. */
static void
test_each_is_an_error_without_a_header(void **state)
{
	struct read r;

	(void)state;
	begin(&r);
	for (size_t i = 0; i < COUNT(jvm_traces); i++) {
		const struct trace_case *c = &jvm_traces[i];
		char *thread = xprintf("Exception in thread \"t-1\" %s", c->text);
		struct trace_case in_thread = { c->of, thread, c->type, c->root };
		char *all = xprintf("%s\n" BEHIND, c->text), *record;
		struct slice records[MOST];

		if (strstr(c->text, "\nERROR") == NULL && strchr(c->type, '.') != NULL) {
			assert_int_equal(records_of(slice_of(all), records), 2);
			parse(&r, c->text);
			assert_field(c, &r.line->error.type, c->type);
			assert_field(c, &r.line->error.root_type, c->root);
			if (c->text[0] != ' ' && c->text[0] != '!') {
				record = one_record(&in_thread, "");
				parse(&r, record);
				assert_field(c, &r.line->error.type, c->type);
				assert_field(c, &r.line->error.root_type, c->root);
				free(record);
			}
		}
		free(thread);
		free(all);
	}
	end(&r);
}

/* The trace as a JSON string. */
static char *
json_string(const char *text)
{
	size_t n = strlen(text);
	char *to = xmalloc(JSON_WRITE_MAX(n) + 1);

	*json_write(to, (struct slice){ text, n }) = '\0';
	return to;
}

/* … as an array of lines. */
static char *
json_lines(const char *text)
{
	struct buffer to;
	char *line, *copy = xstrdup(text), *rest = copy;

	buffer_init(&to, 0);
	while ((line = strsep(&rest, "\n")) != NULL) {
		char *string = json_string(line);

		buffer_printf(&to, "%s%s", to.len > 0 ? "," : "[", string);
		free(string);
	}
	buffer_put(&to, (struct slice){ "]", 2 });
	free(copy);
	return to.at;
}

static void
assert_same(struct read *r, const struct trace_case *c, uint64_t fingerprint, const char *format,
    const char *value)
{
	struct buffer text;

	buffer_init(&text, 0);
	for (; *format != '\0'; format++) {
		if (*format == '%' || *format == '$') /* a whole value; the rest of a string */
			buffer_put(&text, slice_of(value + (*format == '$')));
		else
			buffer_put(&text, (struct slice){ format, 1 });
	}
	buffer_put(&text, (struct slice){ "", 1 });
	parse(r, text.at);
	assert_field(c, &r->line->error.type, c->type);
	assert_field(c, &r->line->error.root_type, c->root);
	if (r->line->error.fingerprint != fingerprint)
		fail_msg("%s: another fingerprint in %s", c->of, text.at);
	buffer_fini(&text);
}

static void
test_each_is_the_same_failure_in_json(void **state)
{
	static const char *const strings[] = {
		"{\"level\":\"ERROR\",\"message\":\"failed\",\"stack_trace\":%}",
		"{\"level\":\"ERROR\",\"message\":\"failed\",\"stackTrace\":%}",
		"{\"level\":\"ERROR\",\"message\":\"failed\",\"exception\":%}",
		"{\"severity\":\"ERROR\",\"message\":\"failed\\n$}",
		"{\"short_message\":\"failed\",\"level\":3,\"full_message\":%}",
		"{\"short_message\":\"failed\",\"level\":3,\"_error_stack_trace\":%}",
		"{\"log\":{\"level\":\"ERROR\"},\"message\":\"failed\",\"error\":{\"stack_trace\":%}}",
		"{\"level\":\"ERROR\",\"message\":\"failed\",\"exception\":{\"stacktrace\":%}}",
		"{\"level\":\"ERROR\",\"message\":\"failed\",\"thrown\":{\"name\":\"x\",\"extendedStackTrace\":%}}",
		"{\"level\":\"ERROR\",\"message\":\"failed\",\"err\":{\"type\":\"x\",\"stack\":%}}",
	};
	static const char *const arrays[] = {
		"{\"level\":\"ERROR\",\"message\":\"failed\",\"stack_trace\":%}",
		"{\"level\":\"ERROR\",\"message\":\"failed\",\"stackTrace\":%}",
		"{\"log.level\":\"ERROR\",\"message\":\"failed\",\"error.stack_trace\":%}",
		"{\"log\":{\"level\":\"ERROR\"},\"message\":\"failed\",\"error\":{\"stack_trace\":%}}",
	};
	struct read r;

	(void)state;
	begin(&r);
	for (size_t i = 0; i < COUNT(jvm_traces); i++) {
		const struct trace_case *c = &jvm_traces[i];
		char *record = one_record(c, HEADER), *string = json_string(c->text),
		     *array = json_lines(c->text);
		uint64_t fingerprint;

		parse(&r, record);
		fingerprint = r.line->error.fingerprint;
		for (size_t j = 0; j < COUNT(strings) && strstr(c->text, "\tat ") != NULL; j++)
			assert_same(&r, c, fingerprint, strings[j], string);
		for (size_t j = 0; j < COUNT(arrays); j++)
			assert_same(&r, c, fingerprint, arrays[j], array);
		free(record);
		free(string);
		free(array);
	}
	end(&r);
}

/* log4j2's: frames are objects, causes stand in one another. */
static void
test_frames_as_objects(void **state)
{
	static const struct trace_case c = { "log4j2",
		"a.b.LoadException: load\n\tat a.b.C.load(C.java:1)\n\tat a.b.C.run(C.java:2)\n"
		"Caused by: java.io.EOFException: end\n\tat a.b.D.next(D.java:3)",
		"a.b.LoadException", "java.io.EOFException" };
	struct read r;
	char *record = one_record(&c, HEADER);

	(void)state;
	begin(&r);
	parse(&r, record);
	assert_same(&r, &c, r.line->error.fingerprint,
	    "{\"level\":\"ERROR\",\"message\":\"failed\",\"thrown\":%}",
	    "{\"commonElementCount\":0,\"message\":\"load\",\"name\":\"a.b.LoadException\","
	    "\"extendedStackTrace\":["
	    "{\"class\":\"a.b.C\",\"method\":\"load\",\"file\":\"C.java\",\"line\":1},"
	    "{\"class\":\"a.b.C\",\"method\":\"run\",\"file\":\"C.java\",\"line\":2}],"
	    "\"cause\":{\"name\":\"java.io.EOFException\",\"message\":\"end\",\"extendedStackTrace\":["
	    "{\"class\":\"a.b.D\",\"method\":\"next\",\"file\":\"D.java\",\"line\":3}]}}");
	free(record);
	end(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_is_one_record),
		cmocka_unit_test(test_each_is_one_record_without_a_header),
		cmocka_unit_test(test_each_has_its_type_and_root),
		cmocka_unit_test(test_each_is_an_error_without_a_header),
		cmocka_unit_test(test_each_is_the_same_failure_in_json),
		cmocka_unit_test(test_frames_as_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
