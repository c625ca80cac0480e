/*
 * The lines of one record: a Java stack trace has many.  A state machine over
 * line beginnings; no bytes are kept, so that an open record costs a byte of
 * state.
 */
#ifndef TRACE_H
#define TRACE_H

#include <stdint.h>

#include "slice.h"

enum trace_verdict {
	TRACE_NEW,  /* the line begins a new record; the open one has ended before it */
	TRACE_JOIN, /* the line belongs to the open record, and so do lines held before it */
	TRACE_HOLD, /* an empty line: it belongs only if the next one says TRACE_JOIN,
			 * else it is a record of its own */
};

/* The state of an open record; 0: before any line. */
typedef uint8_t trace_state;

/**
 * trace_line(state, line):
 * Decide on ${line} (one logical line: the runtime's partials are one; its
 * first 16 KiB are enough), where *${state} is that of the open record of its
 * side, and move *${state} on.
 */
enum trace_verdict trace_line(trace_state *state, struct slice line);

/**
 * trace_closed(first, last):
 * True when a record that begins with the byte ${first} and ends with ${last}
 * is complete (a JSON object), whatever line follows.
 */
bool trace_closed(char first, char last);

#endif
