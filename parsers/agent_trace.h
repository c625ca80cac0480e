/* A stack trace: its begin, its exceptions, its fingerprint. */
#ifndef AGENT_TRACE_H
#define AGENT_TRACE_H

#include <stdint.h>

#include "slice.h"

/* An exception of a trace; empty: none. */
struct thrown {
	struct slice class, message;
};

/* From the outermost exception to the innermost. */
struct trace_parts {
	struct thrown outer, root; /* root empty: the trace has no cause */
	struct slice frames;       /* from the outermost exception's first frame on */
};

/**
 * agent_trace_split(text, trace):
 * Cut ${text} before the first line that belongs to a trace; *${trace} is the
 * rest, empty when there is none.
 */
void agent_trace_split(struct slice *text, struct slice *trace);

/**
 * agent_trace_begins(text, trace):
 * True when ${text}, whose trace is ${trace}, begins with an exception: without a
 * header.
 */
bool agent_trace_begins(struct slice text, struct slice trace);

/* Read ${trace}, line by line. */
void agent_trace_read(struct slice trace, struct trace_parts *out);

/* The first class of an exception in one line of text, outside quotes. */
struct thrown agent_trace_in_line(struct slice line);

/**
 * agent_mask_fingerprint(class, message, frames):
 * A hash that is equal for failures that differ in numbers, ids, quoted text,
 * key=value pairs, line numbers and generated parts of names (lambda$x$3, $Proxy12)
 * alone: of the class, the message, the first five frames that are not the JVM's
 * reflection.  Whoever changes it raises AGENT_FINGERPRINT_VERSION.
 */
uint64_t agent_mask_fingerprint(struct slice class, struct slice message, struct slice frames);

#endif
