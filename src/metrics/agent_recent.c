/*
 * Quantiles of the histograms over Duration_Window, as gauges, for whoever takes no
 * histogram.  The buckets are kept as they were at a few times of the window; what
 * came since the oldest of these is told by the difference.
 */
#include "agent_series.h"

#include <stdlib.h>

#define PARTS 10

struct recent_buckets {
	uint64_t task[BUCKETS_MAX + 1], request[BUCKETS_MAX + 1];
};

struct recent {
	int64_t at;      /* wall ns of the newest one */
	unsigned oldest; /* of these: */
	struct recent_buckets parts[PARTS];
};

static void
take(struct recent_buckets *to, const struct agent_counters *from)
{
	memcpy(to->task, from->execution.buckets, sizeof(to->task));
	memcpy(to->request, from->request.buckets, sizeof(to->request));
}

void
agent_recent_publish(struct agent_series *a, int64_t now)
{
	struct recent *r = a->recent;

	if (agents.options.quantiles.n == 0 || !agent_metrics_counted())
		return; /* the history is not of the window */
	if (r == NULL) {
		r = a->recent = xcalloc(1, sizeof(*r));
		r->at = now;
		for (unsigned i = 0; i < PARTS; i++)
			take(&r->parts[i], &a->shown);
	}
	if (now >= r->at && now - r->at < agents.options.window / PARTS)
		return;
	r->at = now;
	take(&r->parts[r->oldest], &a->shown);
	r->oldest = (r->oldest + 1) % PARTS;
}

/* As histogram_quantile() has it: evenly spread in a bucket, the last bound for what is above it. */
static double
quantile_of(double q, const struct buckets *bounds, const uint64_t *counts, uint64_t all)
{
	double rank = q * (double)all, below = 0;
	unsigned i = 0;

	while (i < bounds->n && below + (double)counts[i] < rank)
		below += (double)counts[i++];
	if (i == bounds->n)
		return bounds->at[bounds->n - 1];
	if (i == 0)
		return bounds->at[0] * rank / (double)counts[0];
	return bounds->at[i - 1] +
	       (bounds->at[i] - bounds->at[i - 1]) * (rank - below) / (double)counts[i];
}

static void
write_quantiles(struct exposition *x, const struct family *f, const struct agent_series *a,
    const struct buckets *bounds, const uint64_t *now, const uint64_t *then)
{
	const struct buckets *quantiles = &agents.options.quantiles;
	uint64_t counts[BUCKETS_MAX + 1], all = 0;
	struct buffer labels;

	for (unsigned i = 0; i <= bounds->n; i++)
		all += counts[i] = now[i] - then[i];
	buffer_init(&labels, 0);
	for (unsigned i = 0; i < quantiles->n && all > 0; i++) {
		buffer_clear(&labels);
		buffer_put(&labels, slice_of(a->labels));
		exposition_label(&labels, "quantile", slice_of(quantiles->names[i]));
		exposition_value(x, f, buffer_slice(&labels),
		    quantile_of(quantiles->at[i], bounds, counts, all));
	}
	buffer_fini(&labels);
}

void
agent_recent_tasks(struct exposition *x, const struct family *f, const struct agent_series *a)
{
	const struct recent *r = a->recent;

	if (r != NULL && a->shown_gauges.alive)
		write_quantiles(x, f, a, &agents.options.task_buckets, a->shown.execution.buckets,
		    r->parts[r->oldest].task);
}

void
agent_recent_requests(struct exposition *x, const struct family *f, const struct agent_series *a)
{
	const struct recent *r = a->recent;

	if (r != NULL && a->shown_gauges.alive)
		write_quantiles(x, f, a, &agents.options.request_buckets, a->shown.request.buckets,
		    r->parts[r->oldest].request);
}
