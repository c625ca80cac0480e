/*
 * Showing the counts: the copy under the lock, the release of held label
 * values, the end of gauges and series.  About once a second.
 */
#include "agent_series.h"

#include <stdlib.h>

#define HOLD_MAX (600 * NS_PER_S)   /* without a scrape, a hold ends here */
#define HISTORY_MAX (60 * NS_PER_S) /* records that are read later are not history */
#define SKEW (60 * NS_PER_S) /* the most that a record may be ahead of this machine's clock */
#define COUNTERS_STAY (900 * NS_PER_S) /* how long counters are shown after the end of an agent */

/*
 * Between a rotated file's end and its successor's first line an agent has no
 * file: its gauges stay for so long.
 */
#define GAUGES_STAY (3 * NS_PER_S)

/* The time of a publish. */
struct moment {
	int64_t now;
	int64_t judged_at; /* ages of heartbeats are told at this time */
	bool behind;       /* a file has unread bytes */
};

bool
agent_metrics_counted(void)
{
	return atomic_load(&agents.counted);
}

void
agent_metrics_scraped(void)
{
	atomic_store(&agents.scraped, agents.written);
}

/*
 * True when the count is to be shown: its release is saved.  A release of now
 * and a time of creation change the series: they are saved with it before the
 * next publish.
 */
static bool
hold_publish(struct hold *h, struct agent_series *a, int64_t now)
{
	int64_t age;

	if (h->created == CREATED_NOW) {
		h->created = now;
		a->changed = true;
	}
	if (h->released)
		return true;
	if (h->since == 0) {
		h->since = now;
		h->generation = agents.generation;
	}
	age = now - h->since;
	h->released = age >= HOLD_MAX ||
		      (age >= agents.options.hold && atomic_load(&agents.scraped) >= h->generation);
	a->changed |= h->released;
	return false;
}

static void
cells_publish(struct cells *c, struct agent_series *a, int64_t now)
{
	while (c->fresh != NULL) {
		struct cell *cell = c->fresh;

		c->fresh = cell->next;
		cell->next = NULL;
		*c->end = cell;
		c->end = &cell->next;
	}
	for (struct cell *cell = c->first; cell != NULL; cell = cell->next) {
		if (!hold_publish(&cell->hold, a, now) || cell->shown == cell->count)
			continue;
		cell->shown = cell->count;
		if (cell->times != NULL)
			*cell->shown_times = *cell->times;
	}
}

/* ---- gauges */

static void
window_mean(struct window *w, int64_t now, struct agent_gauges *g)
{
	uint64_t tasks = 0;
	double seconds = 0;

	w->moved = false;
	if (w->end > (now + SKEW) / agents.part) {
		memset(w->parts, 0, WINDOW_PARTS * sizeof(*w->parts));
		w->end = 0;
		return;
	}
	for (int i = 0; i < WINDOW_PARTS; i++) {
		const struct part *s = &w->parts[i];

		if (s->at <= w->end - WINDOW_PARTS)
			continue;
		tasks += s->tasks;
		seconds += s->seconds;
	}
	if (tasks == 0)
		return;
	g->has_mean = true;
	g->mean = seconds / (double)tasks;
}

/*
 * Running: its last heartbeat is not older than the timeout.  An agent that
 * has not beaten yet (it starts, or its log has no word for it) is judged by
 * its newest line.
 */
static void
heartbeat_judge(struct vitals *v, int64_t now, int64_t judged_at)
{
	int64_t sign;

	if (v->began == 0)
		v->began = now;
	v->heartbeat = earlier(v->heartbeat, now);
	v->last = earlier(v->last, now);
	v->gauges.heartbeat = v->heartbeat;
	sign = v->heartbeat > 0 ? v->heartbeat : v->last > 0 ? v->last : v->began;
	v->gauges.running = judged_at - sign <= agents.options.heartbeat_timeout;
}

/*
 * Tasks without an end are dropped.  They are counted behind the copy of the
 * counters: a number is saved before it is shown.  While a file has unread
 * bytes an end may be among them: ages are judged against the agent's newest record.
 */
static void
tasks_publish(struct agent_series *a, int64_t judged_at)
{
	struct vitals *v = &a->vitals;
	uint32_t dropped = tasks_expire(v->tasks, judged_at, agents.options.task_timeout);

	a->counters.timeouts += dropped;
	a->changed |= dropped > 0;
	v->gauges.oldest = tasks_oldest(v->tasks);
	if (v->counts_tasks)
		v->gauges.active_tasks = tasks_count(v->tasks);
}

static void
gauges_publish(struct agent_series *a, const struct moment *m)
{
	struct vitals *v = &a->vitals;
	struct agent_gauges *g = &v->gauges;

	g->alive = !a->other && (a->newest->streams > 0 || m->now - a->gone_since < GAUGES_STAY);
	if (v->window.moved)
		window_mean(&v->window, m->now, g);
	heartbeat_judge(v, m->now, m->judged_at);
	tasks_publish(a, m->behind ? earlier(v->last, m->now) : m->now);
	a->shown_gauges = *g;
}

/* ---- series */

static void
series_publish(struct agent_series *a, const struct moment *m)
{
	if (a->pod_labels == NULL)
		return;
	if (!a->linked) {
		a->linked = true;
		a->next = agents.shown;
		agents.shown = a;
	}
	if (hold_publish(&a->hold, a, m->now))
		a->shown = a->counters;
	cells_publish(&a->errors, a, m->now);
	cells_publish(&a->pipelines, a, m->now);
	agent_recent_publish(a, m->now);
	gauges_publish(a, m);
}

static void
forget_dead(int64_t now)
{
	struct agent_series *a;
	size_t at = 0;

	while ((a = map_next(agents.by_name, &at, NULL)) != NULL) {
		if (a->streams == 0 && now - a->quiet_since >= COUNTERS_STAY)
			agents_forget(a);
	}
}

void
agent_metrics_publish(int64_t now, bool behind)
{
	struct moment m = { now, now, behind };
	struct agent_series *a;
	size_t at = 0;

	if (agents.began == 0)
		agents.began = now;
	if (behind && agents.newest > 0 && agents.newest < now)
		m.judged_at = agents.newest;
	failures_tame(agents.failures, now + SKEW);
	if (pthread_mutex_trylock(&agents.lock) != 0)
		return; /* a scrape is being written: the reader does not wait for it */
	forget_dead(now);
	agents.generation++;
	while ((a = map_next(agents.by_name, &at, NULL)) != NULL)
		series_publish(a, &m);
	if (agents.other != NULL)
		series_publish(agents.other, &m);
	pthread_mutex_unlock(&agents.lock);
	if (!behind || now - agents.began >= HISTORY_MAX)
		atomic_store(&agents.counted, true);
}
