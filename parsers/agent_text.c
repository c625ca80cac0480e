/*
 * The layouts of text, by the header before the message.
 *
 *	2026-11-22 08:00:00.001 INFO  [task-3] c.m.agent.Task - message		logback
 *	08:00:00.001 [task-3] INFO  c.m.agent.Task - message			logback
 *	2026-11-22T08:00:00.001Z user=x  INFO 1 --- [app] [task-3] c.m.Task : message	spring
 *	2026-11-22 08:00:00,001 - exporter - INFO - message			python
 *	2026-11-22 08:00:00.001 INFO [task-3] c.m.agent.Task: message		logback
 *	[2026-11-22T08:00:00,001][INFO ][c.m.agent.Task] message		logback
 *	2026-11-22 08:00:00 | INFO | c.m.agent.Task | message			logback
 *	26/11/22 08:00:00 INFO Task: message					logback
 *	261122 080000 148 INFO agent.Task: message				logback
 *	ERROR: message								text
 *
 * Any other text is a message as a whole.
 */
#include "agent_origin.h"
#include "agent_reading.h"
#include "agent_trace.h"

#define TOKENS_MAX 16 /* between the time and the level */

/* ---- headers */

/* The level as the next part of ${s}, taken off: a word, in brackets, before a colon. */
static enum level
take_level(struct slice *s, bool any_case)
{
	struct slice rest = *s, word;
	enum level level;

	if (rest.len > 0 && rest.at[0] == '[') {
		if (!agent_origin_group(&rest, &word))
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
	return agent_origin_spring(&rest, &h);
}

/* ` UTC`, ` +0100`, and the number of a process or a thread, between the time and the level. */
static bool
skip_zone_and_pid(struct slice *s, struct header *h)
{
	struct slice rest = *s, word = take_token(&rest);
	const char *end = h->time.at + h->time.len, *from = s->at;
	size_t digits = 0;

	if (agent_head_is_zone(word)) {
		if (word.at == end + 1 && !agent_head_is_upper(word))
			h->time.len += 1 + word.len; /* a number: a part of the time */
		*s = rest = skip_blanks(rest);
		word = take_token(&rest);
	}
	while (digits < word.len && is_digit(word.at[digits]))
		digits++;
	if (digits > 0 && digits == word.len)
		*s = skip_blanks(rest);
	return s->at != from;
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
		if (i == 0 && skip_zone_and_pid(&rest, h))
			continue;
		if (agent_origin_group(&rest, &word)) {
			if (h->thread.len == 0 && memchr(word.at, '=', word.len) == NULL)
				h->thread = word;
			continue;
		}
		word = take_token(&rest);
		rest = skip_blanks(rest);
		if (slice_eq(word, SLICE("-"))) {
			dash = true;
		} else if (memchr(word.at, '=', word.len) == NULL && !slice_eq(word, SLICE("|"))) {
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

/* The time at the front of ${s}, in brackets or not, taken off. */
static bool
take_time(struct slice *s, struct header *h)
{
	bool bracket = s->len > 0 && s->at[0] == '[';
	size_t n = agent_head_time(slice_from(*s, bracket));

	if (n == 0)
		return false;
	h->time = (struct slice){ s->at + bracket, n };
	*s = slice_from(*s, bracket + n);
	if (bracket && s->len > 0 && s->at[0] == ']')
		*s = slice_from(*s, 1);
	*s = skip_blanks(*s);
	return true;
}

/* Take the level off ${s}, which begins behind the time.  Return false, with nothing taken, when there is none. */
static bool
take_timed_level(struct reading *r, struct slice *s, struct header *h)
{
	struct slice from = *s;

	if (s->len > 0 && s->at[0] == '|' && agent_origin_piped(s, h, r->words)) {
		header_keys(r, from, *s);
		return true;
	}
	if (!find_level(s, h)) {
		*s = from;
		h->level = LEVEL_NONE;
		h->thread = (struct slice){ NULL, 0 };
		return false;
	}
	header_keys(r, from, *s);
	return true;
}

/* Take the header off ${line}, which leaves the message. */
static struct slice
take_header(struct reading *r, struct slice line, struct header *h)
{
	struct slice s = skip_blanks(line), after;

	if (take_time(&s, h)) {
		if (!take_timed_level(r, &s, h) || h->piped)
			return s;
	} else {
		h->level = take_level(&s, false);
		if (h->level == LEVEL_NONE)
			return line;
		if (take_time(&s, h)) /* LEVEL [time] logger: message */
			s = skip_mark(s);
	}
	if (h->dashed) {
		h->logger = h->name;
		return skip_blanks(slice_from(s, 1));
	}
	after = s;
	if (s.len == 0 || s.at[0] != '|' || !agent_origin_piped(&s, h, r->words))
		agent_origin_take(&s, h, r->words);
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
	if (h.level == LEVEL_NONE && h.time.len == 0 && agent_trace_begins(text, r->trace))
		out->level = LEVEL_ERROR; /* the JVM's words for what nobody caught */
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
