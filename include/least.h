/* The lesser of two numbers. */
#ifndef LEAST_H
#define LEAST_H

#include <stdint.h>

/* Of lengths, offsets, counts. */
static inline uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Of times and durations, ns. */
static inline int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

#endif
