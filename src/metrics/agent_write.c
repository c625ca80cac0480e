/* The agents' families: their table, and their exposition from the published values. */
#include "agent_series.h"

/* A family, and the function that writes its samples. */
struct agent_row {
	struct family family;
	void (*write)(struct exposition *x, const struct family *f, const struct agent_series *a);
};

static struct slice
labels_of(const struct agent_series *a)
{
	return slice_of(a->labels);
}

/* ---- counters */

static void
write_counter(
    struct exposition *x, const struct family *f, const struct agent_series *a, uint64_t value)
{
	exposition_count(x, f, labels_of(a), value);
	exposition_created(x, f, labels_of(a), a->hold.created);
}

static void
write_lines(struct exposition *x, const struct family *f, const struct agent_series *a)
{
	write_counter(x, f, a, a->shown.lines);
}

static void
write_timeouts(struct exposition *x, const struct family *f, const struct agent_series *a)
{
	write_counter(x, f, a, a->shown.timeouts);
}

static void
write_failures(struct exposition *x, const struct family *f, const struct agent_series *a)
{
	write_counter(x, f, a, a->shown.new_failures);
}

static void
write_completed(struct exposition *x, const struct family *f, const struct agent_series *a)
{
	write_counter(x, f, a, a->shown.completed);
}

static void
write_failed(struct exposition *x, const struct family *f, const struct agent_series *a)
{
	write_counter(x, f, a, a->shown.failed);
}

static void
write_errors(struct exposition *x, const struct family *f, const struct agent_series *a)
{
	for (const struct cell *cell = a->errors.first; cell != NULL; cell = cell->next) {
		exposition_count(x, f, slice_of(cell->labels), cell->shown);
		exposition_created(x, f, slice_of(cell->labels), cell->hold.created);
	}
}

static void
write_times(struct exposition *x, const struct family *f, struct slice labels,
    const struct buckets *bounds, const struct histogram *h)
{
	exposition_histogram(x, f, labels,
	    &(struct shown_histogram){ bounds, h->buckets, h->exemplars, (double)h->sum });
}

static void
write_execution(struct exposition *x, const struct family *f, const struct agent_series *a)
{
	const struct buckets *bounds = &agents.options.task_buckets;

	write_times(x, f, labels_of(a), bounds, &a->shown.execution);
	exposition_created(x, f, labels_of(a), a->hold.created);
	for (const struct cell *cell = a->pipelines.first; cell != NULL; cell = cell->next) {
		write_times(x, f, slice_of(cell->labels), bounds, cell->shown_times);
		exposition_created(x, f, slice_of(cell->labels), cell->hold.created);
	}
}

static void
write_request(struct exposition *x, const struct family *f, const struct agent_series *a)
{
	write_times(x, f, labels_of(a), &agents.options.request_buckets, &a->shown.request);
	exposition_created(x, f, labels_of(a), a->hold.created);
}

/* ---- gauges: only of an agent that has files */

static void
write_gauge(struct exposition *x, const struct family *f, const struct agent_series *a, bool known,
    double value)
{
	if (a->shown_gauges.alive && known)
		exposition_value(x, f, labels_of(a), value);
}

static void
write_duration(struct exposition *x, const struct family *f, const struct agent_series *a)
{
	write_gauge(x, f, a, a->shown_gauges.has_mean, a->shown_gauges.mean);
}

static void
write_tasks(struct exposition *x, const struct family *f, const struct agent_series *a)
{
	write_gauge(x, f, a, true, a->shown_gauges.active_tasks);
}

static void
write_oldest(struct exposition *x, const struct family *f, const struct agent_series *a)
{
	int64_t ms = a->shown_gauges.oldest / NS_PER_MS;

	write_gauge(x, f, a, a->shown_gauges.oldest > 0, (double)ms / 1000);
}

static void
write_requests(struct exposition *x, const struct family *f, const struct agent_series *a)
{
	write_gauge(x, f, a, true, a->shown_gauges.active_requests);
}

static void
write_sessions(struct exposition *x, const struct family *f, const struct agent_series *a)
{
	write_gauge(x, f, a, true, a->shown_gauges.open_sessions);
}

static void
write_status(struct exposition *x, const struct family *f, const struct agent_series *a)
{
	write_gauge(x, f, a, true, a->shown_gauges.running ? 1 : 0);
}

static void
write_heartbeat(struct exposition *x, const struct family *f, const struct agent_series *a)
{
	int64_t ms = a->shown_gauges.heartbeat / NS_PER_MS;

	write_gauge(x, f, a, a->shown_gauges.heartbeat > 0, (double)ms / 1000);
}

static void
write_build(struct exposition *x, const struct family *f, const struct agent_series *a)
{
	struct buffer labels;

	if (!a->shown_gauges.alive || a->shown_gauges.build[0] == '\0')
		return;
	buffer_init(&labels, 0);
	buffer_printf(&labels, "%s,%s", a->labels, a->shown_gauges.build);
	exposition_count(x, f, buffer_slice(&labels), 1);
	buffer_fini(&labels);
}

static void
write_capacity(struct exposition *x, const struct family *f, const struct agent_series *a)
{
	write_gauge(
	    x, f, a, agents.options.max_task_capacity > 0, agents.options.max_task_capacity);
}

static void
write_connections(struct exposition *x, const struct family *f, const struct agent_series *a)
{
	write_gauge(x, f, a, agents.options.max_connections > 0, agents.options.max_connections);
}

/* ---- the table */

static const struct agent_row table[] = {
	{ { FAMILY_COUNTER, "app_log_lines_total", "",
	      "Lines of the agent's log; the parts that a runtime cuts a line into are one line." },
	    write_lines },
	{ { FAMILY_COUNTER, "app_completed_tasks_total", "", "Tasks completed (TASK_COMPLETED)." },
	    write_completed },
	{ { FAMILY_COUNTER, "app_failed_tasks_total", "",
	      "Tasks failed (TASK_FAILED); the errors they log count in app_task_errors_total." },
	    write_failed },
	{ { FAMILY_COUNTER, "app_task_timeouts_total", "",
	      "Tasks that are not counted as active any more, as no end came within Task_Timeout." },
	    write_timeouts },
	{ { FAMILY_COUNTER, "app_task_errors_total", "error_type",
	      "Records of level ERROR or above, by the type of the error." },
	    write_errors },
	{ { FAMILY_COUNTER, "app_new_failures_total", "",
	      "Failures (by error_fingerprint) that no agent of this node has logged in the 30 days "
	      "before." },
	    write_failures },
	{ { FAMILY_GAUGE, "app_task_duration_seconds", "",
	      "Mean execution_time of the tasks completed in the last 5 minutes; as it was, while "
	      "none completes." },
	    write_duration },
	{ { FAMILY_HISTOGRAM, "app_task_execution_seconds", "pipeline",
	      "execution_time of completed tasks; by pipeline when Per_Pipeline is on." },
	    write_execution },
	{ { FAMILY_HISTOGRAM, "app_request_duration_seconds", "",
	      "Duration of completed requests." },
	    write_request },
	{ { FAMILY_GAUGE, "app_active_task_count", "", "Tasks that have started and not ended." },
	    write_tasks },
	{ { FAMILY_GAUGE, "app_oldest_task_start_timestamp", "",
	      "When the oldest of these has started, in seconds since the epoch; absent when there is "
	      "none." },
	    write_oldest },
	{ { FAMILY_GAUGE, "app_active_request_count", "",
	      "Requests under way, as the agent last stated them." },
	    write_requests },
	{ { FAMILY_GAUGE, "app_open_sessions", "",
	      "Open sessions, as the agent last stated them." },
	    write_sessions },
	{ { FAMILY_GAUGE, "app_agent_status", "",
	      "1: running, its last heartbeat (before the first: its last line) is younger than the "
	      "timeout; 0: it is not." },
	    write_status },
	{ { FAMILY_GAUGE, "app_last_heartbeat_timestamp", "",
	      "When the last heartbeat was, in seconds since the epoch." },
	    write_heartbeat },
	{ { FAMILY_INFO, "app_build_info", "version,commit,build_timestamp",
	      "What the agent's banner says it is; always 1." },
	    write_build },
	{ { FAMILY_GAUGE, "app_max_task_capacity", "",
	      "Tasks that an agent runs at most, as configured." },
	    write_capacity },
	{ { FAMILY_GAUGE, "app_max_connections", "",
	      "Connections that an agent opens at most, as configured; absent when it is not." },
	    write_connections },
};

const struct family *
agent_write_family(size_t i)
{
	return i < sizeof(table) / sizeof(table[0]) ? &table[i].family : NULL;
}

void
agent_metrics_write(struct buffer *to, bool openmetrics)
{
	struct exposition x = { to, openmetrics, NULL };

	pthread_mutex_lock(&agents.lock);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (const struct agent_series *a = agents.shown; a != NULL; a = a->next)
			table[i].write(&x, &table[i].family, a);
	}
	agents.written = agents.generation;
	pthread_mutex_unlock(&agents.lock);
}
