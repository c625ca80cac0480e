/* Failures: their class, their root, their message, and what makes two of them one. */
#include "agent_try.h"

#define ERROR "2026-11-22 08:00:00.001 ERROR [t-1] c.m.T - "
#define READ "logback ERROR timestamp=2026-11-22 08:00:00.001 logger=c.m.T thread=t-1"

static const struct agent_case errors[] = {
	{ ERROR "no", READ " error_type=UNKNOWN error_message=no" },
	{ ERROR "17\" disk: java.io.IOException: full",
	    READ " error_type=java.io.IOException error_message=full" }, /* a quote alone */
	{ ERROR "no error_type=X", READ " error_type=X error_message=no error_type=X" },
	{ ERROR "no error_type=X\njava.io.IOException: y\n\tat a.B.c(B.java:1)",
	    READ " error_type=X error_message=y stack_trace=2" },
	{ ERROR "failed\njava.lang.RuntimeException: r\n\tat a.B.c(B.java:1)\nCaused by: "
		"java.io.IOException: i\n\tat a.B.d(B.java:2)\n\t... 3 more\nCaused by: "
		"java.net.SocketTimeoutException\n\t... 9 common frames omitted",
	    READ " error_type=java.lang.RuntimeException "
		 "root_error_type=java.net.SocketTimeoutException error_message=r "
		 "stack_trace=7" },
	{ ERROR "failed\n\njava.io.IOException\n\tat a.B.c(B.java:1)",
	    READ " error_type=java.io.IOException error_message=failed stack_trace=2" },
	{ ERROR "java.io.IOException: on the header\n\tat a.B.c(B.java:1)",
	    READ " error_type=java.io.IOException error_message=on the header stack_trace=1" },
	{ ERROR "it said java.io.IOException: on the line",
	    READ " error_type=java.io.IOException error_message=on the line" },
	{ ERROR "it said \"java.io.IOException\" in quotes",
	    READ " error_type=UNKNOWN error_message=it said \"java.io.IOException\" in quotes" },
	{ ERROR "an Error: it is none",
	    READ " error_type=UNKNOWN error_message=an Error: it is none" },
	{ ERROR
	    "x\njava.io.IOException: a\n\tSuppressed: b.CException: d\n\tCaused by: e.FError: g",
	    READ " error_type=java.io.IOException error_message=a stack_trace=3" },
	{ ERROR "x\na.RootException: r\n\tat a.B.c(B.java:1)\nWrapped by: a.OuterException: o\n"
		"\tat a.B.d(B.java:2)",
	    READ " error_type=a.OuterException root_error_type=a.RootException error_message=o "
		 "stack_trace=4" },
	{ ERROR "x\njava.io.IOException: a\n08:00:00,123 |-ERROR in ch.qos.logback - of its own\n"
		"\tat a.B.c(B.java:1)",
	    READ " error_type=java.io.IOException error_message=a stack_trace=3" },
	/* no error, no type */
	{ "2026-11-22 08:00:00.001 WARN  [t-1] c.m.T - no\njava.io.IOException: y\n\tat a.B.c(B:1)",
	    "logback WARN timestamp=2026-11-22 08:00:00.001 logger=c.m.T thread=t-1 "
	    "stack_trace=2" },
	/* without a header: what nobody caught */
	{ "java.io.IOException: y\n\tat a.B.c(B.java:1)",
	    "text ERROR error_type=java.io.IOException error_message=y stack_trace=2" },
	{ "java.io.IOException: y", "text ERROR error_type=java.io.IOException error_message=y" },
	{ "a.b.C: y\n\tat a.B.c(B.java:1)",
	    "text ERROR error_type=a.b.C error_message=y stack_trace=2" },
	{ "a.b.C: y", "text -" },
	{ "Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap space\n\tat a.B.c(B:1)",
	    "text ERROR error_type=java.lang.OutOfMemoryError error_message=Java heap space "
	    "stack_trace=2" },
	{ "{\"level\":\"ERROR\",\"message\":\"m\",\"stack_trace\":\"a.BException: c\\n\\tat "
	  "d.E.f(E.java:1)\\nCaused by: g.HError: i\\n\"}",
	    "json ERROR error_type=a.BException root_error_type=g.HError error_message=c "
	    "stack_trace=4 message:m" },
	{ "{\"level\":\"WARN\",\"error.type\":\"X\",\"error.message\":\"m\"}",
	    "json WARN error.type:X error.message:m" },
	{ "{\"level\":\"ERROR\",\"error_type\":\"Y\",\"error.type\":\"X\"}",
	    "json ERROR error_type=Y" },
};

static void
test_errors(void **state)
{
	(void)state;
	try_cases(errors, COUNT(errors));
}

/* Pairs of texts: the same failure, or not. */
static const struct {
	bool same;
	const char *one, *other;
} pairs[] = {
	{ true, ERROR "Pool x exhausted after 12 ms, 3 waiting",
	    ERROR "Pool x exhausted after 1234.5 ms, 17 waiting" },
	{ false, ERROR "Pool x exhausted", ERROR "Pool y exhausted" },
	{ true, ERROR "no column \"a\" in 'b c'", ERROR "no column \"z z\" in 'd'" },
	{ true, ERROR "job 0f2c1a9e-6f6f-4b7e-9a51-1f0c2d3e4f50 lost",
	    ERROR "job abcdabcd-abcd-abcd-abcd-abcdabcdabcd lost" },
	{ true, ERROR "at 0xdeadbeef", ERROR "at 0x1" },
	{ true, ERROR "commit 4f2a9c1 is gone", ERROR "commit 00000ab is gone" },
	{ true, ERROR "10.0.0.1:80 refused", ERROR "192.168.7.12:8080 refused" },
	{ true, ERROR "lost task_id=1 user=\"x y\"", ERROR "lost task_id=22 user=z" },
	{ true, ERROR "lost it task_id=1",
	    "{\"level\":\"ERROR\",\"message\":\"lost it\",\"task_id\":2}" },
	{ true, ERROR "x\na.BException: c 1\n\tat d.E.f(E.java:1)\n\tat d.E.g(E.java:2) ~[x.jar:1]",
	    "{\"level\":\"ERROR\",\"message\":\"y\",\"stack_trace\":\"a.BException: c 2\\n\\tat "
	    "d.E.f(E.java:9)\\n\\tat d.E.g(E.java:3)\\n\"}" },
	{ true, ERROR "x\na.BException: c 1\n\tat d.E.f(E.java:1)",
	    "{\"log\":{\"level\":\"ERROR\"},\"error\":{\"type\":\"a.BException\",\"message\":\"c 7\","
	    "\"stack_trace\":\"a.BException: c 7\\n\\tat d.E.f(E.java:1)\"}}" },
	{ true, ERROR "x\na.BException: c\n\tat d.E.lambda$f$3(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E.lambda$f$12(E.java:1)" },
	{ false, ERROR "x\na.BException: c\n\tat d.E.f(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E.g(E.java:1)" },
	{ false, ERROR "x\na.BException: c\n\tat d.E.f(E.java:1)",
	    ERROR "x\na.CException: c\n\tat d.E.f(E.java:1)" },
};

static uint64_t
fingerprint(const struct agent_words *w, const char *text, struct arena *arena)
{
	struct agent_line *line = malloc(sizeof(*line));
	uint64_t got;

	arena_reset(arena);
	agent_parse(w, slice_of(text), arena, line);
	assert_true(line->error.type.value.len > 0);
	got = line->error.fingerprint;
	free(line);
	return got;
}

static void
test_equal_failures_have_one_fingerprint(void **state)
{
	struct agent_words *w = agent_words_new();
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096);
	for (size_t i = 0; i < COUNT(pairs); i++) {
		bool same =
		    fingerprint(w, pairs[i].one, &arena) == fingerprint(w, pairs[i].other, &arena);

		if (same != pairs[i].same)
			fail_msg(
			    "%s: '%s', '%s'", same ? "one" : "two", pairs[i].one, pairs[i].other);
	}
	arena_fini(&arena);
	agent_words_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_equal_failures_have_one_fingerprint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
