/* An agent's answer at /actuator/info: one JSON object. */
#ifndef INFO_H
#define INFO_H

#include "agent_polled.h"
#include "slice.h"

/**
 * info_read(text, said):
 * Write the members of ${text} into ${said}, which is cleared.  Return how many
 * of the agent's numbers and states it has; 0 when it is no JSON, too.
 *
 *	{"agentStatus":"RUNNING","activeTaskCount":3,"activeRequestCount":0,"openSessionsCount":2,
 *	 "buildInfo":{"version":"…","commitHash":"…","buildTimestamp":"…"}}
 */
unsigned info_read(struct slice text, struct agent_said *said);

#endif
