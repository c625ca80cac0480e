/*
 * The layouts of text, by the header before the message.
 *
 *	2026-11-22 08:00:00.001 INFO  [task-3] c.m.agent.Task - message		logback
 *	08:00:00.001 [task-3] INFO  c.m.agent.Task - message			logback
 *	2026-11-22T08:00:00.001Z user=x  INFO 1 --- [app] [task-3] c.m.Task : message	spring
 *	2026-11-22 08:00:00,001 - exporter - INFO - message			python
 *	ERROR: message								text
 *
 * Any other text is a message as a whole.
 */
#include "agent_head.h"
#include "agent_reading.h"
#include "agent_trace.h"
#include "bytes.h"

#define TOKENS_MAX 16 /* between the time and the level */
#define GROUPS_MAX 4
#define GROUP_MAX 256 /* bytes of a thread's name */

/* The parts of the header recognised so far. */
struct header {
	struct slice time, logger, thread, name;
	enum level level;
	bool dashed; /* the level stands between ` - `: Python */
	bool spring;
};

static inline struct slice
skip_blanks(struct slice s)
{
	while (s.len > 0 && is_blank(s.at[0]))
		s = slice_from(s, 1);
	return s;
}

/* The word up to the next blank, taken off ${s}. */
static inline struct slice
take_token(struct slice *s)
{
	size_t n = bytes_find(*s, ' ', '\t');

	*s = slice_from(*s, n);
	return (struct slice){ s->at - n, n };
}

/* ---- parts */

/* The inside of `[…]` at the front of ${s}, taken off; a bracket within is passed. */
static bool
take_group(struct slice *s, struct slice *group)
{
	size_t i = 0;

	if (s->len < 2 || s->at[0] != '[')
		return false;
	do {
		i++;
		i += bytes_find(slice_from(*s, i), ']', ']');
		if (i >= s->len || i > GROUP_MAX)
			return false;
	} while (i + 1 < s->len && !is_blank(s->at[i + 1]));
	*group = skip_blanks((struct slice){ s->at + 1, i - 1 });
	while (group->len > 0 && is_blank(group->at[group->len - 1]))
		group->len--;
	*s = skip_blanks(slice_from(*s, i + 1));
	return true;
}

/* The logger and the ` - ` or ` : ` behind it, taken off ${s}. */
static bool
take_logger(struct slice *s, struct slice *logger)
{
	struct slice rest = *s, name = take_token(&rest);

	rest = skip_blanks(rest);
	if (name.len == 0 || name.len > 256 || rest.len == 0 ||
	    (rest.at[0] != '-' && rest.at[0] != ':') || (rest.len > 1 && !is_blank(rest.at[1])))
		return false;
	if (bytes_have(
		(struct slice){ name.at, (size_t)(s->at + s->len - name.at) }, name.len, '='))
		return false; /* a key */
	*logger = name;
	*s = skip_blanks(slice_from(rest, 1));
	return true;
}

/* Ids of a trace: hex digits, dashes, commas. */
static bool
is_correlation(struct slice s)
{
	size_t digits = 0;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		digits += is_digit(c);
		if (!is_digit(c) && c != '-' && c != ',' && c != ' ' &&
		    !((c | 0x20) >= 'a' && (c | 0x20) <= 'f'))
			return false;
	}
	return s.len == 0 || (s.len >= 16 && digits > 0);
}

/* `1 --- [app] [thread] [trace ids] logger : `, taken off ${s}. */
static bool
take_spring(struct slice *s, struct header *h)
{
	struct slice rest = *s, groups[GROUPS_MAX], pid = take_token(&rest);
	unsigned n = 0;

	for (size_t i = 0; i < pid.len; i++)
		if (!is_digit(pid.at[i]))
			return false;
	rest = skip_blanks(rest);
	if (rest.len < 4 || !slice_starts(rest, SLICE("---")) || !is_blank(rest.at[3]))
		return false;
	rest = skip_blanks(slice_from(rest, 3));
	while (n < GROUPS_MAX && take_group(&rest, &groups[n]))
		n++;
	if (n > 1 && is_correlation(groups[n - 1]))
		n--;
	if (!take_logger(&rest, &h->logger))
		return false;
	if (n > 0)
		h->thread = groups[n - 1];
	h->spring = true;
	*s = rest;
	return true;
}

/*
 * The rest of the header behind the level, taken off ${s}: Spring's, with or
 * without a group before it; `[thread] [more] logger - `; a thread alone.
 */
static void
take_origin(struct slice *s, struct header *h, const struct agent_words *words)
{
	struct slice rest = *s, after = *s, group, first = { NULL, 0 };
	unsigned n = 0;

	while (n < GROUPS_MAX && take_group(&rest, &group)) {
		if (n++ == 0) {
			first = group;
			after = rest;
		}
	}
	if (n < 2 && rest.len > 0 && is_digit(rest.at[0]) && take_spring(&rest, h)) {
		*s = rest;
	} else if (take_logger(&rest, &h->logger)) {
		if (n > 0 && h->thread.len == 0)
			h->thread = first;
		*s = rest;
	} else if (n > 0 && h->thread.len == 0 && word_find(&words->events, first) == NULL &&
		   bytes_find(first, '=', ':') == first.len) {
		h->thread = first;
		*s = after;
	}
}

/* ---- headers */

/* The level as the next part of ${s}, taken off: a word, in brackets, before a colon. */
static enum level
take_level(struct slice *s, bool any_case)
{
	struct slice rest = *s, word;
	enum level level;

	if (rest.len > 0 && rest.at[0] == '[') {
		if (!take_group(&rest, &word))
			return LEVEL_NONE;
		any_case = true;
	} else {
		word = take_token(&rest);
		if (word.len > 1 && word.at[word.len - 1] == ':') {
			word.len--;
			any_case = true;
		}
	}
	level = agent_head_level(word);
	if (level == LEVEL_NONE || (!any_case && !agent_head_is_upper(word)))
		return LEVEL_NONE;
	*s = skip_blanks(rest);
	return level;
}

/* True when the text behind a level's word proves that the word is a level. */
static bool
is_spring(struct slice rest, struct header h)
{
	return take_spring(&rest, &h);
}

/* Read on from the time to the level.  Return false when there is no level. */
static bool
find_level(struct slice *s, struct header *h)
{
	struct slice rest = *s;
	unsigned strange = 0; /* words that are no usual part of a header */
	bool dash = false;

	for (unsigned i = 0; i < TOKENS_MAX && rest.len > 0; i++) {
		struct slice before = rest, word;

		h->level = take_level(&rest, strange == 0 && dash);
		if (h->level != LEVEL_NONE) {
			h->dashed = dash && slice_starts(rest, SLICE("- "));
			*s = rest;
			return strange == 0 || (h->dashed && strange == 1) || is_spring(rest, *h);
		}
		rest = before;
		dash = false;
		if (take_group(&rest, &word)) {
			if (h->thread.len == 0 && memchr(word.at, '=', word.len) == NULL)
				h->thread = word;
			continue;
		}
		word = take_token(&rest);
		rest = skip_blanks(rest);
		if (slice_eq(word, SLICE("-"))) {
			dash = true;
		} else if (memchr(word.at, '=', word.len) == NULL) {
			h->name = word;
			strange++;
		}
	}
	h->level = LEVEL_NONE;
	return false;
}

/* 10.0.0.1 - - [22/Nov/2026:08:00:00 +0000] "GET /metrics HTTP/1.1" 200 - */
static bool
is_access_line(struct slice line)
{
	struct slice s = slice_cut(line, 128);
	const char *dashes = memmem(s.at, s.len, " - - [", 6);

	return dashes != NULL && memchr(s.at, ' ', s.len) == dashes && s.at + s.len - dashes > 8 &&
	       is_digit(dashes[6]) && is_digit(dashes[7]) && dashes[8] == '/';
}

/* Keys of the header (the logger's context), between ${from} and ${to}. */
static void
header_keys(struct reading *r, struct slice from, struct slice to)
{
	size_t n = (size_t)(to.at - from.at);

	if (bytes_have(from, n, '='))
		agent_scan_keys(r, (struct slice){ from.at, n });
}

/* Take the header off ${line}, which leaves the message. */
static struct slice
take_header(struct reading *r, struct slice line, struct header *h)
{
	struct slice s = skip_blanks(line), after;
	bool bracket = s.len > 0 && s.at[0] == '[';
	size_t n = agent_head_time(slice_from(s, bracket));

	if (n > 0) {
		h->time = (struct slice){ s.at + bracket, n };
		s = slice_from(s, bracket + n);
		if (bracket && s.len > 0 && s.at[0] == ']')
			s = slice_from(s, 1);
		s = skip_blanks(s);
		after = s;
		if (!find_level(&s, h)) {
			h->level = LEVEL_NONE;
			h->thread = (struct slice){ NULL, 0 };
			return after;
		}
		header_keys(r, after, s);
	} else {
		h->level = take_level(&s, false);
		if (h->level == LEVEL_NONE)
			return line;
	}
	if (h->dashed) {
		h->logger = h->name;
		return skip_blanks(slice_from(s, 1));
	}
	after = s;
	take_origin(&s, h, r->words);
	header_keys(r, after, s);
	return s;
}

static const char *
encoding_of(const struct header *h, struct slice line)
{
	if (h->spring)
		return "spring";
	if (h->dashed || (h->time.len == 0 && h->level == LEVEL_NONE && is_access_line(line)))
		return "python";
	return h->time.len > 0 && h->level != LEVEL_NONE ? "logback" : "text";
}

void
agent_text_read(struct reading *r, struct slice text)
{
	struct agent_line *out = r->out;
	struct header h = { .level = LEVEL_NONE };
	struct slice body = text, message, first;
	const char *newline;

	if (!r->one_line || body.at[0] == ' ' || body.at[0] == '\t')
		agent_trace_split(&body, &r->trace);
	newline = r->one_line ? NULL : memchr(body.at, '\n', body.len);
	first = newline == NULL ? body : (struct slice){ body.at, (size_t)(newline - body.at) };
	message = take_header(r, first, &h);
	message.len = (size_t)(body.at + body.len - message.at);
	out->level = h.level;
	out->encoding = encoding_of(&h, first);
	out->timestamp.value = h.time;
	out->logger.value = h.logger;
	out->thread.value = h.thread;
	r->message = message;
	r->layout = h.level == LEVEL_NONE ? LAYOUT_NONE : LAYOUT_LEVEL;
	if (!h.dashed && out->encoding[0] == 'p')
		return; /* an access line */
	agent_scan_message(r, message);
}
