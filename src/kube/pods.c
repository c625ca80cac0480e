/* The entries by uid; those of static pods also by hash and name. */
#include "pods.h"

#include <stdlib.h>

#include "map.h"
#include "memory.h"
#include "metrics.h"

struct pods {
	struct map *by_uid;
	struct map *mirrors; /* by mirror_key(), of static pods */
	size_t known;        /* entries with info */
	size_t most;
	struct state *state;
	const char *kept;
};

struct pods *
pods_new(size_t most, struct state *state, const char *kept)
{
	struct pods *p = xcalloc(1, sizeof(*p));

	p->by_uid = map_new();
	p->mirrors = map_new();
	p->most = most;
	p->state = state;
	p->kept = kept;
	return p;
}

void
pods_free(struct pods *p)
{
	struct pod_entry *e;
	size_t at = 0;

	if (p == NULL)
		return;
	while ((e = map_next(p->by_uid, &at, NULL)) != NULL) {
		pod_info_free(e->info);
		free(e);
	}
	map_free(p->by_uid);
	map_free(p->mirrors);
	free(p);
}

struct pod_entry *
pods_find(const struct pods *p, struct slice uid)
{
	return map_get(p->by_uid, uid);
}

struct pod_entry *
pods_entry(struct pods *p, struct slice uid)
{
	struct pod_entry *e = map_get(p->by_uid, uid);

	if (e == NULL) {
		e = xcalloc(1, sizeof(*e));
		map_put(p->by_uid, uid, e);
	}
	return e;
}

struct pod_entry *
pods_next(const struct pods *p, size_t *at, struct slice *uid)
{
	return map_next(p->by_uid, at, uid);
}

size_t
pods_known(const struct pods *p)
{
	return p->known;
}

/* "HASH/NAMESPACE/NAME": a pod of another name with the same hash has another key.  To be freed. */
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

unsigned
pods_users(const struct pods *p, const struct pod_entry *e)
{
	const struct pod_entry *by_hash = NULL;

	if (e->info != NULL && e->info->mirror != NULL)
		by_hash = map_get(p->by_uid, slice_of(e->info->mirror));
	return e->users + (by_hash != NULL && by_hash != e ? by_hash->users : 0);
}

void
pods_store(struct pods *p, struct slice uid, struct pod_entry *e)
{
	char *key = xprintf("%spod/%.*s", p->kept, (int)uid.len, uid.at), *text;

	if (e->info == NULL) {
		state_metadata(p->state, slice_of(key), SLICE(""));
	} else if ((text = pod_info_save(e->info)) != NULL) {
		state_metadata(p->state, slice_of(key), slice_of(text));
		free(text);
	}
	e->stored = e->info != NULL;
	free(key);
}

static void
info_drop(struct pods *p, struct pod_entry *e)
{
	if (e->info == NULL)
		return;
	if (e->info->mirror != NULL) {
		char *key = mirror_key_of(e->info);

		if (map_get(p->mirrors, slice_of(key)) == e)
			map_del(p->mirrors, slice_of(key));
		free(key);
	}
	pod_info_free(e->info);
	e->info = NULL;
	p->known--;
}

void
pods_set(struct pods *p, struct pod_entry *e, struct pod_info *info, uint64_t version)
{
	info_drop(p, e);
	e->info = info;
	e->version = version;
	e->deleted = 0;
	p->known++;
	metrics_add(&metrics_kube.cut, info->cut);
	if (info->mirror != NULL) {
		char *key = mirror_key_of(info);

		map_put(p->mirrors, slice_of(key), e);
		free(key);
	}
}

void
pods_remove(struct pods *p, struct slice uid, struct pod_entry *e)
{
	info_drop(p, e);
	if (e->stored)
		pods_store(p, uid, e);
	if (e->users > 0)
		return;
	map_del(p->by_uid, uid);
	free(e);
}

bool
pods_room(struct pods *p)
{
	struct slice key, oldest_key = { NULL, 0 };
	struct pod_entry *e, *oldest = NULL;
	size_t at = 0;

	if (p->known < p->most)
		return true;
	while ((e = map_next(p->by_uid, &at, &key)) != NULL) {
		if (e->info == NULL || e->deleted == 0 || pods_users(p, e) > 0 ||
		    (oldest != NULL && oldest->deleted <= e->deleted))
			continue;
		oldest = e;
		oldest_key = key;
	}
	if (oldest != NULL) {
		char *uid = xslicedup(oldest_key);

		pods_remove(p, slice_of(uid), oldest);
		free(uid);
	}
	return oldest != NULL;
}

struct pod_entry *
pods_of_path(const struct pods *p, const struct pod *have)
{
	struct pod_entry *e = map_get(p->by_uid, have->pod_id);
	char *key;

	if (e != NULL && e->info != NULL)
		return slice_eq(slice_of(e->info->namespace_name), have->namespace_name) &&
			       slice_eq(slice_of(e->info->pod_name), have->pod_name)
			   ? e
			   : NULL;
	key = mirror_key(have->pod_id, have->namespace_name, have->pod_name);
	e = map_get(p->mirrors, slice_of(key));
	free(key);
	return e;
}

bool
pods_restore(struct pods *p, struct slice key, struct slice value, uint64_t version)
{
	struct pod_info *info = NULL;
	struct pod_entry *e;

	if (slice_starts(key, SLICE("pod/")))
		info = pod_info_restore(value);
	if (info == NULL || !pods_room(p)) {
		pod_info_free(info);
		return false;
	}
	e = pods_entry(p, slice_of(info->uid));
	pods_set(p, e, info, version);
	e->stored = true;
	return true;
}
