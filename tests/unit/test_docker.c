/* Lines of Docker's json-file driver. */
#include "unit.h"

#include "docker.h"
#include "json.h"

#define TIME "2026-11-22T08:00:00.002176064Z"
#define NS 1795334400002176064
#define LINE(log) "{\"log\":\"" log "\",\"stream\":\"stdout\",\"time\":\"" TIME "\"}"

static const struct {
	const char *line;
	enum parsed want;
	enum side side;
	bool partial;
	const char *content; /* without escapes */
} cases[] = {
	{ LINE("x\\n"), PARSE_OK, SIDE_STDOUT, false, "x" },
	{ LINE("x"), PARSE_OK, SIDE_STDOUT, true, "x" },
	{ LINE("\\n"), PARSE_OK, SIDE_STDOUT, false, "" },
	{ LINE(""), PARSE_OK, SIDE_STDOUT, true, "" },
	{ LINE("a\\nb\\n"), PARSE_OK, SIDE_STDOUT, false, "a\nb" },
	/* Backslashes before the n: a newline only behind an even number of others. */
	{ LINE("C:\\\\n"), PARSE_OK, SIDE_STDOUT, true, "C:\\n" },
	{ LINE("C:\\\\\\n"), PARSE_OK, SIDE_STDOUT, false, "C:\\" },
	{ LINE("n"), PARSE_OK, SIDE_STDOUT, true, "n" },
	/* As Go writes JSON. */
	{ LINE("\\tat a.\\u003cinit\\u003e \\\"q\\\"\\n"), PARSE_OK, SIDE_STDOUT, false,
	    "\tat a.<init> \"q\"" },
	{ "{\"log\":\"x\\n\",\"stream\":\"stderr\",\"attrs\":{\"log\":\"y\"},\"time\":\"" TIME
	  "\"}",
	    PARSE_OK, SIDE_STDERR, false, "x" },
	{ " { \"log\" : \"x\\n\" }", PARSE_BAD, 0, false, NULL },
	{ "{\"time\":\"" TIME "\", \"stream\":\"stderr\", \"log\":\"x\\n\"} ", PARSE_OK,
	    SIDE_STDERR, false, "x" },
	{ "{\"log\":\"x\",\"log\":\"y\\n\",\"stream\":\"stdout\",\"time\":\"" TIME "\"}", PARSE_OK,
	    SIDE_STDOUT, false, "y" },
	{ "{\"log\":\"x\\n\",\"stream\":\"stdin\",\"time\":\"" TIME "\"}", PARSE_BAD, 0, false,
	    NULL },
	{ "{\"log\":\"x\\n\",\"stream\":\"stdout\",\"time\":\"yesterday\"}", PARSE_BAD, 0, false,
	    NULL },
	{ "{\"log\":\"x\\n\",\"stream\":\"stdout\",\"time\":\"" TIME "+\"}", PARSE_BAD, 0, false,
	    NULL },
	{ "{\"log\":1,\"stream\":\"stdout\",\"time\":\"" TIME "\"}", PARSE_BAD, 0, false, NULL },
	{ "{\"log\":\"x\\n\",\"stream\":\"stdout\"}", PARSE_BAD, 0, false, NULL },
	{ "{\"stream\":\"stdout\",\"time\":\"" TIME "\"}", PARSE_BAD, 0, false, NULL },
	{ LINE("x\\n") "x", PARSE_BAD, 0, false, NULL },
	{ LINE("\\x"), PARSE_BAD, 0, false, NULL },
	{ "[]", PARSE_BAD, 0, false, NULL },
	{ "2026-11-22T08:00:00Z stdout F x", PARSE_BAD, 0, false, NULL },
	{ "", PARSE_BAD, 0, false, NULL },
};

static void
test_each_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice line = exact(slice_of(cases[i].line));
		char *plain = malloc(line.len + 1);
		struct cri got;

		assert_int_equal(docker_parse(line, &got), cases[i].want);
		if (cases[i].want == PARSE_OK) {
			assert_int_equal(got.time, NS);
			assert_slice(got.time_text, TIME);
			assert_int_equal(got.side, cases[i].side);
			assert_int_equal(got.partial, cases[i].partial);
			if (got.escaped)
				got.content =
				    (struct slice){ plain, json_unescape(got.content, plain) };
			assert_slice(got.content, cases[i].content);
		}
		free(plain);
		exact_free(line);
	}
}

static void
test_a_line_cut_anywhere_is_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		size_t whole = strlen(cases[i].line);

		while (whole > 0 && cases[i].line[whole - 1] != '}')
			whole--; /* blanks behind the object are no part of it */
		for (size_t n = 0; n < whole; n++) {
			struct slice line = exact((struct slice){ cases[i].line, n });
			struct cri got;

			/* A case with something behind its object is good without it. */
			assert_true(
			    docker_parse(line, &got) == PARSE_BAD || cases[i].want == PARSE_BAD);
			exact_free(line);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_line),
		cmocka_unit_test(test_a_line_cut_anywhere_is_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
