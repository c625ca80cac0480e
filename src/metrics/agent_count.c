/*
 * Counting one record of an agent: the hot path.  agent_metrics_count() maps
 * events to numbers; they are shown when agent_publish.c has copied them.
 */
#include "agent_series.h"

#include <stdlib.h>

/* Return the bucket. */
static unsigned
observe(struct histogram *h, const struct buckets *bounds, double seconds)
{
	unsigned i = exposition_bucket(bounds, seconds);

	h->buckets[i]++;
	h->sum += (long double)seconds;
	return i;
}

/* A task is the exemplar of its bucket, until the next; a long id names no task when it is cut. */
static void
exemplar_set(struct exemplar *e, const struct field *id, double seconds, int64_t time)
{
	char clean[LABEL_MAX];
	struct slice label = id->value;

	if (id->kind == VALUE_ESCAPED)
		label = agent_cells_clean(id, clean);
	if (label.len == 0 || label.len > EXEMPLAR_MAX)
		return;
	*e = (struct exemplar){ .value = seconds, .time = time, .len = (unsigned char)label.len };
	memcpy(e->id, label.at, label.len);
}

/* ---- the window of app_task_duration_seconds */

static void
window_add(struct window *w, double seconds, int64_t time)
{
	int64_t at = time / agents.part;
	struct part *s;

	if (w->parts == NULL)
		w->parts = xcalloc(WINDOW_PARTS, sizeof(*w->parts));
	s = &w->parts[at % WINDOW_PARTS];
	if (s->at > at)
		return; /* a straggler from before the window */
	if (s->at < at)
		*s = (struct part){ .at = at };
	s->tasks++;
	s->seconds += seconds;
	if (at > w->end)
		w->end = at;
	w->moved = true;
}

/* ---- events */

static void
task_started(struct agent_series *a, const struct agent_line *line, int64_t time, bool newest)
{
	if (!newest || line->task_id.value.len == 0)
		return;
	a->vitals.counts_tasks = true;
	tasks_start(a->vitals.tasks, line->task_id.value, time);
}

static void
task_ended(struct agent_series *a, const struct agent_line *line, int64_t time, bool newest)
{
	if (newest && line->task_id.value.len > 0)
		tasks_end(a->vitals.tasks, line->task_id.value, time);
}

static void
task_completed(struct agent_series *a, const struct agent_line *line, int64_t time, bool newest)
{
	struct histogram *h = &a->counters.execution;
	double seconds = line->execution_time.value;
	unsigned bucket;

	a->counters.completed++;
	task_ended(a, line, time, newest);
	if (!line->execution_time.present)
		return;
	if (agents.options.per_pipeline && line->pipeline.value.len > 0) {
		struct cell *cell =
		    agent_cells_find(&a->pipelines, a, "pipeline", &line->pipeline, true);

		cell->count++;
		h = cell->times;
	}
	bucket = observe(h, &agents.options.task_buckets, seconds);
	exemplar_set(&h->exemplars[bucket], &line->task_id, seconds, time);
	if (newest)
		window_add(&a->vitals.window, seconds, time);
}

static void
request_completed(struct agent_series *a, const struct agent_line *line)
{
	const struct measure *m = &line->duration;

	if (!m->present)
		m = &line->execution_time;
	if (m->present)
		observe(&a->counters.request, &agents.options.request_buckets, m->value);
}

static void
error_logged(struct agent_series *a, const struct agent_line *line)
{
	const struct field *type = &line->error.type;

	if (type->value.len == 0)
		type = &agent_cells_no_type;
	agent_cells_find(&a->errors, a, "error_type", type, false)->count++;
}

/* A record without a time has that of the newest record of all. */
static void
failure_logged(struct agent_series *a, uint64_t fingerprint, int64_t time)
{
	if (failures_see(agents.failures, fingerprint, time > 0 ? time : agents.newest))
		a->counters.new_failures++;
}

/* A heartbeat without a time of its own: agent_metrics_publish() takes its own time for it. */
static void
heartbeat_seen(struct vitals *v, int64_t time)
{
	if (time <= 0)
		time = INT64_MAX;
	if (time > v->heartbeat)
		v->heartbeat = time;
}

/* ---- values that the newest life states */

static void
stated(double *gauge, const struct measure *m)
{
	if (m->present)
		*gauge = m->value;
}

static void
build_stated(struct agent_gauges *g, const struct agent_build *build)
{
	const struct {
		const char *name;
		const struct field *field;
	} parts[] = {
		{ "version", &build->version },
		{ "commit", &build->commit },
		{ "build_timestamp", &build->timestamp },
	};
	char clean[LABEL_MAX];
	struct buffer labels;

	buffer_init(&labels, sizeof(g->build) - 1);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		exposition_label(&labels, parts[i].name, agent_cells_clean(parts[i].field, clean));
	memcpy(g->build, labels.at, labels.len);
	g->build[labels.len] = '\0';
	buffer_fini(&labels);
}

static void
gauges_stated(struct vitals *v, const struct agent_line *line, int64_t time)
{
	struct agent_gauges *g = &v->gauges;

	if (time > v->last)
		v->last = time;
	stated(&g->open_sessions, &line->open_sessions);
	stated(&g->active_requests, &line->active_requests);
	stated(&g->active_tasks, &line->active_tasks);
	if (line->build.version.value.len > 0)
		build_stated(g, &line->build);
	if (line->event == EVENT_HEARTBEAT)
		heartbeat_seen(v, time);
}

void
agent_metrics_lines(struct agent_series *a, struct slice text)
{
	const char *newline;

	a->changed = true;
	a->counters.lines++;
	while (text.len > 0 && (newline = memchr(text.at, '\n', text.len)) != NULL) {
		a->counters.lines++;
		text = slice_from(text, (size_t)(newline + 1 - text.at));
	}
}

void
agent_metrics_count(
    struct agent_series *a, const struct pod *pod, const struct agent_line *line, int64_t time)
{
	bool newest;

	if (time < 0)
		time = 0;
	if (a->other)
		metrics_add(&metrics.folded, 1);
	newest = !a->other && agent_life_is_newest(a, pod, time);
	if (time > agents.newest)
		agents.newest = time;
	if (line == NULL)
		return;
	a->changed = true;
	if (newest)
		gauges_stated(&a->vitals, line, time);
	if (line->level >= LEVEL_ERROR)
		error_logged(a, line);
	if (line->error.type.value.len > 0)
		failure_logged(a, line->error.fingerprint, time);
	switch (line->event) {
	case EVENT_TASK_STARTED:
		task_started(a, line, time, newest);
		break;
	case EVENT_TASK_COMPLETED:
		task_completed(a, line, time, newest);
		break;
	case EVENT_TASK_FAILED:
		a->counters.failed++;
		task_ended(a, line, time, newest);
		break;
	case EVENT_REQUEST_COMPLETED:
		request_completed(a, line);
		break;
	default:
		break;
	}
}
