/* Waits that double, with jitter. */
#include "backoff.h"

#include <sys/random.h>

#include "least.h"

int64_t
backoff_wait(int64_t start, int64_t cap, unsigned failures)
{
	int64_t wait = start;
	uint32_t random = 0;

	for (unsigned i = 0; i < failures && wait < cap; i++)
		wait = wait > cap / 2 ? cap : wait * 2;
	wait = earlier(wait, cap);
	if (getrandom(&random, sizeof(random), 0) < 0)
		random = 0;
	return wait - (int64_t)((double)wait / 2 * random / UINT32_MAX);
}
