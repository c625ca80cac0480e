/* The choices between forms of an answer, by the client's preference. */
#ifndef ACCEPT_H
#define ACCEPT_H

#include "slice.h"

/**
 * accept_openmetrics(accept):
 * True when the Accept header ${accept} (may be empty) prefers OpenMetrics 1.0
 * to text 0.0.4: it names OpenMetrics with a q that is not 0 and not below the
 * q of text.  Else text is served, which every client reads.
 */
bool accept_openmetrics(struct slice accept);

/**
 * accept_gzip(encodings):
 * True when an Accept-Encoding header (empty: none) takes gzip.
 */
bool accept_gzip(struct slice encodings);

#endif
