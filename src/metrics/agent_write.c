/* The agents' families: their table, and their exposition from the published values. */
#include <math.h>

#include "agent_series.h"

/* A family, and the functions that write its samples: as the log, a poll, and the container's control group tell them; NULL: it does not. */
struct agent_row {
	struct family family;
	void (*write)(struct exposition *x, const struct family *f, const struct agent_series *a);
	void (*polled)(struct exposition *x, const struct family *f, const struct agent_polled *p);
	void (*used)(struct exposition *x, const struct family *f, const struct agent_used *u);
	bool owned; /* by the side that Agent_Gauges names */
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

/* ---- polled */

static void
polled_number(struct exposition *x, const struct family *f, const struct agent_polled *p,
    enum agent_number number)
{
	if (p->up && !isnan(p->said.number[number]))
		exposition_value(x, f, p->shown, p->said.number[number]);
}

static void
polled_tasks(struct exposition *x, const struct family *f, const struct agent_polled *p)
{
	polled_number(x, f, p, AGENT_SAID_TASKS);
}

static void
polled_requests(struct exposition *x, const struct family *f, const struct agent_polled *p)
{
	polled_number(x, f, p, AGENT_SAID_REQUESTS);
}

static void
polled_sessions(struct exposition *x, const struct family *f, const struct agent_polled *p)
{
	polled_number(x, f, p, AGENT_SAID_SESSIONS);
}

static void
polled_connected(struct exposition *x, const struct family *f, const struct agent_polled *p)
{
	polled_number(x, f, p, AGENT_SAID_CONNECTED);
}

/* One that drains still runs. */
static void
polled_status(struct exposition *x, const struct family *f, const struct agent_polled *p)
{
	exposition_count(x, f, p->shown, p->up && p->said.state != AGENT_NONE ? 1 : 0);
}

static void
polled_state(struct exposition *x, const struct family *f, const struct agent_polled *p)
{
	struct buffer labels;

	if (!p->up || p->said.state == AGENT_STATES)
		return;
	buffer_init(&labels, 0);
	for (unsigned i = 0; i < AGENT_STATES; i++) {
		buffer_clear(&labels);
		buffer_put(&labels, p->shown);
		exposition_label(&labels, "state", slice_of(agent_polled_states[i]));
		exposition_count(x, f, buffer_slice(&labels), i == p->said.state ? 1 : 0);
	}
	buffer_fini(&labels);
}

static void
polled_heartbeat(struct exposition *x, const struct family *f, const struct agent_polled *p)
{
	if (p->answered > 0)
		exposition_value(x, f, p->shown, (double)(p->answered / NS_PER_MS) / 1000);
}

static void
polled_build(struct exposition *x, const struct family *f, const struct agent_polled *p)
{
	static const char *const names[AGENT_TEXTS] = { "version", "commit", "build_timestamp" };
	char clean[LABEL_MAX];
	struct buffer labels;

	if (p->said.text[AGENT_SAID_VERSION][0] == '\0')
		return;
	buffer_init(&labels, 0);
	buffer_put(&labels, p->shown);
	for (int i = 0; i < AGENT_TEXTS; i++)
		exposition_label(&labels, names[i],
		    (struct slice){
			clean, exposition_label_clean(slice_of(p->said.text[i]), clean) });
	exposition_count(x, f, buffer_slice(&labels), 1);
	buffer_fini(&labels);
}

/* ---- from the container's control group */

static void
used_memory(struct exposition *x, const struct family *f, const struct agent_used *u)
{
	exposition_count(x, f, u->shown, u->memory);
}

static void
used_cpu(struct exposition *x, const struct family *f, const struct agent_used *u)
{
	exposition_value(x, f, u->shown, u->cpu);
}

/* ---- the table */

static const struct agent_row table[] = {
	{ { FAMILY_COUNTER, "app_log_lines_total", "",
	      "Lines of the agent's log; the parts that a runtime cuts a line into are one line." },
	    .write = write_lines },
	{ { FAMILY_COUNTER, "app_completed_tasks_total", "", "Tasks completed (TASK_COMPLETED)." },
	    .write = write_completed },
	{ { FAMILY_COUNTER, "app_failed_tasks_total", "",
	      "Tasks failed (TASK_FAILED); the errors they log count in app_task_errors_total." },
	    .write = write_failed },
	{ { FAMILY_COUNTER, "app_task_timeouts_total", "",
	      "Tasks that are not counted as active any more, as no end came within Task_Timeout." },
	    .write = write_timeouts },
	{ { FAMILY_COUNTER, "app_task_errors_total", "error_type",
	      "Records of level ERROR or above, by the type of the error." },
	    .write = write_errors },
	{ { FAMILY_COUNTER, "app_new_failures_total", "",
	      "Failures (by error_fingerprint) that no agent of this node has logged in the 30 days "
	      "before." },
	    .write = write_failures },
	{ { FAMILY_GAUGE, "app_task_duration_seconds", "",
	      "Mean execution_time of the tasks completed in the last 5 minutes; as it was, while "
	      "none completes." },
	    .write = write_duration },
	{ { FAMILY_HISTOGRAM, "app_task_execution_seconds", "pipeline",
	      "execution_time of completed tasks; by pipeline when Per_Pipeline is on." },
	    .write = write_execution },
	{ { FAMILY_HISTOGRAM, "app_request_duration_seconds", "",
	      "Duration of completed requests." },
	    .write = write_request },
	{ { FAMILY_GAUGE, "app_task_duration_quantile_seconds", "quantile",
	      "Quantiles of app_task_execution_seconds over the last 5 minutes (Duration_Window), "
	      "by its buckets; with Quantiles, and while tasks complete." },
	    .write = agent_recent_tasks },
	{ { FAMILY_GAUGE, "app_request_duration_quantile_seconds", "quantile",
	      "The same of app_request_duration_seconds." },
	    .write = agent_recent_requests },
	{ { FAMILY_GAUGE, "app_active_task_count", "", "Tasks that have started and not ended." },
	    .write = write_tasks, .polled = polled_tasks, .owned = true },
	{ { FAMILY_GAUGE, "app_oldest_task_start_timestamp", "",
	      "When the oldest of these has started, in seconds since the epoch; absent when there is "
	      "none." },
	    .write = write_oldest },
	{ { FAMILY_GAUGE, "app_active_request_count", "",
	      "Requests under way, as the agent last stated them." },
	    .write = write_requests, .polled = polled_requests, .owned = true },
	{ { FAMILY_GAUGE, "app_open_sessions", "",
	      "Open sessions, as the agent last stated them." },
	    .write = write_sessions, .polled = polled_sessions, .owned = true },
	{ { FAMILY_GAUGE, "app_agent_status", "",
	      "1: running, its last heartbeat (before the first: its last line) is younger than the "
	      "timeout, or, when it is polled, it answers; 0: it is not." },
	    .write = write_status, .polled = polled_status, .owned = true },
	{ { FAMILY_GAUGE, "app_agent_state", "state",
	      "1 for the state that the agent says it is in when it is polled, 0 for the others: "
	      "none, running, pending_shutdown, shutting_down; unknown: another." },
	    .polled = polled_state },
	{ { FAMILY_GAUGE, "app_agent_connected", "",
	      "1: the agent says, when it is polled, that it is connected to its service; 0: it "
	      "is cut off." },
	    .polled = polled_connected },
	{ { FAMILY_GAUGE, "app_last_heartbeat_timestamp", "",
	      "When the last heartbeat, or the last poll that was answered, was, in seconds since "
	      "the epoch." },
	    .write = write_heartbeat, .polled = polled_heartbeat },
	{ { FAMILY_INFO, "app_build_info", "version,commit,build_timestamp",
	      "What the agent's banner, or its answer to a poll, says it is; always 1." },
	    .write = write_build, .polled = polled_build },
	{ { FAMILY_GAUGE, "app_max_task_capacity", "",
	      "Tasks that an agent runs at most, as configured." },
	    .write = write_capacity },
	{ { FAMILY_GAUGE, "app_max_connections", "",
	      "Connections that an agent opens at most, as configured; absent when it is not." },
	    .write = write_connections },
	{ { FAMILY_GAUGE, "app_memory_usage_bytes", "",
	      "Memory of the agent's container: its working set, without files that it has not "
	      "used lately; with Cgroup_Path." },
	    .used = used_memory },
	{ { FAMILY_COUNTER, "app_cpu_usage_seconds_total", "",
	      "CPU time of the agent's container since it began; with Cgroup_Path." },
	    .used = used_cpu },
};

const struct family *
agent_write_family(size_t i)
{
	return i < sizeof(table) / sizeof(table[0]) ? &table[i].family : NULL;
}

/* The labels of a series without those of its pod: as it is polled. */
static struct slice
name_of(const struct agent_series *a)
{
	size_t added = strlen(a->pod_labels);

	return (struct slice){ a->labels, strlen(a->labels) - (added > 0 ? added + 1 : 0) };
}

/*
 * The labels of a pod are kept at its series, for what is polled and measured,
 * too.  An agent whose log is not read is shown without them, a container not at
 * all: its counter would begin anew with the series.
 */
static void
labels_share(void)
{
	struct agent_polled *p;
	struct agent_used *u;
	size_t at = 0;

	while ((p = map_next(agents.polled, &at, NULL)) != NULL)
		p->shown = slice_of(p->labels);
	at = 0;
	while ((u = map_next(agents.usage, &at, NULL)) != NULL)
		u->shown = agents.options.nlabels == 0 ? slice_of(u->labels) : SLICE("");
	for (const struct agent_series *a = agents.shown; a != NULL; a = a->next) {
		if ((p = map_get(agents.polled, name_of(a))) != NULL)
			p->shown = labels_of(a);
		if ((u = map_get(agents.usage, name_of(a))) != NULL)
			u->shown = labels_of(a);
	}
}

/* An agent that has never answered is only judged by its polls: its log tells the rest. */
static bool
is_polled(const struct agent_row *row, const struct agent_series *a)
{
	const struct agent_polled *p =
	    row->polled != NULL ? map_get(agents.polled, name_of(a)) : NULL;

	return p != NULL && (p->answered > 0 || row->polled == polled_status);
}

static void
row_write(struct exposition *x, const struct agent_row *row)
{
	const struct agent_polled *p;
	const struct agent_used *u;
	size_t at = 0;

	if (row->owned && agents.options.gauges == AGENT_GAUGES_OFF)
		return;
	for (const struct agent_series *a = agents.shown; a != NULL && row->write != NULL;
	     a = a->next) {
		if (!is_polled(row, a))
			row->write(x, &row->family, a);
	}
	while (row->polled != NULL && (p = map_next(agents.polled, &at, NULL)) != NULL)
		row->polled(x, &row->family, p);
	at = 0;
	while (row->used != NULL && (u = map_next(agents.usage, &at, NULL)) != NULL) {
		if (u->shown.len > 0)
			row->used(x, &row->family, u);
	}
}

void
agent_metrics_write(struct buffer *to, bool openmetrics)
{
	struct exposition x = { to, openmetrics, NULL };

	pthread_mutex_lock(&agents.lock);
	labels_share();
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		row_write(&x, &table[i]);
	agents.written = agents.generation;
	pthread_mutex_unlock(&agents.lock);
}
