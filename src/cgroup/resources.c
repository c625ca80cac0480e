/*
 * The thread, and the list of containers, under one lock, which the reader
 * takes when a log begins or ends; files are read without it.
 */
#include "resources.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "agent_usage.h"
#include "clock.h"
#include "map.h"
#include "memory.h"
#include "tree.h"
#include "voice.h"

#define FOLDERS 20000              /* that are looked at in a walk */
#define WALK_MOST (300 * NS_PER_S) /* the longest time between two walks while an id is not found */

/* A container that has logs. */
struct watched {
	char *texts[3]; /* namespace, pod, container */
	char *id;
	unsigned logs;
};

struct resources {
	struct tree tree;
	int64_t interval;
	pthread_t thread;
	bool running;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct map *watched; /* by id */
	bool fresh;          /* one was added */
	bool stop;

	/* members of the thread */
	struct map *paths; /* folders, by id */
	int64_t walked;    /* mono ns of the last walk; 0: none yet */
	struct said said_many;
	int64_t walk_gap;      /* until the next one */
	struct watched *round; /* copies */
	size_t n;
};

static void
texts_free(struct watched *w)
{
	for (int i = 0; i < 3; i++)
		free(w->texts[i]);
	free(w->id);
}

/* ---- the reader's */

void
resources_watch(struct resources *r, const struct resources_container *c)
{
	struct watched *w;

	if (r == NULL || c->id.len != TREE_ID)
		return;
	pthread_mutex_lock(&r->lock);
	w = map_get(r->watched, c->id);
	if (w == NULL) {
		w = xcalloc(1, sizeof(*w));
		w->texts[0] = xslicedup(c->namespace_name);
		w->texts[1] = xslicedup(c->pod);
		w->texts[2] = xslicedup(c->container);
		w->id = xslicedup(c->id);
		map_put(r->watched, c->id, w);
		r->fresh = true;
		pthread_cond_signal(&r->changed);
	}
	w->logs++;
	pthread_mutex_unlock(&r->lock);
}

void
resources_leave(struct resources *r, const struct resources_container *c)
{
	struct watched *w;

	if (r == NULL || c->id.len != TREE_ID)
		return;
	pthread_mutex_lock(&r->lock);
	w = map_get(r->watched, c->id);
	if (w != NULL && --w->logs == 0) {
		map_del(r->watched, c->id);
		texts_free(w);
		free(w);
	}
	pthread_mutex_unlock(&r->lock);
}

/* ---- a round of the thread */

/* Copies of all watched ones; under the lock. */
static void
round_begin(struct resources *r)
{
	const struct watched *w;
	size_t at = 0;

	r->round = xcalloc(map_count(r->watched) + 1, sizeof(*r->round));
	for (r->n = 0; (w = map_next(r->watched, &at, NULL)) != NULL; r->n++) {
		for (int i = 0; i < 3; i++)
			r->round[r->n].texts[i] = xstrdup(w->texts[i]);
		r->round[r->n].id = xstrdup(w->id);
	}
	if (r->fresh)
		r->walk_gap = 0;
	r->fresh = false;
}

static void
round_end(struct resources *r)
{
	for (size_t i = 0; i < r->n; i++)
		texts_free(&r->round[i]);
	free(r->round);
	r->round = NULL;
}

static void
on_folder(void *arg, struct slice id, const char *path)
{
	struct resources *r = arg;

	for (size_t i = 0; i < r->n; i++) {
		if (slice_eq(slice_of(r->round[i].id), id) && map_get(r->paths, id) == NULL)
			map_put(r->paths, id, xstrdup(path));
	}
}

static bool
all_found(const struct resources *r)
{
	for (size_t i = 0; i < r->n; i++) {
		if (map_get(r->paths, slice_of(r->round[i].id)) == NULL)
			return false;
	}
	return true;
}

/* A log whose container has ended has no folder any more: the walks grow rare. */
static void
folders_find(struct resources *r, int64_t now)
{
	if (all_found(r) || (r->walked != 0 && now - r->walked < r->walk_gap))
		return;
	if (!tree_walk(&r->tree, FOLDERS, on_folder, r) && !said_lately(&r->said_many))
		say_warn("cgroup",
		    "more than %d control groups: the containers of the rest are not measured",
		    FOLDERS);
	if (r->walked == 0 && map_count(r->paths) == 0)
		say_warn("cgroup",
		    "no control group of an agent's container is found at Cgroup_Path: unless they "
		    "have all ended, it is not the node's");
	r->walked = now;
	r->walk_gap = earlier(r->walk_gap * 2 + r->interval, WALK_MOST);
}

static void
usage_read(struct resources *r)
{
	struct agent_usage *all = xcalloc(r->n + 1, sizeof(*all));
	size_t found = 0;

	for (size_t i = 0; i < r->n; i++) {
		const struct watched *w = &r->round[i];
		char *path = map_get(r->paths, slice_of(w->id));
		struct tree_usage usage;

		if (path == NULL)
			continue;
		if (!tree_read(&r->tree, path, &usage)) {
			free(map_del(r->paths, slice_of(w->id)));
			continue;
		}
		all[found++] = (struct agent_usage){ { w->texts[0], w->texts[1], w->texts[2] },
			usage.memory, usage.cpu };
	}
	agent_usage_publish(all, found);
	free(all);
}

/* Folders of containers that are watched no more. */
static void
folders_forget(struct resources *r)
{
	struct map *kept = map_new();
	char *path;
	size_t at = 0;

	for (size_t i = 0; i < r->n; i++) {
		path = map_del(r->paths, slice_of(r->round[i].id));
		if (path != NULL)
			map_put(kept, slice_of(r->round[i].id), path);
	}
	while ((path = map_next(r->paths, &at, NULL)) != NULL)
		free(path);
	map_free(r->paths);
	r->paths = kept;
}

/* Until the next round is due, a container is new, or the end. */
static void
sleep_until(struct resources *r, int64_t due)
{
	const struct timespec until = { due / NS_PER_S, due % NS_PER_S };

	while (!r->stop && !r->fresh &&
	       pthread_cond_timedwait(&r->changed, &r->lock, &until) != ETIMEDOUT)
		;
}

static void *
turn(void *arg)
{
	struct resources *r = arg;

	pthread_setname_np(pthread_self(), "resources");
	pthread_mutex_lock(&r->lock);
	while (!r->stop) {
		int64_t now = clock_mono();

		round_begin(r);
		pthread_mutex_unlock(&r->lock);
		folders_forget(r);
		folders_find(r, now);
		usage_read(r);
		round_end(r);
		pthread_mutex_lock(&r->lock);
		sleep_until(r, now + r->interval);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* ---- made, started, stopped */

struct resources *
resources_new(const char *root, int64_t interval)
{
	pthread_condattr_t mono;
	struct resources *r;
	struct tree tree;

	if (!tree_open(&tree, root)) {
		say_warn("cgroup",
		    "no control groups at %s (Cgroup_Path): app_memory_usage_bytes and "
		    "app_cpu_usage_seconds_total are not shown",
		    root);
		return NULL;
	}
	r = xcalloc(1, sizeof(*r));
	r->tree = tree;
	r->interval = interval;
	r->watched = map_new();
	r->paths = map_new();
	pthread_mutex_init(&r->lock, NULL);
	pthread_condattr_init(&mono);
	pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
	pthread_cond_init(&r->changed, &mono);
	pthread_condattr_destroy(&mono);
	return r;
}

void
resources_free(struct resources *r)
{
	struct watched *w;
	size_t at = 0;

	if (r == NULL)
		return;
	resources_stop(r);
	while ((w = map_next(r->watched, &at, NULL)) != NULL) {
		texts_free(w);
		free(w);
	}
	map_free(r->watched);
	r->n = 0;
	folders_forget(r);
	map_free(r->paths);
	tree_close(&r->tree);
	pthread_cond_destroy(&r->changed);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

int
resources_start(struct resources *r)
{
	int error;

	if (r == NULL)
		return 0;
	error = pthread_create(&r->thread, NULL, turn, r);
	r->running = error == 0;
	if (error != 0)
		say_error("cgroup", "no thread: %s", strerrordesc_np(error));
	return r->running ? 0 : -1;
}

void
resources_stop(struct resources *r)
{
	if (r == NULL || !r->running)
		return;
	pthread_mutex_lock(&r->lock);
	r->stop = true;
	pthread_cond_signal(&r->changed);
	pthread_mutex_unlock(&r->lock);
	pthread_join(r->thread, NULL);
	r->running = false;
}
