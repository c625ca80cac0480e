/*
 * Fields that are read again: a JSON object in a text, escapes, MySQL's quotes.  For
 * each key the rules are tried in their order: try_next goes on where a decoder did
 * not read the text, do_next in any case.
 */
#include "parser_decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "json.h"

enum decoder { JSON, ESCAPED, ESCAPED_UTF8, MYSQL_QUOTED };
enum action { STOP, TRY_NEXT, DO_NEXT };

struct rule {
	char *key;
	enum decoder decoder;
	enum action action;
	bool as; /* the field's own value; false: members of an object beside it */
};

struct decoding {
	struct rule *rules;
	size_t n;
};

/* ---- rules */

static int
word_find(struct slice word, const char *const *words)
{
	for (int i = 0; words[i] != NULL; i++)
		if (word.len == strlen(words[i]) && strncasecmp(word.at, words[i], word.len) == 0)
			return i;
	return -1;
}

static struct slice
next_word(const char **text)
{
	struct slice word;

	*text += strspn(*text, " \t");
	word = (struct slice){ *text, strcspn(*text, " \t") };
	*text += word.len;
	return word;
}

static bool
rule_read(const char *line, struct rule *rule, char *error, size_t size)
{
	static const char *const decoders[] = { "json", "escaped", "escaped_utf8", "mysql_quoted",
		NULL };
	static const char *const actions[] = { "", "try_next", "do_next", NULL };
	const char *at = line;
	struct slice option = next_word(&at), name = next_word(&at), key = next_word(&at);
	int decoder = word_find(name, decoders), action = word_find(next_word(&at), actions);

	if (decoder < 0)
		snprintf(error, size,
		    "%.*s: no decoder '%.*s'; json, escaped, escaped_utf8 or mysql_quoted",
		    (int)option.len, option.at, (int)name.len, name.at);
	else if (key.len == 0)
		snprintf(error, size, "%.*s %s names no field", (int)option.len, option.at,
		    decoders[decoder]);
	else if (action < 0 || next_word(&at).len > 0)
		snprintf(error, size, "%.*s %s %.*s: only try_next or do_next may follow",
		    (int)option.len, option.at, decoders[decoder], (int)key.len, key.at);
	else
		*rule = (struct rule){ xslicedup(key), (enum decoder)decoder, (enum action)action,
			option.len == sizeof("Decode_Field_As") - 1 };
	return rule->key != NULL;
}

struct decoding *
parser_decode_new(const char *const *lines, size_t n, char *error, size_t size)
{
	struct decoding *d = xcalloc(1, sizeof(*d));

	d->rules = xcalloc(n + 1, sizeof(*d->rules));
	for (; d->n < n; d->n++) {
		if (!rule_read(lines[d->n], &d->rules[d->n], error, size)) {
			parser_decode_free(d);
			return NULL;
		}
	}
	return d;
}

void
parser_decode_free(struct decoding *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->n; i++)
		free(d->rules[i].key);
	free(d->rules);
	free(d);
}

/* ---- escapes */

static unsigned
digit_of(char c, unsigned base)
{
	unsigned v = 99;

	if (c >= '0' && c <= '9')
		v = (unsigned)(c - '0');
	else if (c >= 'a' && c <= 'f')
		v = (unsigned)(c - 'a' + 10);
	else if (c >= 'A' && c <= 'F')
		v = (unsigned)(c - 'A' + 10);
	return v < base ? v : 99;
}

/* At most `most` digits.  Return how many there are. */
static size_t
number_take(struct slice s, unsigned base, size_t most, uint32_t *value)
{
	size_t n = 0;

	for (*value = 0; n < most && n < s.len && digit_of(s.at[n], base) < base; n++)
		*value = *value * base + digit_of(s.at[n], base);
	return n;
}

/* The letter of an escape that stands for one byte; 0: it is none. */
static char
simple_of(char c)
{
	static const char letters[] = "nabtvfr", bytes[] = "\n\a\b\t\v\f\r";
	const char *at = c != '\0' ? strchr(letters, c) : NULL;

	return at != NULL ? bytes[at - letters] : '\0';
}

/* A character by its number, `s` behind the backslash.  Return the bytes that it took; 0: none. */
static size_t
numbered_take(struct slice s, char **to)
{
	uint32_t code = 0, low = 0;
	size_t n = 0;

	switch (s.at[0]) {
	case 'x':
		n = number_take(slice_from(s, 1), 16, 2, &code);
		break;
	case 'u':
		n = number_take(slice_from(s, 1), 16, 4, &code);
		if (n == 4 && code >= 0xd800 && code < 0xdc00 && s.len >= 11 && s.at[5] == '\\' &&
		    s.at[6] == 'u' && number_take(slice_from(s, 7), 16, 4, &low) == 4) {
			code = json_pair(code, low);
			n = 10;
		}
		break;
	case 'U':
		n = number_take(slice_from(s, 1), 16, 8, &code);
		break;
	default:
		n = number_take(s, 8, 3, &code);
		if (n == 0)
			return 0;
		n--; /* no letter before it */
	}
	if (n == 0 && digit_of(s.at[0], 8) > 7)
		return 0;
	if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		code = 0xfffd;
	*to = json_utf8(*to, code);
	return n + 1;
}

static char
mysql_of(char c)
{
	switch (c) {
	case '0':
		return '\0';
	case 'Z':
		return '\032';
	case 'b':
	case 'n':
	case 'r':
	case 't':
		return simple_of(c);
	default:
		return c;
	}
}

/* The escape `s`, a backslash and more.  Return the bytes that it took. */
static size_t
escape_take(enum decode_escapes which, struct slice s, char **to)
{
	char c = s.at[1], simple = which == DECODE_MYSQL ? mysql_of(c) : simple_of(c);
	size_t n;

	if (simple != '\0' || which == DECODE_MYSQL) {
		*(*to)++ = simple;
		return 2;
	}
	if (which == DECODE_UTF8 && c != '\0' && strchr("\"'\\/", c) != NULL) {
		*(*to)++ = '\\';
		*(*to)++ = c;
		return 2;
	}
	n = which == DECODE_PLAIN ? 0 : numbered_take(slice_from(s, 1), to);
	if (n > 0)
		return n + 1;
	*(*to)++ = c;
	return 2;
}

bool
parser_decode_text(
    enum decode_escapes which, struct arena *arena, struct slice text, struct slice *out)
{
	/* An escape is no shorter than its character. */
	char *start = arena_take(arena, text.len + 1), *to = start;

	if (start == NULL)
		return false;
	while (text.len > 0) {
		const char *slash = memchr(text.at, '\\', text.len);
		size_t n = slash != NULL ? (size_t)(slash - text.at) : text.len;

		memcpy(to, text.at, n);
		to += n;
		text = slice_from(text, n);
		if (text.len == 1) {
			*to++ = '\\';
			break;
		}
		if (text.len > 1)
			text = slice_from(text, escape_take(which, text, &to));
	}
	*out = (struct slice){ start, (size_t)(to - start) };
	return true;
}

/* ---- decoders */

/* The text between the quotes of MySQL; a text without them stays. */
static bool
mysql_decode(struct take *t, struct slice text, struct slice *out)
{
	*out = text;
	if (text.len < 2 || (text.at[0] != '\'' && text.at[0] != '"') ||
	    text.at[text.len - 1] != text.at[0])
		return true;
	text = (struct slice){ text.at + 1, text.len - 2 };
	return parser_decode_text(DECODE_MYSQL, t->arena, text, out);
}

/* An object, or one whose text has escapes. */
static bool
json_decode(struct take *t, struct slice text, struct slice *out)
{
	enum json_kind kind;

	*out = slice_trim(text);
	if (json_check(*out, &kind) == PARSE_OK && kind == JSON_OBJECT)
		return true;
	if (text.len == 0 || memchr(text.at, '\\', text.len) == NULL ||
	    !parser_decode_text(DECODE_PLAIN, t->arena, text, out))
		return false;
	*out = slice_trim(*out);
	return json_check(*out, &kind) == PARSE_OK && kind == JSON_OBJECT;
}

static bool
decode(struct take *t, const struct rule *rule, struct slice text, struct slice *out)
{
	switch (rule->decoder) {
	case JSON:
		return json_decode(t, text, out);
	case ESCAPED:
		return parser_decode_text(DECODE_PLAIN, t->arena, text, out);
	case ESCAPED_UTF8:
		return parser_decode_text(DECODE_UTF8, t->arena, text, out);
	case MYSQL_QUOTED:
		return mysql_decode(t, text, out);
	}
	return false;
}

/* The members of an object, beside the field that has it. */
static void
members_put(struct take *t, struct slice object)
{
	struct json_walk walk;
	struct json_value value;
	struct slice key;

	json_enter(&walk, object);
	while (json_next(&walk, &key, &value) == PARSE_OK) {
		struct field f = { .name = parser_name_mended(t->arena, key),
			.value = value.text,
			.kind = value.kind != JSON_STRING ? VALUE_JSON
				: value.escaped           ? VALUE_ESCAPED
							  : VALUE_TEXT,
			.name_escaped = true };

		if (f.name.len > 0)
			parser_put(t, &f);
	}
}

/* The text of a field; false: it has none. */
static bool
text_of(struct take *t, const struct field *f, struct slice *text)
{
	char *to;

	*text = f->value;
	if (f->kind != VALUE_ESCAPED)
		return f->kind == VALUE_TEXT;
	to = arena_take(t->arena, f->value.len);
	if (to == NULL)
		return false;
	*text = (struct slice){ to, json_unescape(f->value, to) };
	return true;
}

/* All rules of the `i`-th field's key. */
static void
field_decode(const struct decoding *d, struct take *t, int i)
{
	const struct slice name = t->fields[i].name;
	struct slice text, out, members = { NULL, 0 };
	bool object = false;

	if (!text_of(t, &t->fields[i], &text))
		return;
	for (size_t k = 0; k < d->n; k++) {
		const struct rule *rule = &d->rules[k];
		bool decoded;

		if (!slice_eq(slice_of(rule->key), name) || object ||
		    (!rule->as && rule->action == DO_NEXT && members.at != NULL))
			continue;
		decoded = decode(t, rule, text, &out);
		if (decoded && rule->as) {
			object = rule->decoder == JSON;
			text = out;
			t->fields[i].value = out;
			t->fields[i].kind = object ? VALUE_JSON : VALUE_TEXT;
		} else if (decoded && rule->decoder == JSON) {
			members = out;
		}
		if (rule->action != DO_NEXT && (decoded || rule->action != TRY_NEXT))
			break;
	}
	if (members.at != NULL)
		members_put(t, members);
}

void
parser_decode_run(const struct decoding *d, struct take *t)
{
	int n = t->n; /* members that a decoder puts are not decoded */

	for (int i = 0; i < n; i++)
		field_decode(d, t, i);
}
