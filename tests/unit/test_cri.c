/* Lines of a container runtime. */
#include "unit.h"

#include "cri.h"

static const struct {
	const char *line;
	enum parsed want;
	int64_t ns;
	enum side side;
	bool partial;
	const char *content;
} cases[] = {
	{ "2026-11-22T08:00:00Z stdout F x", PARSE_OK, 1795334400000000000, SIDE_STDOUT, false,
	    "x" },
	{ "2026-11-22T08:00:00.5+01:00 stdout P x", PARSE_OK, 1795330800500000000, SIDE_STDOUT,
	    true, "x" },
	{ "2026-11-22T08:00:00.002176064Z stderr F a b", PARSE_OK, 1795334400002176064, SIDE_STDERR,
	    false, "a b" },
	{ "2026-11-22T08:00:00.1Z stdout F ", PARSE_OK, 1795334400100000000, SIDE_STDOUT, false,
	    "" },
	{ "2026-11-22T08:00:00Z stdout P:tag:more x", PARSE_OK, 1795334400000000000, SIDE_STDOUT,
	    true, "x" },
	{ "2024-02-29T23:59:59.123456789-05:30 stdout F x", PARSE_OK, 1709270999123456789,
	    SIDE_STDOUT, false, "x" },
	{ "2026-11-22T08:00:00Z stdout F  two blanks", PARSE_OK, 1795334400000000000, SIDE_STDOUT,
	    false, " two blanks" },
	/* A tag at the line's end: conmon ends a partial line so. */
	{ "2026-11-22T08:00:00Z stdout F", PARSE_OK, 1795334400000000000, SIDE_STDOUT, false, "" },
	{ "2026-11-22T08:00:00.5+00:00 stderr P", PARSE_OK, 1795334400500000000, SIDE_STDERR, true,
	    "" },
	{ "2026-11-22T08:00:00Z stdout F:tag", PARSE_OK, 1795334400000000000, SIDE_STDOUT, false,
	    "" },
	{ "2026-11-22T08:00:00Z stdout ", PARSE_BAD, 0, 0, false, NULL },
	{ "2026-11-22T08:00:00Z stdout", PARSE_BAD, 0, 0, false, NULL },
	{ "2026-11-22T08:00:00Z stdout F\t", PARSE_BAD, 0, 0, false, NULL },
	{ "2026-11-22T08:00:00z stdout F x", PARSE_OK, 1795334400000000000, SIDE_STDOUT, false,
	    "x" },
	{ "2026-11-22T08:00:00.5+0000 stdout F x", PARSE_OK, 1795334400500000000, SIDE_STDOUT,
	    false, "x" },
	{ "2026-11-22T08:00:00-0130 stdout F x", PARSE_OK, 1795339800000000000, SIDE_STDOUT, false,
	    "x" },
	{ "2026-11-22T08:00:00+23:59 stdout F x", PARSE_OK, 1795248060000000000, SIDE_STDOUT, false,
	    "x" },
	{ "2026-11-22T08:00:00+24:00 stdout F x", PARSE_BAD, 0, 0, false, NULL },
	{ "2026-11-22T08:00:00+00:60 stdout F x", PARSE_BAD, 0, 0, false, NULL },
	{ "2026-11-22T08:00:00+000 stdout F x", PARSE_BAD, 0, 0, false, NULL },
	{ "2016-12-31T23:59:60.5Z stdout F x", PARSE_OK, 1483228800500000000, SIDE_STDOUT, false,
	    "x" },
	{ "2026-11-22T08:00:00Z stdin F x", PARSE_BAD, 0, 0, false, NULL },
	{ "2026-11-22T08:00:00Z stdoutF x", PARSE_BAD, 0, 0, false, NULL },
	{ "2026-11-22T08:00:00Z stdout X x", PARSE_BAD, 0, 0, false, NULL },
	{ "2026-11-22T08:00:00Z stdout FF x", PARSE_BAD, 0, 0, false, NULL },
	{ "2026-11-22 08:00:00Z stdout F x", PARSE_BAD, 0, 0, false, NULL },
	{ "2026-11-22T08:00:00 stdout F x", PARSE_BAD, 0, 0, false, NULL }, /* no zone */
	{ "2026-11-22T08:00:00.Z stdout F x", PARSE_BAD, 0, 0, false, NULL },
	{ "2026-11-22T08:00:00.0123456789Z stdout F x", PARSE_OK, 1795334400012345678, SIDE_STDOUT,
	    false, "x" },
	{ "2025-02-29T08:00:00Z stdout F x", PARSE_BAD, 0, 0, false, NULL },
	{ "2026-13-01T08:00:00Z stdout F x", PARSE_BAD, 0, 0, false, NULL },
	{ "2026-11-22T24:00:00Z stdout F x", PARSE_BAD, 0, 0, false, NULL },
	{ "1969-12-31T23:59:59Z stdout F x", PARSE_BAD, 0, 0, false, NULL },
	{ "9999-12-31T23:59:59Z stdout F x", PARSE_BAD, 0, 0, false, NULL },
	{ "{\"json\":1}", PARSE_BAD, 0, 0, false, NULL },
	{ "", PARSE_BAD, 0, 0, false, NULL },
};

static void
test_each_line_with_and_without_memo(void **state)
{
	struct cri_memo memo = { 0 };

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(cases); i++) {
		size_t c = i / 2; /* twice: the second time the memo may answer */
		struct slice line = exact(slice_of(cases[c].line));
		struct cri got;

		assert_int_equal(cri_parse(line, &memo, &got), cases[c].want);
		if (cases[c].want == PARSE_OK) {
			assert_int_equal(got.time, cases[c].ns);
			assert_int_equal(got.side, cases[c].side);
			assert_int_equal(got.partial, cases[c].partial);
			assert_slice(got.content, cases[c].content);
		}
		exact_free(line);
	}
}

static void
test_a_memo_of_one_second_does_not_answer_for_another(void **state)
{
	struct cri_memo memo = { 0 };
	struct cri a, b;

	(void)state;
	assert_int_equal(
	    cri_parse(SLICE("2026-11-22T08:00:00.1Z stdout F x"), &memo, &a), PARSE_OK);
	assert_int_equal(
	    cri_parse(SLICE("2026-11-22T08:00:01.1Z stdout F x"), &memo, &b), PARSE_OK);
	assert_int_equal(b.time - a.time, 1000000000);
	assert_int_equal(
	    cri_parse(SLICE("2026-11-22T08:00:01.1+01:00 stdout F x"), &memo, &a), PARSE_OK);
	assert_int_equal(b.time - a.time, 3600000000000);
}

/* With each byte around the digits at each place of a fraction of each length. */
static void
test_a_fraction_is_the_same_with_and_without_memo(void **state)
{
	static const char odd[] = "/:;.aZ\xb0\x10";

	(void)state;
	for (size_t digits = 0; digits < 12; digits++) {
		for (size_t i = 0; i < 12 * sizeof(odd); i++) {
			struct cri_memo none = { 0 }, memo = { 0 };
			char text[] = "2026-11-22T08:00:00.98765432109Z stdout F x";
			struct cri want, got;
			struct slice line;

			memmove(text + 20 + digits, text + 31, sizeof(text) - 31);
			if (i > 0)
				text[20 + i % 12] = odd[i / 12];
			line = exact(slice_of(text));
			assert_int_equal(
			    cri_parse(SLICE("2026-11-22T08:00:00Z stdout F x"), &memo, &got),
			    PARSE_OK);
			assert_int_equal(
			    cri_parse(line, &memo, &got), cri_parse(line, &none, &want));
			if (cri_parse(line, &memo, &got) == PARSE_OK)
				assert_int_equal(got.time, want.time);
			exact_free(line);
		}
	}
}

static void
test_a_line_cut_anywhere_before_its_tag_is_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (size_t n = 0; n < strlen(cases[i].line); n++) {
			struct slice line = exact((struct slice){ cases[i].line, n });
			struct cri_memo memo = { 0 };
			struct cri got;

			if (cri_parse(line, &memo, &got) == PARSE_OK)
				assert_true(n >= strcspn(cases[i].line, " ") + strlen(" stdout F"));
			exact_free(line);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_line_with_and_without_memo),
		cmocka_unit_test(test_a_memo_of_one_second_does_not_answer_for_another),
		cmocka_unit_test(test_a_fraction_is_the_same_with_and_without_memo),
		cmocka_unit_test(test_a_line_cut_anywhere_before_its_tag_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
