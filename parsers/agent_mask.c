/*
 * The fingerprint of a failure: the hash of its text without the parts that
 * differ from one time to the next.  Text and JSON of one failure have the
 * same fingerprint.
 */
#include "agent_trace.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#define ROOM 2048 /* bytes that are hashed; failures do not differ in later ones */
#define MESSAGE_ROOM 768
#define FRAMES 5

struct masked {
	char at[ROOM];
	size_t len, cap;
};

static void
put(struct masked *m, char c)
{
	if (m->len < m->cap)
		m->at[m->len++] = c;
}

static bool
is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

static bool
is_alnum(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (unsigned char)c >= 0x80;
}

static bool
is_hex(char c)
{
	return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* The length of the UUID that ${s} begins with, or 0. */
static size_t
uuid_len(struct slice s)
{
	if (s.len < 36 || (s.len > 36 && is_alnum(s.at[36])))
		return 0;
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s.at[i] != '-' : !is_hex(s.at[i]))
			return 0;
	}
	return 36;
}

/* 0x1f, or a word of six hex digits or more of which one is a number, at the front of ${s}. */
static size_t
hex_len(struct slice s)
{
	size_t n = 0, digits = 0;

	if (s.len > 2 && s.at[0] == '0' && s.at[1] == 'x')
		for (n = 2; n < s.len && is_hex(s.at[n]);)
			n++;
	else
		for (; n < s.len && is_hex(s.at[n]); n++)
			digits += is_digit(s.at[n]);
	if (n < s.len && (is_alnum(s.at[n]) || s.at[n] == '_'))
		return 0;
	return n > 2 && (s.at[1] == 'x' || (n >= 6 && digits > 0)) ? n : 0;
}

/* Digits, and more of them behind points, commas and colons. */
static size_t
number_len(struct slice s)
{
	size_t n = 0;

	while (n < s.len && (is_digit(s.at[n]) || (n > 0 && strchr(".,:", s.at[n]) != NULL &&
						      n + 1 < s.len && is_digit(s.at[n + 1]))))
		n++;
	return n;
}

/* The end of the quoted text that begins at ${i}, behind its quote; 0: it has none. */
static size_t
quoted_end(struct slice s, size_t i)
{
	for (size_t j = i + 1; j < s.len; j++) {
		if (s.at[j] == '\\')
			j++;
		else if (s.at[j] == s.at[i] &&
			 (s.at[i] != '\'' || j + 1 == s.len || !is_alnum(s.at[j + 1])))
			return j + 1;
	}
	return 0;
}

/* The length of `key=value` at the front of ${s}, or 0. */
static size_t
pair_len(struct slice s)
{
	size_t n = 0;

	while (
	    n < s.len && (is_alnum(s.at[n]) || s.at[n] == '_' || s.at[n] == '.' || s.at[n] == '-'))
		n++;
	if (n == 0 || n == s.len || s.at[n] != '=')
		return 0;
	n++;
	if (n < s.len && s.at[n] == '"') {
		size_t end = quoted_end(s, n);

		if (end != 0)
			return end;
	}
	while (n < s.len && (unsigned char)s.at[n] > ' ')
		n++;
	return n;
}

static void
mask_message(struct masked *m, struct slice s)
{
	bool word = false, start = true; /* within a word; at the start of one between blanks */
	unsigned quotes = 0;

	s = slice_cut(s, MESSAGE_ROOM);
	for (size_t i = 0, n; i < s.len; i += n) {
		struct slice rest = slice_from(s, i);
		char c = s.at[i];

		n = 1;
		if ((unsigned char)c <= ' ') {
			start = true;
			word = false;
			continue;
		}
		if (start && (n = pair_len(rest)) > 0)
			continue;
		if (start && m->len > 0 && m->at[m->len - 1] != '\n')
			put(m, ' ');
		start = false;
		if ((c == '"' || c == '\'' || c == '`') && !word && quotes < 64 &&
		    (quotes++, n = quoted_end(s, i)) > 0) {
			n -= i;
			put(m, '?');
			continue;
		}
		if (!word && is_hex(c) && ((n = uuid_len(rest)) > 0 || (n = hex_len(rest)) > 0)) {
			put(m, '#');
		} else if (is_digit(c)) {
			n = number_len(rest);
			put(m, '#');
		} else {
			n = 1;
			put(m, c);
		}
		word = is_alnum(s.at[i + n - 1]) || s.at[i + n - 1] == '_';
	}
}

/* The method of a frame: no file, no line, no number of a lambda. */
static void
mask_frame(struct masked *m, struct slice line)
{
	for (size_t i = 0; i < line.len && line.at[i] != '('; i++) {
		char c = line.at[i];

		if (c == '\r')
			continue;
		if (is_digit(c) && m->len > 0 && m->at[m->len - 1] == '#')
			continue;
		put(m, is_digit(c) ? '#' : c);
	}
}

uint64_t
agent_mask_fingerprint(struct slice class, struct slice message, struct slice frames)
{
	struct masked m;
	unsigned n = 0;

	m.len = 0;
	m.cap = 512;
	for (size_t i = 0; i < class.len; i++)
		put(&m, class.at[i]);
	m.cap = ROOM;
	put(&m, '\n');
	m.cap = m.len + MESSAGE_ROOM;
	mask_message(&m, message);
	m.cap = ROOM;
	while (frames.len > 0 && n < FRAMES) {
		const char *newline = memchr(frames.at, '\n', frames.len);
		size_t len = newline == NULL ? frames.len : (size_t)(newline - frames.at);
		struct slice line = { frames.at, len };

		frames = slice_from(frames, newline == NULL ? len : len + 1);
		while (line.len > 0 && (line.at[0] == ' ' || line.at[0] == '\t'))
			line = slice_from(line, 1);
		if (!slice_starts(line, SLICE("at ")))
			break;
		put(&m, '\n');
		mask_frame(&m, slice_from(line, 3));
		n++;
	}
	return XXH3_64bits(m.at, m.len);
}
