/*
 * The parts of a Pod that are used, as the API server told them last; of
 * bounded size, however large the object.  A container's snapshot is made of
 * them and of its log's path.
 */
#ifndef POD_INFO_H
#define POD_INFO_H

#include <jansson.h>

#include "kube.h"

#define POD_BYTES 16384u /* of a pod in all; its JSON is cut to fit */

struct pod_info {
	char *uid;
	char *mirror; /* a static pod's hash, by which its logs' paths name it; NULL: none */
	char *namespace_name, *pod_name;
	struct shared_json *meta; /* members of "kubernetes" that all its containers have */
	bool idle;                /* its containers have not begun, or have all ended for good */
	unsigned cut;             /* annotations, labels, containers dropped to make it fit */
	struct container_info *containers;
	size_t ncontainers;
	struct advice *advice;
	size_t nadvice;
};

/**
 * pod_info_read(pod, parts), pod_info_free(info):
 * Read the API's object; ${parts} of it go into the JSON.  NULL: the object
 * has no uid, name or namespace.
 */
struct pod_info *pod_info_read(const json_t *pod, unsigned parts);
void pod_info_free(struct pod_info *info);

/**
 * pod_info_same(a, b):
 * True when both have the same content.
 */
bool pod_info_same(const struct pod_info *a, const struct pod_info *b);

/**
 * pod_info_save(info), pod_info_restore(text):
 * The pod as a text for the state, to be freed; the pod of such a text, NULL
 * when it cannot be read.
 */
char *pod_info_save(const struct pod_info *info);
struct pod_info *pod_info_restore(struct slice text);

/**
 * pod_info_snapshot(info, have):
 * A new snapshot of the container of ${have}, with the members that ${info}
 * has for it: the image, its id and the container's id when the API has the
 * same restart, else those of ${have}.  The caller sets version, space and
 * node and calls pod_settle().
 */
struct pod *pod_info_snapshot(const struct pod_info *info, const struct pod *have);

/**
 * pod_info_container(info, i):
 * The name of the i-th container, those of the pod's life first; NULL: there are
 * fewer.
 */
const char *pod_info_container(const struct pod_info *info, size_t i);

/**
 * pod_info_keyed(map, parts):
 * Labels or annotations as a new object: texts only, keys without dots unless
 * KUBE_KEEP_DOTS is among ${parts}, never the annotation
 * last-applied-configuration.  Of two keys that become equal, the one without
 * dots stays.
 */
json_t *pod_info_keyed(const json_t *map, unsigned parts);

#endif
