/* The class of a line, by its begin: a header of any layout, a part of a trace, or text. */
#include "trace_class.h"

#include "agent_head.h"
#include "agent_reading.h"
#include "ansi.h"
#include "trace.h"

/* ---- parts of lines */

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_word(char c)
{
	return is_letter(c) || is_digit(c) || c == '_' || c == '$' || (c & 0x80) != 0;
}

static size_t
blanks_of(struct slice s)
{
	size_t n = 0;

	while (n < s.len && is_blank(s.at[n]))
		n++;
	return n;
}

struct prefix {
	struct slice text;
	enum line_class class;
};

/* The class that the begin of a line, which is not empty, gives. */
static bool
by_prefix(const struct prefix *list, size_t n, struct slice s, enum line_class *class)
{
	for (size_t i = 0; i < n; i++) {
		if (s.at[0] == list[i].text.at[0] && slice_starts(s, list[i].text)) {
			*class = list[i].class;
			return true;
		}
	}
	return false;
}

/* Nothing, or blanks, a colour's end: what may stand behind a name that is alone. */
static bool
is_end(struct slice s)
{
	size_t n = blanks_of(s);

	return n == s.len || s.at[n] == '\r' || s.at[n] == 0x1b;
}

/* A name's part that says that it is thrown. */
static bool
is_thrown(struct slice part)
{
	static const struct slice ends[] = { SLICE("Exception"), SLICE("Error"), SLICE("Throwable"),
		SLICE("Failure"), SLICE("Fault"), SLICE("ThreadDeath"), SLICE("Problem"),
		SLICE("Exceptions"), SLICE("ExceptionInfo"), SLICE("Errors") };

	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends) && part.len > 0; i++) {
		if (part.at[part.len - 1] == ends[i].at[ends[i].len - 1] &&
		    slice_ends(part, ends[i]))
			return true;
	}
	return false;
}

size_t
trace_thrown(struct slice s, bool *thrown)
{
	size_t n = 0, part = 0, dots = 0;
	bool any = false;

	while (n < s.len && (is_word(s.at[n]) || s.at[n] == '.')) {
		if (s.at[n] == '.' || s.at[n] == '$') {
			any |= is_thrown((struct slice){ s.at + part, n - part });
			part = n + 1;
			dots += s.at[n] == '.';
		}
		n++;
	}
	*thrown = any || is_thrown((struct slice){ s.at + part, n - part });
	if (n == 0 || is_digit(s.at[0]) || s.at[0] == '.' || s.at[n - 1] == '.' ||
	    (dots == 0 && !*thrown))
		return 0;
	return n;
}

/* A class, with or without a package, and its message or nothing. */
static bool
is_named(struct slice s, enum line_class *class)
{
	bool thrown;
	size_t n = trace_thrown(s, &thrown);
	struct slice name = { s.at, n };

	if (n == 0 || !(is_end(slice_from(s, n)) || s.at[n] == ':'))
		return false;
	if (memchr(name.at, '.', n) == NULL)
		*class = LINE_SHORT;
	else
		*class = thrown ? LINE_EXCEPTION : LINE_NAME;
	return true;
}

/* ---- lines with a number, a date, a bracket first */

/* 08:00:00,123 |-LEVEL in …: a status message of logback's. */
static bool
is_status(struct slice s)
{
	return s.len > 15 && s.at[2] == ':' && s.at[5] == ':' && s.at[8] == ',' &&
	       memcmp(s.at + 12, " |-", 3) == 0;
}

/* The length of a date, a time, or both, in any order of their numbers: 26/11/22 08:00:00. */
static size_t
date_len(struct slice s)
{
	size_t n = 0, digits = 0, marks = 0;

	if (agent_head_is_stamp(s)) { /* nearly every header */
		n = STAMP_LEN;
		digits = 14;
		marks = 4;
	}
	while (n < s.len && n < 40) {
		char c = s.at[n];

		if (is_digit(c)) {
			digits++;
		} else if (c == ':' || c == '-' || c == '/') {
			marks++;
		} else if (c == '.' || c == ',' || c == '+' || c == ' ') {
			; /* between them */
		} else if (is_letter(c) && n + 3 < s.len && n > 0 && digits < 6 &&
			   (s.at[n - 1] == '-' || s.at[n - 1] == '/' || s.at[n - 1] == ' ') &&
			   s.at[n - 1] == s.at[n + 3]) {
			n += 2; /* a month's name */
		} else if (c != 'Z' && !(c == 'T' && n + 1 < s.len && is_digit(s.at[n + 1]))) {
			break;
		}
		n++;
	}
	return digits >= 6 && (marks >= 2 || digits >= 12) ? n : 0;
}

/* The level that a word is, its brackets and colons taken off; small letters only within them. */
static enum level
level_of(struct slice word)
{
	bool marked = false;

	while (word.len > 0 && !is_letter(word.at[0])) {
		marked |= word.at[0] == '[' || word.at[0] == '<';
		word = slice_from(word, 1);
	}
	while (word.len > 0 && !is_letter(word.at[word.len - 1]))
		marked |= word.at[--word.len] == ':';
	return marked || agent_head_is_upper(word) ? agent_head_level(word) : LEVEL_NONE;
}

#define WORDS 16  /* between a date and its level … */
#define STRANGE 2 /* … that are no keys and not in brackets */

/* The level behind a date: among a few words, groups in brackets, keys. */
static enum level
level_behind(struct slice s)
{
	unsigned strange = 0;

	if (slice_starts(s, SLICE("INFO "))) /* half of all headers */
		return LEVEL_INFO;
	if (slice_starts(s, SLICE("DEBUG ")))
		return LEVEL_DEBUG;
	for (unsigned i = 0; i < WORDS && strange <= STRANGE; i++) {
		enum level level;
		char close;
		size_t n;

		while ((n = blanks_of(s)) > 0 || (n = ansi_skip(s)) > 0)
			s = slice_from(s, n);
		if (s.len == 0)
			break;
		close = s.at[0] == '[' ? ']' : ' ';
		for (n = 1; n < s.len && s.at[n] != close && s.at[n] != 0x1b && n < 256;)
			n++;
		n += close == ']' && n < s.len;
		level = level_of((struct slice){ s.at, n });
		if (level != LEVEL_NONE)
			return level;
		strange += close == ' ' && is_word(s.at[0]) && memchr(s.at, '=', n) == NULL;
		s = slice_from(s, n);
	}
	return LEVEL_NONE;
}

/* `LEVEL …`, `[LEVEL] …`. */
static enum level
level_first(struct slice s, struct slice *rest)
{
	bool bracket = s.at[0] == '[';
	struct slice word = slice_from(s, bracket);
	size_t n = 0;

	while (n < word.len && n < 12 && is_letter(word.at[n]))
		n++;
	*rest = slice_from(word, n);
	if (bracket ? (rest->len == 0 || rest->at[0] != ']')
		    : (rest->len > 0 && is_word(rest->at[0])))
		return LEVEL_NONE;
	word.len = n;
	return agent_head_is_upper(word) ? agent_head_level(word) : LEVEL_NONE;
}

/* One whole object; one that a runtime cut, too. */
static bool
is_object(struct slice s)
{
	size_t n;

	while (s.len > 0 && (is_blank(s.at[s.len - 1]) || s.at[s.len - 1] == '\r'))
		s.len--;
	if (s.len < 2 || (s.at[s.len - 1] != '}' && s.len < 4096))
		return false;
	n = 1 + blanks_of(slice_from(s, 1));
	return n < s.len && (s.at[n] == '"' || (s.at[n] == '}' && n == s.len - 1));
}

/* A header that begins with a date; its level decides if further lines are held. */
static bool
is_dated(struct slice s, uint8_t *state)
{
	struct slice rest = slice_from(s, s.at[0] == '[');
	size_t n = date_len(rest);
	enum level level;

	n += n > 0 && n < rest.len && rest.at[n] == ']';
	level = n > 0 ? level_behind(slice_from(rest, n)) : LEVEL_NONE;
	if (level == LEVEL_NONE)
		return false;
	*state = DATED | (level >= LEVEL_WARN ? OPEN_LOUD : OPEN_LINE);
	return true;
}

static bool
is_level(struct slice s, enum line_class *class, uint8_t *state)
{
	struct slice rest;
	enum level level = level_first(s, &rest);

	if (level == LEVEL_NONE)
		return false;
	*class = slice_starts(rest, SLICE(" in ch.qos.logback")) ? LINE_STATUS : LINE_LEVEL;
	*state = level >= LEVEL_WARN && *class == LINE_LEVEL ? OPEN_LOUD : OPEN_LINE;
	return true;
}

/* ---- parts of traces */

/* `at a.B.c(B.java:1)`, though nothing stands before it. */
static bool
is_call(struct slice s)
{
	size_t n = 3;

	while (n < s.len && !is_blank(s.at[n]) && s.at[n] != '(')
		n++;
	return n < s.len && n > 3 && s.at[n] == '(' && memchr(s.at, '.', n) != NULL;
}

/* "main" #1 prio=5 …: a thread of a dump. */
static bool
is_thread(struct slice s)
{
	const char *quote = s.len > 2 ? memchr(s.at + 1, '"', s.len - 1) : NULL;
	struct slice rest;

	if (s.len == 0 || s.at[0] != '"' || quote == NULL)
		return false;
	rest = slice_from(s, (size_t)(quote - s.at) + 1);
	return slice_starts(rest, SLICE(" #")) || slice_starts(rest, SLICE(" prio=")) ||
	       slice_starts(rest, SLICE(" os_prio=")) || slice_starts(rest, SLICE(" daemon prio="));
}

/* app.rb:3:in `call', of Ruby; with a message behind it when it is the first line. */
static bool
is_ruby(struct slice s, enum line_class *class)
{
	const char *in = memmem(s.at, s.len < 512 ? s.len : 512, ":in ", 4);
	struct slice rest;

	if (in == NULL || in == s.at || !is_digit(in[-1]))
		return false;
	rest = slice_from(s, (size_t)(in - s.at) + 4);
	if (rest.len < 2 || (rest.at[0] != '`' && rest.at[0] != '\''))
		return false;
	*class = memmem(rest.at, rest.len, "': ", 3) != NULL ? LINE_EXCEPTION : LINE_FRAME;
	return true;
}

/* /app/main.js:10, alone: Node's, before the text of the line that failed. */
static bool
is_place(struct slice s)
{
	size_t n = s.len;

	if (!slice_starts(s, SLICE("/")) && !slice_starts(s, SLICE("node:")) &&
	    !slice_starts(s, SLICE("file:///")))
		return false;
	while (n > 0 && is_digit(s.at[n - 1]))
		n--;
	return n < s.len && n > 1 && s.at[n - 1] == ':' && memchr(s.at, ' ', s.len) == NULL;
}

static bool
is_part(struct slice s, size_t blanks, enum line_class *class)
{
	static const struct prefix any[] = {
		{ SLICE("Caused by:"), LINE_CAUSE },
		{ SLICE("Wrapped by:"), LINE_CAUSE },
		{ SLICE("Causing:"), LINE_CAUSE },
		{ SLICE("[CIRCULAR REFERENCE"), LINE_FRAME },
		{ SLICE("Suppressed: "), LINE_CAUSE },
		{ SLICE("Traceback (most recent call last)"), LINE_OPENING },
		{ SLICE("During handling of the above exception"), LINE_CAUSE },
		{ SLICE("The above exception was the direct cause"), LINE_CAUSE },
		{ SLICE("Full thread dump "), LINE_EXCEPTION },
		{ SLICE("JNI global ref"), LINE_FRAME },
		{ SLICE("goroutine "), LINE_FRAME },
		{ SLICE("panic: "), LINE_SHORT },
		{ SLICE("fatal error: "), LINE_SHORT },
		{ SLICE("Node.js v"), LINE_FRAME },
	};
	static const struct prefix indented[] = {
		{ SLICE("at "), LINE_FRAME }, { SLICE("... "), LINE_FRAME },
		{ SLICE("File \""), LINE_OPENING }, /* Python's: its exception stands last */
	};

	if (blanks > 0 && by_prefix(indented, sizeof(indented) / sizeof(*indented), s, class))
		return true;
	if (by_prefix(any, sizeof(any) / sizeof(*any), s, class)) {
		if (*class != LINE_FRAME || s.at[0] != 'g')
			return true;
		return memmem(s.at, s.len, " [", 2) != NULL;
	}
	*class = LINE_FRAME;
	if (slice_starts(s, SLICE("at ")) && is_call(s))
		return true;
	if (slice_starts(s, SLICE("... ")) && s.len > 4 && is_digit(s.at[4]))
		return true;
	if (blanks > 0 && s.at[0] == '/' && memmem(s.at, s.len, ".go:", 4) != NULL)
		return true;
	*class = LINE_OPENING;
	return slice_ends(s, SLICE("nested exception is:")) ||
	       slice_ends(s, SLICE("nested exception is: "));
}

/* ---- the class of a line */

static enum line_class
classify_indented(struct slice s, size_t blanks)
{
	enum line_class class;

	if (is_part(s, blanks, &class))
		return class;
	if (slice_starts(s, SLICE("from ")) && is_ruby(slice_from(s, 5), &class))
		return LINE_FRAME;
	if (is_named(s, &class) && class == LINE_EXCEPTION)
		return LINE_NESTED;
	return LINE_INDENTED;
}

static bool
is_closing(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (memchr("}]),; \r", s.at[i], 7) == NULL)
			return false;
	}
	return true;
}

/* Dropwizard puts a mark before each line of a trace. */
static struct slice
without_mark(struct slice s)
{
	return slice_starts(s, SLICE("! ")) ? slice_from(s, 2) : s;
}

struct slice
trace_bare(struct slice line)
{
	line = without_mark(line);
	return slice_from(line, blanks_of(line));
}

enum line_class
trace_class(struct slice s, uint8_t *state)
{
	enum line_class class;
	size_t blanks;

	s = without_mark(slice_from(s, ansi_skip(s)));
	blanks = blanks_of(s);
	s = slice_from(s, blanks);
	if (s.len == 0 || s.at[0] == '\r')
		return LINE_EMPTY;
	if (blanks > 0)
		return classify_indented(s, blanks);
	if (is_digit(s.at[0]) && is_status(s))
		return LINE_STATUS;
	if ((is_digit(s.at[0]) || s.at[0] == '[') && is_dated(s, state))
		return LINE_HEADER;
	if (s.at[0] == '{')
		return is_object(s) ? LINE_HEADER : LINE_TEXT;
	if (is_digit(s.at[0]))
		return LINE_TEXT;
	if (slice_starts(s, SLICE("Exception in thread \""))) {
		*state = OPEN_THROWN;
		return LINE_HEADER;
	}
	if (is_level(s, &class, state) || is_part(s, 0, &class) || is_named(s, &class) ||
	    is_ruby(s, &class))
		return class;
	if (is_thread(s))
		return LINE_FRAME;
	if (is_place(s))
		return LINE_SHORT;
	return is_closing(s) ? LINE_INDENTED : LINE_TEXT;
}
