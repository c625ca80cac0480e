/*
 * The lines of one record.  Each line has a class, by its begin; a table has
 * the effect of each class on the open record.
 */
#include "trace.h"

#include "ansi.h"

enum line_class {
	LINE_START,     /* a date, a level, JSON: begins a record, whatever was open */
	LINE_TEXT,      /* any other line */
	LINE_EMPTY,     /* nothing */
	LINE_EXCEPTION, /* java.lang.IllegalStateException: text */
	LINE_FRAME,     /* \tat …, \t... 12 more */
	LINE_CAUSE,     /* Caused by: …, \tSuppressed: … */
	LINE_STATUS,    /* 08:00:00,123 |-WARN in ch.qos.logback… */
	LINE_CLASSES,
};

enum {
	OPEN_NONE,   /* no record */
	OPEN_LINE,   /* one line, that a trace may follow */
	OPEN_EMPTY,  /* a line, and an empty one that waits for an exception */
	OPEN_THROWN, /* an exception, whose message may go on */
	OPEN_TRACE,  /* a trace, behind its first frame */
	OPENS,
};

/* A class that the table does not have begins a new record. */
static const struct {
	uint8_t open, line, verdict, next;
} moves[] = {
	{ OPEN_LINE, LINE_EMPTY, TRACE_HOLD, OPEN_EMPTY },
	{ OPEN_LINE, LINE_EXCEPTION, TRACE_JOIN, OPEN_THROWN },
	{ OPEN_LINE, LINE_FRAME, TRACE_JOIN, OPEN_TRACE },
	{ OPEN_LINE, LINE_CAUSE, TRACE_JOIN, OPEN_THROWN },
	{ OPEN_EMPTY, LINE_EXCEPTION, TRACE_JOIN, OPEN_THROWN },
	{ OPEN_THROWN, LINE_TEXT, TRACE_JOIN, OPEN_THROWN },
	{ OPEN_THROWN, LINE_FRAME, TRACE_JOIN, OPEN_TRACE },
	{ OPEN_THROWN, LINE_CAUSE, TRACE_JOIN, OPEN_THROWN },
	{ OPEN_THROWN, LINE_STATUS, TRACE_JOIN, OPEN_THROWN },
	{ OPEN_TRACE, LINE_FRAME, TRACE_JOIN, OPEN_TRACE },
	{ OPEN_TRACE, LINE_CAUSE, TRACE_JOIN, OPEN_THROWN },
	{ OPEN_TRACE, LINE_STATUS, TRACE_JOIN, OPEN_TRACE },
};

/* The state of a record that begins with a line of the class. */
static const uint8_t begins[LINE_CLASSES] = {
	[LINE_START] = OPEN_LINE,
	[LINE_TEXT] = OPEN_LINE,
	[LINE_EMPTY] = OPEN_NONE,
	[LINE_EXCEPTION] = OPEN_THROWN,
	[LINE_FRAME] = OPEN_TRACE,
	[LINE_CAUSE] = OPEN_THROWN,
	[LINE_STATUS] = OPEN_LINE,
};

static bool
is_word(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$';
}

/* A class name with a package that ends in Exception, Error or the like, followed by `:`, the end of a colour, or the end of the line. */
static bool
is_throwable(struct slice s)
{
	static const struct slice ends[] = { SLICE("Exception"), SLICE("Error"), SLICE("Throwable"),
		SLICE("Failure"), SLICE("Fault"), SLICE("ThreadDeath") };
	size_t n = 0, dots = 0;

	while (n < s.len && (is_word((unsigned char)s.at[n]) || s.at[n] == '.'))
		dots += s.at[n++] == '.';
	if (dots == 0 || (n < s.len && s.at[n] != ':' && s.at[n] != '\r' && s.at[n] != 0x1b) ||
	    (s.at[0] >= '0' && s.at[0] <= '9'))
		return false;
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		if (slice_ends((struct slice){ s.at, n }, ends[i]))
			return true;
	}
	return false;
}

static bool
is_exception(struct slice s)
{
	const char *quote;

	if (slice_starts(s, SLICE("Exception in thread \""))) {
		s = slice_from(s, 21);
		quote = memchr(s.at, '"', s.len);
		if (quote == NULL || (size_t)(quote - s.at) + 2 > s.len)
			return false;
		s = slice_from(s, (size_t)(quote - s.at) + 2);
	}
	return is_throwable(s);
}

/* 08:00:00,123 |-LEVEL in …: a status message of logback's. */
static bool
is_status(struct slice s)
{
	return s.len > 15 && s.at[2] == ':' && s.at[5] == ':' && s.at[8] == ',' &&
	       memcmp(s.at + 12, " |-", 3) == 0;
}

/* The class of an indented line: LINE_FRAME, LINE_CAUSE or LINE_TEXT. */
static enum line_class
frame_class(struct slice s)
{
	size_t blanks = 0;

	while (blanks < s.len && (s.at[blanks] == ' ' || s.at[blanks] == '\t'))
		blanks++;
	s = slice_from(s, blanks);
	if (slice_starts(s, SLICE("Caused by: ")) || slice_starts(s, SLICE("Wrapped by: ")))
		return LINE_CAUSE;
	if (blanks == 0)
		return LINE_TEXT;
	if (slice_starts(s, SLICE("at ")) || slice_starts(s, SLICE("... ")) ||
	    slice_starts(s, SLICE("[CIRCULAR REFERENCE")))
		return LINE_FRAME;
	return slice_starts(s, SLICE("Suppressed: ")) ? LINE_CAUSE : LINE_TEXT;
}

/* A word of a level at the beginning, as in `ERROR [main] …`. */
static bool
is_level(struct slice s)
{
	static const struct slice levels[] = { SLICE("TRACE"), SLICE("DEBUG"), SLICE("INFO"),
		SLICE("WARN"), SLICE("ERROR"), SLICE("FATAL"), SLICE("SEVERE"), SLICE("WARNING") };

	for (size_t i = 0; i < sizeof(levels) / sizeof(*levels); i++) {
		if (slice_starts(s, levels[i]) &&
		    (s.len == levels[i].len || !is_word((unsigned char)s.at[levels[i].len])))
			return true;
	}
	return false;
}

static enum line_class
classify(struct slice s)
{
	enum line_class class;
	unsigned char c;

	s = slice_from(s, ansi_skip(s));
	if (s.len == 0 || (s.len == 1 && s.at[0] == '\r'))
		return LINE_EMPTY;
	c = (unsigned char)s.at[0];
	if (c >= '0' && c <= '9')
		return is_status(s) ? LINE_STATUS : LINE_START;
	if (c == '{' || c == '[')
		return LINE_START;
	if (c == ' ' || c == '\t' || c == 'C' || c == 'W') {
		class = frame_class(s);
		if (class != LINE_TEXT)
			return class;
	}
	if (is_exception(s))
		return LINE_EXCEPTION;
	return is_level(s) ? LINE_START : LINE_TEXT;
}

enum trace_verdict
trace_line(trace_state *state, struct slice line)
{
	enum line_class class = classify(line);

	if (class != LINE_START && *state != OPEN_NONE) {
		for (size_t i = 0; i < sizeof(moves) / sizeof(*moves); i++) {
			if (moves[i].open == *state && moves[i].line == class) {
				*state = moves[i].next;
				return (enum trace_verdict)moves[i].verdict;
			}
		}
	}
	*state = begins[class];
	return TRACE_NEW;
}

bool
trace_closed(char first, char last)
{
	return first == '{' && last == '}';
}
