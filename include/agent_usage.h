/* What the agents' containers use, as it was read last; shown by agent_metrics_write(). */
#ifndef AGENT_USAGE_H
#define AGENT_USAGE_H

#include <stddef.h>
#include <stdint.h>

#include "agent_polled.h"

struct agent_usage {
	struct agent_name who;
	uint64_t memory; /* bytes: the working set */
	double cpu;      /* s since the container's start */
};

/**
 * agent_usage_publish(all, n):
 * These are all; those that were shown before and are not among them vanish.
 * Of two of one name the first is shown.
 */
void agent_usage_publish(const struct agent_usage *all, size_t n);

#endif
