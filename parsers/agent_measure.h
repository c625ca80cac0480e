/*
 * Durations and counts in text, in decimal arithmetic: 100 ms are 0.1 s, not
 * the binary double next to it.
 */
#ifndef AGENT_MEASURE_H
#define AGENT_MEASURE_H

#include "agent_words.h"

/* digits / 10^scale */
struct decimal {
	uint64_t digits;
	unsigned scale; /* at most 18 */
};

/**
 * agent_measure_duration(text, unit, out, plain):
 * Read the whole of ${text} as a duration in seconds: 12.5 (of ${unit}),
 * 12500ms, 1m30s, PT1H2M3S, 00:01:02.5.  *${plain}: the text was a number
 * without a unit.  Return false when it is no duration, negative, or 1e12 s or
 * more. Digits behind the 18th of a fraction are dropped.
 */
bool agent_measure_duration(struct slice text, struct unit unit, struct decimal *out, bool *plain);

/* The same for a count: a plain number alone. */
bool agent_measure_count(struct slice text, struct decimal *out);

/* True when ${more} goes on with the duration ${text} by a smaller unit, as `30s` behind `1m`. */
bool agent_measure_goes_on(struct slice text, struct slice more);

/* True when ${text} is the name of a unit of time (ms, seconds, …). */
bool agent_measure_is_unit(struct slice text);

/* ${d} as a JSON number with a point, and its value; absent when ${arena} is full. */
void agent_measure_set(struct measure *m, struct decimal d, struct arena *arena);

#endif
