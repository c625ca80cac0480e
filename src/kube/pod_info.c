/*
 * Reading a Pod, cutting it to size, keeping it over a restart.  Its content
 * was chosen by somebody who may create pods, and comes from a server that may
 * lie: a member of another type than expected counts as absent.
 */
#include "pod_info.h"

#include <stdlib.h>

#include "advice.h"
#include "memory.h"
#include "owner.h"

#define CONTAINERS_BYTES 6144u /* the part of POD_BYTES for containers and advice */
#define OVERHEAD 768u          /* of the struct and of malloc */

struct container_info {
	char *name;
	char *image, *image_id, *id; /* "": not known */
	char *last_id;               /* the id of the restart before */
	uint32_t restart;
	bool started; /* the kubelet has reported the container: its restart and ids are known */
};

/* ---- reading */

static const char *
text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text == NULL ? "" : text;
}

json_t *
pod_info_keyed(const json_t *map, unsigned parts)
{
	json_t *out = json_object(), *value;
	const char *key;

	json_object_foreach((json_t *)(uintptr_t)map, key, value)
	{
		char *name;

		if (!json_is_string(value) ||
		    strcmp(key, "kubectl.kubernetes.io/last-applied-configuration") == 0)
			continue;
		name = xstrdup(key);
		for (char *dot = name;
		     !(parts & KUBE_KEEP_DOTS) && (dot = strchr(dot, '.')) != NULL;)
			*dot = '_';
		if (strcmp(name, key) == 0 || json_object_get(map, name) == NULL)
			json_object_set(out, name, value);
		free(name);
	}
	return out;
}

/* Behind the scheme: containerd://ID, docker-pullable://IMAGE. */
static const char *
without_scheme(const char *text)
{
	const char *behind = strstr(text, "://");

	return behind == NULL ? text : behind + 3;
}

static const json_t *
named(const json_t *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		if (strcmp(text_at(one, "name"), name) == 0)
			return one;
	}
	return NULL;
}

static void
container_read(struct container_info *c, const json_t *spec, const json_t *status)
{
	const char *image = text_at(status, "image");
	const json_t *last = json_object_get(json_object_get(status, "lastState"), "terminated");
	json_int_t restart = json_integer_value(json_object_get(status, "restartCount"));

	c->name = xstrdup(text_at(spec, "name"));
	/* A runtime that has only the image's digest tells that in place of the name. */
	c->image = xstrdup(
	    *image == '\0' || strncmp(image, "sha256:", 7) == 0 ? text_at(spec, "image") : image);
	c->image_id = xstrdup(without_scheme(text_at(status, "imageID")));
	c->id = xstrdup(without_scheme(text_at(status, "containerID")));
	c->last_id = xstrdup(without_scheme(text_at(last, "containerID")));
	c->restart = restart >= 0 && restart <= UINT32_MAX ? (uint32_t)restart : 0;
	c->started = *c->id != '\0';
}

static size_t
container_bytes(const struct container_info *c)
{
	return sizeof(*c) + 5 * 24 + strlen(c->name) + strlen(c->image) + strlen(c->image_id) +
	       strlen(c->id) + strlen(c->last_id);
}

static void
container_fini(struct container_info *c)
{
	free(c->name);
	free(c->image);
	free(c->image_id);
	free(c->id);
	free(c->last_id);
}

static struct container_info *
container_add(struct pod_info *info)
{
	info->containers =
	    xrealloc(info->containers, (info->ncontainers + 1) * sizeof(*info->containers));
	return memset(&info->containers[info->ncontainers++], 0, sizeof(*info->containers));
}

static void
containers_read(struct pod_info *info, const json_t *pod, size_t *room)
{
	static const char *const kinds[][2] = { { "containers", "containerStatuses" },
		{ "initContainers", "initContainerStatuses" },
		{ "ephemeralContainers", "ephemeralContainerStatuses" } };
	const json_t *spec = json_object_get(pod, "spec"), *status = json_object_get(pod, "status");

	for (size_t k = 0; k < 3; k++) {
		const json_t *specs = json_object_get(spec, kinds[k][0]);

		for (size_t i = 0; i < json_array_size(specs); i++) {
			const json_t *one = json_array_get(specs, i);
			struct container_info *c = container_add(info);

			container_read(c, one,
			    named(json_object_get(status, kinds[k][1]), text_at(one, "name")));
			if (container_bytes(c) <= *room) {
				*room -= container_bytes(c);
				continue;
			}
			container_fini(c);
			info->ncontainers--;
			info->cut++;
		}
	}
}

const char *
pod_info_container(const struct pod_info *info, size_t i)
{
	return i < info->ncontainers ? info->containers[i].name : NULL;
}

/* A pod's phase: an address of one that has ended may be another pod's by now. */
static bool
is_idle(const json_t *pod)
{
	static const char *const phases[] = { "Pending", "Succeeded", "Failed" };
	const char *phase = text_at(json_object_get(pod, "status"), "phase");

	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		if (strcmp(phase, phases[i]) == 0)
			return true;
	}
	return false;
}

/* ---- the JSON that all containers have, cut to size */

struct weighed {
	const char *key;
	size_t bytes;
};

static int
heavier(const void *a, const void *b)
{
	const struct weighed *x = a, *y = b;

	return (x->bytes < y->bytes) - (x->bytes > y->bytes);
}

/* Drop the largest members of `map` until it is `excess` bytes smaller; return the part of `excess` that is left. */
static size_t
lighten(json_t *map, size_t excess, unsigned *cut)
{
	size_t n = json_object_size(map), i = 0;
	struct weighed *all = xcalloc(n + 1, sizeof(*all));
	json_t *value;
	const char *key;

	json_object_foreach(map, key, value)
	{
		all[i].key = key;
		all[i++].bytes = json_dumpb(value, NULL, 0, JSON_ENCODE_ANY) + strlen(key) +
				 sizeof(",:\"\"") - 1;
	}
	qsort(all, n, sizeof(*all), heavier);
	for (i = 0; i < n && excess > 0; i++, ++*cut) {
		excess -= least(all[i].bytes, excess);
		json_object_del(map, all[i].key);
	}
	free(all);
	return excess;
}

static void
members_lighten(struct pod_info *info, json_t *members, size_t room)
{
	static const char *const order[] = { "annotations", "labels" };
	size_t is = json_dumpb(members, NULL, 0, JSON_COMPACT);
	size_t excess = is > room ? is - room : 0;

	for (size_t i = 0; i < 2 && excess > 0; i++)
		excess = lighten(json_object_get(members, order[i]), excess, &info->cut);
	if (excess > 0) {
		json_object_clear(members);
		info->cut++;
	}
}

static void
put_text(json_t *members, const char *key, const char *value)
{
	if (*value != '\0')
		json_object_set_new(members, key, json_string(value));
}

static void
meta_make(struct pod_info *info, const json_t *pod, unsigned parts, size_t room)
{
	const json_t *meta = json_object_get(pod, "metadata");
	json_t *members = json_object();
	char *text;

	put_text(members, "host", text_at(json_object_get(pod, "spec"), "nodeName"));
	put_text(members, "pod_ip", text_at(json_object_get(pod, "status"), "podIP"));
	owner_names(members, meta);
	if (parts & KUBE_OWNER_REFERENCES)
		owner_references(members, meta);
	if (parts & KUBE_LABELS && json_object_size(json_object_get(meta, "labels")) > 0)
		json_object_set_new(
		    members, "labels", pod_info_keyed(json_object_get(meta, "labels"), parts));
	if (parts & KUBE_ANNOTATIONS && json_object_size(json_object_get(meta, "annotations")) > 0)
		json_object_set_new(members, "annotations",
		    pod_info_keyed(json_object_get(meta, "annotations"), parts));
	members_lighten(info, members, room);
	text = json_dumps(members, JSON_COMPACT);
	if (text != NULL && strlen(text) > 2) { /* {"a":…} becomes ,"a":… */
		text[0] = ',';
		info->meta = shared_json_new((struct slice){ text, strlen(text) - 1 });
	}
	free(text);
	json_decref(members);
}

struct pod_info *
pod_info_read(const json_t *pod, unsigned parts)
{
	const json_t *meta = json_object_get(pod, "metadata");
	const json_t *annotations = json_object_get(meta, "annotations");
	const char *mirror = text_at(annotations, "kubernetes.io/config.mirror");
	struct pod_info *info = xcalloc(1, sizeof(*info));
	size_t room = CONTAINERS_BYTES;

	info->uid = xstrdup(text_at(meta, "uid"));
	info->namespace_name = xstrdup(text_at(meta, "namespace"));
	info->pod_name = xstrdup(text_at(meta, "name"));
	info->mirror = *mirror == '\0' ? NULL : xstrdup(mirror);
	if (*info->uid == '\0' || *info->namespace_name == '\0' || *info->pod_name == '\0' ||
	    strlen(info->uid) > 255 || strlen(info->namespace_name) > 255 ||
	    strlen(info->pod_name) > 255 || strlen(mirror) > 255) {
		pod_info_free(info);
		return NULL;
	}
	advice_read(&info->advice, &info->nadvice, annotations, &room);
	containers_read(info, pod, &room);
	info->idle = is_idle(pod);
	meta_make(info, pod, parts, POD_BYTES - OVERHEAD - (CONTAINERS_BYTES - room));
	return info;
}

void
pod_info_free(struct pod_info *info)
{
	if (info == NULL)
		return;
	for (size_t i = 0; i < info->ncontainers; i++)
		container_fini(&info->containers[i]);
	free(info->containers);
	advice_free(info->advice, info->nadvice);
	shared_json_unref(info->meta);
	free(info->uid);
	free(info->mirror);
	free(info->namespace_name);
	free(info->pod_name);
	free(info);
}

/* ---- over a restart */

char *
pod_info_save(const struct pod_info *info)
{
	struct slice meta = info->meta == NULL ? SLICE("") : info->meta->json;
	json_t *containers = json_array();
	json_t *all = json_pack("{s:s, s:s*, s:s, s:s, s:b, s:s%, s:o, s:o}", "uid", info->uid,
	    "mirror", info->mirror, "namespace", info->namespace_name, "name", info->pod_name,
	    "idle", info->idle, "meta", meta.at, meta.len, "containers", containers, "advice",
	    advice_json(info->advice, info->nadvice));
	char *text;

	for (size_t i = 0; i < info->ncontainers; i++) {
		const struct container_info *c = &info->containers[i];

		json_array_append_new(containers,
		    json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:b}", "name", c->name, "image",
			c->image, "image_id", c->image_id, "id", c->id, "last_id", c->last_id,
			"restart", (json_int_t)c->restart, "started", c->started));
	}
	text = json_dumps(all, JSON_COMPACT);
	json_decref(all);
	return text;
}

bool
pod_info_same(const struct pod_info *a, const struct pod_info *b)
{
	char *x = pod_info_save(a), *y = pod_info_save(b);
	bool same = x != NULL && y != NULL && strcmp(x, y) == 0;

	free(x);
	free(y);
	return same;
}

static void
container_restore(struct container_info *c, const json_t *is)
{
	c->name = xstrdup(text_at(is, "name"));
	c->image = xstrdup(text_at(is, "image"));
	c->image_id = xstrdup(text_at(is, "image_id"));
	c->id = xstrdup(text_at(is, "id"));
	c->last_id = xstrdup(text_at(is, "last_id"));
	c->restart = (uint32_t)json_integer_value(json_object_get(is, "restart"));
	c->started = json_is_true(json_object_get(is, "started"));
}

struct pod_info *
pod_info_restore(struct slice text)
{
	json_t *all = json_loadb(text.at, text.len, 0, NULL);
	const json_t *containers = json_object_get(all, "containers");
	const char *meta = text_at(all, "meta"), *mirror = text_at(all, "mirror");
	struct pod_info *info = NULL;

	if (*text_at(all, "uid") != '\0') {
		info = xcalloc(1, sizeof(*info));
		info->uid = xstrdup(text_at(all, "uid"));
		info->mirror = *mirror == '\0' ? NULL : xstrdup(mirror);
		info->namespace_name = xstrdup(text_at(all, "namespace"));
		info->pod_name = xstrdup(text_at(all, "name"));
		info->idle = json_is_true(json_object_get(all, "idle"));
		info->meta = *meta == '\0' ? NULL : shared_json_new(slice_of(meta));
		for (size_t i = 0; i < json_array_size(containers); i++)
			container_restore(container_add(info), json_array_get(containers, i));
		advice_restore(&info->advice, &info->nadvice, json_object_get(all, "advice"));
	}
	json_decref(all);
	return info;
}

/* ---- a container of the pod */

static const struct container_info *
container_of(const struct pod_info *info, struct slice name)
{
	for (size_t i = 0; i < info->ncontainers; i++) {
		if (slice_eq(slice_of(info->containers[i].name), name))
			return &info->containers[i];
	}
	return NULL;
}

/* The log's restart may be older than the API's, or not reported to the API yet. */
static void
restart_set(struct pod *p, const struct container_info *c)
{
	if (c->started && c->restart == p->restart) {
		pod_set(&p->image, c->image);
		pod_set(&p->image_id, c->image_id);
		if (p->docker_id.len == 0)
			pod_set(&p->docker_id, c->id);
	} else if (!c->started || c->restart < p->restart) {
		if (p->image.len == 0)
			pod_set(&p->image, c->image);
	} else if (c->restart == p->restart + 1 && p->docker_id.len == 0) {
		pod_set(&p->docker_id, c->last_id);
	}
}

struct pod *
pod_info_snapshot(const struct pod_info *info, const struct pod *have)
{
	const struct container_info *c = container_of(info, have->container_name);
	struct pod *p = pod_copy(have);

	if (c != NULL)
		restart_set(p, c);
	p->meta = shared_json_ref(info->meta);
	for (int side = 0; side < SIDES; side++) {
		const char *parser;

		p->exclude[side] = advice_excludes(
		    info->advice, info->nadvice, have->container_name, (enum side)side);
		parser = advice_parser(
		    info->advice, info->nadvice, have->container_name, (enum side)side);
		if (parser != NULL)
			pod_set(&p->parser[side], parser);
	}
	return p;
}
