/* Which lines belong to one record. */
#include "unit.h"

#include "ansi.h"
#include "trace.h"

/* Lines in order; the number of the record that each belongs to. */
static const struct {
	const char *line;
	int record;
} lines[] = {
	{ "2026-11-22 08:00:00.001 ERROR [main] c.m.T - failed", 1 },
	{ "java.lang.IllegalStateException: it is so", 1 },
	{ "over two lines", 1 },
	{ "\tat com.matillion.T.run(T.java:12)", 1 },
	{ "08:00:00,123 |-ERROR in ch.qos.logback.core.FileAppender - of its own", 1 },
	{ "\t... 12 common frames omitted", 1 },
	{ "\tSuppressed: java.io.IOException: x", 1 },
	{ "\t\tat a.B.c(B.java)", 1 },
	{ "Caused by: java.sql.SQLException: y", 1 },
	{ "    at d.E.f(E.java:1)", 1 },
	{ "2026-11-22 08:00:00.002 INFO  [main] c.m.T - next", 2 },
	{ "plain", 3 },
	{ "", 4 },
	{ "plain again", 5 },
	{ "", 5 },
	{ "java.io.IOException", 5 },
	{ "\tat a.B.c(B.java)", 5 },
	{ "at home nobody answered", 6 },
	{ "\tat orphaned.Frame.one(Frame.java)", 6 },
	{ "{\"json\":1}", 7 },
	{ "Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap space", 7 },
	{ "\tat a.B.c(B.java)", 7 },
	{ "java.lang.Error: another one", 8 },
	{ "\x1b[31m2026-11-22 08:00:00.003 ERROR coloured\x1b[0m", 9 },
	{ "\x1b[31mjava.lang.NullPointerException\x1b[0m", 9 },
	{ "com.matillion.agent.Runner: a logger, no throwable", 9 }, /* a message that goes on */
	{ "ERROR [x] a level begins a record", 10 },
	{ "com.matillion.agent.Runner: a logger, no throwable", 11 },
	{ "2026-11-22 08:00:00.004 ERROR [main] c.m.T - failed", 12 },
	{ "java.lang.RuntimeException: java.sql.SQLException: no", 12 },
	{ "\tat a.B.c(B.java)", 12 },
	{ "Caused by: org.postgresql.util.PSQLException: ERROR: duplicate key", 12 },
	{ "  Detail: Key (id)=(1) already exists.", 12 }, /* a cause's message goes on */
	{ "\tat a.B.c(B.java)", 12 },
	{ "\tSuppressed: java.io.IOException: of", 12 },
	{ "INFORMATION_SCHEMA, two lines", 12 }, /* a word that begins as a level does */
	{ "\t\tat a.B.c(B.java)", 12 },
	{ "plain behind a frame", 13 },
	{ "java.lang.IllegalStateException: x", 13 },
	{ "WARNING: a level", 14 },
	{ "java.lang.IllegalStateException: x", 14 },
	{ "INFO", 15 },
};

static void
test_records_of_a_log(void **state)
{
	trace_state open = 0;
	int record = 0, held = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		struct slice line = exact(slice_of(lines[i].line));

		switch (trace_line(&open, line)) {
		case TRACE_NEW:
			record += 1 + held; /* a held line that nothing joined is a record */
			held = 0;
			break;
		case TRACE_JOIN:
			held = 0;
			break;
		case TRACE_HOLD:
			held = 1;
			exact_free(line);
			continue;
		}
		if (record != lines[i].record)
			fail_msg("line %zu '%s' is of record %d, not %d", i, lines[i].line, record,
			    lines[i].record);
		exact_free(line);
	}
}

static void
test_every_cut_of_every_line_in_every_state_is_safe(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		for (size_t n = 0; n <= strlen(lines[i].line); n++) {
			struct slice line = exact((struct slice){ lines[i].line, n });

			for (trace_state open = 0; open < 5; open++) {
				trace_state s = open;

				assert_in_range(trace_line(&s, line), TRACE_NEW, TRACE_HOLD);
			}
			exact_free(line);
		}
	}
}

static void
test_json_objects_stand_alone(void **state)
{
	(void)state;
	assert_true(trace_closed('{', '}'));
	assert_false(trace_closed('{', 'x'));
	assert_false(trace_closed('2', '}'));
}

static void
test_colours_are_stripped(void **state)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
		{ "plain", "plain" },
		{ "\x1b[31mERROR\x1b[0;39m x", "ERROR x" },
		{ "\x1b[1;38;5;196mx", "x" },
		{ "\x1b]0;title\x07x\x1b]8;;http://h\x1b\\link", "xlink" },
		{ "x\x1b", "x" },
		{ "x\x1b[", "x" },
		{ "x\x1b[31", "x" },
		{ "\x1b[31\ny", "\ny" },
		{ "\x1b(B\x1b[mx", "x" }, /* tput sgr0 */
		{ "x\x1b(", "x" },
		{ "\x1b\x1b[31mx", "x" },
		{ "\x1b\xc3\xa9", "\xc3\xa9" },
		{ "\x1bP1$r0m\x1b\\x", "x" }, /* a device's answer */
		{ "\x1b"
		  "7x\x1b"
		  "8",
		    "x" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice text = exact(slice_of(cases[i].text));
		char to[64];
		size_t n = ansi_strip(text, to);

		assert_slice(((struct slice){ to, n }), cases[i].want);
		assert_int_equal(ansi_any(text), i != 0);
		exact_free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records_of_a_log),
		cmocka_unit_test(test_every_cut_of_every_line_in_every_state_is_safe),
		cmocka_unit_test(test_json_objects_stand_alone),
		cmocka_unit_test(test_colours_are_stripped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
