/*
 * Walking JSON once, without a tree: each byte that is passed is verified.
 * Depth is a bit set (1: object, 0: array), so nothing recurses.
 */
#include "json.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The first quote, backslash or control character at or behind `at`. */
static const char *
string_stop(const char *at, const char *end)
{
#ifdef __SSE2__
	const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\');
	const __m128i last = _mm_set1_epi8(0x1f);

	for (; end - at >= 16; at += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
		__m128i stop = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(bytes, last), bytes),
		    _mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, slash)));
		unsigned mask = (unsigned)_mm_movemask_epi8(stop);

		if (mask != 0)
			return at + __builtin_ctz(mask);
	}
#endif
	while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= 0x20)
		at++;
	return at;
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* Behind the string whose first byte (after the quote) is at `at`; *end_of its closing quote. */
static enum parsed
skip_string(const char **at, const char *end, bool *escaped)
{
	const char *p = *at;

	*escaped = false;
	for (;;) {
		p = string_stop(p, end);
		if (p == end)
			return PARSE_MORE;
		if (*p == '"') {
			*at = p + 1;
			return PARSE_OK;
		}
		if (*p != '\\')
			return PARSE_BAD;
		*escaped = true;
		if (end - p < 2)
			return PARSE_MORE;
		if (p[1] == 'u') {
			for (int i = 2; i < 6; i++) {
				if (p + i >= end)
					return PARSE_MORE;
				if (!is_hex(p[i]))
					return PARSE_BAD;
			}
			p += 6;
		} else if (p[1] != '\0' && strchr("\"\\/bfnrt", p[1]) != NULL) {
			p += 2;
		} else {
			return PARSE_BAD;
		}
	}
}

static const char *
skip_digits(const char *at, const char *end)
{
	while (at < end && (unsigned char)(*at - '0') < 10)
		at++;
	return at;
}

static enum parsed
skip_number(const char **at, const char *end)
{
	const char *p = *at, *from;

	if (p < end && *p == '-')
		p++;
	from = p;
	p = skip_digits(p, end);
	if (p == from)
		return p == end ? PARSE_MORE : PARSE_BAD;
	if (*from == '0' && p > from + 1)
		return PARSE_BAD;
	if (p < end && *p == '.') {
		from = ++p;
		p = skip_digits(p, end);
		if (p == from)
			return p == end ? PARSE_MORE : PARSE_BAD;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		from = p;
		p = skip_digits(p, end);
		if (p == from)
			return p == end ? PARSE_MORE : PARSE_BAD;
	}
	*at = p;
	return PARSE_OK;
}

static enum parsed
skip_word(const char **at, const char *end, struct slice word)
{
	size_t n = (size_t)(end - *at);

	if (n >= word.len) {
		if (memcmp(*at, word.at, word.len) != 0)
			return PARSE_BAD;
		*at += word.len;
		return PARSE_OK;
	}
	return memcmp(*at, word.at, n) == 0 ? PARSE_MORE : PARSE_BAD;
}

static enum json_kind
kind_of(char first)
{
	switch (first) {
	case '{':
		return JSON_OBJECT;
	case '[':
		return JSON_ARRAY;
	case '"':
		return JSON_STRING;
	case 't':
		return JSON_TRUE;
	case 'f':
		return JSON_FALSE;
	case 'n':
		return JSON_NULL;
	default:
		return JSON_NUMBER;
	}
}

/* A value that is neither object nor array. */
static enum parsed
skip_scalar(const char **at, const char *end, struct json_value *out)
{
	const char *from = *at;
	enum parsed got;

	out->escaped = false;
	out->kind = kind_of(*from);
	switch (out->kind) {
	case JSON_STRING:
		++*at;
		got = skip_string(at, end, &out->escaped);
		if (got == PARSE_OK)
			out->text = (struct slice){ from + 1, (size_t)(*at - from) - 2 };
		return got;
	case JSON_TRUE:
		got = skip_word(at, end, SLICE("true"));
		break;
	case JSON_FALSE:
		got = skip_word(at, end, SLICE("false"));
		break;
	case JSON_NULL:
		got = skip_word(at, end, SLICE("null"));
		break;
	default:
		got = skip_number(at, end);
	}
	out->text = (struct slice){ from, (size_t)(*at - from) };
	return got;
}

/* A key and its colon. */
static enum parsed
skip_key(const char **at, const char *end, struct slice *key)
{
	const char *from;
	enum parsed got;
	bool escaped;

	if (*at == end)
		return PARSE_MORE;
	if (**at != '"')
		return PARSE_BAD;
	from = ++*at;
	got = skip_string(at, end, &escaped);
	if (got != PARSE_OK)
		return got;
	*key = (struct slice){ from, (size_t)(*at - from) - 1 };
	*at = json_skip_blanks(*at, end);
	if (*at == end)
		return PARSE_MORE;
	if (**at != ':')
		return PARSE_BAD;
	*at = json_skip_blanks(*at + 1, end);
	return PARSE_OK;
}

/* The place of a walk inside nested values. */
struct nest {
	uint32_t objects; /* a bit for each level: 1 object, 0 array */
	unsigned depth;
};

/* At the begin of a value: enter it, or pass it.  *inner: a container was entered and is not empty. */
static enum parsed
value_begin(struct nest *nest, const char **at, const char *end, bool *inner)
{
	struct json_value scalar;
	char close;

	*inner = false;
	if (*at == end)
		return PARSE_MORE;
	if (**at != '{' && **at != '[')
		return skip_scalar(at, end, &scalar);
	if (nest->depth == JSON_DEPTH)
		return PARSE_BAD;
	close = **at == '{' ? '}' : ']';
	nest->objects = nest->objects << 1 | (close == '}');
	nest->depth++;
	*at = json_skip_blanks(*at + 1, end);
	if (*at == end)
		return PARSE_MORE;
	if (**at == close) {
		++*at;
		nest->depth--;
		nest->objects >>= 1;
		return PARSE_OK;
	}
	*inner = true;
	return PARSE_OK;
}

/* Behind a value: close the containers that end there.  *more: another member follows. */
static enum parsed
value_end(struct nest *nest, unsigned floor, const char **at, const char *end, bool *more)
{
	*more = false;
	while (nest->depth > floor) {
		*at = json_skip_blanks(*at, end);
		if (*at == end)
			return PARSE_MORE;
		if (**at == ',') {
			*at = json_skip_blanks(*at + 1, end);
			*more = true;
			return PARSE_OK;
		}
		if (**at != (nest->objects & 1 ? '}' : ']'))
			return PARSE_BAD;
		++*at;
		nest->depth--;
		nest->objects >>= 1;
	}
	return PARSE_OK;
}

/* Pass one whole value, `outer` levels deep already. */
static enum parsed
skip_value(const char **at, const char *end, unsigned outer)
{
	struct nest nest = { .depth = outer };
	struct slice key;
	enum parsed got;
	bool inner, more;

	do {
		do {
			if (nest.depth > outer && nest.objects & 1) {
				got = skip_key(at, end, &key);
				if (got != PARSE_OK)
					return got;
			}
			got = value_begin(&nest, at, end, &inner);
			if (got != PARSE_OK)
				return got;
		} while (inner);
		got = value_end(&nest, outer, at, end, &more);
	} while (got == PARSE_OK && more);
	return got;
}

enum parsed
json_check(struct slice text, enum json_kind *kind)
{
	const char *end = text.at + text.len, *at = json_skip_blanks(text.at, end);
	enum parsed got;

	if (at == end)
		return PARSE_MORE;
	*kind = kind_of(*at);
	got = skip_value(&at, end, 0);
	if (got == PARSE_OK && json_skip_blanks(at, end) != end)
		return PARSE_BAD;
	return got;
}

void
json_enter(struct json_walk *walk, struct slice text)
{
	const char *end = text.at + text.len, *at = json_skip_blanks(text.at, end);

	*walk = (struct json_walk){ .at = at, .end = end, .first = true };
	walk->array = at < end && *at == '[';
}

/* The bracket, the comma, or the end before the next member. */
static enum parsed
walk_step(struct json_walk *w)
{
	char close = w->array ? ']' : '}';

	if (w->at == w->end)
		return PARSE_BAD;
	if (w->first && *w->at != (w->array ? '[' : '{'))
		return PARSE_BAD;
	if (!w->first && *w->at == close) {
		w->at++;
		return PARSE_MORE;
	}
	if (!w->first && *w->at != ',')
		return PARSE_BAD;
	w->at = json_skip_blanks(w->at + 1, w->end);
	if (w->first && w->at < w->end && *w->at == close) {
		w->at++;
		return PARSE_MORE;
	}
	w->first = false;
	return PARSE_OK;
}

/*
 * The form of nearly every member of a log line: `,"key":"text"` or
 * `,"key":12.5` without blanks and escapes.  Return false, with nothing
 * passed, for another form, right or wrong: json_next() reads that member
 * again.
 */
static bool
next_plain(struct json_walk *w, struct slice *key, struct json_value *value)
{
	const char *p = w->at + 1, *q;

	if (w->array || w->end - w->at < 6 || *w->at != (w->first ? '{' : ',') || *p++ != '"')
		return false;
	q = string_stop(p, w->end);
	if (w->end - q < 4 || *q != '"' || q[1] != ':')
		return false;
	*key = (struct slice){ p, (size_t)(q - p) };
	p = q + 2;
	if (*p == '"') {
		q = string_stop(++p, w->end);
		if (w->end - q < 2 || *q != '"')
			return false;
		value->kind = JSON_STRING;
		w->at = q + 1;
	} else {
		q = p;
		if (*p < '1' || *p > '9' || skip_number(&q, w->end) != PARSE_OK)
			return false;
		value->kind = JSON_NUMBER;
		w->at = q;
	}
	value->escaped = false;
	value->text = (struct slice){ p, (size_t)(q - p) };
	w->first = false;
	w->at = json_skip_blanks(w->at, w->end);
	return true;
}

enum parsed
json_next(struct json_walk *w, struct slice *key, struct json_value *value)
{
	const char *from;
	enum parsed got;

	if (next_plain(w, key, value))
		return PARSE_OK;
	got = walk_step(w);
	if (got != PARSE_OK)
		return got;
	if (!w->array && skip_key(&w->at, w->end, key) != PARSE_OK)
		return PARSE_BAD;
	if (w->at == w->end)
		return PARSE_BAD;
	from = w->at;
	if (*from == '{' || *from == '[') {
		got = skip_value(&w->at, w->end, 1);
		value->kind = *from == '{' ? JSON_OBJECT : JSON_ARRAY;
		value->escaped = false;
		value->text = (struct slice){ from, (size_t)(w->at - from) };
	} else {
		got = skip_scalar(&w->at, w->end, value);
	}
	if (got != PARSE_OK)
		return PARSE_BAD;
	w->at = json_skip_blanks(w->at, w->end);
	return PARSE_OK;
}

bool
json_member(struct slice object, struct slice name, struct json_value *value)
{
	struct json_walk walk;
	struct slice key;

	json_enter(&walk, object);
	while (json_next(&walk, &key, value) == PARSE_OK) {
		if (slice_eq(key, name))
			return true;
	}
	return false;
}

bool
json_trailing(const struct json_walk *walk)
{
	return json_skip_blanks(walk->at, walk->end) == walk->end;
}
