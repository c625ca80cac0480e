/*
 * Which agents there are: series by namespace, pod and container; the lives
 * (pod uid, restart) of each; the values of a label, capped.  Counting is
 * agent_count.c, showing is agent_publish.c.
 */
#include "agent_series.h"

#include <assert.h>
#include <stdlib.h>

#include "json.h"

struct agents agents = { .lock = PTHREAD_MUTEX_INITIALIZER };

const struct field error_unknown = { .value = { "UNKNOWN", 7 } };

void
agent_metrics_init(const struct agent_metrics_options *options)
{
	agent_metrics_fini();
	agents.options = *options;
	if (agents.options.hold == 0)
		agents.options.hold = 30 * NS_PER_S;
	if (agents.options.window < WINDOW_PARTS)
		agents.options.window = 300 * NS_PER_S;
	agents.part = agents.options.window / WINDOW_PARTS;
	agents.by_name = map_new();
	agents.gone = map_new();
}

void
agent_metrics_fini(void)
{
	struct agent_series *a;
	size_t at = 0;

	if (agents.by_name == NULL)
		return;
	while ((a = map_next(agents.by_name, &at, NULL)) != NULL)
		agent_series_free(a);
	if (agents.other != NULL)
		agent_series_free(agents.other);
	map_free(agents.by_name);
	map_free(agents.gone);
	agents = (struct agents){ .lock = PTHREAD_MUTEX_INITIALIZER };
}

/* ---- the values of a label */

void
cells_init(struct cells *c)
{
	*c = (struct cells){ .by_value = map_new() };
	c->end = &c->first;
}

static void
cell_free(struct cell *cell)
{
	free(cell->labels);
	free(cell->times);
	free(cell->shown_times);
	free(cell);
}

static void
cell_list_free(struct cell *cell)
{
	while (cell != NULL) {
		struct cell *next = cell->next;

		cell_free(cell);
		cell = next;
	}
}

void
cells_fini(struct cells *c)
{
	cell_list_free(c->first);
	cell_list_free(c->fresh);
	map_free(c->by_value);
}

static struct cell *
cell_new(
    struct cells *c, const struct agent_series *a, const char *name, struct slice value, bool times)
{
	struct cell *cell = xcalloc(1, sizeof(*cell));
	struct buffer labels;

	buffer_init(&labels, 0);
	buffer_put(&labels, slice_of(a->labels));
	exposition_label(&labels, name, value);
	cell->labels = xslicedup(buffer_slice(&labels));
	buffer_fini(&labels);
	if (times) {
		cell->times = xcalloc(1, sizeof(*cell->times));
		cell->shown_times = xcalloc(1, sizeof(*cell->shown_times));
	}
	cell->hold.released = !atomic_load(&agents.counted) || agents.options.hold < 0;
	cell->next = c->fresh;
	c->fresh = cell;
	return cell;
}

/* The longest text of a field that is looked at: its label is cut to less. */
#define FIELD_MAX 1024

/* The first ${max} bytes of the inside of a JSON string, or less: no escape is cut. */
static struct slice
escaped_cut(struct slice raw, size_t max)
{
	size_t len = 0;

	while (len < max) {
		size_t step = raw.at[len] != '\\' ? 1 : raw.at[len + 1] == 'u' ? 6 : 2;

		if (step > max - len)
			break;
		len += step;
	}
	return (struct slice){ raw.at, len };
}

struct slice
field_clean(const struct field *field, char *to)
{
	struct slice raw = field->value;
	char plain[FIELD_MAX];

	if (field->kind == VALUE_ESCAPED && memchr(raw.at, '\\', raw.len) != NULL) {
		if (raw.len > FIELD_MAX)
			raw = escaped_cut(raw, FIELD_MAX);
		raw = (struct slice){ plain, json_unescape(raw, plain) };
	}
	return (struct slice){ to, exposition_label_clean(raw, to) };
}

struct cell *
cells_find(struct cells *c, const struct agent_series *a, const char *name,
    const struct field *value, bool times)
{
	char clean[LABEL_MAX];
	struct slice label;
	struct cell *cell;

	cell = value->kind == VALUE_ESCAPED ? NULL : map_get(c->by_value, value->value);
	if (cell != NULL)
		return cell; /* only clean values stand in the map */
	label = field_clean(value, clean);
	cell = map_get(c->by_value, label);
	if (cell != NULL)
		return cell;
	if (map_count(c->by_value) < agents.options.max_series) {
		cell = cell_new(c, a, name, label, times);
		map_put(c->by_value, label, cell);
		return cell;
	}
	metrics_add(&metrics.folded, 1);
	if (c->other == NULL) {
		c->other = map_get(c->by_value, SLICE("other"));
		if (c->other == NULL)
			c->other = cell_new(c, a, name, SLICE("other"), times);
	}
	return c->other;
}

/* ---- lives */

static bool
life_is(const struct life *life, const struct pod *pod)
{
	return life->restart == pod->restart && slice_eq(slice_of(life->uid), pod->pod_id);
}

struct life *
life_find(const struct agent_series *a, const struct pod *pod)
{
	struct life *life = a->lives;

	while (life != NULL && !life_is(life, pod))
		life = life->next;
	return life;
}

struct life *
life_add(struct agent_series *a, struct slice uid, uint32_t restart)
{
	struct life *life = xcalloc(1, sizeof(*life));

	life->uid = xslicedup(uid);
	life->restart = restart;
	life->next = a->lives;
	a->lives = life;
	return life;
}

static void
life_free(struct life *life)
{
	free(life->uid);
	free(life);
}

/* Forget lives that have no stream; not the newest. */
static void
lives_prune(struct agent_series *a)
{
	struct life **at = &a->lives;

	while (*at != NULL) {
		struct life *life = *at;

		if (life->streams > 0 || life == a->newest) {
			at = &life->next;
			continue;
		}
		*at = life->next;
		life_free(life);
	}
}

void
agent_renew(struct agent_series *a, struct life *life)
{
	a->newest = life;
	a->changed = true;
	a->last = 0;
	tasks_clear(a->tasks);
	a->counts_tasks = false;
	a->heartbeat = 0;
	a->began = 0;
	a->window_moved = false;
	free(a->window);
	a->window = NULL;
	a->gauges = (struct agent_gauges){ 0 };
}

/*
 * Restarts are numbered.  Uids are not: of two with one pod name the newer is
 * the one whose records come behind all that the other has written, as a name
 * is free again only when its pod has ended.
 */
bool
agent_is_newest(struct agent_series *a, const struct pod *pod, int64_t time)
{
	struct life *life;
	bool newer;

	if (life_is(a->newest, pod))
		return true;
	newer = slice_eq(slice_of(a->newest->uid), pod->pod_id) ? pod->restart > a->newest->restart
								: time > a->last;
	life = newer ? life_find(a, pod) : NULL;
	if (life == NULL)
		return false;
	agent_renew(a, life);
	lives_prune(a);
	return true;
}

/* ---- agents */

static struct agent_series *
series_new(struct slice ns, struct slice pod, struct slice container)
{
	struct agent_series *a = xcalloc(1, sizeof(*a));
	char clean[LABEL_MAX];
	struct buffer labels;

	buffer_init(&labels, 0);
	exposition_label(
	    &labels, "namespace", (struct slice){ clean, exposition_label_clean(ns, clean) });
	exposition_label(
	    &labels, "pod", (struct slice){ clean, exposition_label_clean(pod, clean) });
	exposition_label(&labels, "container",
	    (struct slice){ clean, exposition_label_clean(container, clean) });
	a->labels = xslicedup(buffer_slice(&labels));
	buffer_fini(&labels);
	cells_init(&a->errors);
	cells_init(&a->pipelines);
	a->tasks = tasks_new();
	a->changed = true;
	a->hold.released = !atomic_load(&agents.counted) || agents.options.hold < 0;
	cells_find(&a->errors, a, "error_type", &error_unknown, false); /* the family appears */
	return a;
}

void
agent_series_free(struct agent_series *a)
{
	while (a->lives != NULL) {
		struct life *life = a->lives;

		a->lives = life->next;
		life_free(life);
	}
	cells_fini(&a->errors);
	cells_fini(&a->pipelines);
	tasks_free(a->tasks);
	free(a->window);
	free(a->labels);
	free(a->key);
	free(a);
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
	agent_forget(oldest);
	return true;
}

static struct agent_series *
series_other(void)
{
	if (agents.other == NULL) {
		agents.other = series_new(SLICE("other"), SLICE("other"), SLICE("other"));
		agents.other->other = true;
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
agent_named(struct slice key)
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
	struct agent_series *a = agent_named(slice_of(key));

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
	life = life_find(a, pod);
	if (life == NULL)
		life = life_add(a, pod->pod_id, pod->restart);
	life->streams++;
	if (a->newest == NULL) {
		a->newest = life;
	} else if (slice_eq(slice_of(a->newest->uid), pod->pod_id)
		       ? pod->restart > a->newest->restart
		       : was_dead) {
		agent_renew(a, life);
	}
	lives_prune(a);
	return a;
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
	life = life_find(a, pod);
	assert(life != NULL && life->streams > 0);
	if (--life->streams == 0 && life == a->newest)
		a->gone_since = now;
	lives_prune(a);
}
