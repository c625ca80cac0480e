/* UTF-16: texts as iconv has them, line feeds as a slow search finds them, what is broken. */
#include "unit.h"

#include <iconv.h>

#include "chance.h"
#include "utf16.h"

static const struct {
	const char *le; /* as little endian; big endian is tried as well */
	size_t len;
	bool odd;
	const char *want;
	size_t wrong;
} texts[] = {
	{ "", 0, false, "", 0 },
	{ "a\0b\0", 4, false, "ab", 0 },
	{ "\xe9\0\xac\x20\x3d\xd8\x80\xde", 8, false, "\u00e9\u20ac\U0001f680", 0 },
	{ "\0\0a\0", 4, false, "", 0 }, /* NUL stays: below */
	{ "\x3d\xd8"
	  "a\0",
	    4, false, "\ufffda", 1 },
	{ "\x80\xde"
	  "a\0",
	    4, false, "\ufffda", 1 },
	{ "\x3d\xd8\x3d\xd8\x80\xde", 6, false, "\ufffd\U0001f680", 1 },
	{ "\x80\xde\x3d\xd8", 4, false, "\ufffd\ufffd", 2 },
	{ "a\0\x3d\xd8\x80", 5, false, "a\ufffd\ufffd", 2 },
	{ "a\0\x3d", 3, false, "a\ufffd", 1 },
	{ "\0b\0c", 4, true, "\ufffd\x62\ufffd", 2 },
	{ "x", 1, true, "\ufffd", 1 },
	{ "\xff\xff\xfe\xff", 4, false, "\uffff\ufffe", 0 },
};

static struct slice
swapped(const char *le, size_t len, bool odd)
{
	char *be = malloc(len + 1);

	memcpy(be, le, len);
	for (size_t i = odd; i + 1 < len; i += 2) {
		be[i] = le[i + 1];
		be[i + 1] = le[i];
	}
	return (struct slice){ be, len };
}

static void
test_texts_in_both_orders(void **state)
{
	struct buffer to;

	(void)state;
	buffer_init(&to, 0);
	for (size_t i = 0; i < COUNT(texts); i++) {
		struct slice all[] = { exact((struct slice){ texts[i].le, texts[i].len }),
			swapped(texts[i].le, texts[i].len, texts[i].odd) };

		for (int order = UTF16_LE; order <= UTF16_BE; order++) {
			size_t wrong;

			buffer_clear(&to);
			wrong =
			    utf16_read(all[order - UTF16_LE], (enum utf16)order, texts[i].odd, &to);
			if (texts[i].len == 4 && memcmp(texts[i].le, "\0\0a", 4) == 0)
				assert_true(slice_eq(buffer_slice(&to), SLICE("\0a")));
			else
				assert_slice(buffer_slice(&to), texts[i].want);
			assert_int_equal(wrong, texts[i].wrong);
		}
		exact_free(all[0]);
		exact_free(all[1]);
	}
	buffer_fini(&to);
}

static void
test_marks(void **state)
{
	(void)state;
	assert_int_equal(utf16_mark(SLICE("\xff\xfe")), UTF16_LE);
	assert_int_equal(utf16_mark(SLICE("\xfe\xff\0")), UTF16_BE);
	assert_int_equal(utf16_mark(SLICE("\xff")), UTF16_NONE);
	assert_int_equal(utf16_mark(SLICE("\xef\xbb\xbf")), UTF16_NONE);
}

/* Units by chance, surrogates only in pairs: what iconv writes, iconv reads. */
static void
test_what_is_right_is_as_iconv_has_it(void **state)
{
	struct buffer to;

	(void)state;
	chance = 16;
	buffer_init(&to, 0);
	for (int i = 0; i < 3000; i++) {
		static const char *const names[] = { "UTF-16LE", "UTF-16BE" };
		unsigned n = any(30), order = any(2);
		uint32_t points[30];
		char wide[128], plain[128], *from = (char *)points, *at = wide;
		size_t left = n * sizeof(*points), room = sizeof(wide), wide_len;
		iconv_t make = iconv_open(names[order], "UTF-32LE"),
			read = iconv_open("UTF-8", names[order]);

		for (unsigned k = 0; k < n; k++) {
			points[k] = any(2) ? any(0x110000) : any(0x3000);
			if (points[k] >> 11 == 0x1b)
				points[k] = '\n';
		}
		assert_int_equal(iconv(make, &from, &left, &at, &room), 0);
		wide_len = sizeof(wide) - room;
		from = wide;
		left = wide_len;
		at = plain;
		room = sizeof(plain);
		assert_int_equal(iconv(read, &from, &left, &at, &room), 0);
		buffer_clear(&to);
		assert_int_equal(utf16_read((struct slice){ wide, wide_len },
				     order == 0 ? UTF16_LE : UTF16_BE, false, &to),
		    0);
		assert_true(
		    slice_eq(buffer_slice(&to), (struct slice){ plain, sizeof(plain) - room }));
		iconv_close(make);
		iconv_close(read);
	}
	buffer_fini(&to);
}

static size_t
slow_newline(struct slice s, bool big, bool odd)
{
	for (size_t i = odd; i + 1 < s.len; i += 2)
		if (s.at[i + !big] == '\0' && s.at[i + big] == '\n')
			return i;
	return s.len;
}

/* Of bytes that are mostly halves of line feeds. */
static void
test_line_feeds_are_found_where_a_slow_search_does(void **state)
{
	(void)state;
	chance = 61;
	for (int i = 0; i < 200000; i++) {
		char bytes[12];
		bool big = any(2), odd = any(2);
		struct slice s;

		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = "\n\0x"[any(3)];
		s = exact((struct slice){ bytes, any(sizeof(bytes) + 1) });
		assert_int_equal(
		    utf16_newline(s, big ? UTF16_BE : UTF16_LE, odd), slow_newline(s, big, odd));
		exact_free(s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_texts_in_both_orders),
		cmocka_unit_test(test_marks),
		cmocka_unit_test(test_what_is_right_is_as_iconv_has_it),
		cmocka_unit_test(test_line_feeds_are_found_where_a_slow_search_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
