/*
 * The agents' metrics, derived from their lines (agent-events.md, Metrics).
 * The reader counts into its own tables; agent_metrics_publish() copies them,
 * about once a second, to where the serve thread may look.
 */
#ifndef AGENT_METRICS_H
#define AGENT_METRICS_H

#include <stdint.h>

#include "agent.h"
#include "pod.h"

struct agent_metrics_options {
	unsigned max_series; /* error types per agent, rest `other`; pods in all */
	bool per_pipeline;
	double max_task_capacity, max_connections;
	int64_t heartbeat_timeout; /* ns */
	int64_t window;            /* ns, of app_task_duration_seconds */
};

/* One agent container: what its series are keyed by. */
struct agent_series;

void agent_metrics_init(const struct agent_metrics_options *options);

/**
 * agent_metrics_agent(pod):
 * The series of the agent container ${pod}; families appear at 0.  A new uid
 * of a pod name continues its counters and resets its gauges; an older uid or
 * restart than the newest seen touches counters alone.
 */
struct agent_series *agent_metrics_agent(const struct pod *pod);

/**
 * agent_metrics_count(a, pod, line, time):
 * Count one record of the agent, once.  ${time} is its runtime time, ns.
 * No allocation but for a label value never seen before (capped).
 */
void agent_metrics_count(
    struct agent_series *a, const struct pod *pod, const struct agent_line *line, int64_t time);

/**
 * agent_metrics_ended(a, pod):
 * The container's files are gone: its gauges vanish, its counters stay a
 * while.
 */
void agent_metrics_ended(struct agent_series *a, const struct pod *pod, int64_t now);

/**
 * agent_metrics_publish(now, behind):
 * Show what was counted so far.  ${behind}: a file has unread bytes (then a
 * heartbeat's age is judged against the newest record read).
 */
void agent_metrics_publish(int64_t now, bool behind);

/**
 * agent_metrics_scraped():
 * A scrape has been answered: new label values held at 0 may be released.
 */
void agent_metrics_scraped(void);

/* Called by metrics_write. */
void agent_metrics_write(struct buffer *to, bool openmetrics);

#endif
