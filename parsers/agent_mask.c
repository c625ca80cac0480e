/*
 * The fingerprint of a failure: the hash of its text without the parts that
 * differ from one time to the next.  Text and JSON of one failure have the
 * same fingerprint.
 */
#include "agent.h"
#include "agent_trace.h"
#include "least.h"

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

/* The address behind the @ of an object's text (Task@1f), at the front of ${s}, or 0. */
static size_t
address_len(struct slice s)
{
	size_t n = 0;

	while (n < s.len && is_hex(s.at[n]))
		n++;
	return n < s.len && (is_alnum(s.at[n]) || s.at[n] == '_') ? 0 : n;
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
	bool at = false; /* behind an @ that ends a word or the name of an array's class */
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
		if (!word && is_hex(c) &&
		    ((at && (n = address_len(rest)) > 0) || (n = uuid_len(rest)) > 0 ||
			(n = hex_len(rest)) > 0)) {
			put(m, '#');
		} else if (is_digit(c)) {
			n = number_len(rest);
			put(m, '#');
		} else {
			n = 1;
			put(m, c);
		}
		at = c == '@' && (word || (i > 0 && s.at[i - 1] == ';'));
		word = is_alnum(s.at[i + n - 1]) || s.at[i + n - 1] == '_';
	}
}

/* ---- names of classes and methods: the parts that a compiler or a JVM numbers */

static bool
all(struct slice s, bool (*is)(char))
{
	for (size_t i = 0; i < s.len; i++) {
		if (!is(s.at[i]))
			return false;
	}
	return s.len > 0;
}

static void
put_all(struct masked *m, struct slice s)
{
	size_t n = least(s.len, m->cap - m->len);

	memcpy(m->at + m->len, s.at, n);
	m->len += n;
}

/*
 * True when the word is made anew with each start: a number or a hash behind a
 * dollar ($1, lambda$run$3, $$SpringCGLIB$$0, $$_jvst1a_0, $HibernateProxy$aB3), an
 * address behind a slash (Lambda/0x7f00).
 */
static bool
is_made(struct slice before, struct slice word)
{
	return (slice_ends(before, SLICE("$")) && all(word, is_digit)) ||
	       (slice_ends(before, SLICE("$$")) &&
		   (all(word, is_hex) || slice_starts(word, SLICE("_javassist_")) ||
		       slice_starts(word, SLICE("_jvst")))) ||
	       (slice_ends(before, SLICE("/")) &&
		   (slice_starts(word, SLICE("0x")) || all(word, is_digit))) ||
	       slice_ends(before, SLICE("HibernateProxy$")) ||
	       slice_ends(before, SLICE("ByteBuddy$")) || slice_ends(before, SLICE("MockitoMock$"));
}

/*
 * True when words of this stem are told by a number: $Proxy12, jdk.proxy2,
 * GeneratedMethodAccessor9, GeneratedIteratorForCodegenStage3; of compilers
 * run_closure1, run_aroundBody0, AjcClosure1; Groovy's Script1.
 */
static bool
is_numbered(struct slice before, struct slice stem)
{
	return (slice_eq(stem, SLICE("Proxy")) && slice_ends(before, SLICE("$"))) ||
	       (slice_eq(stem, SLICE("proxy")) && slice_ends(before, SLICE("jdk."))) ||
	       (slice_eq(stem, SLICE("Script")) && before.len == 0) ||
	       (slice_starts(stem, SLICE("Generated")) &&
		   (slice_ends(stem, SLICE("Accessor")) || slice_ends(stem, SLICE("Stage")))) ||
	       slice_ends(stem, SLICE("_closure")) || slice_ends(stem, SLICE("_aroundBody")) ||
	       slice_eq(stem, SLICE("AjcClosure"));
}

/* A word between dots, dollars and slashes. */
static void
mask_word(struct masked *m, struct slice before, struct slice word)
{
	struct slice stem = word;
	size_t digits = 0;

	while (stem.len > 0 && is_digit(stem.at[stem.len - 1]))
		stem.len--;
	while (digits < word.len && is_digit(word.at[digits]))
		digits++;
	if (is_made(before, word)) {
		put(m, '#');
	} else if (stem.len < word.len && is_numbered(before, stem)) {
		put_all(m, stem);
		put(m, '#');
	} else if (digits > 0 && slice_ends(before, SLICE("$"))) { /* a local class: $1Reader */
		put(m, '#');
		put_all(m, slice_from(word, digits));
	} else {
		put_all(m, word);
	}
}

/* Most names: nothing in them is numbered, or made by the JVM. */
static bool
is_plain(struct slice name)
{
	size_t i = 0;

	while (i < name.len && !is_digit(name.at[i]) && name.at[i] != '$')
		i++;
	return i == name.len;
}

static bool
is_mark(char c)
{
	return c == '.' || c == '$' || c == '/';
}

/* The number and the address of a lambda's class ($$Lambda$14/0x7f00) end at its method. */
static size_t
lambda_len(struct slice rest)
{
	size_t n = rest.len;

	if (rest.at[0] != '$' || !slice_starts(rest, SLICE("$$Lambda")))
		return 0;
	while (n > 0 && rest.at[n - 1] != '.')
		n--;
	return n > 0 ? n - 1 : rest.len;
}

static void
mask_name(struct masked *m, struct slice name)
{
	size_t i = 0;

	if (is_plain(name)) {
		put_all(m, name);
		return;
	}
	while (i < name.len) {
		struct slice rest = slice_from(name, i), before = { name.at, i };
		size_t n = lambda_len(rest);

		if (n > 0) {
			put_all(m, SLICE("$$Lambda"));
			i += n;
			continue;
		}
		if (is_mark(name.at[i])) {
			put(m, name.at[i++]);
			continue;
		}
		while (n < rest.len && !is_mark(rest.at[n]))
			n++;
		mask_word(m, before, (struct slice){ rest.at, n });
		i += n;
	}
}

/* ---- frames */

/* Without the :LINE:COLUMN that JavaScript writes behind a file. */
static struct slice
without_line(struct slice name)
{
	for (int i = 0; i < 2; i++) {
		size_t n = name.len;

		while (n > 0 && is_digit(name.at[n - 1]))
			n--;
		if (n == name.len || n == 0 || name.at[n - 1] != ':')
			break;
		name.len = n - 1;
	}
	return name;
}

/* The class and method of a frame, without file, line, module (java.base@17/) and loader (app//). */
static struct slice
frame_name(struct slice frame)
{
	const char *end = memchr(frame.at, '(', frame.len);
	struct slice name = { frame.at, end != NULL ? (size_t)(end - frame.at) : frame.len };
	size_t from = 0;

	name = without_line(slice_trim(name));
	for (size_t i = 0; i < name.len && name.at[i] != '$'; i++) {
		if (name.at[i] == '/' && i + 1 < name.len && !is_digit(name.at[i + 1]))
			from = i + 1;
	}
	return slice_from(name, from);
}

/* The JVM calls a method or a constructor by reflection in several ways, one after the other, and on its own. */
static bool
is_reflection(struct slice name)
{
	return slice_starts(name, SLICE("jdk.internal.reflect.")) ||
	       slice_starts(name, SLICE("sun.reflect.")) ||
	       slice_starts(name, SLICE("java.lang.reflect.Method.")) ||
	       slice_starts(name, SLICE("java.lang.reflect.Constructor.")) ||
	       slice_starts(name, SLICE("java.lang.invoke."));
}

char *
agent_fingerprint(char *to, uint64_t fingerprint)
{
	static const char hex[] = "0123456789abcdef", version[] = AGENT_FINGERPRINT_VERSION ":";

	memcpy(to, version, sizeof(version) - 1);
	to += sizeof(version) - 1;
	for (int shift = 60; shift >= 0; shift -= 4)
		*to++ = hex[fingerprint >> shift & 15];
	return to;
}

uint64_t
agent_mask_fingerprint(struct slice class, struct slice message, struct slice frames)
{
	struct masked m;
	unsigned n = 0;

	m.len = 0;
	m.cap = 512;
	mask_name(&m, class);
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
		line = frame_name(slice_from(line, 3));
		if (is_reflection(line))
			continue;
		put(&m, '\n');
		mask_name(&m, line);
		n++;
	}
	return XXH3_64bits(m.at, m.len);
}
