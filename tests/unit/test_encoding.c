/* Texts of other encodings become UTF-8, and those that are none are refused. */
#include "unit.h"

#include "encoding.h"

static void
test_texts_become_utf8(void **state)
{
	static const struct {
		const char *name, *text, *want;
	} texts[] = { { "Win1252", "caf\xe9 \x80", "caf\u00e9 \u20ac" },
		{ "ShiftJIS", "\x93\xfa\x96\x7b {\"a\":1}", "\u65e5\u672c {\"a\":1}" },
		{ "GBK", "\xc4\xe3\xba\xc3", "\u4f60\u597d" }, { "Big5", "\xa7\x41", "\u4f60" },
		{ "UHC", "\xb0\xa1", "\uac00" }, { "ISO-8859-1", "\xfc", "\u00fc" },
		{ "Win1251", "\xcf", "\u041f" }, { "GB18030", "\x94\x39\xfc\x36", "\U0001f600" },
		/* bytes of no character, and half a one at the end */
		{ "GBK",
		    "a\xff"
		    "b\xc4",
		    "a\ufffd"
		    "b\ufffd" },
		{ "GBK", "", "" } };

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct encoding *e = encoding_new(texts[i].name);
		struct buffer to;

		assert_non_null(e);
		buffer_init(&to, 0);
		for (int twice = 0; twice < 2; twice++) {
			struct slice text = exact(slice_of(texts[i].text));

			buffer_clear(&to);
			encoding_read(e, text, &to);
			assert_slice(buffer_slice(&to), texts[i].want);
			exact_free(text);
		}
		buffer_fini(&to);
		encoding_free(e);
	}
}

static void
test_what_lines_cannot_be_cut_in_is_refused(void **state)
{
	static const char *const names[] = { "UTF-16", "UTF-16LE", "UTF-32", "UTF-7", "EBCDIC-US",
		"no-such", "" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct encoding *e = encoding_new(names[i]);

		if (e != NULL && strcmp(names[i], "") != 0)
			fail_msg("%s", names[i]);
		encoding_free(e);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts_become_utf8),
		cmocka_unit_test(test_what_lines_cannot_be_cut_in_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
