/* Which of two forms of /metrics a client prefers. */
#ifndef ACCEPT_H
#define ACCEPT_H

#include "slice.h"

/**
 * accept_openmetrics(accept):
 * Does the Accept header ${accept} (may be empty) prefer OpenMetrics 1.0 to
 * text 0.0.4?  It does when it names it with a q that is not 0 and not below
 * that of text; else text is what everyone reads.
 */
bool accept_openmetrics(struct slice accept);

#endif
