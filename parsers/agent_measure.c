/* Reading durations: every form is a sum of decimals times units. */
#include "agent_measure.h"

#define DIGITS_MAX 18
#define VALUE_LIMIT 1e12

static const double powers[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12,
	1e13, 1e14, 1e15, 1e16, 1e17, 1e18 };

static const struct unit seconds = { 1, 0 };

static const struct {
	struct slice name;
	struct unit unit;
} units[] = {
	{ SLICE("s"), { 1, 0 } },
	{ SLICE("ms"), { 1, 3 } },
	{ SLICE("us"), { 1, 6 } },
	{ SLICE("\xc2\xb5s"), { 1, 6 } },
	{ SLICE("ns"), { 1, 9 } },
	{ SLICE("m"), { 60, 0 } },
	{ SLICE("h"), { 3600, 0 } },
	{ SLICE("d"), { 86400, 0 } },
	{ SLICE("sec"), { 1, 0 } },
	{ SLICE("secs"), { 1, 0 } },
	{ SLICE("second"), { 1, 0 } },
	{ SLICE("seconds"), { 1, 0 } },
	{ SLICE("msec"), { 1, 3 } },
	{ SLICE("millis"), { 1, 3 } },
	{ SLICE("millisecond"), { 1, 3 } },
	{ SLICE("milliseconds"), { 1, 3 } },
	{ SLICE("min"), { 60, 0 } },
	{ SLICE("mins"), { 60, 0 } },
	{ SLICE("minute"), { 60, 0 } },
	{ SLICE("minutes"), { 60, 0 } },
	{ SLICE("hour"), { 3600, 0 } },
	{ SLICE("hours"), { 3600, 0 } },
};

static bool
is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

/* Digits, perhaps with a point among them, taken off the front of ${s}. */
static bool
decimal_take(struct slice *s, struct decimal *out)
{
	size_t i = 0, n = 0;
	bool point = false;

	*out = (struct decimal){ 0, 0 };
	for (; i < s->len; i++) {
		char c = s->at[i];

		if (c == '.' && !point) {
			point = true;
			continue;
		}
		if (!is_digit(c))
			break;
		n++;
		if (point && (out->scale == DIGITS_MAX || out->digits >= 100000000000000000))
			continue;
		if (out->digits >= 100000000000000000)
			return false;
		out->digits = out->digits * 10 + (uint64_t)(c - '0');
		out->scale += point;
	}
	*s = slice_from(*s, i);
	return n > 0;
}

/* ${d} times 10^${power}; false when the product does not fit. */
static bool
decimal_shift(struct decimal *d, int power)
{
	int scale = (int)d->scale - power;

	for (; scale < 0; scale++) {
		if (__builtin_mul_overflow(d->digits, (uint64_t)10, &d->digits))
			return false;
	}
	for (; scale > DIGITS_MAX; scale--)
		d->digits /= 10;
	d->scale = (unsigned)scale;
	return true;
}

/* ${d} times a unit; when the product does not fit, the last digits of the fraction are dropped. */
static bool
decimal_times(struct decimal *d, struct unit unit)
{
	unsigned __int128 product = (unsigned __int128)d->digits * unit.mul;

	for (; product > UINT64_MAX && d->scale > 0; d->scale--)
		product /= 10;
	d->digits = (uint64_t)product;
	return product <= UINT64_MAX && decimal_shift(d, -(int)unit.scale);
}

static void
decimal_trim(struct decimal *d)
{
	while (d->scale > 0 && d->digits % 10 == 0) {
		d->digits /= 10;
		d->scale--;
	}
}

static void
decimal_coarsen(struct decimal *d)
{
	d->digits /= 10;
	d->scale--;
}

/* A sum, with the last digits of the fraction dropped in the same way. */
static bool
decimal_add(struct decimal *sum, struct decimal more)
{
	struct decimal *coarse = sum->scale < more.scale ? sum : &more;
	struct decimal *fine = coarse == sum ? &more : sum;
	uint64_t digits;

	while (coarse->scale < fine->scale) {
		if (__builtin_mul_overflow(coarse->digits, (uint64_t)10, &digits)) {
			decimal_coarsen(fine);
		} else {
			coarse->digits = digits;
			coarse->scale++;
		}
	}
	if (__builtin_add_overflow(sum->digits, more.digits, &digits)) {
		if (sum->scale == 0)
			return false;
		decimal_coarsen(sum);
		decimal_coarsen(&more);
		digits = sum->digits + more.digits;
	}
	sum->digits = digits;
	return true;
}

/* e+12 behind a number, where a unit may follow; true when there is none. */
static bool
exponent_take(struct slice *s, struct decimal *d)
{
	size_t i = 1;
	bool negative;
	int power = 0;

	if (s->len < 2 || (s->at[0] | 0x20) != 'e')
		return true;
	negative = s->at[1] == '-';
	i += negative || s->at[1] == '+';
	if (i == s->len || !is_digit(s->at[i]))
		return false;
	for (; i < s->len && is_digit(s->at[i]); i++) {
		if (power < 1000)
			power = power * 10 + (s->at[i] - '0');
	}
	*s = slice_from(*s, i);
	if (d->digits == 0) {
		d->scale = 0;
		return true;
	}
	if (power > 40)
		power = 40; /* beyond any number that is accepted */
	return decimal_shift(d, negative ? -power : power);
}

static const struct unit *
unit_find(struct slice name)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (slice_eq(units[i].name, name))
			return &units[i].unit;
	}
	return NULL;
}

bool
agent_measure_is_unit(struct slice text)
{
	return unit_find(text) != NULL;
}

/* The unit that ${text} ends in, in seconds; 0: none. */
static double
last_unit(struct slice text)
{
	const struct unit *unit;
	size_t n = text.len;

	while (n > 0 && !is_digit(text.at[n - 1]) && text.at[n - 1] != '.' && text.at[n - 1] != ' ')
		n--;
	unit = unit_find(slice_from(text, n));
	return unit == NULL ? 0 : unit->mul / powers[unit->scale];
}

bool
agent_measure_goes_on(struct slice text, struct slice more)
{
	struct decimal d;
	bool plain;

	return agent_measure_duration(more, seconds, &d, &plain) && !plain && last_unit(more) > 0 &&
	       last_unit(more) < last_unit(text);
}

/* 12500ms, 1m30s, 12.5 s; ${first} has been read already. */
static bool
compound(struct slice s, struct decimal first, struct decimal *out)
{
	struct decimal part = first;

	*out = (struct decimal){ 0, 0 };
	for (;;) {
		const struct unit *unit;
		size_t n = 0;

		if (s.len > 0 && s.at[0] == ' ')
			s = slice_from(s, 1);
		while (n < s.len && !is_digit(s.at[n]) && s.at[n] != '.' && s.at[n] != ' ')
			n++;
		unit = unit_find((struct slice){ s.at, n });
		if (unit == NULL || !decimal_times(&part, *unit) || !decimal_add(out, part))
			return false;
		s = slice_from(s, n);
		if (s.len > 0 && s.at[0] == ' ')
			s = slice_from(s, 1);
		if (s.len == 0)
			return true;
		if (!decimal_take(&s, &part))
			return false;
	}
}

/* 00:01:02.5; the hours have been read. */
static bool
clock_form(struct slice s, struct decimal hours, struct decimal *out)
{
	struct decimal minutes, rest;

	if (s.len < 6 || !is_digit(s.at[1]) || !is_digit(s.at[2]) || s.at[3] != ':' ||
	    !is_digit(s.at[4]) || !is_digit(s.at[5]) || hours.scale > 0)
		return false;
	minutes = (struct decimal){ (uint64_t)((s.at[1] - '0') * 10 + s.at[2] - '0'), 0 };
	s = slice_from(s, 4);
	if (minutes.digits > 59 || s.at[0] > '5' || (s.len > 2 && s.at[2] != '.') ||
	    !decimal_take(&s, &rest) || s.len > 0)
		return false;
	*out = rest;
	return decimal_times(&hours, (struct unit){ 3600, 0 }) && decimal_add(out, hours) &&
	       decimal_times(&minutes, (struct unit){ 60, 0 }) && decimal_add(out, minutes);
}

/* PT1H2M3.5S, P1DT2H: ISO 8601 without months and years. */
static bool
iso_form(struct slice s, struct decimal *out)
{
	static const char order[] = "DHMS";
	static const struct unit each[] = { { 86400, 0 }, { 3600, 0 }, { 60, 0 }, { 1, 0 } };
	size_t next = 0;
	bool time = false, any = false;
	struct decimal part;

	*out = (struct decimal){ 0, 0 };
	for (s = slice_from(s, 1); s.len > 0; any = true) {
		const char *which;

		if (!time && s.at[0] == 'T') {
			time = true;
			next = 1;
			s = slice_from(s, 1);
		}
		if (!decimal_take(&s, &part) || s.len == 0 || s.at[0] == '\0')
			return false;
		which = strchr(order + next, s.at[0]);
		if (which == NULL || time != (which > order))
			return false;
		next = (size_t)(which - order) + 1;
		if (!decimal_times(&part, each[next - 1]) || !decimal_add(out, part))
			return false;
		s = slice_from(s, 1);
	}
	return any;
}

static bool
in_range(struct decimal *d)
{
	decimal_trim(d);
	return (double)d->digits / powers[d->scale] < VALUE_LIMIT;
}

bool
agent_measure_duration(struct slice text, struct unit unit, struct decimal *out, bool *plain)
{
	struct slice s = text;

	*plain = false;
	if (s.len == 0 || s.len > 64)
		return false;
	if (s.at[0] == 'P')
		return iso_form(s, out) && in_range(out);
	if (!decimal_take(&s, out))
		return false;
	if (s.len > 0 && s.at[0] == ':')
		return clock_form(s, *out, out) && in_range(out);
	if (!exponent_take(&s, out))
		return false;
	if (s.len > 0)
		return compound(s, *out, out) && in_range(out);
	*plain = true;
	if (unit.mul != seconds.mul || unit.scale != seconds.scale) {
		if (!decimal_times(out, unit))
			return false;
	}
	return in_range(out);
}

bool
agent_measure_count(struct slice text, struct decimal *out)
{
	struct slice s = text;

	return s.len <= 64 && decimal_take(&s, out) && exponent_take(&s, out) && s.len == 0 &&
	       in_range(out);
}

void
agent_measure_set(struct measure *m, struct decimal d, struct arena *arena)
{
	char text[24], *at = text + sizeof(text), *to;
	uint64_t left = d.digits;
	size_t n;

	m->present = false;
	if (d.scale == 0)
		*--at = '0';
	else
		for (unsigned i = 0; i < d.scale; i++, left /= 10)
			*--at = (char)('0' + left % 10);
	*--at = '.';
	do {
		*--at = (char)('0' + left % 10);
		left /= 10;
	} while (left > 0);
	n = (size_t)(text + sizeof(text) - at);
	to = arena_take(arena, n);
	if (to == NULL)
		return;
	memcpy(to, at, n);
	*m = (struct measure){ true, (double)d.digits / powers[d.scale], { to, n } };
}
