/* Configured parsers: formats, times, types, and what they do with what does not fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "parser.h"
#include "voice.h"

#define TYPES(...)                                                                                 \
	(const struct slice[])                                                                     \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}
#define S(text)                                                                                    \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

#define DECODERS(...)                                                                              \
	.decoders = (const char *const[]){ __VA_ARGS__ },                                          \
	.ndecoders = sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)

static const struct {
	struct parser_rules rules;
	const char *text;
	int64_t time;     /* 0: none was found */
	const char *want; /* name=value;… with a type mark; NULL: it does not fit */
} cases[] = {
	{ { .format = PARSER_REGEX, .regex = "^(?<a>\\d+) (?<b>.*)$" }, "12 x y", 0,
	    "a=12;b=x y;" },
	{ { .format = PARSER_REGEX, .regex = "^(?<a>\\d+)$" }, "x", 0, NULL },
	{ { .format = PARSER_REGEX, .regex = "(?<a>x*)(?<b>y)" }, "y", 0, "a=;b=y;" },
	{ { .format = PARSER_REGEX, .regex = "(?<a>x*)(?<b>y)", .skip_empty_values = true }, "y", 0,
	    "b=y;" },
	/* times */
	{ { .format = PARSER_REGEX, .regex = "^(?<time>[^ ]+) (?<b>.*)$", .time_key = "time" },
	    "2026-11-22T08:00:00.5Z x", 1795334400500000000, "b=x;" },
	{ { .format = PARSER_REGEX,
	      .regex = "^(?<time>[^ ]+) (?<b>.*)$",
	      .time_key = "time",
	      .time_keep = true },
	    "2026-11-22T08:00:00Z x", 1795334400000000000, "time=2026-11-22T08:00:00Z;b=x;" },
	{ { .format = PARSER_REGEX, .regex = "^(?<time>[^ ]+) (?<b>.*)$", .time_key = "time" },
	    "yesterday x", 0, "time=yesterday;b=x;" },
	{ { .format = PARSER_JSON, .time_key = "time" },
	    "{\"time\":\"2026-11-22T08:00:00Z later\"}", 0, "time=2026-11-22T08:00:00Z later;" },
	{ { .format = PARSER_REGEX,
	      .regex = "^(?<t>.*)$",
	      .time_key = "t",
	      .time_format = "%d/%b/%Y:%H:%M:%S %z" },
	    "22/Nov/2026:09:00:00 +0100", 1795334400000000000, "" },
	{ { .format = PARSER_REGEX,
	      .regex = "^(?<t>.*)$",
	      .time_key = "t",
	      .time_format = "%Y-%m-%d %H:%M:%S" },
	    "2026-11-22 08:00:00", 1795334400000000000, "" },
	{ { .format = PARSER_JSON, .time_key = "t", .time_format = "%Y-%m-%d %H:%M:%S" },
	    "{\"t\":\" 2026-11-22 08:00:00 \"}", 1795334400000000000, "" },
	{ { .format = PARSER_JSON, .time_key = "t" }, "{\"t\":\" 2026-11-22T08:00:00Z\"}",
	    1795334400000000000, "" },
	{ { .format = PARSER_JSON, .time_key = "t", .time_format = "%s" }, "{\"t\":\"1\"}",
	    1000000000, "" },
	{ { .format = PARSER_JSON, .time_key = "t", .time_format = "%s" }, "{\"t\":\"0\"}", 0,
	    "t=0;" },
	{ { .format = PARSER_JSON, .time_key = "time", .time_format = "%Y-%m-%dT%H:%M:%S.%L" },
	    "{\"time\":\"2026-11-22T08:00:00.25Z\"}", 1795334400250000000, "" },
	/* logfmt */
	{ { .format = PARSER_LOGFMT }, "level=info msg=\"two words\" took=12ms ok", 0,
	    "level=info;msg=two words;took=12ms;ok:true;" },
	{ { .format = PARSER_LOGFMT }, " a= b=\"\" c= ", 0, "a:true;b=;c:true;" },
	{ { .format = PARSER_LOGFMT }, "a=\"\\\"q\\\" \\n \\u00e9 \\x41 \\\\\" b=\"open \\", 0,
	    "a=\"q\" \n \u00e9 A \\;b=open \\;" },
	{ { .format = PARSER_LOGFMT }, "a==b \"c\"d", 0, "a:true;b:true;c:true;d:true;" },
	{ { .format = PARSER_LOGFMT }, "a=1 a=2", 0, "a=2;" },
	{ { .format = PARSER_LOGFMT }, "", 0, NULL },
	{ { .format = PARSER_LOGFMT }, " \" = ", 0, NULL },
	{ { .format = PARSER_LOGFMT, .no_bare_keys = true }, "just some words", 0, NULL },
	{ { .format = PARSER_LOGFMT, .no_bare_keys = true }, "a=1 b=", 0, "a=1;b:true;" },
	{ { .format = PARSER_LOGFMT,
	      .time_key = "time",
	      .ntypes = 2,
	      .types = TYPES(S("n"), S("integer"), S("f"), S("float")) },
	    "time=\"2026-11-22T08:00:00Z\" n=3 f=0.5 g=1", 1795334400000000000, "n:3;f:0.5;g=1;" },
	/* LTSV, TSKV */
	{ { .format = PARSER_LTSV }, "host:127.0.0.1\tua:Mozilla/5.0 (X11: y)\tempty:\r", 0,
	    "host=127.0.0.1;ua=Mozilla/5.0 (X11: y);empty=;" },
	{ { .format = PARSER_LTSV }, "a:1\tno pair\tb:2", 0, "a=1;" },
	{ { .format = PARSER_LTSV }, ":x\tb:2", 0, "b=2;" },
	{ { .format = PARSER_LTSV }, "no pair", 0, NULL },
	{ { .format = PARSER_LTSV }, "", 0, NULL },
	{ { .format = PARSER_LTSV,
	      .time_key = "time",
	      .time_format = "%d/%b/%Y:%H:%M:%S %z",
	      .time_keep = true,
	      .ntypes = 1,
	      .types = TYPES(S("size"), S("integer")) },
	    "time:22/Nov/2026:08:00:00 +0000\tsize:42", 1795334400000000000,
	    "time=22/Nov/2026:08:00:00 +0000;size:42;" },
	{ { .format = PARSER_TSKV }, "tskv\ta=1:2\tb=", 0, "a=1:2;b=;" },
	/* decoders */
	{ { .format = PARSER_JSON, DECODERS("Decode_Field json log") },
	    "{\"log\":\"{\\\"a\\\":1,\\\"b\\\":\\\"x\\\"}\",\"n\":2}", 0,
	    "log~{\\\"a\\\":1,\\\"b\\\":\\\"x\\\"};n:2;a:1;b=x;" },
	{ { .format = PARSER_JSON, DECODERS("Decode_Field_As json log") },
	    "{\"log\":\"{\\\"a\\\":1}\\n\",\"n\":2}", 0, "log:{\"a\":1};n:2;" },
	{ { .format = PARSER_JSON, DECODERS("Decode_Field_As json log") },
	    "{\"log\":\"plain\",\"n\":2}", 0, "log=plain;n:2;" },
	{ { .format = PARSER_JSON, DECODERS("Decode_Field_As json log") }, "{\"log\":7}", 0,
	    "log:7;" },
	{ { .format = PARSER_REGEX, .regex = "^(?<a>.*)$", DECODERS("Decode_Field_As escaped a") },
	    "x\\ty\\qz\\", 0,
	    "a=x\ty"
	    "qz\\;" },
	{ { .format = PARSER_REGEX,
	      .regex = "^(?<a>.*)$",
	      DECODERS("Decode_Field_As escaped_utf8 a") },
	    "\\u00e9\\ud83d\\ude00\\x41\\101\\\"\\/\\ud800\\q", 0,
	    "a=\u00e9\U0001f600AA\\\"\\/\ufffdq;" },
	{ { .format = PARSER_REGEX,
	      .regex = "^(?<a>\\S*) (?<b>\\S*)$",
	      DECODERS("Decode_Field_As mysql_quoted a", "Decode_Field_As mysql_quoted b") },
	    "'it\\'s\\n' x'y", 0, "a=it's\n;b=x'y;" },
	/* … several of one field */
	{ { .format = PARSER_REGEX,
	      .regex = "^(?<a>.*)$",
	      DECODERS("Decode_Field_As escaped a do_next", "Decode_Field json a") },
	    "{\\\"k\\\":1}", 0, "a={\"k\":1};k:1;" },
	{ { .format = PARSER_REGEX,
	      .regex = "^(?<a>.*)$",
	      DECODERS("Decode_Field json a try_next", "Decode_Field_As escaped a") },
	    "x\\ty", 0, "a=x\ty;" },
	{ { .format = PARSER_REGEX,
	      .regex = "^(?<a>.*)$",
	      DECODERS("Decode_Field json a", "Decode_Field_As escaped a") },
	    "x\\ty", 0, "a=x\\ty;" },
	{ { .format = PARSER_REGEX,
	      .regex = "^(?<a>.*)$",
	      DECODERS("Decode_Field_As json a do_next", "Decode_Field_As escaped a") },
	    "{\"k\":\"\\t\"}", 0, "a:{\"k\":\"\\t\"};" },
	/* types */
	{ { .format = PARSER_REGEX,
	      .regex = "(?<a>.*)",
	      .ntypes = 1,
	      .types = TYPES(S("a"), S("integer")) },
	    "-042", 0, "a:-42;" },
	{ { .format = PARSER_REGEX,
	      .regex = "(?<a>.*)",
	      .ntypes = 1,
	      .types = TYPES(S("a"), S("integer")) },
	    "4x", 0, "a=4x;" },
	{ { .format = PARSER_REGEX,
	      .regex = "(?<a>.*)",
	      .ntypes = 1,
	      .types = TYPES(S("a"), S("integer")) },
	    "99999999999999999999", 0, "a=99999999999999999999;" },
	{ { .format = PARSER_REGEX,
	      .regex = "(?<a>.*)",
	      .ntypes = 1,
	      .types = TYPES(S("a"), S("float")) },
	    "12.50", 0, "a:12.50;" },
	{ { .format = PARSER_REGEX,
	      .regex = "(?<a>.*)",
	      .ntypes = 1,
	      .types = TYPES(S("a"), S("float")) },
	    "+1e3", 0, "a:1000.0;" },
	{ { .format = PARSER_REGEX,
	      .regex = "(?<a>.*)",
	      .ntypes = 1,
	      .types = TYPES(S("a"), S("float")) },
	    "3", 0, "a:3.0;" },
	{ { .format = PARSER_REGEX,
	      .regex = "(?<a>.*)",
	      .ntypes = 1,
	      .types = TYPES(S("a"), S("float")) },
	    "-12.30", 0, "a:-12.30;" },
	{ { .format = PARSER_REGEX,
	      .regex = "(?<a>.*)",
	      .ntypes = 1,
	      .types = TYPES(S("a"), S("float")) },
	    "-.1", 0, "a:-0.1;" },
	{ { .format = PARSER_REGEX,
	      .regex = "(?<a>.*)",
	      .ntypes = 1,
	      .types = TYPES(S("a"), S("float")) },
	    "007.5", 0, "a:7.5;" },
	{ { .format = PARSER_REGEX,
	      .regex = "(?<a>.*)",
	      .ntypes = 1,
	      .types = TYPES(S("a"), S("float")) },
	    "1e300", 0, "a:1e+300;" },
	{ { .format = PARSER_REGEX,
	      .regex = "(?<a>.*)",
	      .ntypes = 1,
	      .types = TYPES(S("a"), S("float")) },
	    "nan", 0, "a=nan;" },
	{ { .format = PARSER_REGEX,
	      .regex = "(?<a>.*)",
	      .ntypes = 1,
	      .types = TYPES(S("a"), S("float")) },
	    "1e999", 0, "a=1e999;" },
	{ { .format = PARSER_REGEX,
	      .regex = "(?<a>.*)",
	      .ntypes = 1,
	      .types = TYPES(S("a"), S("hex")) },
	    "ff", 0, "a:255;" },
	{ { .format = PARSER_REGEX,
	      .regex = "(?<a>.*)",
	      .ntypes = 1,
	      .types = TYPES(S("a"), S("bool")) },
	    "True", 0, "a:true;" },
	{ { .format = PARSER_REGEX,
	      .regex = "(?<a>.*)",
	      .ntypes = 1,
	      .types = TYPES(S("a"), S("bool")) },
	    "1", 0, "a=1;" },
	/* JSON */
	{ { .format = PARSER_JSON }, "{\"a\":\"x\",\"b\":1.50,\"c\":{\"d\":[1]},\"e\":\"q\\\"\"}",
	    0, "a=x;b:1.50;c:{\"d\":[1]};e~q\\\";" },
	{ { .format = PARSER_JSON }, "{\"a\":1,\"b\":2,\"a\":3}", 0, "a:3;b:2;" },
	/* one name, however it is written */
	{ { .format = PARSER_JSON },
	    "{\"time\":1,\"\\u0074ime\":2,\"q\\u0022\":3,\"q\\\"\":4,\"\xff\":5,\"\xfe\":6,"
	    "\"\\u0000\":7,\"?\":8,\"\":9}",
	    0, "time:2;q\\\":4;\xef\xbf\xbd:6;?:8;_:9;" },
	{ { .format = PARSER_JSON }, "{}", 0, "" },
	{ { .format = PARSER_JSON }, "[1]", 0, NULL },
	{ { .format = PARSER_JSON }, "{\"a\":1} x", 0, NULL },
	{ { .format = PARSER_JSON }, "plain", 0, NULL },
	{ { .format = PARSER_JSON }, "", 0, NULL },
	/* the runtime's format */
	{ { .format = PARSER_CRI }, "2026-11-22T08:00:00Z stderr P the text", 1795334400000000000,
	    "time=2026-11-22T08:00:00Z;stream=stderr;logtag=P;log=the text;" },
	{ { .format = PARSER_CRI }, "the text", 0, NULL },
};

static size_t
field_print(const struct field *f, char *to, size_t size)
{
	static const char marks[] = { '=', '~', ':' };

	return (size_t)snprintf(to, size, "%.*s%c%.*s;", (int)f->name.len, f->name.at,
	    marks[f->kind], (int)f->value.len, f->value.at);
}

static void
test_each_format_gives_its_fields(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct parser_rules rules = cases[i].rules;
		struct field fields[RECORD_FIELDS];
		char found[512] = "", error[256] = "";
		struct parser *p;
		int64_t time = 0;
		size_t used = 0;
		int n;

		rules.name = "p";
		p = parser_new(&rules, error, sizeof(error));
		assert_string_equal(error, "");
		assert_non_null(p);
		n = parser_run(p, slice_of(cases[i].text), &arena, fields, RECORD_FIELDS, &time);
		for (int j = 0; j < n; j++)
			used += field_print(&fields[j], found + used, sizeof(found) - used);
		if (cases[i].want == NULL ? n >= 0 : strcmp(found, cases[i].want) != 0)
			print_message("case %zu: %s\n", i, cases[i].text);
		if (cases[i].want == NULL) {
			assert_int_equal(n, -1);
		} else {
			assert_string_equal(found, cases[i].want);
			assert_int_equal(time, cases[i].time);
		}
		parser_free(p);
		arena_reset(&arena);
	}
	arena_fini(&arena);
}

/* Each text ends where its page does: a byte read too far is found by the sanitizers. */
static void
test_texts_cut_at_every_byte_stay_in_bounds(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct parser_rules rules = cases[i].rules;
		char error[256];
		struct parser *p;

		rules.name = "p";
		p = parser_new(&rules, error, sizeof(error));
		for (size_t len = 0; len < strlen(cases[i].text); len++) {
			struct field fields[2];
			char *text = malloc(len + 1);
			int64_t time = 0;
			int n;

			memcpy(text, cases[i].text, len);
			text = realloc(text, len > 0 ? len : 1);
			arena_reset(&arena);
			n = parser_run(p, (struct slice){ text, len }, &arena, fields, 2, &time);
			assert_in_range(n + 1, 0, 3);
			free(text);
		}
		parser_free(p);
	}
	arena_fini(&arena);
}

static void
test_a_full_arena_leaves_text(void **state)
{
	struct parser_rules rules = { .name = "p",
		.format = PARSER_REGEX,
		.regex = "(?<a>.*)",
		.ntypes = 1,
		.types = TYPES(S("a"), S("hex")) };
	struct arena none = { 0 };
	struct field f;
	char error[64];
	int64_t time = 0;
	struct parser *p = parser_new(&rules, error, sizeof(error));

	(void)state;
	assert_int_equal(parser_run(p, SLICE("ff"), &none, &f, 1, &time), 1);
	assert_int_equal(f.kind, VALUE_TEXT);
	assert_int_equal(f.value.len, 2);
	parser_free(p);
}

/* Stock parsers of Fluent Bit and of its users' charts, and others that look like them. */
static void
test_a_runtimes_form_is_told_by_the_fields(void **state)
{
	static const struct {
		struct parser_rules rules;
		enum parser_form want;
	} parsers[] = {
		{ { .format = PARSER_CRI }, FORM_CRI },
		{ { .regex =
			  "^(?<time>[^ ]+) (?<stream>stdout|stderr) (?<logtag>[^ ]*) (?<log>.*)$",
		      .time_key = "time",
		      .time_format = "%Y-%m-%dT%H:%M:%S.%L%z" },
		    FORM_CRI },
		{ { .regex = "^(?<t>.+)\\b(?<side>stdout|stderr)( (?<tag>[FP]))? (?<text>.*)$" },
		    FORM_CRI },
		{ { .regex = "^(?<time>[^ ]+) (?<stream>[^ ]+) [^ ]* (?<level>\\w+) (?<log>.*)$" },
		    FORM_OTHER },
		{ { .regex = "^(?<time>[^ ]+) (?<stream>stdout) (?<logtag>[^ ]*) (?<log>.*)$" },
		    FORM_OTHER },
		{ { .regex = "^(?<log>.*)$" }, FORM_OTHER },
		{ { .regex = "^(?<time>[^ ]+) (?<stream>[^ ]+) (?<logtag>[^ ]*) (?<log>.*)$" },
		    FORM_CRI },
		{ { .regex = "^(?<INT>[^ ]+) (?<FLOAT>[^ ]+) (?<BOOL>[^ ]+) (?<STRING>.+)$" },
		    FORM_OTHER },
		{ { .regex = "^(?<INT>[^ ]+) (?<FLOAT>[^ ]+) (?<STRING>.+)$" }, FORM_OTHER },
		{ { .format = PARSER_JSON,
		      .time_key = "time",
		      .time_format = "%Y-%m-%dT%H:%M:%S.%L" },
		    FORM_DOCKER },
		{ { .format = PARSER_JSON, .time_key = "time", .time_keep = true }, FORM_DOCKER },
		{ { .format = PARSER_JSON,
		      .time_key = "time",
		      .time_format = "%d/%b/%Y:%H:%M:%S %z" },
		    FORM_OTHER },
		{ { .format = PARSER_JSON, .time_key = "ts" }, FORM_OTHER },
		{ { .format = PARSER_JSON }, FORM_OTHER },
	};
	char error[256];

	(void)state;
	for (size_t i = 0; i < sizeof(parsers) / sizeof(parsers[0]); i++) {
		struct parser_rules rules = parsers[i].rules;
		struct parser *p;

		rules.name = "p";
		p = parser_new(&rules, error, sizeof(error));
		assert_non_null(p);
		assert_int_equal(parser_form(p), parsers[i].want);
		parser_free(p);
	}
}

/* Once for a parser, and never for one whose first time fits. */
static void
test_a_time_format_that_does_not_fit_is_said_once(void **state)
{
	static const char *const texts[2][3] = { { "yesterday", "2026", "today" },
		{ "2026", "yesterday", "today" } };
	char path[] = "/tmp/towline-parser-XXXXXX", said[512] = "", error[64];
	struct parser_rules rules = {
		.format = PARSER_REGEX, .regex = "^(?<t>.*)$", .time_key = "t", .time_format = "%Y"
	};
	struct field fields[RECORD_FIELDS];
	struct arena arena;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(voice_open(VOICE_WARN, path), 0);
	arena_init(&arena, 4096);
	for (int i = 0; i < 2; i++) {
		struct parser *p;
		int64_t time;

		rules.name = i == 0 ? "misfit" : "fit";
		p = parser_new(&rules, error, sizeof(error));
		for (int j = 0; j < 3; j++)
			assert_int_equal(parser_run(p, slice_of(texts[i][j]), &arena, fields,
					     RECORD_FIELDS, &time),
			    strcmp(texts[i][j], "2026") != 0);
		parser_free(p);
	}
	arena_fini(&arena);
	assert_int_equal(voice_open(VOICE_WARN, NULL), 0);
	assert_true(read(fd, said, sizeof(said) - 1) > 0);
	assert_non_null(strstr(said, "misfit: the first t, 'yesterday', is no time by %Y"));
	assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
	close(fd);
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_format_gives_its_fields),
		cmocka_unit_test(test_a_runtimes_form_is_told_by_the_fields),
		cmocka_unit_test(test_a_time_format_that_does_not_fit_is_said_once),
		cmocka_unit_test(test_texts_cut_at_every_byte_stay_in_bounds),
		cmocka_unit_test(test_a_full_arena_leaves_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
