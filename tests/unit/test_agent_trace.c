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
	{ true, ERROR "x\na.BException: c\n\tat d.E.lambda$f$3(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E.lambda$f$12(E.java:77)" },
	{ true, ERROR "x\na.BException: c\n\tat com.sun.proxy.$Proxy12.run(E.java:1)",
	    ERROR "x\na.BException: c\n\tat com.sun.proxy.$Proxy140.run(E.java:77)" },
	{ true, ERROR "x\na.BException: c\n\tat jdk.proxy2/jdk.proxy2.$Proxy12.run(E.java:1)",
	    ERROR "x\na.BException: c\n\tat jdk.proxy3/jdk.proxy3.$Proxy7.run(E.java:77)" },
	{ true, ERROR "x\na.BException: c\n\tat d.E$$SpringCGLIB$$0.f(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E$$SpringCGLIB$$1.f(E.java:77)" },
	{ true, ERROR "x\na.BException: c\n\tat d.E$$EnhancerBySpringCGLIB$$1a2b3c4d.f(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E$$EnhancerBySpringCGLIB$$deadbeef.f(E.java:77)" },
	{ true, ERROR "x\na.BException: c\n\tat d.E$$FastClassBySpringCGLIB$$ab.invoke(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E$$FastClassBySpringCGLIB$$12.invoke(E.java:77)" },
	{ true, ERROR "x\na.BException: c\n\tat d.E$HibernateProxy$aXb3.f(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E$HibernateProxy$Zz9.f(E.java:77)" },
	{ true, ERROR "x\na.BException: c\n\tat d.E$$Lambda$14/0x0000000800c0a840.run(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E$$Lambda$9/0x00007f1234abcd00.run(E.java:77)" },
	{ true, ERROR "x\na.BException: c\n\tat d.E$$Lambda/0x0000000800c0a840.run(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E$$Lambda$9/1234567.run(E.java:77)" },
	{ true, ERROR "x\na.BException: c\n\tat d.E$1.run(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E$12.run(E.java:77)" },
	{ true, ERROR "x\na.BException: c\n\tat d.E$1Reader.run(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E$2Reader.run(E.java:77)" },
	{ true, ERROR "x\na.BException: c\n\tat d.E$$anonfun$run$1.apply(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E$$anonfun$run$27.apply(E.java:77)" },
	{ true, ERROR "x\na.BException: c\n\tat d.E.access$000(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E.access$1200(E.java:77)" },
	{ true, ERROR "x\na.BException: c\n\tat d.E$_run_closure1.doCall(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E$_run_closure22.doCall(E.java:77)" },
	{ true, ERROR "x\na.BException: c\n\tat java.lang.Thread.run(E.java:1)",
	    ERROR "x\na.BException: c\n\tat java.base/java.lang.Thread.run(E.java:77)" },
	{ true, ERROR "x\na.BException: c\n\tat java.base@17.0.9/java.lang.Thread.run(E.java:1)",
	    ERROR "x\na.BException: c\n\tat java.base@21/java.lang.Thread.run(E.java:77)" },
	{ true, ERROR "x\na.BException: c\n\tat app//d.E.f(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E.f(E.java:77)" },
	{ true, ERROR "x\na.BException: c\n\tat d.E_$$_javassist_12.f(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E_$$_javassist_3.f(E.java:77)" },
	{ true, ERROR "x\na.BException: c\n\tat d.E_$$_jvst1a2_3.f(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E_$$_jvstff_0.f(E.java:77)" },
	{ true, ERROR "x\na.BException: c\n\tat d.E$AjcClosure1.run(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E$AjcClosure23.run(E.java:77)" },
	{ true, ERROR "x\na.BException: c\n\tat d.E.f_aroundBody0(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E.f_aroundBody12(E.java:77)" },
	{ true,
	    ERROR
	    "x\na.BException: c\n\tat s.GeneratedClass$GeneratedIteratorForCodegenStage3.f(E.java:1)",
	    ERROR
	    "x\na.BException: c\n\tat s.GeneratedClass$GeneratedIteratorForCodegenStage14.f(E.java:7)" },
	{ true, ERROR "x\na.BException: c\n\tat Script1.run(Script1.groovy:1)",
	    ERROR "x\na.BException: c\n\tat Script42.run(Script42.groovy:77)" },
	{ false, ERROR "x\na.BException: c\n\tat d.Script1.run(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.Script2.run(E.java:1)" },
	{ false, ERROR "x\na.BException: c\n\tat d.E$jvst1.f(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E$jvst2.f(E.java:1)" },
	{ false, ERROR "x\na.BException: c\n\tat d.E.f_aroundBody0(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E.g_aroundBody0(E.java:1)" },
	{ false, ERROR "x\na.BException: c\n\tat d.Step1.run(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.Step2.run(E.java:1)" },
	{ false, ERROR "x\na.BException: c\n\tat d.E.utf8(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E.utf16(E.java:1)" },
	{ false, ERROR "x\na.BException: c\n\tat d.Proxy1.run(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.Proxy2.run(E.java:1)" },
	{ false, ERROR "x\na.BException: c\n\tat d.E$Face.run(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E$Bead.run(E.java:1)" },
	{ false, ERROR "x\na.BException: c\n\tat d.E.lambda$f$3(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E.lambda$g$3(E.java:1)" },
	{ false, ERROR "x\na.BException: c\n\tat d.E$$SpringCGLIB$$0.f(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.F$$SpringCGLIB$$0.f(E.java:1)" },
	{ false, ERROR "x\na.BException: c\n\tat d.E$$Lambda$14/0x1.run(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E$$Lambda$14/0x1.call(E.java:1)" },
	{ false, ERROR "x\na.BException: c\n\tat d.E$1Reader.run(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E$1Writer.run(E.java:1)" },
	{ false, ERROR "x\na.BException: c\n\tat d.v1.E.f(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.v2.E.f(E.java:1)" },
	/* the JVM's ways of reflection: native at first, generated later */
	{ true,
	    ERROR
	    "x\na.BException: c\n\tat d.E.f(E.java:1)\n"
	    "\tat java.base/jdk.internal.reflect.NativeMethodAccessorImpl.invoke0(Native Method)\n"
	    "\tat java.base/jdk.internal.reflect.NativeMethodAccessorImpl.invoke(N.java:77)\n"
	    "\tat java.base/java.lang.reflect.Method.invoke(Method.java:568)\n"
	    "\tat d.E.call(E.java:5)",
	    ERROR "x\na.BException: c\n\tat d.E.f(E.java:1)\n"
		  "\tat sun.reflect.GeneratedMethodAccessor9.invoke(Unknown Source)\n"
		  "\tat java.lang.reflect.Method.invoke(Method.java:498)\n"
		  "\tat d.E.call(E.java:5)" },
	{ true,
	    ERROR "x\na.BException: c\n\tat d.E.<init>(E.java:1)\n"
		  "\tat java.base/java.lang.reflect.Constructor.newInstanceWithCaller(C.java:502)\n"
		  "\tat java.base/java.lang.reflect.Constructor.newInstance(C.java:486)\n"
		  "\tat d.E.make(E.java:5)",
	    ERROR "x\na.BException: c\n\tat d.E.<init>(E.java:1)\n"
		  "\tat sun.reflect.GeneratedConstructorAccessor9.newInstance(Unknown Source)\n"
		  "\tat java.lang.reflect.Constructor.newInstance(C.java:423)\n"
		  "\tat d.E.make(E.java:5)" },
	{ true, ERROR "x\na.BException: c\n\tat a.GeneratedMethodAccessor9.invoke(Unknown Source)",
	    ERROR "x\na.BException: c\n\tat a.GeneratedMethodAccessor10.invoke(Unknown Source)" },
	{ false,
	    ERROR
	    "x\na.BException: c\n\tat java.lang.reflect.Method.invoke(M.java:1)\n\tat d.E.f(E.java:1)",
	    ERROR
	    "x\na.BException: c\n\tat java.lang.reflect.Method.invoke(M.java:1)\n\tat d.E.g(E.java:1)" },
	{ true, ERROR "x\na.BException: c\n\tat /app/x.js:10:5",
	    ERROR "x\na.BException: c\n\tat /app/x.js:11:7" },
	{ false, ERROR "x\na.BException: c\n\tat /app/x.js:10:5",
	    ERROR "x\na.BException: c\n\tat /app/y.js:10:5" },
	/* a frame counts by its place, whatever stands between */
	{ false, ERROR "x\na.BException: c\n\tat d.E.f(E.java:1)\n\tat d.E.g(E.java:1)",
	    ERROR "x\na.BException: c\n\tat d.E.g(E.java:1)\n\tat d.E.f(E.java:1)" },
	/* classes of exceptions */
	{ true, ERROR "x\na.B$1Exception: c\n\tat d.E.f(E.java:1)",
	    ERROR "x\na.B$2Exception: c\n\tat d.E.f(E.java:1)" },
	{ false, ERROR "x\na.B1Exception: c\n\tat d.E.f(E.java:1)",
	    ERROR "x\na.B2Exception: c\n\tat d.E.f(E.java:1)" },
	/* messages */
	{ true, ERROR "no bean d.E$$SpringCGLIB$$0@1f of $Proxy12",
	    ERROR "no bean d.E$$SpringCGLIB$$1@abcdef of $Proxy7" },
	{ true, ERROR "no d.E$$Lambda$14/0x0000000800c0a840@7b",
	    ERROR "no d.E$$Lambda$2/0x00007fabc0a84000@b" },
	{ true, ERROR "lock Task@abc is held", ERROR "lock Task@12e is held" },
	{ true, ERROR "no cast of [Ljava.lang.String;@abc",
	    ERROR "no cast of [Ljava.lang.String;@7f" },
	{ true, ERROR "line 12 of E.java:77", ERROR "line 9 of E.java:1234" },
	{ false, ERROR "mail to a@abz.com", ERROR "mail to a@abq.com" },
	{ false, ERROR "lock Task@abc is held", ERROR "lock Task@abc is free" },
	{ false, ERROR "lambda$run$1 is lost", ERROR "lambda$stop$1 is lost" },
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

/*
 * Fingerprints of version 1.  Where one of them changes, AGENT_FINGERPRINT_VERSION is to be
 * raised, as the failures of all installations get others.
 */
static const struct {
	const char *text, *fingerprint;
} version_1[] = {
	{ ERROR "TASK_FAILED pipeline=load_orders execution_time=12.5\n"
		"java.lang.IllegalStateException: cannot load\n"
		"\tat com.matillion.agent.Load.run(Load.java:71)\n"
		"Caused by: java.sql.SQLException: no relation \"orders\"",
	    "1:071b71b0bc4a0324" },
	{ ERROR "Pool x exhausted after 12 ms, 3 waiting on Task@1f, 'a' user=b",
	    "1:17008b3eb1d148e7" },
	{ ERROR "no d.E$$Lambda$14/0x0000000800c0a840@7b", "1:55037f560be0d563" },
	{ ERROR "x\na.B$1Exception: c\n\tat java.base/d.E$$SpringCGLIB$$0.f(E.java:1)\n"
		"\tat java.lang.reflect.Method.invoke(Method.java:498)\n"
		"\tat d.E.lambda$g$7(E.java:9)",
	    "1:27179ca9881dd6e2" },
};

static void
test_a_change_of_the_algorithm_has_another_version(void **state)
{
	struct agent_words *w = agent_words_new();
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096);
	for (size_t i = 0; i < COUNT(version_1); i++) {
		char text[AGENT_FINGERPRINT_LEN + 1] = "";

		assert_ptr_equal(agent_fingerprint(text, fingerprint(w, version_1[i].text, &arena)),
		    text + AGENT_FINGERPRINT_LEN);
		assert_string_equal(text, version_1[i].fingerprint);
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
		cmocka_unit_test(test_a_change_of_the_algorithm_has_another_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
