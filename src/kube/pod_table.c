/*
 * The table of pods.  A pod is found by the uid that its logs' paths have; a
 * static pod's paths have the hash of its manifest instead, which its mirror in
 * the API carries as an annotation.  Anybody may write that annotation to a pod
 * of his own, so namespace and name must be the path's, too.
 *
 * What a file uses is stored, so that a restart finds it without the API; by
 * keys that begin with the options that made it, as others would make it of
 * another shape.
 */
#include "pod_table.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "map.h"
#include "memory.h"
#include "metrics.h"
#include "voice.h"

#define LINGER (300 * NS_PER_S) /* a deleted pod's files may be opened as late */

struct entry {
	struct pod_info *info; /* NULL: a file's path names it, the API has not */
	unsigned users;        /* streams whose path has this uid */
	int64_t asked;         /* mono ns of the first unanswered question; 0: none */
	uint64_t version;
	uint64_t seen;   /* the list that named it last */
	int64_t deleted; /* mono ns; 0: it exists */
	bool stored;
};

struct pod_table {
	pthread_mutex_t lock;
	const struct kube_options *options;
	struct state *state;
	struct around *around;
	char *kept;          /* what keys in the state begin with */
	struct map *pods;    /* uid: struct entry */
	struct map *mirrors; /* mirror_key(): struct entry, of a static pod's mirror */
	size_t known;        /* entries with info */
	uint64_t list;       /* the number of the list under way, or of the last */
	bool synced, given_up;
	int64_t started;  /* mono ns */
	unsigned waiting; /* questions unanswered: somebody is to be woken */
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

/* ---- entries; under the lock */

static struct entry *
entry_of(struct pod_table *t, struct slice uid)
{
	struct entry *e = map_get(t->pods, uid);

	if (e == NULL) {
		e = xcalloc(1, sizeof(*e));
		map_put(t->pods, uid, e);
	}
	return e;
}

/* "HASH/NAMESPACE/NAME": another pod with the hash takes nobody's place.  To be freed. */
static char *
mirror_key(struct slice hash, struct slice space, struct slice name)
{
	return xprintf("%.*s/%.*s/%.*s", (int)hash.len, hash.at, (int)space.len, space.at,
	    (int)name.len, name.at);
}

static char *
mirror_key_of(const struct pod_info *info)
{
	return mirror_key(
	    slice_of(info->mirror), slice_of(info->namespace_name), slice_of(info->pod_name));
}

static unsigned
users_of(const struct pod_table *t, const struct entry *e)
{
	const struct entry *by_hash = NULL;

	if (e->info != NULL && e->info->mirror != NULL)
		by_hash = map_get(t->pods, slice_of(e->info->mirror));
	return e->users + (by_hash != NULL && by_hash != e ? by_hash->users : 0);
}

static void
store(struct pod_table *t, struct slice uid, struct entry *e)
{
	char *key = xprintf("%spod/%.*s", t->kept, (int)uid.len, uid.at), *text;

	if (e->info == NULL) {
		state_metadata(t->state, slice_of(key), SLICE(""));
	} else if ((text = pod_info_save(e->info)) != NULL) {
		state_metadata(t->state, slice_of(key), slice_of(text));
		free(text);
	}
	e->stored = e->info != NULL;
	free(key);
}

static void
info_drop(struct pod_table *t, struct entry *e)
{
	if (e->info == NULL)
		return;
	if (e->info->mirror != NULL) {
		char *key = mirror_key_of(e->info);

		if (map_get(t->mirrors, slice_of(key)) == e)
			map_del(t->mirrors, slice_of(key));
		free(key);
	}
	pod_info_free(e->info);
	e->info = NULL;
	t->known--;
}

static void
info_set(struct pod_table *t, struct entry *e, struct pod_info *info)
{
	info_drop(t, e);
	e->info = info;
	e->version = version_next(t);
	e->deleted = 0;
	t->known++;
	metrics_add(&metrics.kube_cut, info->cut);
	if (info->mirror != NULL) {
		char *key = mirror_key_of(info);

		map_put(t->mirrors, slice_of(key), e);
		free(key);
	}
}

/* Nothing is left to know of it. */
static void
entry_remove(struct pod_table *t, struct slice uid, struct entry *e)
{
	info_drop(t, e);
	if (e->stored)
		store(t, uid, e);
	if (e->users > 0)
		return;
	map_del(t->pods, uid);
	free(e);
}

/* A deleted pod that no file uses gives its place to another. */
static bool
make_room(struct pod_table *t)
{
	struct slice key, oldest_key = { NULL, 0 };
	struct entry *e, *oldest = NULL;
	size_t at = 0;

	if (t->known < (size_t)t->options->max_pods)
		return true;
	while ((e = map_next(t->pods, &at, &key)) != NULL) {
		if (e->info == NULL || e->deleted == 0 || users_of(t, e) > 0 ||
		    (oldest != NULL && oldest->deleted <= e->deleted))
			continue;
		oldest = e;
		oldest_key = key;
	}
	if (oldest != NULL) {
		char *uid = xslicedup(oldest_key);

		entry_remove(t, slice_of(uid), oldest);
		free(uid);
	}
	return oldest != NULL;
}

/* ---- made, and what the state kept */

static void
restore(void *arg, struct slice key, struct slice value)
{
	struct pod_table *t = arg;
	struct slice kept = slice_of(t->kept);
	struct slice rest = slice_starts(key, kept) ? slice_from(key, kept.len) : SLICE("");
	struct pod_info *info = NULL;
	struct entry *e;

	if (around_restore(t->around, rest, value, version_next(t)))
		return;
	if (slice_starts(rest, SLICE("pod/")))
		info = pod_info_restore(value);
	if (info == NULL || !make_room(t)) {
		state_metadata(t->state, key, SLICE(""));
		pod_info_free(info);
		return;
	}
	e = entry_of(t, slice_of(info->uid));
	info_set(t, e, info);
	e->stored = true;
}

/* "2f/": the parts that what is stored depends on. */
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
	t->pods = map_new();
	t->mirrors = map_new();
	t->kept = kept_by(options);
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
	struct entry *e;
	size_t at = 0;

	if (t == NULL)
		return;
	while ((e = map_next(t->pods, &at, NULL)) != NULL) {
		pod_info_free(e->info);
		free(e);
	}
	map_free(t->pods);
	map_free(t->mirrors);
	around_free(t->around);
	free(t->kept);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

/* ---- the kube thread's */

static void
publish(const struct pod_table *t)
{
	atomic_store_explicit(&metrics.kube_pods, t->known, memory_order_relaxed);
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
	struct entry *e;
	size_t at = 0;

	pthread_mutex_lock(&t->lock);
	while ((e = map_next(t->pods, &at, NULL)) != NULL) {
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
	metrics_add(&metrics.kube_refused, 1);
	if (!said_lately(&t->said_full))
		say_warn("kube",
		    "%zu pods are known: logs of further ones go without labels; raise Max_Pods",
		    t->known);
}

static void
entry_set(struct pod_table *t, struct entry *e, struct pod_info *info)
{
	bool used;

	info_set(t, e, info);
	used = users_of(t, e) > 0;
	if (used)
		store(t, slice_of(info->uid), e);
	if (used && t->waiting > 0)
		wake(t);
}

void
pod_table_put(struct pod_table *t, struct pod_info *info)
{
	struct entry *e;
	bool full;

	pthread_mutex_lock(&t->lock);
	e = map_get(t->pods, slice_of(info->uid));
	full = (e == NULL || e->info == NULL) && !make_room(t);
	if (full)
		say_full(t);
	else
		e = entry_of(t, slice_of(info->uid));
	if (!full)
		e->seen = t->list;
	/* Most changes are of conditions and the like, which are not kept. */
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
	struct entry *e;

	pthread_mutex_lock(&t->lock);
	e = map_get(t->pods, uid);
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
	struct entry *e;
	struct slice key;
	size_t at = 0;

	pthread_mutex_lock(&t->lock);
	while ((e = map_next(t->pods, &at, &key)) != NULL) {
		char *uid;

		if (e->info != NULL)
			around_used(t->around, slice_of(e->info->namespace_name), now);
		if (e->info == NULL || e->deleted == 0 || now - e->deleted < LINGER ||
		    users_of(t, e) > 0)
			continue;
		uid = xslicedup(key);
		entry_remove(t, slice_of(uid), e);
		free(uid);
		at--; /* another one may have moved to its place */
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
	entry_of(t, uid)->users++;
	pthread_mutex_unlock(&t->lock);
}

static void
answered(struct pod_table *t, struct entry *e)
{
	if (e->asked != 0)
		t->waiting--;
	e->asked = 0;
}

void
pod_table_leave(struct pod_table *t, struct slice uid)
{
	struct entry *e;

	pthread_mutex_lock(&t->lock);
	e = map_get(t->pods, uid);
	if (e != NULL && --e->users == 0) {
		answered(t, e);
		if (e->info == NULL)
			entry_remove(t, uid, e);
	}
	pthread_mutex_unlock(&t->lock);
}

/* What the API says of the pod whose logs have this path; NULL: nothing yet, or of another name. */
static struct entry *
known_of(const struct pod_table *t, const struct pod *have)
{
	struct entry *e = map_get(t->pods, have->pod_id);
	char *key;

	if (e != NULL && e->info != NULL)
		return slice_eq(slice_of(e->info->namespace_name), have->namespace_name) &&
			       slice_eq(slice_of(e->info->pod_name), have->pod_name)
			   ? e
			   : NULL;
	key = mirror_key(have->pod_id, have->namespace_name, have->pod_name);
	e = map_get(t->mirrors, slice_of(key));
	free(key);
	return e;
}

/* True while the pod may still become known: each has its time from the first question on. */
static bool
waits(struct pod_table *t, const struct pod *have, int64_t now)
{
	struct entry *asked = entry_of(t, have->pod_id);
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
	struct entry *e;
	bool all;

	*out = NULL;
	pthread_mutex_lock(&t->lock);
	e = known_of(t, have);
	if (e != NULL && !e->stored && users_of(t, e) > 0)
		store(t, slice_of(e->info->uid), e);
	all = e != NULL && around_find(t->around, have->namespace_name, &space, &node, &version);
	if (!all && have->version == 0 && waits(t, have, now)) {
		answer = KUBE_WAITS;
	} else if (e != NULL) {
		answer = KUBE_KNOWN;
		answered(t, entry_of(t, have->pod_id));
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
