/*
 * Rules of the configuration's own that join lines: [MULTILINE_PARSER]s, and
 * Parser_Firstline of tail.  Several are tried in their order.  No bytes are kept:
 * an open record costs two bytes of state.
 *
 * They are made of a text, which the state keeps with the spans that they have cut:
 * a run of words, LENGTH:BYTES each.
 *
 *	regex N {FROM RE TO}×N    a line that RE matches, of a record in a state FROM
 *	                          (names, commas between; start_state: none is open),
 *	                          is of it, and moves it to TO
 *	first RE                  a line that RE matches begins a record; others go on with it
 *	endswith NEGATE TEXT      a line that ends with TEXT (NEGATE 1: that does not) is the
 *	                          last one of its record
 *	eq NEGATE TEXT            the same of a line that is TEXT
 */
#ifndef MULTILINE_H
#define MULTILINE_H

#include <stdint.h>

#include "memory.h"
#include "trace.h"

struct multiline;

/* The state of an open record; 0: no rule of these has taken its lines. */
typedef uint16_t multiline_state;

#define MULTILINE_PARSERS 32
#define MULTILINE_STATES 62        /* of one parser */
#define MULTILINE_RULES 256        /* of one parser */
#define MULTILINE_LOOK (16u << 10) /* bytes of a line that expressions are held against */

/**
 * multiline_word(to, word):
 * Append one word to a text of rules.
 */
void multiline_word(struct buffer *to, struct slice word);

/**
 * multiline_new(text, error, size), multiline_free(m):
 * Compile the rules that ${text} says.  NULL with the reason in ${error} (${size}
 * bytes).  Not shared between threads.  NULL is harmless to free.
 */
struct multiline *multiline_new(struct slice text, char *error, size_t size);
void multiline_free(struct multiline *m);

/**
 * multiline_line(m, state, line, whole):
 * Decide on ${line}, of which more parts follow when it is not ${whole}, and move
 * *${state} on, that of the open record of its side.  TRACE_JOIN: it is of that
 * record.  TRACE_NEW: a record begins with it, in the state *${state}; 0: none of
 * the rules took it.
 *
 * multiline_part(m, state, part, whole):
 * A further part of the line that was decided last.
 */
enum trace_verdict multiline_line(
    struct multiline *m, multiline_state *state, struct slice line, bool whole);
void multiline_part(
    const struct multiline *m, multiline_state *state, struct slice part, bool whole);

/**
 * multiline_may_join(m, line):
 * True when there is a state in which ${line} goes on with a record.
 */
bool multiline_may_join(struct multiline *m, struct slice line);

/* True when no line can join a record in ${state}. */
static inline bool
multiline_ended(multiline_state state)
{
	return state != 0 && (state & 0xff) == 0;
}

#endif
