/*
 * Times by a format, for parsers that a configuration defines: strptime's
 * conversions, without its locale and its tolerance.
 */
#include "timestamp.h"

#include <stdbool.h>
#include <strings.h>

#define EPOCH_END INT64_C(9214646400) /* 2262-01-01, as for all times */

struct reading {
	struct slice rest;
	struct civil civil;
	int afternoon; /* -1: the text does not tell */
	bool epoch;
	int64_t seconds; /* of %s */
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

	for (*ns = 0; n < s->len && n < 9 && (unsigned char)(s->at[n] - '0') < 10; n++, scale /= 10)
		*ns += (s->at[n] - '0') * scale;
	*s = slice_from(*s, n);
	return n > 0;
}

/* Z, UTC, GMT, +hhmm, +hh:mm or +hh. */
static bool
read_zone(struct slice *s, int *offset)
{
	unsigned hours, minutes = 0;
	bool west;

	if (slice_starts(*s, SLICE("UTC")) || slice_starts(*s, SLICE("GMT"))) {
		*s = slice_from(*s, 3);
		*offset = 0;
		return true;
	}
	if (s->len == 0)
		return false;
	west = s->at[0] == '-';
	if (s->at[0] == 'Z') {
		*s = slice_from(*s, 1);
		*offset = 0;
		return true;
	}
	if (!west && s->at[0] != '+')
		return false;
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
		return read_name(s, halves, 2, &v) && (r->afternoon = (int)v, true);
	case 'z':
	case 'Z':
		return read_zone(s, &c->offset);
	case 's':
		return read_epoch(r);
	case 'T':
		return read_format(r, "%H:%M:%S");
	case 'R':
		return read_format(r, "%H:%M");
	case 'D':
		return read_format(r, "%m/%d/%y");
	case 'F':
		return read_format(r, "%Y-%m-%d");
	default:
		return false;
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
	for (; *format != '\0'; format++) {
		if (*format != '%') {
			if (!read_literal(&r->rest, *format))
				return false;
			continue;
		}
		if (*++format == '\0')
			return false; /* a % at its end */
		if (*format == '%' ? !read_literal(&r->rest, '%') : !read_conversion(r, *format))
			return false;
	}
	return true;
}

enum parsed
timestamp_format(struct slice s, const char *format, int offset_s, int64_t *ns)
{
	struct reading r = { .rest = s, .afternoon = -1 };

	r.civil = (struct civil){ .year = 1970, .month = 1, .day = 1, .offset = offset_s };
	if (!read_format(&r, format) || r.rest.len > 0)
		return PARSE_BAD;
	if (r.afternoon >= 0)
		r.civil.hour = r.civil.hour % 12 + 12 * (unsigned)r.afternoon;
	if (r.epoch) {
		if (r.seconds >= EPOCH_END)
			return PARSE_BAD;
		*ns = r.seconds * INT64_C(1000000000) + r.civil.fraction;
		return PARSE_OK;
	}
	return timestamp_compose(&r.civil, ns);
}
