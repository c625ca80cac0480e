/*
 * The lines of one record: a stack trace has many.  A state machine over
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
	TRACE_HOLD, /* it belongs if a line behind it says TRACE_JOIN before one says
			 * TRACE_NEW; else it is read again, as if no record had been open */
};

/* Lines that an open record may hold, and bytes from the first of them on. */
#define TRACE_HELD_LINES 64
#define TRACE_HELD_BYTES (64u << 10)

/* The state of an open record; 0: before any line. */
typedef uint8_t trace_state;
#define TRACE_STATES 64
#define TRACE_MOST 12 /* no state joins or holds a line that is TRACE_NEW in this one */

/**
 * trace_line(state, line):
 * Decide on ${line} (one logical line: the runtime's partials are one; its
 * first 16 KiB are enough), where *${state} is that of the open record of its
 * side, and move *${state} on.
 */
enum trace_verdict trace_line(trace_state *state, struct slice line);

/* What a line is in a trace. */
enum trace_part {
	TRACE_OTHER,  /* a line of a message */
	TRACE_FRAME,  /* where: at a.B.c(B.java:1) */
	TRACE_CAUSE,  /* a further exception begins: Caused by: … */
	TRACE_THROWN, /* java.io.IOException: text */
	TRACE_NAMED,  /* a.b.C: text, TypeError: text: an exception if a frame follows */
};

enum trace_part trace_part(struct slice line);

/**
 * trace_bare(line):
 * Return ${line} without Dropwizard's `! ` and blanks before it.
 */
struct slice trace_bare(struct slice line);

/**
 * trace_thrown(s, thrown):
 * Return the length of the class name at the front of ${s}, or 0: a dotted name, or
 * one that says itself that it is thrown (*${thrown}): a part of it, between dots
 * or `$`, ends in Exception, Error or the like.
 */
size_t trace_thrown(struct slice s, bool *thrown);

/**
 * trace_closed(first, last):
 * True when a record that begins with the byte ${first} and ends with ${last}
 * is complete (a JSON object), whatever line follows.
 */
bool trace_closed(char first, char last);

#endif
