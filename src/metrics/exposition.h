/*
 * Writing families of metrics as text: Prometheus' text format 0.0.4 or
 * OpenMetrics 1.0.  It knows formats and escapes, not the values.
 */
#ifndef EXPOSITION_H
#define EXPOSITION_H

#include <stdint.h>

#include "memory.h"
#include "metrics.h"

enum family_kind { FAMILY_COUNTER, FAMILY_GAUGE, FAMILY_HISTOGRAM, FAMILY_INFO };

/* One family, as it is declared: exposition and docs/metrics.md come from it. */
struct family {
	enum family_kind kind;
	const char *name;   /* as samples are called: counters with _total, infos with _info */
	const char *labels; /* their names, for the reference; "": none */
	const char *help;   /* one sentence */
};

struct exposition {
	struct buffer *to;
	bool openmetrics;
	const struct family *headed; /* HELP and TYPE of this one have been written; NULL: none */
};

/* The longest label value, in bytes: a pod's name is whole, longer texts of log lines are cut. */
#define LABEL_MAX 253

/**
 * exposition_label_clean(value, to):
 * Copy ${value} to ${to} (LABEL_MAX bytes) as valid UTF-8 of characters
 * that are only shown (shown.h; each bad byte becomes U+FFFD), cut between characters.  Return
 * the length.
 */
size_t exposition_label_clean(struct slice value, char *to);

/**
 * exposition_label(to, name, value):
 * Append name="value", escaped, behind a comma when ${to} is not empty.
 * ${value} is clean.
 */
void exposition_label(struct buffer *to, const char *name, struct slice value);

/**
 * exposition_count(x, f, labels, value), exposition_value(x, f, labels, value):
 * Write one sample; ${labels} as exposition_label made them, maybe empty.  The
 * first of a family is headed by its HELP and TYPE; samples of one family
 * stand together.
 */
void exposition_count(
    struct exposition *x, const struct family *f, struct slice labels, uint64_t value);
void exposition_value(
    struct exposition *x, const struct family *f, struct slice labels, double value);

/**
 * exposition_created(x, f, labels, created):
 * Behind a counter's sample or a histogram's: when it began at 0, ns (0: not
 * known).  OpenMetrics alone has it.
 */
void exposition_created(
    struct exposition *x, const struct family *f, struct slice labels, int64_t created);

/* An observation that a bucket shows as an example; OpenMetrics alone has it. */
#define EXEMPLAR_MAX 47 /* bytes of its label value, which is cleaned when it is shown */
struct exemplar {
	double value;
	int64_t time;      /* ns; 0: not known */
	unsigned char len; /* 0: there is none */
	char id[EXEMPLAR_MAX];
};

/* A histogram to be written; ${buckets} are not cumulated, and one more than the bounds. */
struct shown_histogram {
	const struct buckets *bounds;
	const uint64_t *counts;
	const struct exemplar *exemplars; /* of each bucket; NULL: none */
	double sum;
};

/* Write a histogram of durations; its exemplars are task ids. */
void exposition_histogram(struct exposition *x, const struct family *f, struct slice labels,
    const struct shown_histogram *h);

/**
 * exposition_bucket(bounds, seconds):
 * Return the index of the bucket that ${seconds} falls into.
 */
static inline unsigned
exposition_bucket(const struct buckets *bounds, double seconds)
{
	unsigned i = 0;

	while (i < bounds->n && seconds > bounds->at[i])
		i++;
	return i;
}

/* Write the samples of the last whole table of pod_lag.h. */
void pod_lag_write(struct exposition *x, const struct family *f);

/* The rows of the tables, for the reference; NULL behind the last. */
const struct family *fluent_bit_family(size_t i);
const struct family *self_metrics_family(size_t i);
const struct family *agent_write_family(size_t i);

#endif
