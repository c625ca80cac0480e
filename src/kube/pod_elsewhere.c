/*
 * An agent that no kubelet has started, on a machine or in ECS: options say whose the
 * files are, as their paths do not.
 */
#include "pod.h"

#include <jansson.h>
#include <stdlib.h>

#include "memory.h"

/* ,"labels":{…}; of two alike the last counts, as servers refuse a key that comes twice. */
static struct shared_json *
labels_json(const char *const *labels, size_t n)
{
	json_t *all = json_object();
	struct shared_json *shared;
	char *text, *member;

	for (size_t i = 0; i < n; i++) {
		const char *equals = strchr(labels[i], '=');
		char *key;

		if (equals == NULL)
			continue;
		key = xslicedup((struct slice){ labels[i], (size_t)(equals - labels[i]) });
		for (char *c = key; *c != '\0'; c++)
			*c = *c == '.' ? '_' : *c;
		json_object_set_new(all, key, json_string(equals + 1));
		free(key);
	}
	text = json_dumps(all, JSON_COMPACT);
	member = xprintf(",\"labels\":%s", text);
	shared = shared_json_new(slice_of(member));
	free(member);
	free(text);
	json_decref(all);
	return shared;
}

/* The name of a log's file; Docker's ends in -json.log. */
static char *
stem_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	struct slice name = slice_of(slash == NULL ? path : slash + 1);

	if (name.len > 4 && slice_ends(name, SLICE(".log")))
		name.len -= 4;
	if (name.len > 5 && slice_ends(name, SLICE("-json")))
		name.len -= 5;
	return xslicedup(name);
}

struct pod *
pod_elsewhere(const char *names, const char *path, const char *const *labels, size_t n)
{
	char *space = xstrdup(names), *pod = strchr(space, '/'), *container, *stem;
	struct pod *p = NULL;

	container = pod == NULL ? NULL : strchr(pod + 1, '/');
	if (container == NULL || pod == space || container == pod + 1 || container[1] == '\0' ||
	    strchr(container + 1, '/') != NULL)
		goto out;
	*pod++ = *container++ = '\0';
	stem = strcmp(pod, "*") == 0 ? stem_of(path) : xstrdup(pod);
	p = xcalloc(1, sizeof(*p));
	atomic_init(&p->refs, 1);
	pod_set(&p->namespace_name, space);
	pod_set(&p->pod_name, stem);
	pod_set(&p->pod_id, "");
	pod_set(&p->container_name, container);
	if (n > 0)
		p->meta = labels_json(labels, n);
	pod_settle(p);
	free(stem);
out:
	free(space);
	return p;
}
