/* Fault points; empty but in a build with FAULTS=1. */
#include "fault.h"

#ifdef FAULTS
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

void
fault_pass(const char *name)
{
	static atomic_ulong passed;
	const char *armed = getenv("TOWLINE_FAULT");
	size_t n = strlen(name);

	if (armed == NULL || strncmp(armed, name, n) != 0 || armed[n] != ':')
		return;
	if (atomic_fetch_add(&passed, 1) + 1 == strtoul(armed + n + 1, NULL, 10))
		raise(SIGKILL);
}
#else
typedef int fault_none; /* a file must declare something */
#endif
