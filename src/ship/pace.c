/* The pace of one host. */
#include "pace.h"

void
pace_busy(struct pace *p, int64_t started, int64_t now)
{
	if (started < p->halved)
		return;
	p->halved = now;
	p->most = p->most < 2 ? 1 : p->most / 2;
}

void
pace_taken(struct pace *p, int64_t limit)
{
	p->most += 1 / p->most;
	if (p->most > (double)limit)
		p->most = (double)limit;
}
