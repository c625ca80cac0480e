/*
 * Times: RFC 3339 by a regular expression and timegm(3); formats by strptime(3); what
 * is written is read again.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "fuzz.h"

#include "memory.h"
#include "slow_time.h"
#include "timestamp.h"
#include "zone.h"

static void
rfc3339_judge(struct slice s)
{
	static pcre2_code *code;
	static pcre2_match_data *match;
	struct slice t = exact(s);
	int64_t got = 0, want = 0;
	size_t used = 0;
	const PCRE2_SIZE *at;
	bool is, is_read;
	int groups;

	if (t.len > 10 && t.at[10] == ' ') /* as `T` */
		((char *)(uintptr_t)t.at)[10] = 'T';
	if (code == NULL)
		code = slow_compile("^" SLOW_TIME, &match);
	groups = pcre2_match(code, (PCRE2_SPTR)t.at, t.len, 0, 0, match, NULL);
	at = pcre2_get_ovector_pointer(match);
	is = groups > 0 && slow_time(t, at, &want);
	is_read = timestamp_rfc3339(s, &got, &used) == PARSE_OK;
	if (is != is_read || (is && (got != want || used != at[1])))
		WRONG("'%.*s': %d %lld, %zu bytes, should be %d %lld", SHOW(s), is_read,
		    (long long)got, used, is, (long long)want);
	exact_free(t);
}

/* Any instant is read as it was written. */
static void
written_judge(int64_t ns)
{
	char text[TIMESTAMP_MAX];
	struct slice s = { text, timestamp_write(ns, 9, text) };
	struct tm tm;
	time_t second = ns / INT64_C(1000000000);
	unsigned month, day, hour;
	int64_t got = 0;
	int year;
	size_t used;
	static struct zone *east;

	if (east == NULL)
		east = zone_fixed(3600);
	if (timestamp_rfc3339(s, &got, &used) != PARSE_OK || used != s.len || got != ns ||
	    !timestamp_is_plain(s) || timestamp_line(s, 3600, &got) != PARSE_OK || got != ns ||
	    timestamp_format(s, "%FT%T.%L%z", east, &got) != PARSE_OK || got != ns)
		WRONG("%lld is written as '%.*s', read as %lld", (long long)ns, SHOW(s),
		    (long long)got);
	gmtime_r(&second, &tm);
	timestamp_civil(ns, &year, &month, &day, &hour);
	if (year != tm.tm_year + 1900 || (int)month != tm.tm_mon + 1 || (int)day != tm.tm_mday ||
	    (int)hour != tm.tm_hour)
		WRONG("%lld is %d-%u-%u %u", (long long)ns, year, month, day, hour);
}

/* A line is read by its time, whatever is behind it. */
static void
line_judge(struct slice s)
{
	int64_t ns, again;
	char *longer;

	if (timestamp_line(s, 0, &ns) != PARSE_OK)
		return;
	written_judge(ns);
	longer = xprintf("%.*s text", SHOW(s));
	if (memchr(s.at, '\0', s.len) == NULL &&
	    (timestamp_line(slice_of(longer), 0, &again) != PARSE_OK || again != ns))
		WRONG("'%.*s' is another time with text behind it", SHOW(s));
	free(longer);
}

/* The first line is a format, the second the text; strptime reads more than we do. */
static void
format_judge(struct slice input)
{
	const char *newline = input.len == 0 ? NULL : memchr(input.at, '\n', input.len);
	struct slice text =
	    newline == NULL ? SLICE("") : slice_from(input, (size_t)(newline + 1 - input.at));
	char *format, *plain;
	const char *rest;
	struct tm tm = { .tm_mday = 1, .tm_year = 70 }; /* where a format has no date: %%F */
	int64_t ns;

	if (newline == NULL)
		return;
	format = xslicedup((struct slice){ input.at, (size_t)(newline - input.at) });
	plain = xslicedup(text);
	if (timestamp_format(text, format, NULL, &ns) == PARSE_OK) {
		written_judge(ns);
		rest = strstr(format, "%F") == NULL && strstr(format, "%Y-%m-%d") == NULL
			   ? NULL
			   : strptime(plain, format, &tm);
		if (rest != NULL && *rest == '\0' && strpbrk(format, "zZsjLNCyGgUWV") == NULL &&
		    timegm(&tm) != ns / INT64_C(1000000000))
			WRONG("'%.*s' by '%s' is %lld, by strptime %lld", SHOW(text), format,
			    (long long)(ns / 1000000000), (long long)timegm(&tm));
	}
	free(format);
	free(plain);
}

static void
offset_judge(struct slice s)
{
	char *text = xslicedup(s);
	int seconds = 0, hours = 0, minutes = 0, end = 0, sign = *text == '-' ? -1 : 1;
	const char *at = text + strspn(text, "+-");
	bool is = at - text <= 1 && strspn(at, "0123456789") >= 2 &&
		  (sscanf(at, "%2d:%2d%n", &hours, &minutes, &end) == 2 ||
		      sscanf(at, "%2d%2d%n", &hours, &minutes, &end) == 2) &&
		  at[end] == '\0' && hours < 24 && minutes < 60 && end >= 4 &&
		  strspn(at, "0123456789:") == (size_t)end &&
		  strspn(at + end - 2, "0123456789") == 2;

	if (timestamp_offset(text, &seconds) != is ||
	    (is && seconds != sign * (hours * 3600 + minutes * 60)))
		WRONG("'%s' is %d", text, seconds);
	free(text);
}

static void
fuzz(struct slice input)
{
	rfc3339_judge(input);
	line_judge(input);
	format_judge(input);
	offset_judge(input);
	if (input.len >= sizeof(int64_t)) {
		int64_t ns;

		memcpy(&ns, input.at, sizeof(ns));
		written_judge((int64_t)((uint64_t)ns % UINT64_C(9214646400000000000)));
	}
}
