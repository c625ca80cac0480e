/*
 * The agents: a series for each namespace, pod and container, made, found and
 * forgotten.  Counting is agent_count.c, showing is agent_publish.c.
 */
#include "agent_series.h"

#include <assert.h>
#include <stdlib.h>

struct agents agents = { .lock = PTHREAD_MUTEX_INITIALIZER };

void
agents_labels(
    struct buffer *to, struct slice namespace_name, struct slice pod, struct slice container)
{
	char clean[LABEL_MAX];

	exposition_label(to, "namespace",
	    (struct slice){ clean, exposition_label_clean(namespace_name, clean) });
	exposition_label(to, "pod", (struct slice){ clean, exposition_label_clean(pod, clean) });
	exposition_label(
	    to, "container", (struct slice){ clean, exposition_label_clean(container, clean) });
}

static struct agent_series *
series_new(struct slice ns, struct slice pod, struct slice container)
{
	struct agent_series *a = xcalloc(1, sizeof(*a));
	struct buffer labels;

	buffer_init(&labels, 0);
	agents_labels(&labels, ns, pod, container);
	a->labels = xslicedup(buffer_slice(&labels));
	if (agents.options.nlabels == 0)
		a->pod_labels = xstrdup("");
	buffer_fini(&labels);
	agent_cells_init(&a->errors);
	agent_cells_init(&a->pipelines);
	a->vitals.tasks = tasks_new();
	a->changed = true;
	a->hold = agent_cells_hold();
	agent_cells_find(
	    &a->errors, a, "error_type", &agent_cells_no_type, false); /* the family appears */
	return a;
}

static void
series_free(struct agent_series *a)
{
	while (a->lives != NULL) {
		struct life *life = a->lives;

		a->lives = life->next;
		agent_life_free(life);
	}
	agent_cells_fini(&a->errors);
	agent_cells_fini(&a->pipelines);
	tasks_free(a->vitals.tasks);
	free(a->vitals.window.parts);
	free(a->recent);
	free(a->labels);
	free(a->pod_labels);
	free(a->key);
	free(a);
}

/* Out of the list that is shown; under the lock. */
static void
series_unlink(struct agent_series *a)
{
	struct agent_series **at = &agents.shown;

	if (!a->linked)
		return;
	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
}

void
agents_forget(struct agent_series *a)
{
	series_unlink(a);
	map_del(agents.by_name, slice_of(a->key));
	map_put(agents.gone, slice_of(a->key), &agents);
	series_free(a);
}

/* Make room for one more agent by forgetting the one that ended longest ago. */
static bool
series_evict(void)
{
	struct agent_series *a, *oldest = NULL;
	size_t at = 0;

	while ((a = map_next(agents.by_name, &at, NULL)) != NULL) {
		if (a->streams == 0 && (oldest == NULL || a->quiet_since < oldest->quiet_since))
			oldest = a;
	}
	if (oldest == NULL)
		return false;
	pthread_mutex_lock(&agents.lock);
	agents_forget(oldest);
	pthread_mutex_unlock(&agents.lock);
	return true;
}

static struct agent_series *
series_other(void)
{
	if (agents.other == NULL) {
		agents.other = series_new(SLICE("other"), SLICE("other"), SLICE("other"));
		agents.other->other = true;
		if (agents.other->pod_labels == NULL)
			agent_labels_set(agents.other, SLICE(""));
	}
	return agents.other;
}

/* Up to the next slash. */
static struct slice
part_next(struct slice *rest)
{
	const char *slash = rest->len > 0 ? memchr(rest->at, '/', rest->len) : NULL;
	struct slice part = { rest->at, slash != NULL ? (size_t)(slash - rest->at) : rest->len };

	*rest = slice_from(*rest, slash != NULL ? part.len + 1 : part.len);
	return part;
}

struct agent_series *
agents_named(struct slice key)
{
	struct agent_series *a = map_get(agents.by_name, key);
	struct slice ns, pod, container = key;

	if (a != NULL)
		return a;
	if (slice_eq(key, SLICE(AGENTS_OTHER)))
		return series_other();
	ns = part_next(&container);
	pod = part_next(&container);
	if (map_count(agents.by_name) >= agents.options.max_series && !series_evict())
		return NULL;
	a = series_new(ns, pod, container);
	a->key = xslicedup(key);
	map_put(agents.by_name, key, a);
	return a;
}

static struct agent_series *
series_of(const struct pod *pod)
{
	char *key = xprintf("%.*s/%.*s/%.*s", (int)pod->namespace_name.len, pod->namespace_name.at,
	    (int)pod->pod_name.len, pod->pod_name.at, (int)pod->container_name.len,
	    pod->container_name.at);
	struct agent_series *a = agents_named(slice_of(key));

	free(key);
	return a != NULL ? a : series_other();
}

struct agent_series *
agent_metrics_agent(const struct pod *pod)
{
	struct agent_series *a = series_of(pod);
	struct life *life;
	bool was_dead = a->streams == 0;

	if (agents.restored)
		atomic_store(&agents.counted, true);
	a->streams++;
	a->quiet_since = 0;
	if (a->other)
		return a;
	life = agent_life_find(a, pod);
	if (life == NULL)
		life = agent_life_add(a, pod->pod_id, pod->restart);
	life->streams++;
	if (a->newest == NULL) {
		a->newest = life;
	} else if (slice_eq(slice_of(a->newest->uid), pod->pod_id)
		       ? pod->restart > a->newest->restart
		       : was_dead) {
		agent_life_renew(a, life);
	}
	agent_life_prune(a);
	return a;
}

bool
agent_metrics_is_its_own(const struct agent_series *a)
{
	return !a->other;
}

void
agent_metrics_ended(struct agent_series *a, const struct pod *pod, int64_t now)
{
	struct life *life;

	assert(a->streams > 0);
	if (--a->streams == 0)
		a->quiet_since = now;
	if (a->other)
		return;
	life = agent_life_find(a, pod);
	assert(life != NULL && life->streams > 0);
	if (--life->streams == 0 && life == a->newest)
		a->gone_since = now;
	agent_life_prune(a);
}

void
agents_polled_free(struct agent_polled *p)
{
	if (p == NULL)
		return;
	free(p->labels);
	free(p);
}

void
agents_usage_free(struct map *usage)
{
	struct agent_used *u;
	size_t at = 0;

	while ((u = map_next(usage, &at, NULL)) != NULL) {
		free(u->labels);
		free(u);
	}
	map_free(usage);
}

void
agent_metrics_init(const struct agent_metrics_options *options)
{
	agent_metrics_fini();
	agents.options = *options;
	if (agents.options.hold == 0)
		agents.options.hold = 30 * NS_PER_S;
	if (agents.options.task_timeout == 0)
		agents.options.task_timeout = 86400 * NS_PER_S;
	if (agents.options.max_failures == 0)
		agents.options.max_failures = 4096;
	if (agents.options.failure_memory == 0)
		agents.options.failure_memory = 30 * 86400 * NS_PER_S;
	if (agents.options.task_buckets.n == 0)
		agents.options.task_buckets = metrics_delivery_buckets;
	if (agents.options.request_buckets.n == 0)
		agents.options.request_buckets = metrics_delivery_buckets;
	if (agents.options.window < WINDOW_PARTS)
		agents.options.window = 300 * NS_PER_S;
	agents.part = agents.options.window / WINDOW_PARTS;
	agents.by_name = map_new();
	agents.gone = map_new();
	agents.label_names = agent_labels_names();
	agents.failures = failures_new(agents.options.max_failures, agents.options.failure_memory);
	agents.polled = map_new();
	agents.usage = map_new();
}

void
agent_metrics_fini(void)
{
	struct agent_polled *p;
	struct agent_series *a;
	size_t at = 0;

	if (agents.by_name == NULL)
		return;
	while ((a = map_next(agents.by_name, &at, NULL)) != NULL)
		series_free(a);
	at = 0;
	while ((p = map_next(agents.polled, &at, NULL)) != NULL)
		agents_polled_free(p);
	map_free(agents.polled);
	agents_usage_free(agents.usage);
	if (agents.other != NULL)
		series_free(agents.other);
	map_free(agents.by_name);
	map_free(agents.gone);
	failures_free(agents.failures);
	free(agents.label_names);
	agents = (struct agents){ .lock = PTHREAD_MUTEX_INITIALIZER };
}
