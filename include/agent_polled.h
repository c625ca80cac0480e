/*
 * The gauges that agents tell when they are polled (docs/metrics.md).  The poll
 * thread puts them here, agent_metrics_write() shows them in the place of those
 * from the agent's log, under agents.lock.
 */
#ifndef AGENT_POLLED_H
#define AGENT_POLLED_H

#include <stdint.h>

/* The state that an agent says it is in, by the numbers of its app_agent_status. */
enum agent_state {
	AGENT_NONE,
	AGENT_RUNNING,
	AGENT_PENDING_SHUTDOWN, /* it takes no further task */
	AGENT_SHUTTING_DOWN,
	AGENT_UNKNOWN, /* another number or word */
	AGENT_STATES   /* it says none */
};

/* Values of the label of app_agent_state, in the order of the enum. */
extern const char *const agent_polled_states[];

/* Numbers that an agent says. */
enum agent_number {
	AGENT_SAID_TASKS,
	AGENT_SAID_REQUESTS,
	AGENT_SAID_SESSIONS,
	AGENT_SAID_CONNECTED, /* 1 or 0 */
	AGENT_NUMBERS
};

/* Its build. */
enum agent_text { AGENT_SAID_VERSION, AGENT_SAID_COMMIT, AGENT_SAID_BUILT, AGENT_TEXTS };

#define AGENT_SAID_TEXT 128 /* bytes of a text, its NUL included; longer ones are cut */

/* One answer of an agent. */
struct agent_said {
	double number[AGENT_NUMBERS]; /* NAN: not said; else finite, not negative */
	enum agent_state state;
	char text[AGENT_TEXTS][AGENT_SAID_TEXT]; /* any bytes; "": not said */
};

/* The labels of an agent's series. */
struct agent_name {
	const char *namespace_name, *pod, *container;
};

/**
 * agent_polled_clear(said):
 * Nothing is said.
 */
void agent_polled_clear(struct agent_said *said);

/**
 * agent_polled_answered(who, said, now), agent_polled_silent(who),
 * agent_polled_gone(who):
 * The agent has answered at ${now} (wall ns): its gauges are those of ${said}.
 * It has not answered for too long: app_agent_status is 0, and the other gauges
 * vanish, but for the build and the time of the last answer.  It is polled no
 * more: all of it vanishes.  The poll thread's, between agent_metrics_init()
 * and agent_metrics_fini().
 */
void agent_polled_answered(
    const struct agent_name *who, const struct agent_said *said, int64_t now);
void agent_polled_silent(const struct agent_name *who);
void agent_polled_gone(const struct agent_name *who);

#endif
