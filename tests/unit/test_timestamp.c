/* Times in text. */
#include "unit.h"

#include "timestamp.h"
#include "zone.h"

static const struct {
	const char *text, *format;
	int offset;
	enum parsed want;
	int64_t ns;
} formats[] = {
	{ "22/Nov/2026:08:00:00 +0100", "%d/%b/%Y:%H:%M:%S %z", 0, PARSE_OK, 1795330800000000000 },
	{ "2026-11-22T08:00:00.002", "%Y-%m-%dT%H:%M:%S.%L", 0, PARSE_OK, 1795334400002000000 },
	{ "2026-11-22 08:00:00", "%F %T", 3600, PARSE_OK, 1795330800000000000 },
	{ "Sun Nov  2 08:00:00 PM 2026", "%a %b %e %I:%M:%S %p %Y", 0, PARSE_OK,
	    1793649600000000000 },
	{ "1795334400.5", "%s.%L", 0, PARSE_OK, 1795334400500000000 },
	{ "2026-11-22", "%F", 0, PARSE_OK, 1795305600000000000 },
	{ "2026-11-22x", "%F", 0, PARSE_BAD, 0 },
	/* the fraction of seconds that the format does not name */
	{ "2026-11-22 08:00:00,002", "%F %T", 0, PARSE_OK, 1795334400002000000 },
	{ "2026-11-22 08:00:00.5", "%F %H:%M:%S", 0, PARSE_OK, 1795334400500000000 },
	{ "1795334400.5", "%s", 0, PARSE_OK, 1795334400500000000 },
	{ "2026-11-22T03:00:00.5-0500", "%FT%H:%M:%S.%L", 3600, PARSE_OK, 1795334400500000000 },
	{ "2026-11-22T10:00:00.5+02:00", "%FT%T", 3600, PARSE_OK, 1795334400500000000 },
	{ "2026-11-22T10:00:00 +02:00", "%FT%T", 0, PARSE_BAD, 0 },
	{ "2026-11-22T10:00:00.5-5", "%FT%T", 0, PARSE_BAD, 0 },
	{ "2026-11-22T10:00:00.5-2500", "%FT%T", 0, PARSE_BAD, 0 },
	{ "1795334400.5-0500", "%s.%L", 0, PARSE_BAD, 0 },
	{ "2026-11-22 +0100 08:00:00+0100", "%F %z %T", 0, PARSE_BAD, 0 },
	{ "2026-11-22 08:00:00.", "%F %T", 0, PARSE_BAD, 0 },
	{ "2026-11-22 08:00:00.5 x", "%F %T", 0, PARSE_BAD, 0 },
	{ "2026-11-22 08:00.5", "%F %H:%M", 0, PARSE_BAD, 0 },
	{ "2026 S.5", "%Y %%S", 0, PARSE_BAD, 0 },
	{ "Sun Nov 22 08:00:00 2026", "%c", 0, PARSE_OK, 1795334400000000000 },
	{ "11/22/26 08:00:00 AM", "%x %r", 0, PARSE_OK, 1795334400000000000 },
	{ "2026-11-22\t 08:00:00.5", "%F%t%X", 0, PARSE_OK, 1795334400500000000 },
	{ "2026-W47-7 46 26 11/22/26 8 am", "%G-W%V-%u %U %g %D %I %P", 0, PARSE_OK,
	    1795334400000000000 },
	{ "2026-11-22 8", "%F %w", 0, PARSE_BAD, 0 },
	{ "2026-02-30", "%F", 0, PARSE_BAD, 0 },
	{ "22/Foo/2026", "%d/%b/%Y", 0, PARSE_BAD, 0 },
	{ "99999999999999", "%s", 0, PARSE_BAD, 0 },
	{ "2026", "%Q", 0, PARSE_BAD, 0 },
	{ "Nov  2 2026 08:00:00", "%b %d %Y %H:%M:%S", 0, PARSE_OK, 1793606400000000000 },
	{ "02 Nov 2026  8:00", "%d %b %Y %k:%M", 0, PARSE_OK, 1793606400000000000 },
	{ "Nov2 2026", "%b %d %Y", 0, PARSE_BAD, 0 },
	{ "9223372036.9", "%s.%L", 0, PARSE_BAD, 0 },
	{ "9214646399.999999999", "%s.%L", 0, PARSE_OK, 9214646399999999999 },
	{ "12 AM 2026", "%I %p %Y", 0, PARSE_OK, 1767225600000000000 },
	{ "10% 2026", "%H%% %Y", 0, PARSE_OK, 1767261600000000000 },
	{ "2023-05-12 10:30:00 PST", "%F %T %Z", 0, PARSE_OK, 1683916200000000000 },
	{ "2023-05-12 10:30:00 EST", "%F %T %Z", 3600, PARSE_OK, 1683905400000000000 },
	{ "2023-05-12 10:30:00 EDT", "%F %T %z", 0, PARSE_OK, 1683901800000000000 },
	{ "2023-05-12 10:30:00 CEST", "%F %T %Z", 0, PARSE_OK, 1683880200000000000 },
	{ "2023-05-12 10:30:00 JST", "%F %T %Z", 0, PARSE_OK, 1683855000000000000 },
	{ "2023-05-12 10:30:00 NPT", "%F %T %Z", 0, PARSE_OK, 1683866700000000000 },
	{ "2023-05-12T10:30:00z", "%FT%T%z", 3600, PARSE_OK, 1683887400000000000 },
	{ "Fri May 12 10:30:00 WIB 2023", "%a %b %d %T %Z %Y", 0, PARSE_OK, 1683862200000000000 },
	{ "2023-05-12 10:30:00 IST", "%F %T %Z", 0, PARSE_BAD, 0 }, /* three countries' */
	{ "2023-05-12 10:30:00 K", "%F %T %Z", 0, PARSE_BAD, 0 },
	{ "2023-05-12 10:30:00 ESTX", "%F %T %Z", 0, PARSE_BAD, 0 },
	{ "2023-05-12 10:30:00 pst", "%F %T %Z", 0, PARSE_BAD, 0 },
	/* a Z of the format behind the seconds is UTC */
	{ "2026-11-22T08:00:00Z", "%FT%H:%M:%SZ", 3600, PARSE_OK, 1795334400000000000 },
	{ "2026-11-22T08:00:00.5Z", "%FT%H:%M:%S.%LZ", 3600, PARSE_OK, 1795334400500000000 },
	{ "2026-11-22T09:00:00 Z", "%FT%H:%M:%S Z", 3600, PARSE_OK, 1795334400000000000 },
	{ "1795334400", "%s", 3600, PARSE_OK, 1795334400000000000 },
	{ "1970-01-01 00:30", "%F %H:%M", 3600, PARSE_BAD, 0 },
	{ "1970-01-01 00:30", "%F %H:%M", -3600, PARSE_OK, 5400000000000 },
	{ "2024-366 01:00", "%Y-%j %H:%M", 0, PARSE_OK, 1735606800000000000 },
	{ "060 2023", "%j %Y", 0, PARSE_OK, 1677628800000000000 },
	{ "060 2024", "%j %Y", 0, PARSE_OK, 1709164800000000000 },
	{ "2023-366", "%Y-%j", 0, PARSE_BAD, 0 },
	{ "2023-000", "%Y-%j", 0, PARSE_BAD, 0 },
	{ "20231105", "%C%y%m%d", 0, PARSE_OK, 1699142400000000000 },
	{ "231105 20", "%y%m%d %C", 0, PARSE_OK, 1699142400000000000 },
	{ "19991231", "%C%y%m%d", 0, PARSE_OK, 946598400000000000 },
	{ "10/03/2016 12:21:08.123456789123456789", "%m/%d/%Y %H:%M:%S.%L", 0, PARSE_OK,
	    1475497268123456789 },
};

static void
test_formats_whole_and_cut(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(formats); i++) {
		for (size_t n = 0; n <= strlen(formats[i].text); n++) {
			struct slice text = exact((struct slice){ formats[i].text, n });
			int64_t ns = 0;
			struct zone *zone = zone_fixed(formats[i].offset);
			enum parsed got = timestamp_format(text, formats[i].format, zone, &ns);

			if (n == strlen(formats[i].text)) {
				assert_int_equal(got, formats[i].want);
				if (got == PARSE_OK)
					assert_int_equal(ns, formats[i].ns);
			}
			zone_free(zone);
			exact_free(text);
		}
	}
}

/* A time without a year is of the one that brings it nearest to another time. */
static void
test_a_year_that_is_not_named(void **state)
{
	static const struct {
		const char *near, *text, *want; /* NULL: none */
	} years[] = { { "2026-11-22T08:00:00Z", "Nov 22 07:00:00", "2026-11-22T07:00:00Z" },
		{ "2026-11-22T08:00:00Z", "Jan  2 07:00:00", "2027-01-02T07:00:00Z" },
		{ "2027-01-01T00:00:01Z", "Dec 31 23:59:59", "2026-12-31T23:59:59Z" },
		{ "2026-12-31T23:59:59Z", "Jan  1 00:00:00", "2027-01-01T00:00:00Z" },
		{ "2027-03-01T00:00:00Z", "Feb 29 12:00:00", "2028-02-29T12:00:00Z" },
		{ "2030-01-01T00:00:00Z", "Feb 29 12:00:00", NULL },
		{ "1970-01-02T00:00:00Z", "Jan  1 12:00:00", "1970-01-01T12:00:00Z" },
		{ "2026-11-22T08:00:00Z", "Nov 31 00:00:00", NULL } };

	(void)state;
	for (size_t i = 0; i < COUNT(years); i++) {
		int64_t near, want = 0, got = 0;
		size_t used;

		timestamp_rfc3339(slice_of(years[i].near), &near, &used);
		if (years[i].want != NULL)
			timestamp_rfc3339(slice_of(years[i].want), &want, &used);
		assert_int_equal(timestamp_near(slice_of(years[i].text), "%b %d %H:%M:%S", NULL,
				     near, &got) == PARSE_OK,
		    years[i].want != NULL);
		assert_int_equal(got, want);
	}
	assert_true(timestamp_has_year("%d/%b/%Y") && timestamp_has_year("%s"));
	assert_false(timestamp_has_year("%%Y %b %d %"));
}

/* Times of a place, in summer and winter, with and without a year, with a zone of their own. */
static void
test_times_of_a_zone(void **state)
{
	static const struct {
		const char *text, *format, *want; /* NULL: none */
	} times[] = { { "2026-01-15 12:00:00", "%F %T", "2026-01-15T11:00:00Z" },
		{ "2026-07-15 12:00:00", "%F %T", "2026-07-15T10:00:00Z" },
		{ "2026-07-15 12:00:00 +0000", "%F %T %z", "2026-07-15T12:00:00Z" },
		{ "2026-07-15 12:00:00 EST", "%F %T %Z", "2026-07-15T17:00:00Z" },
		{ "2026-07-15T12:00:00Z", "%FT%H:%M:%SZ", "2026-07-15T12:00:00Z" },
		{ "2026-10-25 02:30:00", "%F %T", "2026-10-25T00:30:00Z" }, /* twice */
		{ "2026-03-29 02:30:00", "%F %T", "2026-03-29T01:30:00Z" }, /* never */
		{ "2261-12-31 23:59:59", "%F %T", "2261-12-31T22:59:59Z" },
		{ "1970-01-01 00:59:59", "%F %T", NULL },
		{ "Jul 15 12:00:00", "%b %d %T", "2026-07-15T10:00:00Z" },
		{ "Jan 15 12:00:00", "%b %d %T", "2027-01-15T11:00:00Z" } };
	const char *why;
	struct zone *zone = zone_posix(SLICE("CET-1CEST,M3.5.0,M10.5.0/3"), &why);
	int64_t near, want, got;
	size_t used;

	(void)state;
	timestamp_rfc3339(SLICE("2026-11-22T08:00:00Z"), &near, &used);
	for (size_t i = 0; i < COUNT(times); i++) {
		struct slice text = slice_of(times[i].text);
		bool is =
		    (timestamp_has_year(times[i].format)
			    ? timestamp_format(text, times[i].format, zone, &got)
			    : timestamp_near(text, times[i].format, zone, near, &got)) == PARSE_OK;

		assert_int_equal(is, times[i].want != NULL);
		if (!is)
			continue;
		timestamp_rfc3339(slice_of(times[i].want), &want, &used);
		if (got != want)
			fail_msg("%s: %lld, should be %lld", times[i].text, (long long)got,
			    (long long)want);
	}
	zone_free(zone);
}

/* A % that ends the format asks for nothing that could be there, a NUL least of all. */
static void
test_formats_that_end_in_percent(void **state)
{
	struct slice format = exact((struct slice){ "%Y%", 4 }), text = { "2026\0x", 6 };
	int64_t ns;

	(void)state;
	for (text.len = 4; text.len <= 6; text.len++)
		assert_int_equal(timestamp_format(text, format.at, NULL, &ns), PARSE_BAD);
	exact_free(format);
}

static void
test_what_is_written_is_read_again(void **state)
{
	(void)state;
	for (int64_t ns = 1; ns < INT64_C(9000000000000000000); ns += INT64_C(12345678901234567)) {
		char text[TIMESTAMP_MAX];
		size_t n = timestamp_write(ns, 9, text), used;
		int64_t back;

		assert_int_equal(
		    timestamp_rfc3339((struct slice){ text, n }, &back, &used), PARSE_OK);
		assert_int_equal(back, ns);
		assert_int_equal(used, n);
	}
}

static void
test_digits_of_the_fraction(void **state)
{
	char text[TIMESTAMP_MAX];

	(void)state;
	assert_slice(((struct slice){ text, timestamp_write(1795334400002176064, 3, text) }),
	    "2026-11-22T08:00:00.002Z");
	assert_slice(((struct slice){ text, timestamp_write(1795334400002176064, 0, text) }),
	    "2026-11-22T08:00:00Z");
}

static void
test_times_of_lines(void **state)
{
	static const struct {
		const char *text;
		int offset;
		int64_t ns; /* 0: it is none */
	} lines[] = {
		{ "2026-11-22T08:00:00.001Z  INFO 1 --- x", 3600, 1795334400001000000 },
		{ "2026-11-22 08:00:00,001 INFO x", 0, 1795334400001000000 },
		{ "2026-11-22 09:00:00.001 INFO x", 3600, 1795334400001000000 },
		{ "2026-11-22T09:00:00+01:00", -3600, 1795334400000000000 },
		{ "2026-11-22 09:00:00 +0100 x", 0, 1795334400000000000 },
		{ "2026-11-22 09:00:00.5 CET [1] LOG: x", 0, 1795334400500000000 },
		{ "2026-11-22 08:00:00 -12 degrees", 0, 1795334400000000000 },
		{ "2026-11-22 08:00:00 CETERA x", 0, 1795334400000000000 },
		{ "1795334400123, x", 0, 1795334400123000000 },
		{ "1795334400123.5 x", 0, 1795334400123000000 },
		{ "1795334400.5 x", 0, 1795334400500000000 },
		{ "2026-11-22 08:00:00] x", 0, 1795334400000000000 },
		{ "2026/11/22 08:00:00 x", 0, 1795334400000000000 },
		{ "26/11/22 08:00:00 INFO x", 0, 1795334400000000000 },
		{ "261122 080000 148 INFO x", 0, 1795334400000000000 },
		{ "22-Nov-2026 08:00:00.001 x", 0, 1795334400001000000 },
		{ "22/Nov/2026:08:00:00 +0000] x", 3600, 1795334400000000000 },
		{ "1795334400.5", 3600, 1795334400500000000 },
		{ "1795334400500", 0, 1795334400500000000 },
		{ "1795334400500000001", 0, 1795334400500000001 },
		{ "17953344005", 0, 0 },
		{ "08:00:00.001 INFO x", 0, 0 },
		{ "2026-02-30 08:00:00", 0, 0 },
		{ "2026-11-22", 0, 0 },
		{ "", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		for (size_t n = 0; n <= strlen(lines[i].text); n++) {
			struct slice text = exact((struct slice){ lines[i].text, n });
			int64_t ns = 0;
			enum parsed got = timestamp_line(text, lines[i].offset, &ns);

			if (n == strlen(lines[i].text)) {
				assert_int_equal(got, lines[i].ns != 0 ? PARSE_OK : PARSE_BAD);
				assert_int_equal(ns, lines[i].ns);
			}
			exact_free(text);
		}
	}
}

static void
test_offsets(void **state)
{
	static const char *const none[] = { "", "+", "+01", "010", "+0160", "+2400", "+01000",
		"+01:0", "Z", "CET" };
	int seconds;

	(void)state;
	assert_true(timestamp_offset("+0130", &seconds) && seconds == 5400);
	assert_true(timestamp_offset("0130", &seconds) && seconds == 5400);
	assert_true(timestamp_offset("-01:30", &seconds) && seconds == -5400);
	for (size_t i = 0; i < COUNT(none); i++)
		assert_false(timestamp_offset(none[i], &seconds));
}

/* What servers take (Elasticsearch 8 and OpenSearch 2, strict_date_optional_time_nanos). */
static void
test_times_that_a_server_takes(void **state)
{
	static const struct {
		const char *text;
		bool plain;
	} times[] = {
		{ "2026-11-22T08:00:00Z", true },
		{ "2026-11-22T08:00:00.1Z", true },
		{ "2026-11-22T08:00:00.123456789+01:00", true },
		{ "2026-11-22T08:00:00-17:59", true },
		{ "2026-11-22T08:00:00.1234567890Z", false },
		{ "2026-11-22T08:00:00z", false },
		{ "2026-11-22T08:00:00+0100", false },
		{ "2026-11-22T08:00:00+23:59", false },
		{ "2016-12-31T23:59:60Z", false },
		{ "2026-11-22 08:00:00Z", false },
		{ "2026-11-22T08:00:00,5Z", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(times); i++) {
		struct slice text = exact(slice_of(times[i].text));
		size_t used;
		int64_t ns;

		assert_int_equal(timestamp_rfc3339(text, &ns, &used), PARSE_OK);
		assert_int_equal(used, text.len);
		assert_int_equal(timestamp_is_plain(text), times[i].plain);
		while (text.len > 0) { /* a part of one is none */
			text.len--;
			assert_true(!timestamp_is_plain(text) || text.at[text.len] == 'Z');
		}
		text.len = used;
		exact_free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_formats_whole_and_cut),
		cmocka_unit_test(test_a_year_that_is_not_named),
		cmocka_unit_test(test_times_of_a_zone),
		cmocka_unit_test(test_formats_that_end_in_percent),
		cmocka_unit_test(test_what_is_written_is_read_again),
		cmocka_unit_test(test_digits_of_the_fraction),
		cmocka_unit_test(test_times_that_a_server_takes),
		cmocka_unit_test(test_times_of_lines),
		cmocka_unit_test(test_offsets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
