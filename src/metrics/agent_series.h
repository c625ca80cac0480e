/*
 * The agents' series as the files agent*.c share them.
 *
 * Everything here belongs to the reader thread, but for members called
 * `shown`: agent_metrics_publish() copies them and agent_metrics_write() reads
 * them, both under agents.lock.
 */
#ifndef AGENT_SERIES_H
#define AGENT_SERIES_H

#include <pthread.h>
#include <stdatomic.h>

#include "agent_metrics.h"
#include "agent_polled.h"
#include "clock.h"
#include "exposition.h"
#include "failures.h"
#include "map.h"
#include "tasks.h"

/*
 * The time until a label value is shown with its count: a scrape must have
 * seen it at 0, so that increase() and rate() see its first event.
 */
struct hold {
	int64_t since;          /* wall ns of the publish that first showed it; 0: none yet */
	uint64_t generation;    /* of that publish */
	int64_t created;        /* wall ns: its count began at 0; 0: not known, as of the history */
#define CREATED_NOW INT64_C(-1) /* until its first publish */
	bool released; /* the count is shown from the next publish on, as this is saved then */
};

struct histogram {
	uint64_t buckets[BUCKETS_MAX + 1];
	struct exemplar exemplars[BUCKETS_MAX + 1]; /* task ids; of requests none */
	long double sum; /* 64 bits of mantissa: sums of decimals come out exact */
};

/* The counts of one value of error_type or pipeline. */
struct cell {
	struct cell *next;
	char *labels; /* as they are exposed, the agent's included */
	struct hold hold;
	uint64_t count;
	struct histogram *times; /* NULL: the count alone; else the count is theirs */
	uint64_t shown;
	struct histogram *shown_times;
};

/* The values of one label: by value, and in the order of their first sight. */
struct cells {
	struct map *by_value;
	struct cell *first, **end; /* the shown ones */
	struct cell *fresh;        /* shown from the next publish on */
	struct cell *other;        /* of values beyond the cap */
};

/* Tasks completed in one part of the window. */
struct part {
	int64_t at; /* parts since the epoch */
	uint64_t tasks;
	double seconds;
};

#define WINDOW_PARTS 300 /* of a second each, when the window is 5 minutes */

/* The window of app_task_duration_seconds. */
struct window {
	struct part *parts; /* WINDOW_PARTS of them; NULL: no task has been completed */
	int64_t end;        /* part of the newest completion */
	bool moved;         /* a task was added since its mean was taken */
};

/* Counters; never reset while the series lives. */
struct agent_counters {
	uint64_t lines, completed, failed;
	uint64_t timeouts; /* tasks dropped, as no end came */
	uint64_t new_failures;
	struct histogram execution, request;
};

/* Gauges; each is known once the agent has stated it. */
struct agent_gauges {
	bool alive; /* the agent has files; without files no gauge is shown */
	bool running;
	double active_tasks, active_requests, open_sessions;
	bool has_mean;
	double mean;       /* of the window */
	int64_t heartbeat; /* ns; 0: none */
	int64_t oldest;    /* start of the oldest active task, ns; 0: none */
	char
	    build[6 * LABEL_MAX + 64]; /* labels version, commit, build_timestamp, escaped; or "" */
};

/* The present state of an agent, told by its newest life; a newer life begins with none. */
struct vitals {
	int64_t last;      /* newest record, ns */
	int64_t heartbeat; /* ns; 0: none */
	int64_t began;     /* wall ns of its first publish */
	struct tasks *tasks;
	bool counts_tasks; /* a task's start was logged: active tasks are the size of the set */
	struct window window;
	struct agent_gauges gauges;
};

/* One life of the container: a pod's uid and a restart of it. */
struct life {
	struct life *next;
	char *uid;
	uint32_t restart;
	unsigned streams; /* open */
};

struct agent_series {
	struct agent_series *next; /* in agents.shown */
	char *key;                 /* in agents.by_name */
	char *labels;              /* namespace, pod, container, those of its pod */
	char *pod_labels;          /* those of its pod; NULL: not known yet, and it is not shown */
	struct life *lives;        /* lives with open streams, and the newest */
	struct life *newest;       /* its records alone move the gauges */
	unsigned streams;          /* open, of all lives */
	int64_t quiet_since;       /* wall ns of the end of its last stream; 0: it has open ones */
	int64_t gone_since;        /* wall ns of the end of the newest life's last stream */
	bool linked;               /* it is in agents.shown */
	bool other;                /* the series of all agents beyond the cap */
	bool changed;              /* since it was saved */
	struct hold hold;

	struct agent_counters counters;
	struct cells errors;    /* by error_type */
	struct cells pipelines; /* by pipeline, with Per_Pipeline */

	struct vitals vitals;

	struct agent_counters shown;
	struct agent_gauges shown_gauges;
	struct recent
	    *recent; /* what was shown in the window, under the lock; NULL: no quantiles */
};

/* An agent that is polled, once it has answered or failed for too long. */
struct agent_polled {
	char *labels;       /* namespace, pod, container */
	struct slice shown; /* with those of its pod; while an exposition is written */
	bool up;            /* it answers */
	int64_t answered;   /* wall ns of its last answer; 0: it never has */
	struct agent_said said;
};

/* The use of an agent's container. */
struct agent_used {
	char *labels;       /* namespace, pod, container */
	struct slice shown; /* as above; empty: it is not shown */
	uint64_t memory;    /* bytes */
	double cpu;         /* s */
};

struct agents {
	struct agent_metrics_options options;
	int64_t part; /* ns, of the window */
	struct map *by_name;
	struct map *gone; /* keys of series to be saved as gone */
	struct failures *failures;
	char *label_names; /* agent_labels_names() */
	struct agent_series *other;
	int64_t newest; /* record of any agent, ns */

	pthread_mutex_t lock;
	struct agent_series *shown; /* under the lock */
	struct map *polled, *usage; /* by labels; under the lock */
	uint64_t generation;        /* of publishes; under the lock */
	int64_t began;              /* wall ns of the first publish; 0: none yet */

	uint64_t written;      /* generation of the last exposition: the serve thread's */
	atomic_ullong scraped; /* generation of the last scrape that was sent whole */
	atomic_bool counted;   /* the history has been counted */
	bool restored;         /* the state had counts when the process began */
};

extern struct agents agents;

/* The key that `other` is saved under: no namespace is empty. */
#define AGENTS_OTHER "//"

/**
 * agents_named(key), agents_forget(a):
 * The series saved under ${key}, made when it is new; NULL: there are too
 * many.  Drop a series without streams, from the counted and the shown ones,
 * under the lock.
 */
struct agent_series *agents_named(struct slice key);
void agents_forget(struct agent_series *a);

/**
 * agent_recent_publish(a, now), agent_recent_tasks(x, f, a), agent_recent_requests(x, f, a):
 * Keep the shown histograms of ${a} as they are at ${now}; write their quantiles of the
 * window.  All under the lock.
 */
void agent_recent_publish(struct agent_series *a, int64_t now);
void agent_recent_tasks(struct exposition *x, const struct family *f, const struct agent_series *a);
void agent_recent_requests(
    struct exposition *x, const struct family *f, const struct agent_series *a);

/* Append the labels of an agent's series. */
void agents_labels(
    struct buffer *to, struct slice namespace_name, struct slice pod, struct slice container);

/* NULL is harmless to the first. */
void agents_polled_free(struct agent_polled *p);
void agents_usage_free(struct map *usage);

/* ---- agent_cells.c: the values of a label */

/* The error_type of an error without a type. */
extern const struct field agent_cells_no_type;

/* That of a count that begins now. */
struct hold agent_cells_hold(void);

void agent_cells_init(struct cells *c);
void agent_cells_fini(struct cells *c);

/**
 * agent_cells_find(c, a, name, value, times):
 * The cell of ${value} (of the label ${name}), made when it is new, the one of
 * `other` when there are too many.
 */
struct cell *agent_cells_find(struct cells *c, const struct agent_series *a, const char *name,
    const struct field *value, bool times);

/* Write a field's text clean to ${to} (LABEL_MAX bytes), its JSON escapes resolved. */
struct slice agent_cells_clean(const struct field *field, char *to);

/* ---- agent_labels.c */

/* Append a pod's label name as Prometheus has it: matillion_com_business_unit. */
void agent_labels_name(struct buffer *to, struct slice name);

/* Give a series the labels of its pod, as they are exposed; empty: none. */
void agent_labels_set(struct agent_series *a, struct slice text);

/* The names in the options as one text, to be freed: saved labels are right while it is the same. */
char *agent_labels_names(void);

/* ---- agent_life.c */

/**
 * agent_life_add(a, uid, restart), agent_life_find(a, pod), agent_life_free(life):
 * One more life, without streams; the life of ${pod} among those known, or NULL.
 */
struct life *agent_life_add(struct agent_series *a, struct slice uid, uint32_t restart);
struct life *agent_life_find(const struct agent_series *a, const struct pod *pod);
void agent_life_free(struct life *life);

/**
 * agent_life_renew(a, life), agent_life_prune(a):
 * Make ${life} the newest: its vitals begin anew.  Forget lives that have no
 * stream, but for the newest.
 */
void agent_life_renew(struct agent_series *a, struct life *life);
void agent_life_prune(struct agent_series *a);

/**
 * agent_life_is_newest(a, pod, time):
 * True when the life of ${pod}, which has a record of ${time}, is the newest;
 * one that can be shown to be newer than the newest becomes it.
 */
bool agent_life_is_newest(struct agent_series *a, const struct pod *pod, int64_t time);

#endif
