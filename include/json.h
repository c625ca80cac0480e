/*
 * JSON of the hot path: a scanner that walks one text once and points into it,
 * and a writer of strings.  No tree, no allocation, hostile input. (Answers of
 * the Kubernetes API are read by jansson, src/kube/.)
 */
#ifndef JSON_H
#define JSON_H

#include <stdint.h>

#include "parse.h"
#include "slice.h"

/* The scanner refuses deeper texts: below 20, as its stack is a bit set. */
#define JSON_DEPTH 16

enum json_kind {
	JSON_OBJECT,
	JSON_ARRAY,
	JSON_STRING,
	JSON_NUMBER,
	JSON_TRUE,
	JSON_FALSE,
	JSON_NULL
};

/* One member of an object, or one element of an array. */
struct json_value {
	enum json_kind kind;
	bool escaped;      /* a string whose text holds a backslash */
	struct slice text; /* raw: a string without its quotes, else the whole value */
};

/* A walk over the members of one object or the elements of one array. */
struct json_walk {
	const char *at;
	const char *end;
	bool array;
	bool first;
};

/**
 * json_check(text, kind):
 * Check that ${text} is one valid JSON value (blanks around it allowed), at
 * most JSON_DEPTH deep.  Return PARSE_OK and its ${kind}, PARSE_MORE when the
 * text ends too soon, or PARSE_BAD.  Bytes of strings need not be UTF-8 (the
 * writer mends them); control characters in strings are bad.
 */
enum parsed json_check(struct slice text, enum json_kind *kind);

/**
 * json_member(object, name, value):
 * Find the first member ${name} (raw, without quotes) of an
 * object.  False: it has none before its end, or before what is not JSON.
 */
bool json_member(struct slice object, struct slice name, struct json_value *value);

/**
 * json_enter(walk, text), json_next(walk, key, value):
 * Walk the object or array ${text}, which json_check accepted or json_next
 * returned.  json_next returns PARSE_OK with the next member (${key} raw,
 * without quotes, unused for arrays; nested values whole, to be entered in
 * their turn), PARSE_MORE at the end, PARSE_BAD when the text is not JSON or
 * is too deep.  A walk may also be the check itself: every byte that it passes
 * is verified, so that a walk that ended in PARSE_MORE proves the object valid
 * (json_trailing() checks the text behind the object).
 */
void json_enter(struct json_walk *walk, struct slice text);
enum parsed json_next(struct json_walk *walk, struct slice *key, struct json_value *value);

/* After the end of a walk: true when only blanks follow the value. */
bool json_trailing(const struct json_walk *walk);

/* Blanks between the tokens of JSON. */
static inline bool
json_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline const char *
json_skip_blanks(const char *at, const char *end)
{
	while (at < end && json_is_blank(*at))
		at++;
	return at;
}

/**
 * json_unescape(raw, to):
 * Write the string ${raw} (without quotes, valid) without its escapes to
 * ${to}, which has room for raw.len bytes.  Return the length.  A lone
 * surrogate becomes U+FFFD.
 */
size_t json_unescape(struct slice raw, char *to);

/**
 * json_escaped(c), json_pair(high, low), json_utf8(to, code):
 * The byte that a backslash and ${c} stand for, 0 for `u` and for what is no
 * escape; the character of two \uXXXX, U+FFFD when they are no surrogates' pair;
 * write ${code} as UTF-8 to ${to} (at most 4 bytes) and return the end.
 */
char json_escaped(char c);
uint32_t json_pair(uint32_t high, uint32_t low);
char *json_utf8(char *to, uint32_t code);

/* The most bytes json_write needs for ${n} bytes of input, quotes included. */
#define JSON_WRITE_MAX(n) (6 * (n) + 2)

/**
 * json_write(to, text):
 * Write ${text} as a JSON string with its quotes: control characters, quotes
 * and backslashes escaped, each invalid UTF-8 sequence replaced by U+FFFD
 * (one for each maximal ill-formed part, as Unicode recommends, chapter 3).
 * ${to} has room for JSON_WRITE_MAX(text.len).  Return the end.
 */
char *json_write(char *to, struct slice text);

/**
 * json_write_raw(to, raw):
 * Write a JSON string whose content ${raw} is already escaped (as a scanner
 * returned it), mending invalid UTF-8 alone.  Same room, same return.
 */
char *json_write_raw(char *to, struct slice raw);

/* Bytes of a name, its escapes resolved, that json_name() keeps. */
#define JSON_NAME_BYTES 128

/**
 * json_name(to, name, escaped):
 * Write the canonical form of a name as a JSON string: its escapes resolved (when
 * it is ${escaped}), cut to JSON_NAME_BYTES, zero bytes (which a flattened field
 * refuses) replaced, UTF-8 mended, escaped again; `_` for an empty one.  Equal
 * names are equal bytes then.  ${to} has room for JSON_WRITE_MAX(JSON_NAME_BYTES).
 * Return the end.
 */
char *json_name(char *to, struct slice name, bool escaped);

/**
 * json_write_cut(to, text, escaped, most):
 * Write the first ${most} bytes of ${text} as a JSON string, by json_write_raw()
 * when it is ${escaped}, else by json_write(); no character and no escape is cut.
 */
char *json_write_cut(char *to, struct slice text, bool escaped, size_t most);

/**
 * json_mend(to, text, text_max):
 * Write the valid JSON value ${text} (no string of its own, no blanks around it)
 * as servers take it, at every depth: names by json_name(), of several members of
 * one name the last, strings cut to ${text_max} bytes, numbers of more than 1000
 * bytes as strings, UTF-8 mended.  Blanks and line breaks outside strings are
 * dropped: a bulk document is one line.  A value of more than 512 members in
 * objects that are open at a time is written as a string.  ${to} has room for as
 * many bytes as json_write() takes for ${text}, and a five-hundredth of its length
 * more.  Return the end.
 */
char *json_mend(char *to, struct slice text, size_t text_max);

#endif
