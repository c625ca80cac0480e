/* Rules of the configuration's own that join lines: line by line, in each state. */
#include "own_joins.h"
#include "unit.h"

#define MOST 16

/*
 * Lines, and what becomes of them: J joins, N begins a record that may go on, E begins
 * one that is complete, F joins and is the last one, - is not of these rules.
 */
static const struct {
	struct own_words words;
	const char *lines[MOST], *want;
} cases[] = {
	/* a record goes on as its rules say, and no longer */
	{ { { "regex", "2", "start_state", "/^\\w+ \\d+ \\d+:\\d+:\\d+ /", "cont", "cont",
	      "/^\\s+at /", "cont" } },
	    { "one", "Dec 14 06:41:08 a", "  at b", "\tat c", "two", "  at d", "Dec 14 06:41:08 e",
		"Dec 14 06:41:09 f", "  at g" },
	    "-NJJ--NNJ" },
	/* several states, several rules of one, from several states */
	{ { { "regex", "4", "start_state", "/^A/", "a", " a , b ", "/^B/", "b", "b", "/^C/", "c",
	      "start_state", "/^X/", "a" } },
	    { "A", "B", "B", "C", "B", "X", "B", "A", "C" }, "NJJF-NJN-" },
	/* the rule that stands first counts */
	{ { { "regex", "4", "start_state", "/^A/", "a", "a", "/^B/", "b", "a", "/^BB/", "a", "b",
	      "/^D/", "b" } },
	    { "A", "BB", "D", "BB" }, "NJJ-" },
	/* a state in which a record may begin ends it at once */
	{ { { "regex", "3", "start_state", "/^BEGIN/", "in", "in", "/^END/", "start_state", "in",
	      "/^ /", "in" } },
	    { "BEGIN", " a", "END", "END", "BEGIN", "BEGIN", "END" }, "NJF-NNF" },
	{ { { "regex", "1", "start_state, s", "/^A/", "s" } }, { "A", "A", "b" }, "EE-" },
	/* a state that no rule goes on from */
	{ { { "regex", "1", "start_state", "/^A/", "cont" } }, { "A", "A", "b" }, "EE-" },
	{ { { "first", "/^\\d/" } }, { "a", "1", "a", "", "2", "3", "b" }, "-NJJNNJ" },
	{ { { "endswith", "0", ";" } }, { "a", "b;", "c;", "", ";" }, "NFENF" },
	{ { { "endswith", "1", "\\" } }, { "a\\", "b\\", "c", "d" }, "NJFE" },
	{ { { "eq", "0", "F" } }, { "a", "F", "F", "FF", "F" }, "NFENF" },
	{ { { "eq", "1", "F" } }, { "F", "F", "a", "b" }, "NJFE" },
	/* several: the first that takes a line */
	{ { { "first", "/^a/", "first", "/^b/" } }, { "x", "b", "x", "a", "b", "x" }, "-NJJNJ" },
	{ { { "regex", "1", "start_state", "/^a/", "s", "endswith", "0", "." } },
	    { "a", "b", "a", "c.", "a", "." }, "ENJFEE" },
};

static char
verdict(struct multiline *m, multiline_state *state, const char *line)
{
	enum trace_verdict v = multiline_line(m, state, slice_of(line), true);

	if (v == TRACE_JOIN)
		return multiline_ended(*state) ? 'F' : 'J';
	assert_int_equal(v, TRACE_NEW);
	if (*state == 0)
		return '-';
	return multiline_ended(*state) ? 'E' : 'N';
}

static struct multiline *
made(const struct own_words *words)
{
	char *text = own_text(words), why[256] = "";
	struct multiline *m = multiline_new(slice_of(text), why, sizeof(why));

	assert_string_equal(why, "");
	free(text);
	return m;
}

static void
test_lines_join_as_the_rules_say(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct multiline *m = made(&cases[i].words);
		multiline_state at = 0;
		char got[MOST + 1] = "";

		for (unsigned n = 0; n < MOST && cases[i].lines[n] != NULL; n++)
			got[n] = verdict(m, &at, cases[i].lines[n]);
		assert_string_equal(got, cases[i].want);
		multiline_free(m);
	}
}

/* A line that may join in no state joins in none that the lines of a case lead to. */
static void
test_a_line_that_may_not_join_joins_nowhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct multiline *m = made(&cases[i].words);

		for (unsigned n = 0; n < MOST && cases[i].lines[n] != NULL; n++) {
			multiline_state at = 0;

			for (unsigned k = 0; k < MOST && cases[i].lines[k] != NULL; k++) {
				multiline_state then = at;

				if (!multiline_may_join(m, slice_of(cases[i].lines[n])))
					assert_int_equal(multiline_line(m, &then,
							     slice_of(cases[i].lines[n]), true),
					    TRACE_NEW);
				multiline_line(m, &at, slice_of(cases[i].lines[k]), true);
			}
		}
		multiline_free(m);
	}
}

/* The last part of a line decides if it is the last one of its record. */
static void
test_parts_of_a_line_are_one(void **state)
{
	static const struct own_words ends = { { "endswith", "0", ";" } },
				      is = { { "eq", "0", "F" } };
	struct multiline *m = made(&ends);
	multiline_state at = 0;

	(void)state;
	assert_int_equal(multiline_line(m, &at, SLICE("a;"), false), TRACE_NEW);
	assert_false(multiline_ended(at));
	multiline_part(m, &at, SLICE("b;"), false);
	assert_false(multiline_ended(at));
	multiline_part(m, &at, SLICE("c;"), true);
	assert_true(multiline_ended(at));
	multiline_free(m);
	m = made(&is);
	at = 0;
	multiline_line(m, &at, SLICE("a"), false);
	multiline_part(m, &at, SLICE("F"), true);
	assert_false(multiline_ended(at));
	multiline_free(m);
}

/* A text that was cut anywhere, or is none, is refused, and no byte behind it is read. */
static void
test_a_text_that_is_none_is_refused(void **state)
{
	static const char *const texts[] = { "x", "more=1", "5:first", "5:first3:/(/", "5:regex1:0",
		"5:regex3:257", "5:regex1:x", "5:regex1:11:a3:/a/1:b", "4:last",
		"8:endswith1:00:", "8:endswith1:21:x", "99999999:a", "5:regex1:10:3:/a/1:b",
		"5:regex1:113:start_state,,3:/a/1:b" };
	char why[256];

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct slice text = exact(slice_of(texts[i]));

		why[0] = '\0';
		assert_null(multiline_new(text, why, sizeof(why)));
		assert_true(why[0] != '\0');
		exact_free(text);
	}
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *text = own_text(&cases[i].words);

		for (size_t n = 0; n < strlen(text); n++) {
			struct slice cut = exact((struct slice){ text, n });

			multiline_free(multiline_new(cut, why, sizeof(why)));
			exact_free(cut);
		}
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_join_as_the_rules_say),
		cmocka_unit_test(test_a_line_that_may_not_join_joins_nowhere),
		cmocka_unit_test(test_parts_of_a_line_are_one),
		cmocka_unit_test(test_a_text_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
