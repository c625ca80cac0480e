/* Backoff and patience. */
#include "retry.h"

#include "clock.h"

#define FIRST (NS_PER_S / 2)
#define MOST (30 * NS_PER_S)

int64_t
retry_wait(int64_t first, unsigned attempt)
{
	static _Thread_local uint64_t random = 0;
	int64_t wait = first != 0 ? first : FIRST;

	if (random == 0)
		random = (uint64_t)clock_wall() | 1;
	random ^= random << 13;
	random ^= random >> 7;
	random ^= random << 17;
	for (unsigned i = 1; i < attempt && wait < MOST; i++)
		wait *= 2;
	if (wait > MOST)
		wait = MOST;
	return wait * 3 / 4 + (int64_t)(random % (uint64_t)(wait / 2));
}

bool
retry_allows(int64_t limit, unsigned attempt)
{
	if (limit == -1 || limit == -2) /* no_limits, false */
		return true;
	return limit > 0 && attempt <= (uint64_t)limit;
}
