/*
 * The parts of a Pod that are used, as the API server told them last; of
 * bounded size, however large the object.  From it, and from what a log's path
 * tells, a container's snapshot is made.
 */
#ifndef POD_INFO_H
#define POD_INFO_H

#include <jansson.h>

#include "kube.h"

#define POD_BYTES 16384u /* of one pod, all of its parts; the JSON is cut to fit */

struct pod_info {
	char *uid;
	char *mirror; /* a static pod's hash, by which its logs' paths name it; NULL: none */
	char *namespace_name, *pod_name;
	struct shared_json *meta; /* members of "kubernetes" that all its containers have */
	unsigned cut;             /* annotations, labels, containers dropped, as it was too large */
	struct container_info *containers;
	size_t ncontainers;
	struct advice *advice;
	size_t nadvice;
};

/**
 * pod_info_read(pod, parts), pod_info_free(info):
 * Read the API's object; ${parts} of it go into the JSON.  NULL: it has no uid, name or namespace.
 */
struct pod_info *pod_info_read(const json_t *pod, unsigned parts);
void pod_info_free(struct pod_info *info);

/**
 * pod_info_same(a, b):
 * True when they say the same.
 */
bool pod_info_same(const struct pod_info *a, const struct pod_info *b);

/**
 * pod_info_save(info), pod_info_restore(text):
 * As a text for the state, to be freed, and back; NULL when the text is none.
 */
char *pod_info_save(const struct pod_info *info);
struct pod_info *pod_info_restore(struct slice text);

/**
 * pod_info_snapshot(info, have):
 * A new snapshot of the container that ${have} is, with what ${info} says of
 * it: the image, its id and the container's id when the API speaks of the same
 * restart, else as ${have} has them.  The caller sets version, space and node
 * and calls pod_settle().
 */
struct pod *pod_info_snapshot(const struct pod_info *info, const struct pod *have);

/**
 * pod_info_keyed(map, parts):
 * Labels or annotations as a new object: texts only, keys without dots unless
 * KUBE_KEEP_DOTS is among ${parts}, never the configuration applied last.  Of two keys that become one, that
 * without dots stays.
 */
json_t *pod_info_keyed(const json_t *map, unsigned parts);

#endif
