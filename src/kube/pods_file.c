/* The pods of a rehearsal, from a file in the place of the API server's answers. */
#include "pods_file.h"

#include "voice.h"

static bool
pod_put(struct pod_table *table, const json_t *pod, unsigned parts)
{
	struct pod_info *info = pod_info_read(pod, parts);

	if (info != NULL)
		pod_table_put(table, info);
	return info != NULL;
}

int
pods_file_read(const char *path, struct pod_table *table, unsigned parts)
{
	json_error_t error;
	json_t *root = json_load_file(path, 0, &error), *items = json_object_get(root, "items");
	const json_t *pod;
	size_t i;
	int result = -1;

	if (root == NULL) {
		say_error("kube", "%s:%d: %s", path, error.line, error.text);
		return -1;
	}
	pod_table_sync(table);
	if (!json_is_array(items) && !pod_put(table, root, parts)) {
		say_error("kube", "%s: neither a list of pods (kubectl get pods -o json) nor a pod",
		    path);
		goto out;
	}
	json_array_foreach(items, i, pod)
	{
		if (!pod_put(table, pod, parts)) {
			say_error("kube",
			    "%s: items[%zu] is no pod: it has no uid, name or namespace", path, i);
			goto out;
		}
	}
	pod_table_synced(table);
	result = 0;
out:
	json_decref(root);
	return result;
}
