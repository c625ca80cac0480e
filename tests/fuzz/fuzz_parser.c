/*
 * [PARSER]s of pairs, and decoders: what each field must be; LTSV is taken apart once
 * more, by its tabs, and the escapes of Decode_Field_As escaped by a loop over bytes.
 */
#include "fuzz.h"

#include "json.h"
#include "memory.h"
#include "parser.h"

static const char *const decoders[] = { "Decode_Field_As escaped a",
	"Decode_Field_As escaped_utf8 a", "Decode_Field_As mysql_quoted a",
	"Decode_Field_As json a", "Decode_Field json a", "Decode_Field_As escaped_utf8 a do_next",
	"Decode_Field json a try_next" };

static struct parser *
made(enum parser_format format, const char *const *lines, size_t n)
{
	char why[256];
	const struct parser_rules rules = {
		.name = "p",
		.format = format,
		.regex = "(?<a>(?m:.*))",
		.time_key = any(2) ? "time" : NULL,
		.decoders = lines,
		.ndecoders = n,
	};
	struct parser *p = parser_new(&rules, why, sizeof(why));

	if (p == NULL)
		WRONG("%s", why);
	return p;
}

static void
fields_judge(const struct field *fields, int n)
{
	for (int i = 0; i < n; i++) {
		const struct field *f = &fields[i];
		enum json_kind kind;

		if (f->name.len == 0)
			WRONG("a field without a name");
		if (f->kind == VALUE_JSON && json_check(f->value, &kind) != PARSE_OK)
			WRONG("%.*s is no JSON: '%.*s'", SHOW(f->name), SHOW(f->value));
		for (int k = 0; k < i; k++) {
			if (slice_eq(fields[k].name, f->name))
				WRONG("%.*s is there twice", SHOW(f->name));
		}
	}
}

/* The value of the last pair of this label, by its tabs; *there: there is one. */
static struct slice
ltsv_value(struct slice text, struct slice label, bool *there)
{
	struct slice value = { NULL, 0 };

	*there = false;
	while (text.len > 0) {
		const char *tab = memchr(text.at, '\t', text.len);
		struct slice pair = slice_cut(text, tab ? (size_t)(tab - text.at) : text.len);
		const char *colon = pair.len > 0 ? memchr(pair.at, ':', pair.len) : NULL;
		size_t n = 0;

		while (n < pair.len && pair.at[n] != '\0' &&
		       strchr("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.-",
			   pair.at[n]))
			n++;
		if (colon == NULL || (size_t)(colon - pair.at) != n)
			break;
		if (slice_eq(slice_cut(pair, n), label)) {
			value = slice_from(pair, n + 1);
			*there = true;
			if (pair.at + pair.len == text.at + text.len)
				value = slice_trim_end(value);
		}
		text = slice_from(text, pair.len + (tab != NULL));
		if (text.len == 0 && tab != NULL && *there &&
		    value.at + value.len + 1 == text.at) /* nothing is behind the last tab */
			value = slice_trim_end(value);
	}
	return value;
}

static void
ltsv_judge(struct slice text, const struct field *fields, int n)
{
	for (int i = 0; i < n; i++) {
		bool there;
		struct slice value = ltsv_value(text, fields[i].name, &there);

		if (!there || !slice_eq(value, fields[i].value))
			WRONG("%.*s: '%.*s', not '%.*s'", SHOW(fields[i].name),
			    SHOW(fields[i].value), SHOW(value));
	}
}

/* Escapes resolved one by one, as the oracle has them. */
static void
escaped_judge(struct slice text, struct slice value)
{
	static const char letters[] = "nabtvfr", bytes[] = "\n\a\b\t\v\f\r";
	char *want = xmalloc(text.len + 1);
	size_t n = 0;

	for (size_t i = 0; i < text.len; i++) {
		const char *at;

		if (text.at[i] != '\\' || i + 1 == text.len) {
			want[n++] = text.at[i];
			continue;
		}
		i++;
		at = text.at[i] != '\0' ? strchr(letters, text.at[i]) : NULL;
		want[n++] = at != NULL ? bytes[at - letters] : text.at[i];
	}
	if (!slice_eq(value, (struct slice){ want, n }))
		WRONG("'%.*s' became '%.*s'", SHOW(text), SHOW(value));
	free(want);
}

static void
fuzz(struct slice input)
{
	static const enum parser_format formats[] = { PARSER_LOGFMT, PARSER_LTSV, PARSER_TSKV,
		PARSER_JSON, PARSER_REGEX };
	struct field fields[RECORD_FIELDS];
	struct arena arena;
	struct slice text = exact(fuzz_chance(input));
	enum parser_format format = formats[any(COUNT(formats))];
	unsigned first = any(COUNT(decoders)), most = format == PARSER_LTSV ? 0 : any(3);
	size_t ndecoders = least(most, COUNT(decoders) - first);
	struct parser *p = made(format, decoders + first, ndecoders);
	bool plain = format == PARSER_REGEX && ndecoders == 1 && first == 0;
	int64_t time = 0;
	int n;

	arena_init(&arena, any(4) == 0 ? 64 : 4 * text.len + 4096);
	n = parser_run(p, text, &arena, fields, RECORD_FIELDS, &time);
	if (n > RECORD_FIELDS)
		WRONG("%d fields", n);
	fields_judge(fields, n);
	if (format == PARSER_LTSV && n < RECORD_FIELDS && time == 0)
		ltsv_judge(text, fields, n);
	if (plain && n == 1 && arena.size > text.len + 4000 &&
	    memchr(text.at, '\n', text.len) == NULL)
		escaped_judge(text, fields[0].value);
	arena_fini(&arena);
	parser_free(p);
	exact_free(text);
}
