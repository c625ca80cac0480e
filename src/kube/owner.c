/* Names of a pod's owners: of its controller, and of the owner that the controller's name tells. */
#include "owner.h"

#include <stdlib.h>
#include <string.h>

#include "slice.h"

#define MINUTES_LEAST 8 /* digits of a CronJob's scheduled time, in minutes since the epoch */

/* The owner that controls the pod. */
static const json_t *
controller_of(const json_t *meta)
{
	const json_t *owners = json_object_get(meta, "ownerReferences");

	for (size_t i = 0; i < json_array_size(owners); i++) {
		const json_t *owner = json_array_get(owners, i);

		if (json_is_true(json_object_get(owner, "controller")))
			return owner;
	}
	return NULL;
}

static void
put(json_t *members, const char *key, struct slice value)
{
	json_object_set_new(members, key, json_stringn(value.at, value.len));
}

/* NAME of NAME-HASH, when the pod has that hash. */
static bool
is_of_deployment(const json_t *meta, struct slice *name)
{
	struct slice hash = slice_of(json_string_value(
	    json_object_get(json_object_get(meta, "labels"), "pod-template-hash")));

	if (hash.len == 0 || name->len < hash.len + 2 || !slice_ends(*name, hash) ||
	    name->at[name->len - hash.len - 1] != '-')
		return false;
	name->len -= hash.len + 1;
	return true;
}

/* NAME of NAME-29391840. */
static bool
is_of_cronjob(struct slice *name)
{
	size_t digits = 0;

	while (digits < name->len && name->at[name->len - 1 - digits] >= '0' &&
	       name->at[name->len - 1 - digits] <= '9')
		digits++;
	if (digits < MINUTES_LEAST || name->len < digits + 2 ||
	    name->at[name->len - digits - 1] != '-')
		return false;
	name->len -= digits + 1;
	return true;
}

void
owner_names(json_t *members, const json_t *meta)
{
	static const char *const keys[][2] = { { "ReplicaSet", "replicaset_name" },
		{ "DaemonSet", "daemonset_name" }, { "StatefulSet", "statefulset_name" },
		{ "Job", "job_name" } };
	const json_t *owner = controller_of(meta);
	struct slice kind = slice_of(json_string_value(json_object_get(owner, "kind")));
	struct slice name = slice_of(json_string_value(json_object_get(owner, "name")));

	for (size_t i = 0; name.len > 0 && i < 4; i++) {
		if (slice_eq(kind, slice_of(keys[i][0])))
			put(members, keys[i][1], name);
	}
	if (slice_eq(kind, SLICE("ReplicaSet")) && is_of_deployment(meta, &name))
		put(members, "deployment_name", name);
	if (slice_eq(kind, SLICE("Job")) && is_of_cronjob(&name))
		put(members, "cronjob_name", name);
}

void
owner_references(json_t *members, const json_t *meta)
{
	static const char *const keys[] = { "apiVersion", "kind", "name", "uid", "controller",
		"blockOwnerDeletion" };
	const json_t *owners = json_object_get(meta, "ownerReferences");
	json_t *out = json_array();

	for (size_t i = 0; i < json_array_size(owners); i++) {
		json_t *one = json_object();

		for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++) {
			json_t *value = json_object_get(json_array_get(owners, i), keys[k]);

			if (json_is_string(value) || json_is_boolean(value))
				json_object_set(one, keys[k], value);
		}
		json_array_append_new(out, one);
	}
	if (json_array_size(out) > 0)
		json_object_set(members, "ownerReferences", out);
	json_decref(out);
}
