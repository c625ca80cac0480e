/* RFC 3339 by position, and the calendar both ways; formats are in timestamp_format.c. */
#include "timestamp.h"

#define NS INT64_C(1000000000)

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar (years from 1). */
static int64_t
days_of(int year, unsigned month, unsigned day)
{
	unsigned y = (unsigned)year - (month <= 2), era = y / 400, of_era = y - era * 400;
	unsigned of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

	return (int64_t)era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool
leap(int year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

enum parsed
timestamp_compose(const struct civil *c, int64_t *ns)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int64_t seconds;

	if (c->year < 1970 || c->year > 2261 || c->month < 1 || c->month > 12 || c->day < 1 ||
	    c->day > days[c->month - 1] + (unsigned)(c->month == 2 && leap(c->year)))
		return PARSE_BAD;
	if (c->hour > 23 || c->minute > 59 || c->second > 60)
		return PARSE_BAD;
	seconds = days_of(c->year, c->month, c->day) * 86400 + c->hour * 3600 + c->minute * 60 +
		  c->second - c->offset;
	if (seconds < 0)
		return PARSE_BAD;
	*ns = seconds * NS + c->fraction;
	return PARSE_OK;
}

/* The number of two digits at `at`; 100: they are no digits. */
static unsigned
two(const char *at)
{
	unsigned a = (unsigned char)(at[0] - '0'), b = (unsigned char)(at[1] - '0');

	return a > 9 || b > 9 ? 100 : a * 10 + b;
}

/* Z, z, [+-]hh:mm or [+-]hhmm at the end of a time.  Return its length; 0: it is none. */
static size_t
zone_read(struct slice s, int *offset)
{
	unsigned hours, minutes;
	size_t colon;

	if (s.len > 0 && (s.at[0] == 'Z' || s.at[0] == 'z'))
		return 1;
	colon = s.len > 3 && s.at[3] == ':';
	if (s.len < 5 + colon || (s.at[0] != '+' && s.at[0] != '-'))
		return 0;
	hours = two(s.at + 1);
	minutes = two(s.at + 3 + colon);
	if (hours > 23 || minutes > 59)
		return 0;
	*offset = (int)(hours * 3600 + minutes * 60) * (s.at[0] == '-' ? -1 : 1);
	return 5 + colon;
}

enum parsed
timestamp_rfc3339(struct slice s, int64_t *ns, size_t *used)
{
	struct civil c = { 0 };
	size_t i = 19, zone;

	if (s.len < 20 || s.at[4] != '-' || s.at[7] != '-' ||
	    (s.at[10] != 'T' && s.at[10] != ' ') || s.at[13] != ':' || s.at[16] != ':' ||
	    two(s.at) == 100)
		return PARSE_BAD;
	c.year = (int)(two(s.at) * 100 + two(s.at + 2));
	c.month = two(s.at + 5);
	c.day = two(s.at + 8);
	c.hour = two(s.at + 11);
	c.minute = two(s.at + 14);
	c.second = two(s.at + 17);
	if (two(s.at + 2) == 100)
		return PARSE_BAD;
	if (s.at[i] == '.' || s.at[i] == ',') {
		int32_t scale = 100000000;

		for (i++; i < s.len && (unsigned char)(s.at[i] - '0') < 10; i++, scale /= 10)
			c.fraction += (s.at[i] - '0') * scale;
		if (i == 20)
			return PARSE_BAD;
	}
	zone = zone_read(slice_from(s, i), &c.offset);
	*used = i + zone;
	return zone == 0 ? PARSE_BAD : timestamp_compose(&c, ns);
}

bool
timestamp_is_plain(struct slice s)
{
	size_t i = 19;

	if (s.len < 20 || s.at[10] != 'T' || s.at[17] == '6')
		return false;
	if (s.at[s.len - 1] == 'Z')
		return s.len == 20 || (s.at[i] == '.' && s.len <= 30);
	if (s.at[i] == '.')
		for (i++; i < s.len && (unsigned char)(s.at[i] - '0') < 10; i++)
			;
	if (i > 29)
		return false;
	return s.len == i + 6 && s.at[i + 3] == ':' && two(s.at + i + 1) < 18;
}

void
timestamp_civil(int64_t ns, int *year, unsigned *month, unsigned *day, unsigned *hour)
{
	int64_t seconds = ns / NS - (ns % NS < 0),
		z = (seconds - (seconds % 86400 + 86400) % 86400) / 86400;
	int64_t days = z + 719468, era = days / 146097;
	unsigned of_era = (unsigned)(days - era * 146097);
	unsigned y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * y + y / 4 - y / 100), m = (5 * of_year + 2) / 153;

	*day = of_year - (153 * m + 2) / 5 + 1;
	*month = m < 10 ? m + 3 : m - 9;
	*year = (int)(y + era * 400) + (*month <= 2);
	*hour = (unsigned)((seconds % 86400 + 86400) % 86400 / 3600);
}

static char *
put_two(char *at, unsigned v)
{
	*at++ = (char)('0' + v / 10 % 10);
	*at++ = (char)('0' + v % 10);
	return at;
}

size_t
timestamp_write(int64_t ns, unsigned digits, char *to)
{
	int64_t second_of_day = (ns / NS - (ns % NS < 0)) % 86400;
	uint32_t fraction = (uint32_t)(ns - (ns / NS - (ns % NS < 0)) * NS);
	unsigned month, day, hour, minute, second;
	char *at = to;
	int year;

	if (second_of_day < 0)
		second_of_day += 86400;
	timestamp_civil(ns, &year, &month, &day, &hour);
	minute = (unsigned)(second_of_day / 60 % 60);
	second = (unsigned)(second_of_day % 60);
	at = put_two(put_two(at, (unsigned)year / 100), (unsigned)year % 100);
	*at++ = '-';
	at = put_two(at, month);
	*at++ = '-';
	at = put_two(at, day);
	*at++ = 'T';
	at = put_two(at, hour);
	*at++ = ':';
	at = put_two(at, minute);
	*at++ = ':';
	at = put_two(at, second);
	if (digits > 0)
		*at++ = '.';
	for (uint32_t scale = 100000000; digits > 0; digits--, scale /= 10)
		*at++ = (char)('0' + fraction / scale % 10);
	*at++ = 'Z';
	return (size_t)(at - to);
}
