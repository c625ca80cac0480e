/* Waits before failed requests are sent again, and their limit. */
#ifndef RETRY_H
#define RETRY_H

#include <stdbool.h>
#include <stdint.h>

/**
 * retry_wait(first, attempt):
 * The wait (ns) behind the ${attempt}th failure in a row: ${first} (0: half a
 * second), twice as long with each, 30 s at most; between 3/4 and 5/4 of that,
 * so that shippers that failed together part.
 */
int64_t retry_wait(int64_t first, unsigned attempt);

/**
 * retry_allows(limit, attempt):
 * True when a Retry_Limit of ${limit} allows the ${attempt}th attempt.
 */
bool retry_allows(int64_t limit, unsigned attempt);

#endif
