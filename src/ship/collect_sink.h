/* The sink of a rehearsal.  Inside src/ship/ alone. */
#ifndef COLLECT_SINK_H
#define COLLECT_SINK_H

#include "sink.h"

/**
 * collect_sink_type(type):
 * The type of the sink for an output of ${type}: this one, but in a rehearsal.
 */
const struct sink_type *collect_sink_type(const struct sink_type *type);

#endif
