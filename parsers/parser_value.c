/* Types of a configured parser: a field's text as a JSON value. */
#include "parser_value.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* No number is longer. */
#define NUMBER_MAX 64

int
parser_value_type(struct slice name)
{
	static const struct {
		const char *name;
		enum parser_type type;
	} names[] = { { "string", TYPE_STRING }, { "integer", TYPE_INTEGER },
		{ "int", TYPE_INTEGER }, { "float", TYPE_FLOAT }, { "bool", TYPE_BOOL },
		{ "hex", TYPE_HEX } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (name.len == strlen(names[i].name) &&
		    strncasecmp(name.at, names[i].name, name.len) == 0)
			return (int)names[i].type;
	return -1;
}

static void
number_put(struct arena *arena, struct field *f, const char *text)
{
	size_t len = strlen(text);
	char *kept = arena_take(arena, len);

	if (kept == NULL)
		return;
	memcpy(kept, text, len);
	f->value = (struct slice){ kept, len };
	f->kind = VALUE_JSON;
}

static void
integer_put(struct arena *arena, struct field *f, const char *text, int base)
{
	char *end, decimal[32];
	long long value;

	errno = 0;
	value = strtoll(text, &end, base);
	if (end == text || *end != '\0' || errno != 0)
		return;
	snprintf(decimal, sizeof(decimal), "%lld", value);
	number_put(arena, f, decimal);
}

/* True when the text may stand unchanged: -12.50 stays -12.50. */
static bool
is_decimal(const char *text)
{
	size_t digits, fraction;

	text += *text == '-';
	digits = strspn(text, "0123456789");
	if (digits == 0 || (digits > 1 && text[0] == '0') || text[digits] != '.')
		return false;
	fraction = strspn(text + digits + 1, "0123456789");
	return fraction > 0 && text[digits + 1 + fraction] == '\0';
}

/* The fewest digits that name the same double; with a point, as the server takes a number without one for an integer. */
static void
float_write(char *to, size_t size, double value)
{
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(to, size, "%.*g", digits, value);
		if (strtod(to, NULL) == value)
			break;
	}
	if (strpbrk(to, ".e") == NULL)
		memcpy(to + strlen(to), ".0", 3);
}

static void
float_put(struct arena *arena, struct field *f, const char *text)
{
	char *end, decimal[40];
	double value;

	if (text[strspn(text, "+-.0123456789eE")] != '\0')
		return; /* nan, inf, 0x1p3: strtod would take them */
	value = strtod(text, &end);
	if (end == text || *end != '\0' || !isfinite(value))
		return;
	if (is_decimal(text)) {
		f->kind = VALUE_JSON;
		return;
	}
	float_write(decimal, sizeof(decimal), value);
	number_put(arena, f, decimal);
}

static void
bool_put(struct field *f, const char *text)
{
	if (strcasecmp(text, "true") == 0)
		f->value = SLICE("true");
	else if (strcasecmp(text, "false") == 0)
		f->value = SLICE("false");
	else
		return;
	f->kind = VALUE_JSON;
}

void
parser_value(enum parser_type type, struct arena *arena, struct field *f)
{
	char text[NUMBER_MAX + 1];

	if (f->value.len == 0 || f->value.len > NUMBER_MAX || f->value.at[0] == ' ' ||
	    memchr(f->value.at, '\0', f->value.len) != NULL)
		return;
	memcpy(text, f->value.at, f->value.len);
	text[f->value.len] = '\0';
	switch (type) {
	case TYPE_STRING:
		return;
	case TYPE_INTEGER:
		integer_put(arena, f, text, 10);
		return;
	case TYPE_HEX:
		integer_put(arena, f, text, 16);
		return;
	case TYPE_FLOAT:
		float_put(arena, f, text);
		return;
	case TYPE_BOOL:
		bool_put(f, text);
		return;
	}
}
