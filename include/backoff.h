/* The wait before another try of something that has failed. */
#ifndef BACKOFF_H
#define BACKOFF_H

#include <stdint.h>

/**
 * backoff_wait(start, cap, failures):
 * Return the time (ns) to wait after the ${failures}th failure in a row, counted
 * from 0: ${start} (> 0), twice as long for each failure, ${cap} at most.
 * Jitter takes up to half of it away, as many clients have lost their server
 * at one moment.
 */
int64_t backoff_wait(int64_t start, int64_t cap, unsigned failures);

#endif
