/*
 * The agents' series over a restart: a JSON text for each, which the state
 * keeps together with the cursors of the counted records.
 */
#include "agent_series.h"

#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

/* The counters that are one number. */
static const struct {
	const char *name;
	size_t where; /* in struct agent_counters */
} numbers[] = {
	{ "lines", offsetof(struct agent_counters, lines) },
	{ "completed", offsetof(struct agent_counters, completed) },
	{ "failed", offsetof(struct agent_counters, failed) },
	{ "new_failures", offsetof(struct agent_counters, new_failures) },
	{ "timeouts", offsetof(struct agent_counters, timeouts) },
};

static uint64_t *
number_at(struct agent_counters *c, size_t i)
{
	return (uint64_t *)(void *)((char *)c + numbers[i].where);
}

/* ---- saving */

static json_t *
text_of(struct slice s)
{
	return json_stringn(s.at, s.len);
}

static json_t *
bounds_save(const struct buckets *b)
{
	json_t *all = json_array();

	for (unsigned i = 0; i < b->n; i++)
		json_array_append_new(all, json_real(b->at[i]));
	return all;
}

/* Counts of the buckets, and the sum. */
static json_t *
histogram_save(const struct histogram *h, const struct buckets *bounds)
{
	json_t *all = json_array();
	char sum[64];

	for (unsigned i = 0; i <= bounds->n; i++)
		json_array_append_new(all, json_integer((json_int_t)h->buckets[i]));
	snprintf(sum, sizeof(sum), "%.21Lg", h->sum);
	json_array_append_new(all, json_string(sum));
	return all;
}

/* The count or the histogram, when it was created, and whether it is shown. */
static json_t *
cell_save(const struct cell *cell)
{
	json_t *count = cell->times != NULL
			    ? histogram_save(cell->times, &agents.options.task_buckets)
			    : json_integer((json_int_t)cell->count);

	return json_pack("[o,I,b]", count, (json_int_t)cell->hold.created, cell->hold.released);
}

/* Cells by value; `other` is among them once it exists. */
static json_t *
cells_save(const struct cells *c)
{
	json_t *all = json_object();
	const struct cell *cell;
	struct slice value;
	size_t at = 0;

	while ((cell = map_next(c->by_value, &at, &value)) != NULL)
		json_object_setn_new(all, value.at, value.len, cell_save(cell));
	if (c->other != NULL && json_object_get(all, "other") == NULL)
		json_object_set_new(all, "other", cell_save(c->other));
	return all;
}

static json_t *
tasks_save(const struct tasks *t)
{
	json_t *all = json_array();
	struct task task;
	uint32_t at = 0;

	while ((task = tasks_next(t, &at)).hash != 0)
		json_array_append_new(
		    all, json_pack("[I,I]", (json_int_t)task.hash, (json_int_t)task.start));
	return all;
}

static json_t *
window_save(const struct window *w)
{
	json_t *all = json_array();

	for (int i = 0; w->parts != NULL && i < WINDOW_PARTS; i++) {
		const struct part *part = &w->parts[i];

		if (part->tasks > 0)
			json_array_append_new(all, json_pack("[I,I,f]", (json_int_t)part->at,
						       (json_int_t)part->tasks, part->seconds));
	}
	return all;
}

static void
life_save(json_t *to, const struct agent_series *a)
{
	const struct vitals *v = &a->vitals;
	const struct agent_gauges *g = &v->gauges;

	if (a->newest == NULL)
		return;
	json_object_set_new(to, "uid", json_string(a->newest->uid));
	json_object_set_new(to, "restart", json_integer(a->newest->restart));
	json_object_set_new(to, "last", json_integer(v->last));
	json_object_set_new(to, "heartbeat", json_integer(v->heartbeat));
	json_object_set_new(to, "counts_tasks", json_boolean(v->counts_tasks));
	json_object_set_new(to, "tasks", tasks_save(v->tasks));
	json_object_set_new(to, "window", window_save(&v->window));
	json_object_set_new(to, "active_tasks", json_real(g->active_tasks));
	json_object_set_new(to, "active_requests", json_real(g->active_requests));
	json_object_set_new(to, "open_sessions", json_real(g->open_sessions));
	if (g->build[0] != '\0')
		json_object_set_new(to, "build", text_of(slice_of(g->build)));
}

static void
series_save(struct agent_series *a, agent_metrics_put *put, void *arg)
{
	const struct buckets *task = &agents.options.task_buckets,
			     *request = &agents.options.request_buckets;
	json_t *all = json_object();
	char *text;

	a->changed = false;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		json_object_set_new(
		    all, numbers[i].name, json_integer((json_int_t)*number_at(&a->counters, i)));
	json_object_set_new(all, "created", json_integer(a->hold.created));
	json_object_set_new(all, "released", json_boolean(a->hold.released));
	if (a->pod_labels != NULL && agents.options.nlabels > 0) {
		json_object_set_new(all, "pod_labels", text_of(slice_of(a->pod_labels)));
		json_object_set_new(all, "label_names", text_of(slice_of(agents.label_names)));
	}
	json_object_set_new(all, "task_bounds", bounds_save(task));
	json_object_set_new(all, "request_bounds", bounds_save(request));
	json_object_set_new(all, "execution", histogram_save(&a->counters.execution, task));
	json_object_set_new(all, "request", histogram_save(&a->counters.request, request));
	json_object_set_new(all, "errors", cells_save(&a->errors));
	json_object_set_new(all, "pipelines", cells_save(&a->pipelines));
	life_save(all, a);
	text = json_dumps(all, JSON_COMPACT);
	assert(text != NULL);
	put(arg, slice_of(a->other ? AGENTS_OTHER : a->key), slice_of(text));
	free(text);
	json_decref(all);
}

void
agent_metrics_save(agent_metrics_put *put, void *arg)
{
	struct agent_series *a;
	struct slice key;
	size_t at = 0;

	while (map_next(agents.gone, &at, &key) != NULL) {
		if (map_get(agents.by_name, key) == NULL)
			put(arg, key, SLICE(""));
	}
	map_free(agents.gone);
	agents.gone = map_new();
	at = 0;
	while ((a = map_next(agents.by_name, &at, NULL)) != NULL) {
		if (a->changed)
			series_save(a, put, arg);
	}
	if (agents.other != NULL && agents.other->changed)
		series_save(agents.other, put, arg);
	failures_save(agents.failures, put, arg);
}

/* ---- restoring; towline wrote the text, but a wrong one must do no harm */

static uint64_t
count_at(const json_t *array, size_t i)
{
	return (uint64_t)json_integer_value(json_array_get(array, i));
}

/* The bounds that the saved histograms have: none are those of version 0.1.0. */
static struct buckets
bounds_restored(const json_t *from)
{
	double at[BUCKETS_MAX];
	struct buckets bounds;
	size_t n = json_array_size(from);

	if (n == 0 || n > BUCKETS_MAX)
		return metrics_delivery_buckets;
	for (size_t i = 0; i < n; i++)
		at[i] = json_number_value(json_array_get(from, i));
	metrics_buckets(&bounds, at, (unsigned)n);
	return bounds;
}

/* With other bounds than the saved ones, a count goes to the bucket that surely has all of it. */
static void
histogram_restore(struct histogram *h, const struct buckets *bounds, const json_t *from,
    const struct buckets *saved)
{
	const char *sum = json_string_value(json_array_get(from, saved->n + 1));

	for (unsigned i = 0; i <= saved->n; i++)
		h->buckets[i < saved->n ? exposition_bucket(bounds, saved->at[i]) : bounds->n] +=
		    count_at(from, i);
	h->sum += sum != NULL ? strtold(sum, NULL) : 0;
}

/* What version 0.1.0 wrote was shown. */
static struct hold
hold_restored(const json_t *created, const json_t *released)
{
	return (struct hold){ .created = json_integer_value(created),
		.released = !json_is_false(released) };
}

/*
 * A cell as cell_save() wrote it; version 0.1.0 wrote the count or the
 * histogram alone.  Several come to `other` when the cap is lower now.
 */
static void
cell_restore(struct cell *cell, const json_t *from, const struct buckets *saved)
{
	const json_t *first = json_array_get(from, 0), *count = from;

	if (cell->times != NULL ? json_is_array(first) : first != NULL) {
		count = first;
		cell->hold = hold_restored(json_array_get(from, 1), json_array_get(from, 2));
	}
	if (cell->times == NULL || saved == NULL) {
		cell->count += (uint64_t)json_integer_value(count);
		return;
	}
	histogram_restore(cell->times, &agents.options.task_buckets, count, saved);
	cell->count = 0;
	for (unsigned i = 0; i <= agents.options.task_buckets.n; i++)
		cell->count += cell->times->buckets[i];
}

/* Values of a label; histograms have ${saved} bounds, NULL: they are counts.  No record is folded. */
static void
cells_restore(struct cells *c, const struct agent_series *a, const char *name,
    const struct buckets *saved, json_t *from)
{
	uint64_t folded = atomic_load_explicit(&metrics.folded, memory_order_relaxed);
	const char *value;
	json_t *what;

	json_object_foreach(from, value, what)
	{
		struct field field = { .value = slice_of(value) };

		cell_restore(agent_cells_find(c, a, name, &field, saved != NULL), what, saved);
	}
	atomic_store_explicit(&metrics.folded, folded, memory_order_relaxed);
}

static void
window_restore(struct window *w, const json_t *from)
{
	for (size_t i = 0; i < json_array_size(from); i++) {
		const json_t *part = json_array_get(from, i);
		int64_t at = json_integer_value(json_array_get(part, 0));

		if (at < 0)
			continue;
		if (w->parts == NULL)
			w->parts = xcalloc(WINDOW_PARTS, sizeof(*w->parts));
		w->parts[at % WINDOW_PARTS] = (struct part){ .at = at,
			.tasks = count_at(part, 1),
			.seconds = json_number_value(json_array_get(part, 2)) };
		if (at > w->end)
			w->end = at;
		w->moved = true;
	}
}

/* The state of version 0.1.0 has the hashes alone. */
static struct task
task_restored(const json_t *from)
{
	if (json_is_integer(from))
		return (struct task){ .hash = (uint64_t)json_integer_value(from) };
	return (struct task){ count_at(from, 0), (int64_t)count_at(from, 1) };
}

static void
life_restore(struct agent_series *a, const json_t *from)
{
	const char *uid = json_string_value(json_object_get(from, "uid"));
	const char *build = json_string_value(json_object_get(from, "build"));
	const json_t *open = json_object_get(from, "tasks");
	struct vitals *v = &a->vitals;
	struct agent_gauges *g = &v->gauges;

	if (uid == NULL || a->other)
		return;
	agent_life_renew(a, agent_life_add(a, slice_of(uid),
				(uint32_t)json_integer_value(json_object_get(from, "restart"))));
	v->last = json_integer_value(json_object_get(from, "last"));
	v->heartbeat = json_integer_value(json_object_get(from, "heartbeat"));
	v->counts_tasks = json_is_true(json_object_get(from, "counts_tasks"));
	for (size_t i = 0; i < json_array_size(open); i++)
		tasks_put(v->tasks, task_restored(json_array_get(open, i)));
	window_restore(&v->window, json_object_get(from, "window"));
	g->active_tasks = json_number_value(json_object_get(from, "active_tasks"));
	g->active_requests = json_number_value(json_object_get(from, "active_requests"));
	g->open_sessions = json_number_value(json_object_get(from, "open_sessions"));
	if (build != NULL && strlen(build) < sizeof(g->build))
		memcpy(g->build, build, strlen(build) + 1);
}

/* Labels of other names than the options have now are asked for again. */
static void
labels_restore(struct agent_series *a, const json_t *from)
{
	const char *names = json_string_value(json_object_get(from, "label_names"));
	const char *labels = json_string_value(json_object_get(from, "pod_labels"));

	if (a->pod_labels == NULL && names != NULL && labels != NULL &&
	    strcmp(names, agents.label_names) == 0)
		agent_labels_set(a, slice_of(labels));
}

static void
counts_restore(struct agent_series *a, const json_t *from)
{
	struct buckets task = bounds_restored(json_object_get(from, "task_bounds"));
	struct buckets request = bounds_restored(json_object_get(from, "request_bounds"));
	struct agent_counters *c = &a->counters;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		*number_at(c, i) =
		    (uint64_t)json_integer_value(json_object_get(from, numbers[i].name));
	a->hold =
	    hold_restored(json_object_get(from, "created"), json_object_get(from, "released"));
	labels_restore(a, from);
	histogram_restore(
	    &c->execution, &agents.options.task_buckets, json_object_get(from, "execution"), &task);
	histogram_restore(&c->request, &agents.options.request_buckets,
	    json_object_get(from, "request"), &request);
	cells_restore(&a->errors, a, "error_type", NULL, json_object_get(from, "errors"));
	cells_restore(&a->pipelines, a, "pipeline", &task, json_object_get(from, "pipelines"));
}

static void
series_restore(struct slice key, struct slice value, int64_t now)
{
	json_t *from = json_loadb(value.at, value.len, 0, NULL);
	struct agent_series *a = json_is_object(from) ? agents_named(key) : NULL;

	if (a != NULL) {
		counts_restore(a, from);
		life_restore(a, from);
		a->quiet_since = a->gone_since = now;
		agents.restored = true;
	}
	json_decref(from);
}

void
agent_metrics_restore(struct slice key, struct slice value, int64_t now)
{
	if (slice_starts(key, SLICE(FAILURES_KEY)))
		failures_restore(agents.failures, slice_from(key, sizeof(FAILURES_KEY) - 1), value);
	else
		series_restore(key, value, now);
}
