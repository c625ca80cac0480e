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
	{ "{\"json\":1}", 7 },
	{ "Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap space", 8 },
	{ "\tat a.B.c(B.java)", 8 },
	{ "java.lang.Error: another one", 9 },
	{ "\x1b[31m2026-11-22 08:00:00.003 ERROR coloured\x1b[0m", 10 },
	{ "\x1b[31mjava.lang.NullPointerException\x1b[0m", 10 },
	{ "com.matillion.agent.Runner: a logger, no throwable", 11 },
	{ "ERROR [x] a level begins a record", 12 },
	{ "com.matillion.agent.Runner: a logger, no throwable", 13 },
	{ "2026-11-22 08:00:00.004 ERROR [main] c.m.T - failed", 14 },
	{ "java.lang.RuntimeException: java.sql.SQLException: no", 14 },
	{ "\tat a.B.c(B.java)", 14 },
	{ "Caused by: org.postgresql.util.PSQLException: ERROR: duplicate key", 14 },
	{ "  Detail: Key (id)=(1) already exists.", 14 }, /* a cause's message goes on */
	{ "\tat a.B.c(B.java)", 14 },
	{ "\tSuppressed: java.io.IOException: of", 14 },
	{ "INFORMATION_SCHEMA, two lines", 14 }, /* a word that begins as a level does */
	{ "\t\tat a.B.c(B.java)", 14 },
	{ "2026-11-22 08:00:00.005 INFO  [main] c.m.T - with an exception", 15 },
	{ "a.b.C: it is one, as a frame follows", 15 },
	{ "\tat a.B.c(B.java)", 15 },
	{ "2026-11-22 08:00:00.006 INFO  [main] c.m.T - without", 16 },
	{ "a.b.C: it is none", 17 },
	{ "2026-11-22 08:00:00.007 WARN  [main] c.m.T - its message goes on", 18 },
	{ "ERROR: relation x does not exist", 18 },
	{ "2026-11-22 a date without a level", 18 },
	{ "{ \"code\" : 404,", 18 },
	{ "", 18 },
	{ "1) a list", 18 },
	{ "[a bracket]", 18 },
	{ "Caused by: a.b.CException: d", 18 },
	{ "2026-11-22 08:00:00.008 WARN  [main] c.m.T - its message ends", 19 },
	{ "ERROR: what would have been its message", 20 },
	{ "2026-11-22 08:00:00.009 INFO  [main] c.m.T - next", 21 },
	{ "WARN in the house", 22 },
	{ "ERROR a bare one ends a bare one", 23 },
	{ "[2026-11-22T08:00:00,010][INFO ][o.e.b.Bootstrap] brackets", 24 },
	{ "26/11/22 08:00:00 ERROR Executor: short", 25 },
	{ "261122 080000 148 INFO dfs.DataNode: shorter", 26 },
	{ "22-Nov-2026 08:00:00.001 SEVERE [main] a.B.c a month", 27 },
	{ "2026-11-22 | INFO | bars", 28 },
	{ "08:00:00.001 [t-1] INFO  c.m.T - a time", 29 },
	{ "\x1b[2m2026-11-22T08:00:00.001Z\x1b[0;39m \x1b[33m WARN\x1b[0;39m \x1b[35m1\x1b[0;39m x",
	    30 },
	{ "its message", 30 },
	{ "\tat a.B.c(B.java)", 30 },
	{ "\x1b[2m2026-11-22T08:00:00.001Z\x1b[0;39m \x1b[32m INFO\x1b[0;39m \x1b[35m1\x1b[0;39m x",
	    31 },
	{ "2026-11-22 08:00:00.003 ERROR [main] c.m.T - with returns\r", 32 },
	{ "a.b.CException: x\r", 32 },
	{ "\r", 32 },
	{ "\tat a.B.c(B.java)\r", 32 },
	{ "INFO plain", 33 },
	{ "plain", 34 },
	{ "java.lang.IllegalStateException: x", 34 },
	{ "WARNING: a level", 35 },
	{ "java.lang.IllegalStateException: x", 35 },
	{ "INFO", 36 },
	{ "2026-11-22 08:00:00 ERROR [main] c.m.T - the date alone", 37 },
	{ "its message goes on", 37 },
	{ "\tat a.B.c(B.java)", 37 },
	{ "[2026/11/22T08:00:01] INFO c.m.T - between brackets", 38 },
	{ "plain", 39 },
	{ "2026-11-22 08:00:02DEBUG c.m.T - without a blank", 40 },
	{ "a.b.C: text", 40 },
	{ "\tat a.B.c(B.java)", 40 },
};

/* Cut as the frame does: lines that were held and belong to nothing are read again. */
static void
records_of(const char *const *list, size_t n, int *records)
{
	trace_state open = 0;
	size_t held = SIZE_MAX;
	int record = 0;

	for (size_t i = 0; i < n; i++) {
		struct slice line = exact(slice_of(list[i]));
		enum trace_verdict verdict = trace_line(&open, line);

		exact_free(line);
		if (verdict == TRACE_NEW && held != SIZE_MAX) {
			i = held - 1;
			held = SIZE_MAX;
			open = 0;
			continue;
		}
		if (verdict == TRACE_HOLD)
			held = held == SIZE_MAX ? i : held;
		else
			held = SIZE_MAX;
		record += verdict == TRACE_NEW;
		records[i] = record;
		for (size_t j = i; verdict == TRACE_JOIN && j > 0 && records[j] != record; j--)
			records[j] = record;
	}
	for (size_t i = held; i < n; i++)
		records[i] = ++record;
}

static void
test_records_of_a_log(void **state)
{
	const char *list[COUNT(lines)];
	int records[COUNT(lines)];

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++)
		list[i] = lines[i].line;
	records_of(list, COUNT(lines), records);
	for (size_t i = 0; i < COUNT(lines); i++) {
		if (records[i] != lines[i].record)
			fail_msg("line %zu '%s' is of record %d, not %d", i, lines[i].line,
			    records[i], lines[i].record);
	}
}

static void
test_every_cut_of_every_line_in_every_state_is_safe(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		for (size_t n = 0; n <= strlen(lines[i].line); n++) {
			struct slice line = exact((struct slice){ lines[i].line, n });

			for (trace_state open = 0; open < TRACE_STATES; open++) {
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
