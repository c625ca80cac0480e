/*
 * A configured parser: bytes to fields.  The agent's own grammar is not here
 * (agent.h); this is a [PARSER] of the configuration, applied by an input or
 * by a filter.
 */
#include <stdio.h>
#include <stdlib.h>

#include "json.h"
#include "memory.h"
#include "parser_decode.h"
#include "parser_pairs.h"
#include "parser_take.h"
#include "parser_value.h"
#include "pattern.h"
#include "timestamp.h"
#include "voice.h"
#include "zone.h"

#define SAMPLE_TIME "2026-11-22T08:00:00.002176064Z"
#define SAID_MAX 100 /* bytes of a text that a message shows */

static int
types_take(struct parser *p, const struct parser_rules *rules, char *error, size_t size)
{
	p->types = xcalloc(rules->ntypes + 1, sizeof(*p->types));
	for (size_t i = 0; i < rules->ntypes; i++) {
		const struct slice *pair = &rules->types[2 * i];
		int type = parser_value_type(pair[1]);

		if (type < 0) {
			snprintf(error, size,
			    "no type '%.*s' for %.*s; integer, float, bool, hex or string",
			    (int)pair[1].len, pair[1].at, (int)pair[0].len, pair[0].at);
			return -1;
		}
		p->types[p->ntypes++] = (struct typed){
			.name = slice_of(xslicedup(pair[0])),
			.type = (enum parser_type)type,
		};
	}
	return 0;
}

struct parser *
parser_new(const struct parser_rules *rules, char *error, size_t size)
{
	struct parser *p = xcalloc(1, sizeof(*p));

	p->name = xstrdup(rules->name);
	p->format = rules->format;
	p->time_key = rules->time_key ? xstrdup(rules->time_key) : NULL;
	p->time_format = rules->time_format ? xstrdup(rules->time_format) : NULL;
	p->zone = rules->zone;
	p->time_keep = rules->time_keep;
	p->skip_empty_values = rules->skip_empty_values;
	p->no_bare_keys = rules->no_bare_keys;
	if (types_take(p, rules, error, size) < 0)
		goto wrong;
	if (rules->ndecoders > 0) {
		p->decoding = parser_decode_new(rules->decoders, rules->ndecoders, error, size);
		if (p->decoding == NULL)
			goto wrong;
	}
	if (p->format != PARSER_REGEX)
		return p;
	if (rules->regex == NULL) {
		snprintf(error, size, "no Regex");
		goto wrong;
	}
	p->pattern = pattern_new(rules->regex, error, size);
	if (p->pattern == NULL)
		goto wrong;
	if (pattern_groups(p->pattern) > 0)
		return p;
	snprintf(error, size, "the Regex names no group, (?<name>…): it would give no field");
wrong:
	parser_free(p);
	return NULL;
}

void
parser_free(struct parser *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < p->ntypes; i++)
		free((void *)(uintptr_t)p->types[i].name.at);
	free(p->types);
	pattern_free(p->pattern);
	parser_decode_free(p->decoding);
	free(p->time_key);
	free(p->time_format);
	zone_free(p->zone);
	free(p->name);
	free(p);
}

const char *
parser_name(const struct parser *p)
{
	return p->name;
}

/* ---- fields */

/* A trailing Z may follow a format that ends in the fraction, as Docker's stock parsers rely on that. */
static bool
time_read(const struct parser *p, struct slice text, int64_t near, int64_t *ns)
{
	int64_t read;
	size_t used;

	if (p->time_format != NULL && !timestamp_has_year(p->time_format))
		return near != 0 &&
		       timestamp_near(text, p->time_format, p->zone, near, ns) == PARSE_OK;
	if (p->time_format == NULL) {
		if (timestamp_rfc3339(text, &read, &used) != PARSE_OK || used != text.len)
			return false; /* a time with more text behind it is refused */
		*ns = read;
		return true;
	}
	if (timestamp_format(text, p->time_format, p->zone, ns) == PARSE_OK)
		return true;
	if (text.len == 0 || text.at[text.len - 1] != 'Z')
		return false;
	text.len--;
	return timestamp_format(text, p->time_format, NULL, ns) == PARSE_OK;
}

static bool
time_take(struct parser *p, struct slice text, int64_t *ns)
{
	int64_t at = 0;
	bool read = time_read(p, slice_trim(text), *ns, &at) && at != 0; /* 0 would be none */

	if (read)
		*ns = at;
	if (!read && !p->time_tried)
		say_warn("parser",
		    "%s: the first %s, '%.*s', is no time by %s: such a one stays text", p->name,
		    p->time_key, (int)slice_cut(text, SAID_MAX).len, text.at,
		    p->time_format != NULL ? p->time_format : "RFC 3339");
	p->time_tried = 1;
	return read;
}

void
parser_put(struct take *t, const struct field *f)
{
	for (int i = 0; i < t->n; i++) {
		if (slice_eq(t->fields[i].name, f->name)) {
			t->fields[i] = *f;
			return;
		}
	}
	if (t->n < t->max)
		t->fields[t->n++] = *f;
}

void
parser_take(struct take *t, struct field f)
{
	struct parser *p = t->parser;
	bool text = f.kind == VALUE_TEXT;

	if (p->time_key != NULL && t->time != NULL && f.kind != VALUE_JSON &&
	    slice_eq(f.name, slice_of(p->time_key)) && time_take(p, f.value, t->time) &&
	    !p->time_keep)
		return;
	for (size_t i = 0; text && i < p->ntypes; i++)
		if (slice_eq(p->types[i].name, f.name))
			parser_value(p->types[i].type, t->arena, &f);
	parser_put(t, &f);
}

static int
regex_run(struct take *t, struct slice text)
{
	struct parser *p = t->parser;

	if (!pattern_match(p->pattern, text))
		return -1;
	for (size_t i = 0; i < pattern_groups(p->pattern); i++) {
		struct field f = { .name = pattern_name(p->pattern, i), .kind = VALUE_TEXT };

		if (!pattern_group(p->pattern, i, &f.value))
			continue;
		if (f.value.len > 0 || !p->skip_empty_values)
			parser_take(t, f);
	}
	return t->n;
}

struct slice
parser_name_mended(struct arena *arena, struct slice name)
{
	char written[JSON_WRITE_MAX(JSON_NAME_BYTES)], *to;
	size_t n = 0, len;

	while (n < name.len && name.at[n] != '\\' && (unsigned char)name.at[n] < 0x80)
		n++;
	if (n == name.len && n > 0 && n <= JSON_NAME_BYTES)
		return name;
	len = (size_t)(json_name(written, name, true) - written) - 2;
	to = arena_take(arena, len);
	if (to == NULL)
		return (struct slice){ NULL, 0 };
	return (struct slice){ memcpy(to, written + 1, len), len };
}

static int
json_run(struct take *t, struct slice text)
{
	struct json_walk walk;
	struct json_value value;
	enum json_kind kind;
	struct slice key;

	if (json_check(text, &kind) != PARSE_OK || kind != JSON_OBJECT)
		return -1;
	json_enter(&walk, text);
	while (json_next(&walk, &key, &value) == PARSE_OK) {
		struct field f = { .name = parser_name_mended(t->arena, key),
			.value = value.text,
			.name_escaped = true };

		if (f.name.len == 0)
			continue;
		if (value.kind != JSON_STRING)
			f.kind = VALUE_JSON;
		else
			f.kind = value.escaped ? VALUE_ESCAPED : VALUE_TEXT;
		parser_take(t, f);
	}
	return t->n;
}

static int
cri_run(struct take *t, struct slice text)
{
	static const struct slice sides[] = { { "stdout", 6 }, { "stderr", 6 } };
	struct cri cri;
	char *anew;

	if (cri_parse(text, &t->parser->memo, &cri) != PARSE_OK)
		return -1;
	*t->time = cri.time;
	if (!timestamp_is_plain(cri.time_text) &&
	    (anew = arena_take(t->arena, TIMESTAMP_MAX)) != NULL)
		cri.time_text = (struct slice){ anew, timestamp_write(cri.time, 9, anew) };
	parser_put(t, &(struct field){ .name = SLICE("time"), .value = cri.time_text });
	parser_put(t, &(struct field){ .name = SLICE("stream"), .value = sides[cri.side] });
	parser_put(t, &(struct field){
			  .name = SLICE("logtag"),
			  .value = cri.partial ? SLICE("P") : SLICE("F"),
		      });
	parser_put(t, &(struct field){ .name = SLICE("log"), .value = cri.content });
	return t->n;
}

static int
format_run(struct take *t, struct slice text)
{
	switch (t->parser->format) {
	case PARSER_REGEX:
		return regex_run(t, text);
	case PARSER_JSON:
		return json_run(t, text);
	case PARSER_CRI:
		return cri_run(t, text);
	case PARSER_LOGFMT:
		return parser_pairs_logfmt(t, text);
	case PARSER_LTSV:
		return parser_pairs_ltsv(t, text, ':');
	case PARSER_TSKV:
		if (slice_starts(text, SLICE("tskv\t")))
			text = slice_from(text, 5);
		return parser_pairs_ltsv(t, text, '=');
	}
	return -1;
}

int
parser_run(struct parser *p, struct slice text, struct arena *arena, struct field *fields, int max,
    int64_t *time)
{
	struct take t = {
		.parser = p,
		.arena = arena,
		.fields = fields,
		.max = max,
		.time = time,
	};

	if (format_run(&t, text) < 0)
		return -1;
	if (p->decoding != NULL)
		parser_decode_run(p->decoding, &t);
	return t.n;
}

/* ---- the forms that it reads */

/* True when ${line} gives a field for its ${side}, not of the name ${but}, and one for its text. */
static bool
takes_apart(struct parser *p, struct slice line, struct slice side, struct slice but,
    struct slice text, int64_t *time)
{
	struct field fields[RECORD_FIELDS];
	struct arena arena;
	unsigned found = 0;
	int n;

	arena_init(&arena, line.len + 1);
	p->time_tried = 1; /* it is no line of a log */
	n = parser_run(p, line, &arena, fields, RECORD_FIELDS, time);
	p->time_tried = 0;
	for (int i = 0; i < n; i++)
		found |=
		    (unsigned)(slice_eq(fields[i].value, side) && !slice_eq(fields[i].name, but)) |
		    (unsigned)slice_eq(fields[i].value, text) << 1;
	arena_fini(&arena);
	return found == 3;
}

/* An expression for any four words reads the runtime's lines as well as others. */
enum parser_form
parser_form(struct parser *p)
{
	const struct slice cri = SLICE(SAMPLE_TIME " stderr F some text, of it");
	const struct slice words = SLICE("one two three some text, of it");
	const struct slice docker =
	    SLICE("{\"log\":\"some text\\n\",\"stream\":\"stderr\",\"time\":\"" SAMPLE_TIME "\"}");
	int64_t time = 0;

	if (takes_apart(p, cri, SLICE("stderr"), SLICE(""), SLICE("some text, of it"), &time) &&
	    !takes_apart(p, words, SLICE("two"), SLICE("stream"), SLICE("some text, of it"), &time))
		return FORM_CRI;
	if (takes_apart(p, docker, SLICE("stderr"), SLICE(""), SLICE("some text\\n"), &time) &&
	    time != 0)
		return FORM_DOCKER;
	return FORM_OTHER;
}
