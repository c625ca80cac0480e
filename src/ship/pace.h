/* The number of requests in flight to one host: additive increase, multiplicative decrease. */
#ifndef PACE_H
#define PACE_H

#include <stdint.h>

struct pace {
	double most;
	int64_t halved; /* mono ns: when, last */
};

/**
 * pace_busy(p, started, now):
 * A request that ${started} then was answered 429: half as many from ${now} on,
 * but 1 at least.  One that was under way at the last halving changes nothing.
 */
void pace_busy(struct pace *p, int64_t started, int64_t now);

/**
 * pace_taken(p, limit):
 * A request was taken: one more at a time for each round of them, up to ${limit}.
 */
void pace_taken(struct pace *p, int64_t limit);

#endif
