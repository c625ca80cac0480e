/*
 * The agents' metrics, derived from their lines (docs/metrics.md).  The reader
 * counts into its own tables; agent_metrics_publish() copies them, about once
 * a second, for the serve thread.
 */
#ifndef AGENT_METRICS_H
#define AGENT_METRICS_H

#include <stdint.h>

#include "agent.h"
#include "metrics.h"
#include "pod.h"

/* The side that tells app_active_task_count, app_active_request_count, app_open_sessions, app_agent_status. */
enum agent_side {
	AGENT_GAUGES_LOG,
	AGENT_GAUGES_POLL, /* agent_polled.h; of an agent that is not polled, its log */
	AGENT_GAUGES_OFF,  /* none: they are not shown */
};

struct agent_metrics_options {
	unsigned max_series; /* error types per agent, rest `other`; pods in all */
	bool per_pipeline;
	double max_task_capacity, max_connections;
	int64_t heartbeat_timeout; /* ns */
	int64_t window;            /* ns, of app_task_duration_seconds */
	int64_t task_timeout;      /* ns: a task of this age is not active any more; 0: 24 h */
	const char *const *labels; /* of pods that their series have, nlabels of them */
	size_t nlabels;
	size_t max_failures;                          /* fingerprints that are known; 0: 4096 */
	struct buckets task_buckets, request_buckets; /* n 0: metrics_delivery_buckets */
	struct buckets quantiles;                     /* 0.5, 0.95: gauges of both; n 0: none */
	int64_t failure_memory; /* ns: a fingerprint not seen for so long is new; 0: 30 days */
	enum agent_side gauges;
	int64_t hold; /* ns that a new label value stays at 0; 0: 30 s; negative: not at all */
};

/* The series of one agent container. */
struct agent_series;

/**
 * agent_metrics_init(options), agent_metrics_fini():
 * Called before all others; forget all series (for tests).
 */
void agent_metrics_init(const struct agent_metrics_options *options);
void agent_metrics_fini(void);

/**
 * agent_metrics_agent(pod):
 * One more stream of the agent container ${pod} begins: return its series,
 * never NULL; families appear at 0.  A new uid of a pod name continues its
 * counters and resets its gauges; an older uid or restart than the newest seen
 * moves counters alone.  Beyond max_series agents, the agent that ended
 * longest ago is forgotten; when all are alive, the series `other` is
 * returned.
 */
struct agent_series *agent_metrics_agent(const struct pod *pod);

/**
 * agent_metrics_is_its_own(a):
 * False: the series is that of all agents beyond the cap.
 */
bool agent_metrics_is_its_own(const struct agent_series *a);

/**
 * agent_metrics_labels(a, pod):
 * The labels of ${pod} are known, or will not be in time: the series is shown
 * from now on, with those that the options name.  The first call alone counts.
 * Without labels in the options it need not be called.
 */
void agent_metrics_labels(struct agent_series *a, const struct pod *pod);

/**
 * agent_metrics_count(a, pod, line, time):
 * Count one record of the agent, once.  ${time} is its runtime time, ns (0:
 * it has none).  ${line} may be NULL.  No lock, no clock; no allocation but
 * for a label value or a number of active tasks never seen before (capped).
 */
void agent_metrics_count(
    struct agent_series *a, const struct pod *pod, const struct agent_line *line, int64_t time);

/**
 * agent_metrics_lines(a, text):
 * Count the lines of the text of one record of the agent, once; empty: it is one line.
 */
void agent_metrics_lines(struct agent_series *a, struct slice text);

/**
 * agent_metrics_ended(a, pod):
 * A stream for which agent_metrics_agent() was called has ended.  When it was
 * the last of its container and no other begins, the gauges vanish and the
 * counters stay a while.
 */
void agent_metrics_ended(struct agent_series *a, const struct pod *pod, int64_t now);

/**
 * agent_metrics_publish(now, behind):
 * Show the counts so far, as of ${now} (wall ns); while agent_metrics_write()
 * is under way, they are shown by the next call.  ${behind}: a file has
 * unread bytes (then a heartbeat's age is judged against the newest record
 * read).  The first call that is not behind, or comes 60 s after the first,
 * ends the history: series made until then begin at their value.
 */
void agent_metrics_publish(int64_t now, bool behind);

/**
 * agent_metrics_counted():
 * True when the history has been counted.  Until then no scrape should be
 * answered.
 */
bool agent_metrics_counted(void);

/**
 * agent_metrics_scraped():
 * The scrape for which agent_metrics_write was called last has been answered: new
 * label values that it showed at 0 may be released.  Called by the thread that
 * calls agent_metrics_write.
 */
void agent_metrics_scraped(void);

/**
 * agent_metrics_save(put, arg), agent_metrics_restore(key, value, now):
 * Give ${put} each series that has changed since the last call, as a key and a
 * text (empty: the series is gone); both live until it returns.  Bring a
 * series back, before the first record; its counts are history then.
 */
typedef void agent_metrics_put(void *arg, struct slice key, struct slice value);
void agent_metrics_save(agent_metrics_put *put, void *arg);
void agent_metrics_restore(struct slice key, struct slice value, int64_t now);

/**
 * agent_metrics_write(to, openmetrics):
 * Append the exposition of the agents' families, as agent_metrics_publish()
 * has left them.
 */
void agent_metrics_write(struct buffer *to, bool openmetrics);

#endif
