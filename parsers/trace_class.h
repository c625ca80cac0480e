/* What a line is for the record that is open.  Inside parsers/ alone. */
#ifndef TRACE_CLASS_H
#define TRACE_CLASS_H

#include <stdint.h>

#include "slice.h"

enum line_class {
	LINE_HEADER, /* a date or a time, and a level; Exception in thread "x" …; a JSON object */
	LINE_LEVEL,  /* ERROR: text */
	LINE_STATUS, /* 08:00:00,123 |-WARN in ch.qos.logback…, WARN in ch.qos.logback… */
	LINE_EMPTY,  /* nothing */
	LINE_FRAME,  /* \tat …, \t... 12 more, goroutine 1 [running]: */
	LINE_CAUSE,  /* Caused by: …, \tSuppressed: … */
	LINE_OPENING,   /* Traceback (most recent call last):, nested exception is: */
	LINE_EXCEPTION, /* java.lang.IllegalStateException: text */
	LINE_NESTED,    /* the same behind blanks */
	LINE_NAME,      /* a.b.C: text */
	LINE_SHORT,     /* TypeError: text, panic: text */
	LINE_INDENTED,  /* any other line behind blanks; one of closing brackets */
	LINE_TEXT,      /* any other line */
	LINE_CLASSES,
};

/* What a record is open for, and the bits beside it. */
enum {
	OPEN_NONE,   /* no record */
	OPEN_LINE,   /* a line, that a trace may follow */
	OPEN_EMPTY,  /* a line, and an empty one that waits for an exception */
	OPEN_NAME,   /* a line, and a name that waits for a frame */
	OPEN_LOUD,   /* a header of WARN or above, whose message may go on */
	OPEN_THROWN, /* an exception, whose message may go on */
	OPEN_TRACE,  /* a trace, behind a frame */
	OPEN_EXPECT, /* … whose next line belongs to it, whatever it is */
	OPENS,
	OPEN = OPENS - 1,        /* the bits of these */
	DATED = OPENS,           /* a dated header began it */
	HELD = DATED << 1,       /* the last lines are held … */
	HELD_THROWN = HELD << 1, /* … an exception among them */
};

/**
 * trace_class(line, state):
 * The class of ${line}; *${state}, which not every class sets: that of a record which
 * begins with it.
 */
enum line_class trace_class(struct slice line, uint8_t *state);

#endif
