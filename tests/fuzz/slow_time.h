/* RFC 3339 by a regular expression and timegm(3). */
#ifndef SLOW_TIME_H
#define SLOW_TIME_H

#include <pcre2.h>
#include <stdlib.h>
#include <time.h>

#define SLOW_TIME                                                                                  \
	"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})([.,][0-9]+)?"           \
	"([Zz]|[+-](?:[01][0-9]|2[0-3]):?[0-5][0-9])"

static inline pcre2_code *
slow_compile(const char *pattern, pcre2_match_data **match)
{
	int error;
	PCRE2_SIZE at;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
	    PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY, &error, &at, NULL);

	if (code == NULL)
		abort();
	*match = pcre2_match_data_create_from_pattern(code, NULL);
	return code;
}

static inline int
slow_number(struct slice s, const PCRE2_SIZE *at, unsigned group)
{
	int n = 0;

	for (size_t i = at[2 * group]; i < at[2 * group + 1]; i++)
		n = 10 * n + (s.at[i] - '0');
	return n;
}

/* The instant of the groups of SLOW_TIME.  False: there is no such date. */
static inline bool
slow_time(struct slice s, const PCRE2_SIZE *at, int64_t *ns)
{
	struct tm tm = { .tm_year = slow_number(s, at, 1) - 1900,
		.tm_mon = slow_number(s, at, 2) - 1,
		.tm_mday = slow_number(s, at, 3) };
	const struct tm date = tm;
	int hour = slow_number(s, at, 4), minute = slow_number(s, at, 5);
	int second = slow_number(s, at, 6), offset = 0;
	int64_t seconds = timegm(&tm);
	const char *zone = s.at + at[2 * 8];
	char fraction[10] = "000000000";

	if (tm.tm_mon != date.tm_mon || tm.tm_mday != date.tm_mday || hour > 23 || minute > 59 ||
	    second > 60)
		return false;
	for (size_t i = 0; at[2 * 7] != PCRE2_UNSET && i < 9 && at[2 * 7] + 1 + i < at[2 * 7 + 1];
	     i++)
		fraction[i] = s.at[at[2 * 7] + 1 + i];
	if (*zone == '+' || *zone == '-') {
		const char *minutes = zone + 3 + (zone[3] == ':');

		offset = 600 * (zone[1] - '0') + 60 * (zone[2] - '0') + 10 * (minutes[0] - '0') +
			 minutes[1] - '0';
		offset *= *zone == '-' ? -60 : 60;
	}
	seconds += hour * 3600 + minute * 60 + second - offset;
	if (date.tm_year < 70 || date.tm_year > 361 || seconds < 0)
		return false;
	*ns = seconds * INT64_C(1000000000) + strtol(fraction, NULL, 10);
	return true;
}

#endif
