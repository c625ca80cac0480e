/*
 * Times by a format, for parsers that a configuration defines: strptime's
 * conversions, without its locale and its tolerance.
 */
#include "timestamp.h"

#include <stdbool.h>
#include <strings.h>

#include "zone.h"

#define EPOCH_END INT64_C(9214646400) /* 2262-01-01, as for all times */

struct reading {
	struct slice rest;
	struct civil civil;
	int afternoon; /* -1: the text does not tell */
	int century;   /* -1: … */
	bool epoch, zoned;
	int64_t seconds;      /* of %s */
	unsigned day_of_year; /* of %j; 0: … */
};

static bool
read_number(struct slice *s, unsigned min_digits, unsigned max_digits, unsigned *value)
{
	unsigned n = 0, v = 0;

	while (n < max_digits && n < s->len && (unsigned char)(s->at[n] - '0') < 10)
		v = v * 10 + (unsigned)(s->at[n++] - '0');
	*s = slice_from(*s, n);
	*value = v;
	return n >= min_digits;
}

static bool
read_name(struct slice *s, const char *const *names, unsigned count, unsigned *value)
{
	for (unsigned i = 0; i < count; i++) {
		size_t full = strlen(names[i]);

		for (size_t len = full; len == full || len == 3;
		     len = len == full && full != 3 ? 3 : 0) {
			if (s->len >= len && strncasecmp(s->at, names[i], len) == 0) {
				*s = slice_from(*s, len);
				*value = i;
				return true;
			}
		}
	}
	return false;
}

static bool
read_fraction(struct slice *s, int32_t *ns)
{
	int32_t scale = 100000000;
	size_t n = 0;

	for (*ns = 0; n < s->len && (unsigned char)(s->at[n] - '0') < 10; n++, scale /= 10)
		*ns += (s->at[n] - '0') * scale;
	*s = slice_from(*s, n);
	return n > 0;
}

/*
 * Names that mean one offset: those of RFC 5322, 4.3, and those that no two
 * countries have (so no IST, BST, AST), in minutes east of UTC.
 */
static bool
read_zone_name(struct slice *s, int *offset)
{
	static const struct {
		struct slice name;
		short minutes;
	} zones[] = { { SLICE("Z"), 0 }, { SLICE("z"), 0 }, { SLICE("UT"), 0 }, { SLICE("UTC"), 0 },
		{ SLICE("GMT"), 0 }, { SLICE("EST"), -300 }, { SLICE("EDT"), -240 },
		{ SLICE("CST"), -360 }, { SLICE("CDT"), -300 }, { SLICE("MST"), -420 },
		{ SLICE("MDT"), -360 }, { SLICE("PST"), -480 }, { SLICE("PDT"), -420 },
		{ SLICE("AKST"), -540 }, { SLICE("AKDT"), -480 }, { SLICE("HST"), -600 },
		{ SLICE("NST"), -210 }, { SLICE("NDT"), -150 }, { SLICE("BRT"), -180 },
		{ SLICE("ART"), -180 }, { SLICE("WET"), 0 }, { SLICE("WEST"), 60 },
		{ SLICE("CET"), 60 }, { SLICE("CEST"), 120 }, { SLICE("MET"), 60 },
		{ SLICE("MEST"), 120 }, { SLICE("EET"), 120 }, { SLICE("EEST"), 180 },
		{ SLICE("MSK"), 180 }, { SLICE("TRT"), 180 }, { SLICE("WAT"), 60 },
		{ SLICE("CAT"), 120 }, { SLICE("SAST"), 120 }, { SLICE("EAT"), 180 },
		{ SLICE("PKT"), 300 }, { SLICE("NPT"), 345 }, { SLICE("ICT"), 420 },
		{ SLICE("WIB"), 420 }, { SLICE("WITA"), 480 }, { SLICE("WIT"), 540 },
		{ SLICE("HKT"), 480 }, { SLICE("SGT"), 480 }, { SLICE("PHT"), 480 },
		{ SLICE("AWST"), 480 }, { SLICE("KST"), 540 }, { SLICE("JST"), 540 },
		{ SLICE("ACST"), 570 }, { SLICE("ACDT"), 630 }, { SLICE("AEST"), 600 },
		{ SLICE("AEDT"), 660 }, { SLICE("NZST"), 720 }, { SLICE("NZDT"), 780 } };
	size_t best = 0;

	for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
		if (zones[i].name.len > best && slice_starts(*s, zones[i].name)) {
			best = zones[i].name.len;
			*offset = zones[i].minutes * 60;
		}
	}
	*s = slice_from(*s, best);
	return best > 0;
}

/* A zone's name, +hhmm, +hh:mm or +hh. */
static bool
read_zone(struct slice *s, int *offset)
{
	unsigned hours, minutes = 0;
	bool west;

	if (s->len == 0)
		return false;
	west = s->at[0] == '-';
	if (!west && s->at[0] != '+')
		return read_zone_name(s, offset);
	*s = slice_from(*s, 1);
	if (!read_number(s, 2, 2, &hours))
		return false;
	if (s->len > 0 && s->at[0] == ':')
		*s = slice_from(*s, 1);
	if (s->len > 0 && (unsigned char)(s->at[0] - '0') < 10 && !read_number(s, 2, 2, &minutes))
		return false;
	*offset = (int)(hours * 3600 + minutes * 60) * (west ? -1 : 1);
	return hours < 24 && minutes < 60;
}

static bool
read_epoch(struct reading *r)
{
	size_t n = 0;

	for (r->seconds = 0; n < r->rest.len && n < 11 && (unsigned char)(r->rest.at[n] - '0') < 10;
	     n++)
		r->seconds = r->seconds * 10 + (r->rest.at[n] - '0');
	r->rest = slice_from(r->rest, n);
	r->epoch = true;
	return n > 0 && n < 11;
}

/* Skip the filler of %e, %k and %l before a single digit. */
static void
skip_blank(struct slice *s)
{
	if (s->len > 0 && s->at[0] == ' ')
		*s = slice_from(*s, 1);
}

static bool read_format(struct reading *r, const char *format);

/* What a conversion is short for; NULL: it is one of its own. */
static const char *
spelled_out(char conversion)
{
	switch (conversion) {
	case 'T':
	case 'X':
		return "%H:%M:%S";
	case 'R':
		return "%H:%M";
	case 'r':
		return "%I:%M:%S %p";
	case 'D':
	case 'x':
		return "%m/%d/%y";
	case 'F':
		return "%Y-%m-%d";
	case 'c':
		return "%a %b %e %H:%M:%S %Y";
	default:
		return NULL;
	}
}

/* Days and years of weeks, which the date makes known. */
static bool
read_idle(struct slice *s, char conversion)
{
	unsigned v;

	switch (conversion) {
	case 'u':
	case 'w':
		return read_number(s, 1, 1, &v) && v <= 7;
	case 'U':
	case 'W':
	case 'V':
		return read_number(s, 1, 2, &v) && v <= 53;
	case 'g':
		return read_number(s, 2, 2, &v);
	case 'G':
		return read_number(s, 4, 4, &v);
	case 'n':
	case 't':
		while (s->len > 0 && slice_is_blank(s->at[0]))
			*s = slice_from(*s, 1);
		return true;
	default:
		return false;
	}
}

static bool
read_conversion(struct reading *r, char conversion)
{
	static const char *const months[] = { "January", "February", "March", "April", "May",
		"June", "July", "August", "September", "October", "November", "December" };
	static const char *const days[] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday",
		"Friday", "Saturday" };
	static const char *const halves[] = { "AM", "PM" };
	struct slice *s = &r->rest;
	struct civil *c = &r->civil;
	unsigned v;

	switch (conversion) {
	case 'Y':
		return read_number(s, 4, 4, &v) && (c->year = (int)v, true);
	case 'y':
		return read_number(s, 2, 2, &v) &&
		       (c->year = (int)(v < 69 ? 2000 + v : 1900 + v), true);
	case 'C':
		return read_number(s, 2, 2, &v) && (r->century = (int)v, true);
	case 'j':
		return read_number(s, 1, 3, &r->day_of_year) && r->day_of_year > 0;
	case 'm':
		return read_number(s, 1, 2, &c->month);
	case 'd':
		return read_number(s, 1, 2, &c->day);
	case 'e':
		skip_blank(s);
		return read_number(s, 1, 2, &c->day);
	case 'k':
		skip_blank(s);
		/* fallthrough */
	case 'H':
		return read_number(s, 1, 2, &c->hour);
	case 'l':
		skip_blank(s);
		/* fallthrough */
	case 'I':
		return read_number(s, 1, 2, &c->hour) && c->hour >= 1 && c->hour <= 12;
	case 'M':
		return read_number(s, 1, 2, &c->minute);
	case 'S':
		return read_number(s, 1, 2, &c->second);
	case 'L':
	case 'f':
	case 'N':
		return read_fraction(s, &c->fraction);
	case 'b':
	case 'B':
	case 'h':
		return read_name(s, months, 12, &v) && (c->month = v + 1, true);
	case 'a':
	case 'A':
		return read_name(s, days, 7, &v);
	case 'p':
	case 'P':
		return read_name(s, halves, 2, &v) && (r->afternoon = (int)v, true);
	case 'z':
	case 'Z':
		return read_zone(s, &c->offset) && (r->zoned = true);
	case 's':
		return read_epoch(r);
	default:
		return spelled_out(conversion) != NULL ? read_format(r, spelled_out(conversion))
						       : read_idle(s, conversion);
	}
}

/* A blank of the format is one or more of the text: `Nov  2` by `%b %d`. */
static bool
read_literal(struct slice *s, char c)
{
	if (s->len == 0 || s->at[0] != c)
		return false;
	do
		*s = slice_from(*s, 1);
	while (c == ' ' && s->len > 0 && s->at[0] == ' ');
	return true;
}

static bool
read_format(struct reading *r, const char *format)
{
	for (const char *begin = format; *format != '\0'; format++) {
		if (*format != '%') {
			if (!read_literal(&r->rest, *format))
				return false;
			r->zoned |= *format == 'Z' && format - begin > 1 && format[-2] == '%' &&
				    (format[-1] == 'S' || format[-1] == 'L');
			continue;
		}
		if (*++format == '\0')
			return false; /* a % at its end */
		if (*format == '%' ? !read_literal(&r->rest, '%') : !read_conversion(r, *format))
			return false;
	}
	return true;
}

/* The date of a day of the year. */
static bool
date_of(struct civil *c, unsigned day_of_year)
{
	const struct civil first = { .year = c->year, .month = 1, .day = 1 };
	int64_t ns;
	unsigned hour;
	int year;

	if (timestamp_compose(&first, &ns) != PARSE_OK)
		return false;
	ns += (int64_t)(day_of_year - 1) * 86400 * INT64_C(1000000000);
	timestamp_civil(ns, &year, &c->month, &c->day, &hour);
	return year == c->year;
}

/* The instant that was read.  Times end with the year 2261. */
static enum parsed
instant_of(struct reading *r, int64_t *ns)
{
	if (r->epoch) {
		if (r->seconds >= EPOCH_END)
			return PARSE_BAD;
		*ns = r->seconds * INT64_C(1000000000) + r->civil.fraction;
		return PARSE_OK;
	}
	return timestamp_compose(&r->civil, ns);
}

/* The same of a time without a zone, by the clocks of ${zone}. */
static enum parsed
instant_in(struct reading *r, const struct zone *zone, int64_t *ns)
{
	if (instant_of(r, ns) != PARSE_OK)
		return PARSE_BAD;
	if (zone == NULL || r->zoned || r->epoch)
		return PARSE_OK;
	r->civil.offset = zone_offset(zone, *ns / INT64_C(1000000000));
	return instant_of(r, ns);
}

/* The fraction that stands there, behind its point; without a digit nothing is taken. */
static void
read_fraction_behind(struct slice *s, int32_t *ns)
{
	if (s->len < 2 || (s->at[0] != '.' && s->at[0] != ',') ||
	    (unsigned char)(s->at[1] - '0') > 9)
		return;
	*s = slice_from(*s, 1);
	(void)read_fraction(s, ns);
}

/* The conversion that ${format} ends in; NUL: it ends in other text. */
static char
last_of(const char *format)
{
	char last = '\0';

	for (; *format != '\0'; format++) {
		last = '\0';
		if (*format == '%' && *++format != '%')
			last = *format;
		if (*format == '\0')
			break;
	}
	return last;
}

/*
 * A fraction and an offset that the format does not name, behind the seconds that it
 * ends in.  False: the offset is none.
 */
static bool
read_behind(struct reading *r, char last)
{
	if (last != '\0' && strchr("SsTX", last) != NULL)
		read_fraction_behind(&r->rest, &r->civil.fraction);
	if (r->rest.len == 0 || r->epoch || r->zoned || last == '\0' ||
	    strchr("STXLfN", last) == NULL || (r->rest.at[0] != '+' && r->rest.at[0] != '-'))
		return true;
	r->zoned = true;
	return read_zone(&r->rest, &r->civil.offset);
}

/* By the format; its year, where it says none, is `year`. */
static enum parsed
format_read(struct slice s, const char *format, const struct zone *zone, int year, int64_t *ns)
{
	struct reading r = { .rest = s, .afternoon = -1, .century = -1 };

	r.civil = (struct civil){ .year = year, .month = 1, .day = 1 };
	if (!read_format(&r, format) || !read_behind(&r, last_of(format)) || r.rest.len > 0)
		return PARSE_BAD;
	if (r.afternoon >= 0)
		r.civil.hour = r.civil.hour % 12 + 12 * (unsigned)r.afternoon;
	if (r.century >= 0)
		r.civil.year = r.century * 100 + r.civil.year % 100;
	if (r.day_of_year > 0 && !date_of(&r.civil, r.day_of_year))
		return PARSE_BAD;
	return instant_in(&r, zone, ns);
}

enum parsed
timestamp_format(struct slice s, const char *format, const struct zone *zone, int64_t *ns)
{
	return format_read(s, format, zone, 1970, ns);
}

bool
timestamp_has_year(const char *format)
{
	for (; *format != '\0'; format++)
		if (*format == '%' && *++format != '\0' && strchr("YyDFscx", *format) != NULL)
			return true;
		else if (*format == '\0')
			break;
	return false;
}

static uint64_t
distance(int64_t a, int64_t b)
{
	return a < b ? (uint64_t)b - (uint64_t)a : (uint64_t)a - (uint64_t)b;
}

enum parsed
timestamp_near(
    struct slice s, const char *format, const struct zone *zone, int64_t near, int64_t *ns)
{
	unsigned month, day, hour;
	int year;
	bool found = false;

	timestamp_civil(near, &year, &month, &day, &hour);
	for (int y = year - 1; y <= year + 1; y++) { /* a 29th of February is in none, perhaps */
		int64_t at;

		if (format_read(s, format, zone, y, &at) != PARSE_OK ||
		    (found && distance(at, near) > distance(*ns, near)))
			continue;
		*ns = at;
		found = true;
	}
	return found ? PARSE_OK : PARSE_BAD;
}

/* ---- times of lines, by no format */

/* Seconds, or ms, us, ns, since the epoch, by the number of digits. */
static bool
read_since(struct reading *r)
{
	struct slice all = r->rest, fraction;
	int32_t less; /* than a ms, us or ns */
	size_t n = 0;

	while (n < all.len && (unsigned char)(all.at[n] - '0') < 10)
		n++;
	if (n != 10 && n != 13 && n != 16 && n != 19)
		return false;
	fraction = (struct slice){ all.at + 10, n - 10 };
	r->rest.len = 10;
	(void)read_epoch(r);
	(void)read_fraction(&fraction, &r->civil.fraction);
	r->rest = slice_from(all, n);
	if (n > 10)
		read_fraction_behind(&r->rest, &less);
	return true;
}

/* The zone that stands there, behind a blank or not; without one nothing is taken. */
static void
read_zone_behind(struct reading *r)
{
	struct slice s = r->rest;
	bool blank = s.len > 0 && s.at[0] == ' ';
	int offset;

	s = slice_from(s, blank);
	if (s.len > 0 && blank && (s.at[0] == '-' || s.at[0] == '+') &&
	    (s.len < 5 || (unsigned char)(s.at[4] - '0') > 9))
		return; /* a number of the message */
	if (read_zone(&s, &offset) && (s.len == 0 || s.at[0] == ' ' || s.at[0] == ']'))
		r->civil.offset = offset;
}

enum parsed
timestamp_line(struct slice s, int offset_s, int64_t *ns)
{
	static const char *const formats[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S",
		"%Y/%m/%d %H:%M:%S", "%y/%m/%d %H:%M:%S", "%y%m%d %H%M%S", "%d/%b/%Y:%H:%M:%S",
		"%d-%b-%Y %H:%M:%S", "%d %b %Y %H:%M:%S" };
	const size_t n = sizeof(formats) / sizeof(*formats);
	struct reading r;
	size_t i;

	for (i = 0; i <= n; i++) {
		r = (struct reading){ .rest = s };
		r.civil = (struct civil){ .offset = offset_s };
		if (i < n ? read_format(&r, formats[i]) : read_since(&r))
			break;
	}
	if (i > n)
		return PARSE_BAD;
	read_fraction_behind(&r.rest, &r.civil.fraction);
	read_zone_behind(&r);
	return instant_of(&r, ns);
}

bool
timestamp_offset(const char *text, int *seconds)
{
	struct slice s = slice_of(text);
	unsigned hours, minutes;
	bool west = s.len > 0 && s.at[0] == '-';

	s = slice_from(s, s.len > 0 && (west || s.at[0] == '+'));
	if (!read_number(&s, 2, 2, &hours) || hours > 23)
		return false;
	s = slice_from(s, s.len > 0 && s.at[0] == ':');
	if (!read_number(&s, 2, 2, &minutes) || minutes > 59)
		return false;
	*seconds = (int)(hours * 3600 + minutes * 60) * (west ? -1 : 1);
	return s.len == 0;
}
