/*
 * Time zones: TZif files and POSIX rules become one list of turns of the clock, until
 * 2261, as times end there; a look-up is a search in it.  No files are opened here.
 */
#include "zone.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "timestamp.h"

#define DAY 86400
#define FIRST_YEAR 1970
#define LAST_YEAR 2261
#define EARLY (-2 * DAY)         /* turns before it concern no time from 1970 on; … */
#define LATE INT64_C(9214819200) /* … from it on none until 2261 */
#define MOST (26 * 3600)         /* an offset is less, either way (RFC 9636, 3.2) */
#define HOURS 167                /* of the time of day of a rule, either way */
#define TYPES 256

/* From the local time `key` on, the offset counts; of an hour that comes twice, behind it. */
struct turn {
	int64_t key;
	int offset;
};

struct zone {
	int first, last; /* offsets before any turn, behind all */
	size_t n, room;
	struct turn *turns; /* by key */
};

struct zone *
zone_fixed(int seconds)
{
	struct zone *z = xcalloc(1, sizeof(*z));

	z->first = z->last = seconds;
	return z;
}

void
zone_free(struct zone *z)
{
	if (z == NULL)
		return;
	free(z->turns);
	free(z);
}

int
zone_offset(const struct zone *z, int64_t local)
{
	size_t low = 0, high = z->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (z->turns[middle].key <= local)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? z->first : z->turns[low - 1].offset;
}

/* At the instant `at` (seconds of UTC) the offset becomes another one. */
static void
turn_add(struct zone *z, int64_t at, int offset)
{
	int64_t key = at + (offset > z->last ? offset : z->last);

	if (offset == z->last)
		return;
	z->last = offset;
	if (z->n == z->room) {
		z->room = z->room * 2 + 64;
		z->turns = xrealloc(z->turns, z->room * sizeof(*z->turns));
	}
	if (z->n > 0 && key < z->turns[z->n - 1].key)
		key = z->turns[z->n - 1].key;
	z->turns[z->n++] = (struct turn){ key, offset };
}

/* ---- POSIX rules */

/* The day of a year when the clocks are put, and the second of it by the clock before. */
struct rule {
	char kind; /* M: month.week.day; J: 1 to 365, without 29 February; D: 0 to 365 */
	unsigned month, week, day;
	int second;
};

static bool
skip_one(struct slice *s, char c)
{
	bool is = s->len > 0 && s->at[0] == c;

	*s = slice_from(*s, is);
	return is;
}

static bool
read_number(struct slice *s, unsigned min, unsigned max, unsigned *value)
{
	size_t n = 0;

	for (*value = 0; n < 3 && n < s->len && (unsigned char)(s->at[n] - '0') < 10; n++)
		*value = *value * 10 + (unsigned)(s->at[n] - '0');
	*s = slice_from(*s, n);
	return n > 0 && *value >= min && *value <= max;
}

/* [+-]h[h][:mm[:ss]] */
static bool
read_clock(struct slice *s, unsigned max_hours, int *seconds)
{
	bool negative = skip_one(s, '-');
	unsigned hours, minutes = 0, rest = 0;

	if (!negative)
		(void)skip_one(s, '+');
	if (!read_number(s, 0, max_hours, &hours) ||
	    (skip_one(s, ':') && (!read_number(s, 0, 59, &minutes) ||
				     (skip_one(s, ':') && !read_number(s, 0, 59, &rest)))))
		return false;
	*seconds = (int)(hours * 3600 + minutes * 60 + rest) * (negative ? -1 : 1);
	return true;
}

/* CET, or <+0330>: three characters at least. */
static bool
read_name(struct slice *s)
{
	bool quoted = skip_one(s, '<');
	size_t n = 0;

	while (n < s->len &&
	       (((s->at[n] | 0x20) >= 'a' && (s->at[n] | 0x20) <= 'z') ||
		   (quoted && strchr("+-0123456789", s->at[n]) != NULL && s->at[n] != '\0')))
		n++;
	*s = slice_from(*s, n);
	return n >= 3 && (!quoted || skip_one(s, '>'));
}

static bool
read_rule(struct slice *s, struct rule *r)
{
	bool read;

	*r = (struct rule){ .kind = 'D', .second = 2 * 3600 };
	if (skip_one(s, 'M')) {
		r->kind = 'M';
		read = read_number(s, 1, 12, &r->month) && skip_one(s, '.') &&
		       read_number(s, 1, 5, &r->week) && skip_one(s, '.') &&
		       read_number(s, 0, 6, &r->day);
	} else if (skip_one(s, 'J')) {
		r->kind = 'J';
		read = read_number(s, 1, 365, &r->day);
	} else {
		read = read_number(s, 0, 365, &r->day);
	}
	return read && (!skip_one(s, '/') || read_clock(s, HOURS, &r->second));
}

/* Days since 1970 of a date. */
static int64_t
days_of(int year, unsigned month, unsigned day)
{
	const struct civil c = { .year = year, .month = month, .day = day };
	int64_t ns = 0;

	(void)timestamp_compose(&c, &ns);
	return ns / INT64_C(1000000000) / DAY;
}

static int64_t
rule_day(const struct rule *r, int year)
{
	int64_t first = days_of(year, r->kind == 'M' ? r->month : 1, 1), day, length;

	if (r->kind == 'D')
		return first + r->day;
	if (r->kind == 'J')
		return first + r->day - 1 + (r->day > 59 && days_of(year, 3, 1) - first == 60);
	length = r->month == 12 ? 31 : days_of(year, r->month + 1, 1) - first;
	day = (r->day + 7 - (first + 4) % 7) % 7 + 7 * (int64_t)(r->week - 1);
	return first + (day < length ? day : day - 7);
}

/* The turns of a rule behind the instant `from`.  False: the text is none. */
static bool
rules_take(struct zone *z, struct slice text, int64_t from)
{
	struct slice days = text, usual = SLICE(",M3.2.0,M11.1.0");
	int offset, summer;
	struct rule start, end;

	if (!read_name(&days) || !read_clock(&days, 24, &offset))
		return false;
	offset = -offset;
	if (days.len == 0) {
		if (from == INT64_MIN)
			z->first = z->last = offset;
		return true;
	}
	if (!read_name(&days))
		return false;
	summer = -offset - 3600;
	if (days.len > 0 && days.at[0] != ',' && !read_clock(&days, 24, &summer))
		return false;
	summer = -summer;
	if (days.len == 0)
		days = usual;
	if (!skip_one(&days, ',') || !read_rule(&days, &start) || !skip_one(&days, ',') ||
	    !read_rule(&days, &end) || days.len > 0)
		return false;
	for (int year = FIRST_YEAR; year <= LAST_YEAR; year++) {
		int64_t on = rule_day(&start, year) * DAY + start.second - offset,
			off = rule_day(&end, year) * DAY + end.second - summer;
		const struct turn turns[] = { { on, summer }, { off, offset } };

		if (year == FIRST_YEAR && from == INT64_MIN)
			z->first = z->last = on < off ? offset : summer;
		for (int i = 0; i < 2; i++) { /* the earlier one first */
			const struct turn *t = &turns[on < off ? i : 1 - i];

			if (t->key > from)
				turn_add(z, t->key, t->offset);
		}
	}
	return true;
}

struct zone *
zone_posix(struct slice text, const char **why)
{
	struct zone *z = zone_fixed(0);

	if (rules_take(z, text, INT64_MIN))
		return z;
	zone_free(z);
	*why = "it is no rule as in POSIX's TZ";
	return NULL;
}

/* ---- TZif */

struct header {
	char version;
	size_t isut, isstd, leap, times, types, chars;
	size_t size; /* of the data behind it, at `wide` bytes a time */
};

static uint32_t
be32(const char *at)
{
	const unsigned char *b = (const unsigned char *)at;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int64_t
time_at(const char *at, size_t wide)
{
	return wide == 4 ? (int32_t)be32(at) : (int64_t)((uint64_t)be32(at) << 32 | be32(at + 4));
}

/* A header whose data is there as well.  Its bytes are taken off. */
static bool
header_read(struct slice *s, size_t wide, struct header *h)
{
	size_t counts[6];

	if (s->len < 44 || memcmp(s->at, "TZif", 4) != 0)
		return false;
	for (int i = 0; i < 6; i++) {
		counts[i] = be32(s->at + 20 + 4 * i);
		if (counts[i] > s->len)
			return false;
	}
	*h = (struct header){ s->at[4], counts[0], counts[1], counts[2], counts[3], counts[4],
		counts[5], 0 };
	h->size = h->times * (wide + 1) + h->types * 6 + h->chars + h->leap * (wide + 4) +
		  h->isstd + h->isut;
	*s = slice_from(*s, 44);
	return h->types > 0 && h->types <= TYPES && s->len >= h->size;
}

static const char broken[] = "it is no TZif file, or a part of one";

/* Times, the type of each, and types; the rule behind them is the footer's. */
static const char *
data_take(struct zone *z, struct slice data, const struct header *h, size_t wide, int64_t *last)
{
	const char *types = data.at + h->times * wide, *offsets = types + h->times;

	for (size_t i = 0; i < h->types; i++)
		if ((int32_t)be32(offsets + 6 * i) <= -MOST ||
		    (int32_t)be32(offsets + 6 * i) >= MOST)
			return broken;
	z->first = z->last = (int32_t)be32(offsets);
	for (size_t i = 0; i < h->times; i++) {
		int64_t at = time_at(data.at + i * wide, wide);
		unsigned type = (unsigned char)types[i];

		if (type >= h->types || (i > 0 && at <= *last))
			return broken;
		*last = at;
		if (at < EARLY)
			z->first = z->last = (int32_t)be32(offsets + 6 * type);
		else if (at < LATE)
			turn_add(z, at, (int32_t)be32(offsets + 6 * type));
	}
	return NULL;
}

static const char *
file_take(struct zone *z, struct slice bytes)
{
	int64_t last = INT64_MIN;
	struct header h;
	size_t wide = 4;
	const char *wrong, *end;
	struct slice footer;

	if (!header_read(&bytes, wide, &h))
		return broken;
	if (h.version != '\0') {
		wide = 8;
		bytes = slice_from(bytes, h.size);
		if (!header_read(&bytes, wide, &h))
			return broken;
	}
	if (h.leap > 0)
		return "it counts leap seconds, which times in logs do not";
	wrong = data_take(z, bytes, &h, wide, &last);
	footer = slice_from(bytes, h.size);
	if (wrong != NULL || wide == 4)
		return wrong;
	if (!skip_one(&footer, '\n') || (end = memchr(footer.at, '\n', footer.len)) == NULL)
		return broken;
	footer.len = (size_t)(end - footer.at);
	return footer.len == 0 || rules_take(z, footer, last) ? NULL : broken;
}

struct zone *
zone_read(struct slice bytes, const char **why)
{
	struct zone *z = zone_fixed(0);

	*why = file_take(z, bytes);
	if (*why == NULL)
		return z;
	zone_free(z);
	return NULL;
}
