/*
 * The header of a line of text: its time, its level, and the logger and the
 * thread that it names.  agent_text.c reads the first two, agent_origin.c the others.
 */
#ifndef AGENT_ORIGIN_H
#define AGENT_ORIGIN_H

#include "agent_head.h"
#include "agent_words.h"
#include "bytes.h"

/* The parts of the header recognised so far. */
struct header {
	struct slice time, logger, thread, name;
	enum level level;
	bool dashed; /* the level stands between ` - `: Python */
	bool spring;
	bool piped; /* the fields stand between bars */
};

static inline struct slice
skip_blanks(struct slice s)
{
	while (s.len > 0 && is_blank(s.at[0]))
		s = slice_from(s, 1);
	return s;
}

/* ${s} without a dash or a colon, with a blank behind it, at its front. */
static inline struct slice
skip_mark(struct slice s)
{
	if (s.len > 1 && (s.at[0] == '-' || s.at[0] == ':') && is_blank(s.at[1]))
		s = skip_blanks(slice_from(s, 1));
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

/**
 * agent_origin_group(s, group):
 * Take the inside of `[…]` off the front of ${s}, with the blanks behind it.
 * Another bracket or a blank follows the closing one: brackets within are passed.
 */
bool agent_origin_group(struct slice *s, struct slice *group);

/**
 * agent_origin_spring(s, h):
 * Take `1 --- [app] [thread] [trace ids] logger : ` off ${s}.  Return false,
 * with nothing taken, when that is not the text.
 */
bool agent_origin_spring(struct slice *s, struct header *h);

/**
 * agent_origin_take(s, h, words):
 * Take the rest of the header behind the level off ${s}: Spring's, with or
 * without a group before it; `[thread] [more] logger - `; `[thread] logger: `;
 * `[logger] (thread) `, `][logger]`; a thread alone.
 */
void agent_origin_take(struct slice *s, struct header *h, const struct agent_words *words);

/**
 * agent_origin_piped(s, h, words):
 * Take `| LEVEL | logger | ` off ${s}, with or without a thread at either side
 * of the level, or `| thread | logger | ` where ${h} has the level.  Return
 * false, with nothing taken, when there is no level.
 */
bool agent_origin_piped(struct slice *s, struct header *h, const struct agent_words *words);

#endif
