/*
 * towline's own counters and gauges: declared once, with their help, in the
 * table of src/metrics/self_metrics.c; moved by the thread that owns them, without a
 * lock; read by the serve thread.
 */
#ifndef METRICS_H
#define METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "agent.h"
#include "memory.h"

/* The reason why bytes were never read. */
enum lost { LOST_GZIP, LOST_HELD, LOST_DELETED, LOST_TRUNCATED, LOST_POWERCUT, LOST_REASONS };

extern const char *const metrics_lost_names[];

/* The reason why a log's file could not be read; it is tried again. */
enum read_error { READ_IO, READ_OTHER, READ_ERRORS };

/* Files that are not followed: looks at one beyond Max_Files; a gauge of those of Ignore_Older. */
enum left_reason { LEFT_REFUSED, LEFT_OLDER, LEFT_REASONS };

/* The reason why a file is not read: a rule of ours, the system's error, Max_Files. */
enum unread_reason { UNREAD_REFUSED, UNREAD_ERROR, UNREAD_MAX_FILES, UNREAD_REASONS };

/* Requests to the API server, by verb, and their failures. */
enum kube_verb { KUBE_LIST, KUBE_WATCH, KUBE_GET, KUBE_VERBS };
enum kube_error {
	KUBE_CONNECT,   /* no answer, or a broken one */
	KUBE_AUTH,      /* 401, or no token */
	KUBE_FORBIDDEN, /* 403 */
	KUBE_GONE,      /* 410: list again */
	KUBE_THROTTLED, /* 429 */
	KUBE_SERVER,    /* another status, an ERROR event */
	KUBE_ANSWER,    /* not the API's JSON, or too large */
	KUBE_ERRORS
};

extern const char *const metrics_kube_verb_names[], *const metrics_kube_error_names[];

/* Counters without labels or with a fixed set of label values. */
struct metrics {
	atomic_ullong read_bytes, nul_bytes, lines, records, truncated_lines;
	atomic_ullong parse_failures[FAILURES];
	atomic_ullong read_errors[READ_ERRORS];
	atomic_ullong collisions;
	atomic_ullong queue_batches; /* gauge: sealed or in flight */
	atomic_ullong lag_bytes;     /* gauge */
	atomic_llong newest;         /* runtime time of the newest record read, ns */
	atomic_ullong state_stale;   /* gauge: s since the state could not be written; 0: it can */
	atomic_ullong index_late;    /* indices that are older than towline's template */
	atomic_ullong memory_limit;  /* gauge: bytes, limit.h */
	atomic_ullong unread_files[UNREAD_REASONS]; /* gauges */
	atomic_ullong left_files[LEFT_REASONS];     /* files that are not followed */
	atomic_ullong forgotten;  /* streams that the state forgot, as it had too many */
	atomic_ullong folded;     /* records counted under the label value `other` */
	atomic_ullong unenriched; /* records of a pod that was not known in time */
	atomic_ullong pod_waits;  /* gauge: files that wait for their pod */
};

extern struct metrics metrics;

/* Parts of lines of UTF-16 that are none; the reader's. */
extern atomic_ullong metrics_utf16_errors;

/* Records that a filter dropped; the reader's. */
extern atomic_ullong metrics_filtered;

/* The table of known failures; the reader's. */
struct failure_metrics {
	atomic_ullong forgotten; /* fingerprints that made room for others */
};

extern struct failure_metrics metrics_failures;

/* Those of [INPUT] systemd; the reader's. */
struct journal_metrics {
	atomic_ullong entries, lost, fields_left_out, cut;
	atomic_ullong files_unreadable; /* gauge */
	atomic_ullong lag, lag_seconds; /* gauges */
};

extern struct journal_metrics metrics_journal;

/* Configurations that a SIGHUP gave, and that were not gone on with. */
extern atomic_ullong metrics_reload_failed;

/* The same of the kube thread. */
struct kube_metrics {
	atomic_ullong up;   /* gauge: 1: all pods are known and watched */
	atomic_ullong pods; /* gauge */
	atomic_ullong events;
	atomic_ullong cut;     /* parts of pods that were dropped, as the pods were too large */
	atomic_ullong refused; /* pods beyond Max_Pods */
	atomic_ullong requests[KUBE_VERBS];
	atomic_ullong errors[KUBE_ERRORS];
};

extern struct kube_metrics metrics_kube;

/* The reason why a poll of an agent failed: of its requests, the last in this order. */
enum poll_failure {
	POLL_CONNECT,   /* no connection */
	POLL_STATUS,    /* another status than 200: a redirect, too */
	POLL_ANSWER,    /* broken, or none of an agent's */
	POLL_TIMEOUT,   /* no whole answer in time */
	POLL_TOO_LARGE, /* an answer beyond Agent_Answer_Limit */
	POLL_FAILURES
};

extern const char *const metrics_poll_failure_names[];

/* The poll thread's. */
struct poll_metrics {
	atomic_ullong failed[POLL_FAILURES];
};

extern struct poll_metrics metrics_poll;

/* Add to a counter that one thread alone moves: cheaper than an atomic add. */
static inline void
metrics_add(atomic_ullong *counter, uint64_t n)
{
	atomic_store_explicit(
	    counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

/**
 * metrics_lost(pod, why, bytes):
 * Count ${bytes} of a file of ${pod} (empty: no pod's) that nobody will read;
 * LOST_PODS pods have a series, all further ones are `other`.  The reader's.
 */
#define LOST_PODS 256
void metrics_lost(struct slice pod, enum lost why, uint64_t bytes);

/* An output's counters; made by the shipper, one each, for the process's life. */
enum reason {
	REASON_429,
	REASON_5XX,
	REASON_HOLD,
	REASON_TIMEOUT,
	REASON_CONNECT,
	REASON_AUTH,
	REASON_TOO_LARGE,
	REASON_REPLY,
	REASON_REJECTED,
	REASON_GIVEN_UP,
	REASONS
};

extern const char *const metrics_reason_names[];

/* Bounds of a histogram, ascending, in seconds; the bucket behind the last has all above. */
#define BUCKETS_MAX 20
#define DECIMAL_MAX 25 /* a double of 17 digits, its sign, point and exponent, and a NUL */
struct buckets {
	unsigned n;
	double at[BUCKETS_MAX];
	char names[BUCKETS_MAX][DECIMAL_MAX + 2]; /* as `le` has them: with a fraction */
};

/**
 * metrics_buckets(b, at, n):
 * Make ${b} of the first ${n} bounds (at most BUCKETS_MAX) at ${at}.
 */
void metrics_buckets(struct buckets *b, const double *at, unsigned n);

/* 0.1 0.5 1 5 15 60 300 600 1800 3600. */
extern const struct buckets metrics_delivery_buckets;

#define DELIVERY_BUCKETS 10

struct output_metrics {
	const char *output;             /* alias, else NAME.N */
	atomic_ullong delivered, bytes; /* documents that it has taken, and theirs */
	atomic_ullong retries[REASONS];
	atomic_ullong retried; /* documents of these retries */
	atomic_ullong dead_letters[REASONS];
	atomic_ullong lean;           /* sent without log_parsed.extra */
	atomic_ullong stripped;       /* sent without log_parsed */
	atomic_ullong held;           /* gauge: items in the hold */
	atomic_ullong requests_limit; /* gauge: requests at a time */
	atomic_ullong lag_bytes;      /* gauge: on disk, not yet shipped to it */
	atomic_ullong logs_apart;     /* gauge: are read for it behind others */
	atomic_ullong delivery[DELIVERY_BUCKETS +
			       1]; /* from the record's runtime time to the server's answer */
	atomic_ullong delivery_sum_ns;
	struct output_metrics *next;
};

/**
 * metrics_output(name):
 * Register an output's counters; for a known name the same counters are
 * returned again.  They live as long as the process.
 */
struct output_metrics *metrics_output(const char *name);

/**
 * metrics_outputs():
 * The counters of the output that was registered last, and by `next` of the others;
 * NULL: there are none.
 */
const struct output_metrics *metrics_outputs(void);

/**
 * metrics_unbuilt(output), metrics_unbuilt_none():
 * Show that ${output} is skipped, as it is not built; that none is.
 */
void metrics_unbuilt(const char *output);
void metrics_unbuilt_none(void);

/* An input's counters, which begin with the process; the reader's. */
struct input_metrics {
	const char *input; /* alias, else NAME.N */
	atomic_ullong records, bytes;
	struct input_metrics *next;
};

/**
 * metrics_input(name):
 * As metrics_output().
 */
struct input_metrics *metrics_input(const char *name);

/**
 * metrics_json(to), metrics_fluent_bit(to, openmetrics, now):
 * Append the counters of inputs and outputs under the names that Fluent Bit gives them: the
 * JSON of its /api/v1/metrics; the families fluentbit_…, as metrics_write() has towline's.
 */
void metrics_json(struct buffer *to);
void metrics_fluent_bit(struct buffer *to, bool openmetrics, int64_t now);

/**
 * metrics_delivered(m, record_time, bytes, now):
 * Count one delivered record: ${record_time} is its runtime timestamp, ${now}
 * the time of the server's answer, both ns; ${bytes} those of its document.
 *
 * metrics_retry(m, reason, records):
 * Count a request, or a document, that is to be sent again.
 */
void metrics_delivered(struct output_metrics *m, int64_t record_time, size_t bytes, int64_t now);
void metrics_retry(struct output_metrics *m, enum reason reason, uint32_t records);

/**
 * process_metrics_open():
 * Called once, when the process begins and may still open files: from then on
 * the process_ families are shown.
 */
void process_metrics_open(void);

/**
 * metrics_write(to, openmetrics, now):
 * Append the exposition of towline's own families in text 0.0.4 or OpenMetrics
 * 1.0 form (its last line, # EOF, is the caller's), as of ${now} (wall ns).
 * The agents' are agent_metrics_write()'s.
 */
void metrics_write(struct buffer *to, bool openmetrics, int64_t now);

/**
 * metrics_reference(to):
 * Append docs/metrics.md: every family with its type, labels and meaning.
 */
void metrics_reference(struct buffer *to);

#endif
