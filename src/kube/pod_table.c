/*
 * Pods and their surroundings, under one lock; the files that wait for a pod.
 *
 * A pod that files use is stored, so that a restart finds it without the API.
 * Its key in the state begins with the options that shaped its JSON: after a
 * change of them it is read anew.
 */
#include "pod_table.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "memory.h"
#include "metrics.h"
#include "pods.h"
#include "voice.h"

#define LINGER (300 * NS_PER_S) /* how long after its deletion a pod's files may still be opened */

struct pod_table {
	pthread_mutex_t lock;
	const struct kube_options *options;
	struct state *state;
	struct around *around;
	struct pods *pods;
	char *kept;    /* the prefix of keys in the state */
	uint64_t list; /* the number of the list under way, or of the last */
	bool synced, given_up;
	int64_t started;  /* mono ns */
	unsigned waiting; /* pods asked for and not known yet: the reader is woken for them */
	int wake;
	atomic_ullong version;
	struct said said_full;
};

static uint64_t
version_next(struct pod_table *t)
{
	return atomic_fetch_add(&t->version, 1) + 1;
}

static void
wake(struct pod_table *t)
{
	uint64_t one = 1;

	if (t->wake >= 0)
		(void)!write(t->wake, &one, sizeof(one));
}

/* ---- made, from the state */

static void
restore(void *arg, struct slice key, struct slice value)
{
	struct pod_table *t = arg;
	struct slice kept = slice_of(t->kept);
	struct slice rest = slice_starts(key, kept) ? slice_from(key, kept.len) : SLICE("");
	uint64_t version = version_next(t);

	if (!around_restore(t->around, rest, value, version) &&
	    !pods_restore(t->pods, rest, value, version))
		state_metadata(t->state, key, SLICE(""));
}

/* "2f/": the parts that the stored JSON depends on. */
static char *
kept_by(const struct kube_options *o)
{
	return xprintf("%02x/", o->parts & ~(unsigned)KUBE_NODE_LABELS);
}

struct pod_table *
pod_table_new(const struct kube_options *options, struct state *state)
{
	struct pod_table *t = xcalloc(1, sizeof(*t));

	pthread_mutex_init(&t->lock, NULL);
	t->options = options;
	t->state = state;
	t->wake = -1;
	t->started = clock_mono();
	t->kept = kept_by(options);
	t->pods = pods_new((size_t)options->max_pods, state, t->kept);
	t->around =
	    around_new(&(struct around_options){ options->parts & KUBE_OF_NAMESPACES,
			   options->parts & KUBE_NODE_LABELS, options->namespace_ttl, t->kept },
		state);
	state_metadata_each(state, restore, t);
	return t;
}

void
pod_table_free(struct pod_table *t)
{
	if (t == NULL)
		return;
	pods_free(t->pods);
	around_free(t->around);
	free(t->kept);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* ---- the kube thread's */

static void
publish(const struct pod_table *t)
{
	atomic_store_explicit(&metrics_kube.pods, pods_known(t->pods), memory_order_relaxed);
}

void
pod_table_sync(struct pod_table *t)
{
	pthread_mutex_lock(&t->lock);
	t->list++;
	pthread_mutex_unlock(&t->lock);
}

void
pod_table_synced(struct pod_table *t)
{
	struct pod_entry *e;
	size_t at = 0;

	pthread_mutex_lock(&t->lock);
	while ((e = pods_next(t->pods, &at, NULL)) != NULL) {
		if (e->info != NULL && e->seen != t->list && e->deleted == 0)
			e->deleted = clock_mono();
	}
	t->synced = true;
	version_next(t);
	wake(t);
	publish(t);
	pthread_mutex_unlock(&t->lock);
}

static void
say_full(struct pod_table *t)
{
	metrics_add(&metrics_kube.refused, 1);
	if (!said_lately(&t->said_full))
		say_warn("kube",
		    "%zu pods are known: logs of further ones go without labels; raise Max_Pods",
		    pods_known(t->pods));
}

static void
entry_set(struct pod_table *t, struct pod_entry *e, struct pod_info *info)
{
	bool used;

	pods_set(t->pods, e, info, version_next(t));
	used = pods_users(t->pods, e) > 0;
	if (used)
		pods_store(t->pods, slice_of(info->uid), e);
	if (used && t->waiting > 0)
		wake(t);
}

void
pod_table_put(struct pod_table *t, struct pod_info *info)
{
	struct pod_entry *e;
	bool full;

	pthread_mutex_lock(&t->lock);
	e = pods_find(t->pods, slice_of(info->uid));
	full = (e == NULL || e->info == NULL) && !pods_room(t->pods);
	if (full)
		say_full(t);
	else
		e = pods_entry(t->pods, slice_of(info->uid));
	if (!full)
		e->seen = t->list;
	/* Most changes concern conditions and the like, which are not kept. */
	if (full || (e->info != NULL && e->deleted == 0 && pod_info_same(e->info, info)))
		pod_info_free(info);
	else
		entry_set(t, e, info);
	publish(t);
	pthread_mutex_unlock(&t->lock);
}

void
pod_table_deleted(struct pod_table *t, struct slice uid)
{
	struct pod_entry *e;

	pthread_mutex_lock(&t->lock);
	e = pods_find(t->pods, uid);
	if (e != NULL && e->info != NULL && e->deleted == 0)
		e->deleted = clock_mono();
	pthread_mutex_unlock(&t->lock);
}

void
pod_table_given_up(struct pod_table *t, bool given_up)
{
	pthread_mutex_lock(&t->lock);
	if (t->given_up != given_up) {
		t->given_up = given_up;
		version_next(t);
		wake(t);
	}
	pthread_mutex_unlock(&t->lock);
}

void
pod_table_tick(struct pod_table *t, int64_t now)
{
	struct pod_entry *e;
	struct slice key;
	size_t at = 0;

	pthread_mutex_lock(&t->lock);
	while ((e = pods_next(t->pods, &at, &key)) != NULL) {
		char *uid;

		if (e->info != NULL)
			around_used(t->around, slice_of(e->info->namespace_name), now);
		if (e->info == NULL || e->deleted == 0 || now - e->deleted < LINGER ||
		    pods_users(t->pods, e) > 0)
			continue;
		uid = xslicedup(key);
		pods_remove(t->pods, slice_of(uid), e);
		free(uid);
		at--; /* another entry may have moved to its place */
	}
	around_tick(t->around, now);
	publish(t);
	pthread_mutex_unlock(&t->lock);
}

bool
pod_table_around_next(struct pod_table *t, int64_t now, struct around_want *want)
{
	bool any;

	pthread_mutex_lock(&t->lock);
	any = around_next(t->around, now, want);
	pthread_mutex_unlock(&t->lock);
	return any;
}

void
pod_table_around_put(
    struct pod_table *t, const struct around_want *want, struct shared_json *json, int64_t now)
{
	pthread_mutex_lock(&t->lock);
	around_put(t->around, want, json, now, version_next(t));
	if (t->waiting > 0)
		wake(t);
	pthread_mutex_unlock(&t->lock);
}

void
pod_table_around_fail(
    struct pod_table *t, const struct around_want *want, bool refused, int64_t now)
{
	pthread_mutex_lock(&t->lock);
	around_fail(t->around, want, refused, now);
	version_next(t);
	if (t->waiting > 0)
		wake(t);
	pthread_mutex_unlock(&t->lock);
}

/* ---- the reader's */

void
pod_table_use(struct pod_table *t, struct slice uid)
{
	pthread_mutex_lock(&t->lock);
	pods_entry(t->pods, uid)->users++;
	pthread_mutex_unlock(&t->lock);
}

static void
answered(struct pod_table *t, struct pod_entry *e)
{
	if (e->asked != 0)
		t->waiting--;
	e->asked = 0;
}

void
pod_table_leave(struct pod_table *t, struct slice uid)
{
	struct pod_entry *e;

	pthread_mutex_lock(&t->lock);
	e = pods_find(t->pods, uid);
	if (e != NULL && --e->users == 0) {
		answered(t, e);
		if (e->info == NULL)
			pods_remove(t->pods, uid, e);
	}
	pthread_mutex_unlock(&t->lock);
}

/* True while a file waits for its pod: Pod_Wait from its first question on, API_Wait from the start. */
static bool
waits(struct pod_table *t, const struct pod *have, int64_t now)
{
	struct pod_entry *asked = pods_entry(t->pods, have->pod_id);
	int64_t until;

	if (t->given_up)
		return false;
	if (asked->asked == 0) {
		asked->asked = now;
		t->waiting++;
	}
	until = asked->asked + t->options->pod_wait;
	if (!t->synced && t->started + t->options->api_wait > until)
		until = t->started + t->options->api_wait;
	return now < until;
}

enum kube_answer
pod_table_find(struct pod_table *t, const struct pod *have, int64_t now, struct pod **out)
{
	struct shared_json *space = NULL, *node = NULL;
	enum kube_answer answer = KUBE_UNKNOWN;
	uint64_t version = 0;
	struct pod_entry *e;
	bool all;

	*out = NULL;
	pthread_mutex_lock(&t->lock);
	e = pods_of_path(t->pods, have);
	if (e != NULL && !e->stored && pods_users(t->pods, e) > 0)
		pods_store(t->pods, slice_of(e->info->uid), e);
	all = e != NULL && around_find(t->around, have->namespace_name, &space, &node, &version);
	if (!all && have->version == 0 && waits(t, have, now)) {
		answer = KUBE_WAITS;
	} else if (e != NULL) {
		answer = KUBE_KNOWN;
		answered(t, pods_entry(t->pods, have->pod_id));
		version = e->version > version ? e->version : version;
		if (version != have->version) {
			*out = pod_info_snapshot(e->info, have);
			(*out)->version = version;
			(*out)->space = shared_json_ref(space);
			(*out)->node = shared_json_ref(node);
		}
	}
	pthread_mutex_unlock(&t->lock);
	if (*out != NULL)
		pod_settle(*out);
	return answer;
}

/* ---- any thread's */

static void
containers_each(const struct pod_info *info, kube_runs *each, void *arg)
{
	struct kube_runs_in in = { .namespace_name = info->namespace_name,
		.pod = info->pod_name,
		.uid = info->uid,
		.members = info->meta != NULL ? info->meta->json : SLICE("") };

	for (size_t i = 0; (in.container = pod_info_container(info, i)) != NULL; i++)
		each(arg, &in);
}

void
pod_table_running(struct pod_table *t, kube_runs *each, void *arg)
{
	const struct pod_entry *e;
	size_t at = 0;

	pthread_mutex_lock(&t->lock);
	while ((e = pods_next(t->pods, &at, NULL)) != NULL) {
		if (e->info != NULL && e->seen != 0 && e->deleted == 0 && !e->info->idle)
			containers_each(e->info, each, arg);
	}
	pthread_mutex_unlock(&t->lock);
}

uint64_t
pod_table_version(const struct pod_table *t)
{
	return atomic_load_explicit(&t->version, memory_order_acquire);
}

bool
pod_table_is_synced(struct pod_table *t)
{
	bool synced;

	pthread_mutex_lock(&t->lock);
	synced = t->synced;
	pthread_mutex_unlock(&t->lock);
	return synced;
}

void
pod_table_wake(struct pod_table *t, int fd)
{
	pthread_mutex_lock(&t->lock);
	t->wake = fd;
	pthread_mutex_unlock(&t->lock);
}
