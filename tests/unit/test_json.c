/* Scanning and writing JSON. */
#include "unit.h"

#include "json.h"

static const struct {
	const char *text;
	enum parsed want;
} checks[] = {
	{ "{}", PARSE_OK },
	{ " { \"a\" : [ 1 , -2.5e+3 , true , false , null , \"x\\u00e9\\n\" , {} , [] ] } ",
	    PARSE_OK },
	{ "0", PARSE_OK },
	{ "\"\"", PARSE_OK },
	{ "[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]", PARSE_OK },
	{ "[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", PARSE_BAD }, /* 17 deep */
	{ "{\"a\":1,}", PARSE_BAD },
	{ "[1,]", PARSE_BAD },
	{ "[,1]", PARSE_BAD },
	{ "{a:1}", PARSE_BAD },
	{ "{\"a\" 1}", PARSE_BAD },
	{ "01", PARSE_BAD },
	{ "-", PARSE_MORE },
	{ "1.", PARSE_MORE },
	{ ".5", PARSE_BAD },
	{ "+1", PARSE_BAD },
	{ "1e", PARSE_MORE },
	{ "NaN", PARSE_BAD },
	{ "nul", PARSE_MORE },
	{ "tru3", PARSE_BAD },
	{ "\"a\nb\"", PARSE_BAD },
	{ "\"\\x\"", PARSE_BAD },
	{ "\"\\u12g4\"", PARSE_BAD },
	{ "{} {}", PARSE_BAD },
	{ "{]", PARSE_BAD },
	{ "[}", PARSE_BAD },
	{ "[1 2]", PARSE_BAD },
	{ "", PARSE_MORE },
};

/* The same answer by a walk over the members. */
static enum parsed
by_walk(struct slice text)
{
	struct json_walk walk;
	struct json_value value;
	struct slice key;
	enum parsed got;

	json_enter(&walk, text);
	while ((got = json_next(&walk, &key, &value)) == PARSE_OK)
		;
	return got == PARSE_MORE && json_trailing(&walk) ? PARSE_OK : PARSE_BAD;
}

static void
test_check_and_walk_agree_on_each_text_and_each_cut_of_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(checks); i++) {
		size_t full = strlen(checks[i].text);

		for (size_t n = 0; n <= full; n++) {
			struct slice text = exact((struct slice){ checks[i].text, n });
			enum json_kind kind = JSON_NULL;
			enum parsed got = json_check(text, &kind);

			if (n == full)
				assert_int_equal(got, checks[i].want);
			if (n > 0 && (memchr("{[", text.at[0], 2) != NULL))
				assert_int_equal(by_walk(text) == PARSE_OK, got == PARSE_OK);
			exact_free(text);
		}
	}
}

static void
test_mutated_texts_never_read_outside_and_walk_agrees(void **state)
{
	const char *seed =
	    "{\"a\":[1,2,{\"b\":\"x\\u0041y\"}],\"c\":{\"d\":null,\"e\":1.5e3},\"f\":\"0123456789abcdef\"}";
	static const char letters[] = "{}[]\",:\\u0e.-tfn \n\x01\xff";
	uint32_t random = 1;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct slice text = exact(slice_of(seed));
		char *at = (char *)(uintptr_t)text.at;
		enum json_kind kind;

		for (int i = 0; i < 1 + round % 3; i++) {
			random = random * 1664525 + 1013904223;
			at[(random >> 8) % text.len] =
			    letters[(random >> 20) % (sizeof(letters) - 1)];
		}
		if (at[0] == '{')
			assert_int_equal(
			    by_walk(text) == PARSE_OK, json_check(text, &kind) == PARSE_OK);
		exact_free(text);
	}
}

static void
test_walk_returns_members_as_they_stand(void **state)
{
	struct slice text = SLICE("{\"s\":\"a\\\"b\",\"n\":-1.50,\"o\":{\"x\":[1]},\"t\":true}");
	struct json_walk walk;
	struct json_value v;
	struct slice key;

	(void)state;
	json_enter(&walk, text);
	assert_int_equal(json_next(&walk, &key, &v), PARSE_OK);
	assert_slice(key, "s");
	assert_slice(v.text, "a\\\"b");
	assert_true(v.escaped);
	assert_int_equal(json_next(&walk, &key, &v), PARSE_OK);
	assert_slice(v.text, "-1.50");
	assert_int_equal(v.kind, JSON_NUMBER);
	assert_int_equal(json_next(&walk, &key, &v), PARSE_OK);
	assert_slice(v.text, "{\"x\":[1]}");
	assert_int_equal(v.kind, JSON_OBJECT);
	assert_int_equal(json_next(&walk, &key, &v), PARSE_OK);
	assert_int_equal(v.kind, JSON_TRUE);
	assert_int_equal(json_next(&walk, &key, &v), PARSE_MORE);
	assert_true(json_trailing(&walk));
}

static void
test_unescape(void **state)
{
	static const struct {
		const char *raw, *text;
	} cases[] = {
		{ "plain", "plain" },
		{ "a\\n\\t\\\"\\\\\\/b", "a\n\t\"\\/b" },
		{ "\\u0041\\u00e9\\u20ac", "A\xc3\xa9\xe2\x82\xac" },
		{ "\\ud83d\\ude00", "\xf0\x9f\x98\x80" },
		{ "\\ud83dx", "\xef\xbf\xbdx" },
		{ "\\ude00\\ud83d", "\xef\xbf\xbd\xef\xbf\xbd" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char to[64];
		size_t n = json_unescape(slice_of(cases[i].raw), to);

		assert_slice(((struct slice){ to, n }), cases[i].text);
	}
}

static const struct {
	const char *text, *want;
} writes[] = {
	{ "plain text of more than sixteen bytes", "\"plain text of more than sixteen bytes\"" },
	{ "a\"b\\c\td\x01", "\"a\\\"b\\\\c\\td\\u0001\"" },
	{ "\x7f\xe2\x80\xa8", "\"\x7f\xe2\x80\xa8\"" },
	{ "\xc3\xa9\xf0\x9f\x98\x80", "\"\xc3\xa9\xf0\x9f\x98\x80\"" },
	{ "\xff", "\"\xef\xbf\xbd\"" },
	{ "\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },                 /* overlong */
	{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }, /* a surrogate */
	{ "\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" }, /* beyond */
	{ "\xe2\x82", "\"\xef\xbf\xbd\"" }, /* cut: one */
	{ "\xf0\x9f\x98!", "\"\xef\xbf\xbd!\"" },
	{ "", "\"\"" },
};

static void
test_write_escapes_and_mends(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(writes); i++) {
		struct slice text = exact(slice_of(writes[i].text));
		char *to = malloc(JSON_WRITE_MAX(text.len));
		char *end = json_write(to, text);

		assert_slice(((struct slice){ to, (size_t)(end - to) }), writes[i].want);
		free(to);
		exact_free(text);
	}
}

/* Where the special byte stands in a run of sixteen must not matter. */
static void
test_write_is_the_same_at_every_alignment(void **state)
{
	(void)state;
	for (size_t before = 0; before < 40; before++) {
		for (size_t after = 0; after < 40; after++) {
			char text[128], want[160], *to;
			struct slice s;
			size_t n = 0;
			char *end;

			memset(text, 'x', sizeof(text));
			text[before] = '\n';
			s = exact((struct slice){ text, before + 1 + after });
			want[n++] = '"';
			memset(want + n, 'x', before);
			n += before;
			want[n++] = '\\';
			want[n++] = 'n';
			memset(want + n, 'x', after);
			n += after;
			want[n++] = '"';
			to = malloc(JSON_WRITE_MAX(s.len));
			end = json_write(to, s);
			assert_int_equal(end - to, n);
			assert_memory_equal(to, want, n);
			free(to);
			exact_free(s);
		}
	}
}

/* Any bytes beside each other, quotes in any number: as if each were written alone. */
static void
test_write_is_that_of_each_byte(void **state)
{
	static const struct {
		const char *text, *want;
	} parts[] = { { "x", "x" }, { "\"", "\\\"" }, { "\\", "\\\\" }, { "yz", "yz" },
		{ "\n", "\\n" }, { "\x01", "\\u0001" }, { "\u00e9", "\u00e9" } };
	unsigned random = 1;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		unsigned kinds = round % 2 == 0 ? 4 : COUNT(parts);
		char text[256] = "", want[1024] = "\"", *at = text, *end = want + 1, *to;
		struct slice s;

		for (unsigned i = 0; i < round % 100; i++) {
			unsigned k = (random >> 16) % kinds;

			at = stpcpy(at, parts[k].text);
			end = stpcpy(end, parts[k].want);
			random = random * 1103515245 + 12345;
		}
		end = stpcpy(end, "\"");
		s = exact(slice_of(text));
		to = malloc(JSON_WRITE_MAX(s.len));
		assert_int_equal(json_write(to, s) - to, end - want);
		assert_memory_equal(to, want, (size_t)(end - want));
		free(to);
		exact_free(s);
	}
}

/* ---- values as servers take them */

static const struct {
	const char *text, *want;
} mended[] = {
	{ "{ \"a b\" : [ 1 ,\n\t2 ] , \"c\\\" d\" : \"\xff\" }",
	    "{\"a b\":[1,2],\"c\\\" d\":\"\xef\xbf\xbd\"}" },
	{ "-1.5e3", "-1.5e3" },
	{ "true", "true" },
	{ "[]", "[]" },
	{ "{}", "{}" },
	{ "[[],{},[{}],null]", "[[],{},[{}],null]" },
	{ "[\"a]\",\"\\\\\",\"\\\\\\\"\"]", "[\"a]\",\"\\\\\",\"\\\\\\\"\"]" },
	/* names: one twice, however it is written; zero bytes; an empty one */
	{ "{\"a\":1,\"a\":2}", "{\"a\":2}" },
	{ "{\"a\":1,\"b\":2,\"\\u0061\":3}", "{\"b\":2,\"a\":3}" },
	{ "{\"a\":1,\"a\":{\"a\":2,\"a\":3},\"a\":[4],\"b\":{\"a\":5}}",
	    "{\"a\":[4],\"b\":{\"a\":5}}" },
	{ "[{\"x\":1,\"x\":2},{\"x\":3}]", "[{\"x\":2},{\"x\":3}]" },
	{ "{\"a\":{\"b\":1,\"c\":[{\"b\":2,\"d\":3,\"b\":{}}],\"b\":4},\"e\":5}",
	    "{\"a\":{\"c\":[{\"d\":3,\"b\":{}}],\"b\":4},\"e\":5}" },
	{ "{\"c\\u0000d\":2,\"c?d\":3}", "{\"c?d\":3}" },
	{ "{\"\":1}", "{\"_\":1}" },
	{ "{\"\xff\":1,\"\\ud800\":2}", "{\"\xef\xbf\xbd\":2}" },
};

static struct slice
mend(struct slice text, size_t most, char *to, size_t size)
{
	struct slice got = { to, (size_t)(json_mend(to, text, most) - to) };
	enum json_kind kind;

	assert_true(got.len <= size);
	assert_int_equal(json_check(got, &kind), PARSE_OK);
	return got;
}

static void
nested(char *to, const char *text, unsigned depth)
{
	for (unsigned d = 0; d < depth; d++)
		to = stpcpy(to, d % 2 ? "[" : "{\"n\":");
	to = stpcpy(to, text);
	for (unsigned d = depth; d-- > 0;)
		to = stpcpy(to, d % 2 ? "]" : "}");
}

static void
test_mended_at_every_depth(void **state)
{
	char text[1024], want[1024], to[4096];

	(void)state;
	for (size_t i = 0; i < COUNT(mended); i++) {
		for (unsigned depth = 0; depth < 12; depth++) {
			nested(text, mended[i].text, depth);
			nested(want, mended[i].want, depth);
			assert_slice(mend(slice_of(text), 100, to, sizeof(to)), want);
		}
	}
}

/* `before`, n times `unit`, `after`. */
static struct slice
long_text(char *to, const char *before, const char *unit, size_t n, const char *after)
{
	char *at = stpcpy(to, before);

	while (n-- > 0)
		at = stpcpy(at, unit);
	return (struct slice){ to, (size_t)(stpcpy(at, after) - to) };
}

static void
test_long_names_numbers_and_texts_are_mended(void **state)
{
	static char text[40000], want[40000], to[240002];

	(void)state;
#define IS(most, b, u, n, a, wb, wu, wn, wa)                                                       \
	do {                                                                                       \
		long_text(want, wb, wu, wn, wa);                                                   \
		assert_slice(mend(long_text(text, b, u, n, a), most, to, sizeof(to)), want);       \
	} while (0)
	IS(8191, "{\"", "k", 33000, "\":1}", "{\"", "k", 128, "\":1}");
	IS(8191, "{\"k", "\xc3\xa9", 500, "\":1}", "{\"k", "\xc3\xa9", 63, "\":1}");
	IS(8191, "{\"x\":[\"", "z", 8191, "\"]}", "{\"x\":[\"", "z", 8191, "\"]}");
	IS(8191, "{\"x\":[\"", "z", 8192, "\"]}", "{\"x\":[\"", "z", 8191, "\"]}");
	IS(100, "[\"z", "\xe4\xb8\x80", 40, "\"]", "[\"z", "\xe4\xb8\x80", 33, "\"]");
	IS(101, "[\"z", "\xe4\xb8\x80", 40, "\"]", "[\"z", "\xe4\xb8\x80", 33, "\"]");
	IS(100, "[\"", "\\n", 60, "\"]", "[\"", "\\n", 50, "\"]");
	IS(101, "[\"", "\\n", 60, "\"]", "[\"", "\\n", 50, "\"]");
	IS(100, "[\"", "\\u00e9", 60, "\"]", "[\"", "\\u00e9", 16, "\"]");
	/* Behind the escape is no character's beginning: the escape stays whole. */
	IS(104, "[\"", "\\u0001\x80", 60, "\"]", "[\"", "\\u0001\xef\xbf\xbd", 14, "\\u0001\"]");
	IS(100, "[\"", "\\ud83d\\ude00", 60, "\"]", "[\"", "\\ud83d\\ude00", 8, "\"]");
	IS(SIZE_MAX, "[\"", "z", 33000, "\"]", "[\"", "z", 33000, "\"]");
	IS(8191, "[", "9", 1000, "]", "[", "9", 1000, "]");
	IS(8191, "[", "9", 1001, "]", "[\"", "9", 1001, "\"]");
	IS(8191, "0.", "9", 1001, "", "\"0.", "9", 1001, "\"");
	IS(8191, "-", "9", 9000, "", "\"-", "9", 8190, "\"");
	IS(8191, "[", "{\"a\":1},", 2000, "{}]", "[", "{\"a\":1},", 2000, "{}]");
#undef IS
}

static void
test_more_members_than_are_remembered_become_a_text(void **state)
{
	static char text[20000], to[120002];
	char *at;

	(void)state;
	for (unsigned n = 511; n <= 514; n++) {
		at = text;
		*at++ = '{';
		for (unsigned i = 0; i < n; i++)
			at += snprintf(at, 16, "\"%u\":1,", i);
		stpcpy(at, "\"1\":2}");
		assert_int_equal(
		    *mend(slice_of(text), SIZE_MAX, to, sizeof(to)).at, n < 512 ? '{' : '"');
		/* the next value finds the table empty */
		assert_slice(
		    mend(SLICE("{\"1\":1,\"2\":2}"), 9, to, sizeof(to)), "{\"1\":1,\"2\":2}");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_and_walk_agree_on_each_text_and_each_cut_of_it),
		cmocka_unit_test(test_mutated_texts_never_read_outside_and_walk_agrees),
		cmocka_unit_test(test_walk_returns_members_as_they_stand),
		cmocka_unit_test(test_unescape),
		cmocka_unit_test(test_write_escapes_and_mends),
		cmocka_unit_test(test_write_is_the_same_at_every_alignment),
		cmocka_unit_test(test_write_is_that_of_each_byte),
		cmocka_unit_test(test_mended_at_every_depth),
		cmocka_unit_test(test_long_names_numbers_and_texts_are_mended),
		cmocka_unit_test(test_more_members_than_are_remembered_become_a_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
