/* Chance that a seed alone decides. */
#ifndef CHANCE_H
#define CHANCE_H

#include <stdint.h>

static uint64_t chance; /* set from the seed, never to 0 */

/* One of 0 to ${below} - 1. */
static inline unsigned
any(unsigned below)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return (unsigned)((chance >> 20) % below);
}

#endif
