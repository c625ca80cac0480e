/* The text of an option's value, by the option's type. */
#include "value.h"

#include <string.h>
#include <strings.h>

#include "clock.h"

/* The text that messages show for a value; secrets are never shown. */
static int
refuse(const struct option *o, const char *text, char *why, const char *what)
{
	if (o->flags & OPT_SECRET)
		snprintf(why, VALUE_WHY, "%s: its value is not %s", o->name, what);
	else
		snprintf(why, VALUE_WHY, "%s: '%.80s' is not %s", o->name, text, what);
	return -1;
}

/* ---- numbers */

/*
 * A decimal with a unit: digits, perhaps a fraction, the rest.  The value is
 * whole * 10^9 + nano; false when it overflows or there is no digit.
 */
struct decimal {
	bool negative;
	int64_t whole;
	int64_t nano;
	bool fraction;
	const char *unit;
};

static bool
decimal_read(const char *s, struct decimal *d)
{
	int64_t scale = NS_PER_S;
	const char *first;

	memset(d, 0, sizeof(*d));
	d->negative = *s == '-';
	s += *s == '-' || *s == '+';
	for (first = s; *s >= '0' && *s <= '9'; s++) {
		if (__builtin_mul_overflow(d->whole, 10, &d->whole) ||
		    __builtin_add_overflow(d->whole, *s - '0', &d->whole))
			return false;
	}
	if (s == first)
		return false;
	if (*s == '.') {
		d->fraction = true;
		for (first = ++s; *s >= '0' && *s <= '9'; s++) {
			scale /= 10;
			d->nano += (*s - '0') * scale;
		}
		if (s == first)
			return false;
	}
	d->unit = s;
	return true;
}

static void
range_name(const struct option *o, const char *what, int64_t unit, const char *unit_name, char *to,
    size_t size)
{
	if (o->min == 0 && o->max == 0)
		snprintf(to, size, "%s of 0 or more", what);
	else
		snprintf(to, size, "%s from %lld%s to %lld%s", what, (long long)(o->min / unit),
		    unit_name, (long long)(o->max / unit), unit_name);
}

static bool
in_range(const struct option *o, int64_t value)
{
	return o->min == 0 && o->max == 0 ? value >= 0 : value >= o->min && value <= o->max;
}

static int
int_read(const struct option *o, const char *text, int64_t *to, char *why)
{
	struct decimal d;
	char range[96];

	for (int i = 0; o->choices != NULL && o->choices[i] != NULL; i++) {
		if (strcasecmp(text, o->choices[i]) == 0) {
			*to = -1 - i;
			return 0;
		}
	}
	if (decimal_read(text, &d) && !d.fraction && *d.unit == '\0') {
		*to = d.negative ? -d.whole : d.whole;
		if (in_range(o, *to))
			return 0;
	}
	range_name(o, "a whole number", 1, "", range, sizeof(range));
	return refuse(o, text, why, range);
}

/* ${value}, or the most that the option may have, which ${why} then says. */
static int64_t
capped(const struct option *o, const char *text, int64_t value, int64_t unit, const char *unit_name,
    char *why)
{
	if (o->max == 0 || value <= o->max)
		return value;
	snprintf(why, VALUE_WHY, "%s: '%.80s' is above the most, %lld%s", o->name, text,
	    (long long)(o->max / unit), unit_name);
	return o->max;
}

/* Fluent Bit's units: K is 1000. */
static int
size_read(const struct option *o, const char *text, uint64_t *to, char *why)
{
	static const struct {
		const char *name;
		int64_t bytes;
	} units[] = { { "", 1 }, { "B", 1 }, { "K", 1000 }, { "KB", 1000 }, { "M", 1000000 },
		{ "MB", 1000000 }, { "G", 1000000000 }, { "GB", 1000000000 } };
	struct decimal d;
	char range[128];
	int64_t bytes;

	if (decimal_read(text, &d) && !d.fraction && !d.negative) {
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
			if (strcasecmp(d.unit, units[i].name) != 0)
				continue;
			if (__builtin_mul_overflow(d.whole, units[i].bytes, &bytes))
				bytes = o->max > 0 ? INT64_MAX : -1;
			bytes = capped(o, text, bytes, 1, "", why);
			if (!in_range(o, bytes))
				break;
			*to = (uint64_t)bytes;
			return 0;
		}
	}
	range_name(o, "a size (500, 32K, 5M, 1G)", 1, "", range, sizeof(range));
	return refuse(o, text, why, range);
}

static int
time_read(const struct option *o, const char *text, int64_t *to, char *why)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = { { "", NS_PER_S }, { "s", NS_PER_S }, { "ms", NS_PER_MS },
		{ "m", 60 * NS_PER_S }, { "h", 3600 * NS_PER_S }, { "d", 86400 * NS_PER_S } };
	struct decimal d;
	char range[128];
	int64_t ns, part;

	if (decimal_read(text, &d)) {
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
			if (strcasecmp(d.unit, units[i].name) != 0)
				continue;
			if (__builtin_mul_overflow(d.whole, units[i].ns, &ns))
				break;
			/* A billionth of a unit: 86400 s at most, so this fits. */
			part = units[i].ns >= NS_PER_S ? d.nano * (units[i].ns / NS_PER_S)
						       : d.nano / (NS_PER_S / units[i].ns);
			if (__builtin_add_overflow(ns, part, &ns))
				break;
			*to = capped(o, text, d.negative ? -ns : ns, NS_PER_S, "s", why);
			if (!in_range(o, *to))
				break;
			return 0;
		}
	}
	range_name(o, "a time (5, 0.5, 90s, 5m, 1h, 2d)", NS_PER_S, "s", range, sizeof(range));
	return refuse(o, text, why, range);
}

/* ---- words */

static int
bool_read(const struct option *o, const char *text, bool *to, char *why)
{
	static const char *const words[] = { "on", "true", "yes", "off", "false", "no" };

	for (size_t i = 0; i < 6; i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*to = i < 3;
			return 0;
		}
	}
	return refuse(o, text, why, "on or off");
}

static int
enum_read(const struct option *o, const char *text, int *to, char *why)
{
	const char *meant;
	char what[160] = "one of";
	size_t used = 6, n;

	for (n = 0; o->choices[n] != NULL; n++) {
		if (strcasecmp(text, o->choices[n]) == 0) {
			*to = (int)n;
			return 0;
		}
		if (used < sizeof(what))
			used += (size_t)snprintf(
			    what + used, sizeof(what) - used, "%s %s", n ? "," : "", o->choices[n]);
	}
	meant = findings_nearest(text, o->choices, n);
	if (meant != NULL && used < sizeof(what))
		snprintf(what + used, sizeof(what) - used, "; did you mean '%s'?", meant);
	return refuse(o, text, why, what);
}

/* ---- lists */

static void
list_add(struct pool *pool, struct list *l, struct slice item)
{
	l->at = pool_grow(pool, l->at, l->n, sizeof(*l->at));
	l->at[l->n++] = pool_text(pool, item);
}

static void
list_split(struct pool *pool, struct list *l, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, ",");
		struct slice item = slice_trim((struct slice){ text, len });

		if (item.len > 0)
			list_add(pool, l, item);
		text += len + (text[len] == ',');
	}
}

/* A tab may stand in an expression. */
static bool
has_control(const struct option *o, const char *text)
{
	if (o->flags & OPT_SECRET)
		return conf_has_control(text);
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < 0x20 && *text != '\t')
			return true;
	return false;
}

bool
value_read(struct pool *pool, const struct option *o, const char *text, void *at, char *why)
{
	union {
		bool truth;
		int64_t number;
		uint64_t size;
		int choice;
		struct list list;
		char *text;
	} none = { 0 };

	why[0] = '\0';
	if (at == NULL)
		at = &none;
	switch (o->type) {
	case OPT_STRING:
		if (has_control(o, text)) {
			snprintf(why, VALUE_WHY,
			    "%s: its value has a control character, such as a line break; is "
			    "there one in a variable?",
			    o->name);
			return false;
		}
		*(char **)at = pool_text(pool, slice_of(text));
		return true;
	case OPT_BOOL:
		return bool_read(o, text, at, why) == 0;
	case OPT_INT:
		return int_read(o, text, at, why) == 0;
	case OPT_SIZE:
		return size_read(o, text, at, why) == 0;
	case OPT_TIME:
		return time_read(o, text, at, why) == 0;
	case OPT_ENUM:
		return enum_read(o, text, at, why) == 0;
	case OPT_LIST:
		list_split(pool, at, text);
		return true;
	case OPT_LINES:
		list_add(pool, at, slice_of(text));
		return true;
	}
	return false;
}

const char *
value_type(const struct option *o)
{
	static const char *const names[] = {
		[OPT_STRING] = "text",
		[OPT_BOOL] = "on/off",
		[OPT_INT] = "number",
		[OPT_SIZE] = "size",
		[OPT_TIME] = "time",
		[OPT_ENUM] = "word",
		[OPT_LIST] = "list",
		[OPT_LINES] = "text, several",
	};

	return names[o->type];
}
