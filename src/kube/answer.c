/* The server is not trusted: a member of another type than expected counts as absent, and a list has an end. */
#include "answer.h"

#include <stdlib.h>

#include "memory.h"
#include "metrics.h"
#include "sieve.h"
#include "voice.h"

#define KEPT_MAX (384u << 10)           /* of a pod's used part: annotations may have 256 KiB */
#define OBJECT_MAX (UINT64_C(32) << 20) /* of a pod in all: the API's store allows some 1.5 MiB */
#define PAGE_MAX (UINT64_C(256) << 20)
#define NODE_MAX 253 /* bytes of a node's name */

struct answer {
	struct answer_says says;
	struct pod_table *table;
	const char *server;
	enum answer_kind kind;
	struct sieve *lists, *events;
	uint64_t bytes; /* of this answer */
	unsigned parts; /* enum kube_part */
	struct said said;
};

static const char *const pod_patterns[] = { "code", "message", "metadata.uid", "metadata.name",
	"metadata.namespace", "metadata.resourceVersion", "metadata.labels", "metadata.annotations",
	"metadata.ownerReferences", "spec.nodeName", "spec.containers.name",
	"spec.containers.image", "spec.initContainers.name", "spec.initContainers.image",
	"spec.ephemeralContainers.name", "spec.ephemeralContainers.image", "status.podIP",
	"status.phase",
#define STATUS(kind)                                                                               \
	"status." kind ".name", "status." kind ".restartCount", "status." kind ".image",           \
	    "status." kind ".imageID", "status." kind ".containerID",                              \
	    "status." kind ".lastState.terminated.containerID"
	STATUS("containerStatuses"), STATUS("initContainerStatuses"),
	STATUS("ephemeralContainerStatuses"), NULL };

static const char *const list_patterns[] = { "code", "message", "minor", "metadata.resourceVersion",
	"metadata.continue", NULL };
static const char *const event_patterns[] = { "type", NULL };

static const struct sieve_shape list_shape = { list_patterns, "items", pod_patterns, true };
static const struct sieve_shape event_shape = { event_patterns, "object", pod_patterns, false };

static void
replace(char **text, const char *by)
{
	free(*text);
	*text = by == NULL || *by == '\0' ? NULL : xstrdup(by);
}

static const char *
string_at(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* A pod that cannot be read is not known; the watch goes on. */
static void
unreadable(struct answer *a, const char *what)
{
	metrics_add(&metrics_kube.errors[KUBE_ANSWER], 1);
	if (!said_lately(&a->said))
		say_warn("kube", "%s tells of a pod that %s: its logs go without labels", a->server,
		    what);
}

static void
pod_put(struct answer *a, const json_t *pod)
{
	const char *node = string_at(json_object_get(pod, "spec"), "nodeName");
	struct pod_info *info;

	if (node == NULL || a->says.node == NULL || strcmp(node, a->says.node) != 0) {
		unreadable(a, "is on another node");
		return;
	}
	info = pod_info_read(pod, a->parts);
	if (info == NULL)
		unreadable(a, "has no uid, name or namespace");
	else
		pod_table_put(a->table, info);
}

static void
node_set(struct answer *a, const char *name)
{
	if (name != NULL && strlen(name) <= NODE_MAX)
		replace(&a->says.node, name);
}

static void
status_read(struct answer *a, const json_t *status)
{
	const char *message = string_at(status, "message");
	const char *minor = string_at(status, "minor");

	a->says.code = json_integer_value(json_object_get(status, "code"));
	if (message != NULL)
		snprintf(a->says.message, sizeof(a->says.message), "%s", message);
	if (minor != NULL)
		a->says.minor = strtol(minor, NULL, 10);
}

static json_t *
text_read(struct answer *a, struct slice text, bool pod)
{
	json_t *object = text.len == 0 ? NULL : json_loadb(text.at, text.len, 0, NULL);

	if (!pod)
		return object;
	if (text.len == 0)
		unreadable(a, "is larger than any should be");
	else if (object == NULL)
		unreadable(a, "is no JSON");
	return object;
}

/* An item of a list, or the root: the list without its items, or an error's Status. */
static void
on_list(void *arg, struct slice text, bool root)
{
	struct answer *a = arg;
	json_t *object = text_read(a, text, !root);
	const json_t *meta = json_object_get(object, "metadata");

	a->says.complete |= root;
	if (object == NULL) {
		a->says.bad |= root;
	} else if (root) {
		status_read(a, object);
		if (a->kind == ANSWER_LIST) {
			replace(&a->says.version, string_at(meta, "resourceVersion"));
			replace(&a->says.next_page, string_at(meta, "continue"));
		}
	} else if (a->kind == ANSWER_NODE) {
		node_set(a, string_at(json_object_get(object, "spec"), "nodeName"));
	} else {
		pod_put(a, object);
	}
	json_decref(object);
}

static void
error_read(struct answer *a, const json_t *status)
{
	status_read(a, status);
	a->says.code = a->says.code == 0 ? 500 : a->says.code;
}

static void
event_take(struct answer *a, const char *type, const json_t *object)
{
	const json_t *meta = json_object_get(object, "metadata");
	const char *version = string_at(meta, "resourceVersion");
	bool bookmark = strcmp(type, "BOOKMARK") == 0;

	a->says.events++;
	/* A stream's first events are in no order: a watch goes on from a bookmark. */
	if (version != NULL && (a->says.told_all || bookmark))
		replace(&a->says.version, version);
	if (strcmp(type, "ADDED") == 0 || strcmp(type, "MODIFIED") == 0)
		pod_put(a, object);
	else if (strcmp(type, "DELETED") == 0)
		pod_table_deleted(a->table, slice_of(string_at(meta, "uid")));
	else if (bookmark && string_at(json_object_get(meta, "annotations"),
				 "k8s.io/initial-events-end") != NULL)
		a->says.told_all = true;
}

static void
on_event(void *arg, struct slice text, bool root)
{
	struct answer *a = arg;
	json_t *event = text_read(a, text, true);
	const char *type = string_at(event, "type");

	(void)root;
	if (type != NULL)
		metrics_add(&metrics_kube.events, 1);
	if (type != NULL && strcmp(type, "ERROR") == 0)
		error_read(a, json_object_get(event, "object"));
	else if (type != NULL)
		event_take(a, type, json_object_get(event, "object"));
	json_decref(event);
}

/* ---- one answer after the other */

static bool
has_events(const struct answer *a)
{
	return a->kind == ANSWER_STREAM || a->kind == ANSWER_WATCH;
}

void
answer_begin(struct answer *a, enum answer_kind kind)
{
	struct answer_says *s = &a->says;

	a->kind = kind;
	a->bytes = 0;
	*s = (struct answer_says){ .complete = has_events(a),
		.told_all = kind == ANSWER_WATCH,
		.node = s->node,
		.version = s->version,
		.next_page = s->next_page };
	sieve_clear(has_events(a) ? a->events : a->lists);
}

bool
answer_feed(struct answer *a, struct slice piece)
{
	enum parsed parsed = sieve_feed(has_events(a) ? a->events : a->lists, piece);

	a->bytes += piece.len;
	if (has_events(a))
		a->says.complete = parsed != PARSE_MORE;
	a->says.bad |= parsed == PARSE_BAD || (!has_events(a) && a->bytes > PAGE_MAX);
	/* The bytes behind an ERROR event are not read. */
	return !a->says.bad && (!has_events(a) || a->says.code == 0);
}

const struct answer_says *
answer_says(const struct answer *a)
{
	return &a->says;
}

void
answer_forget(struct answer *a)
{
	replace(&a->says.version, NULL);
	replace(&a->says.next_page, NULL);
}

struct answer *
answer_new(const struct kube_options *options, struct pod_table *table, const char *server)
{
	struct answer *a = xcalloc(1, sizeof(*a));

	a->table = table;
	a->server = server;
	a->lists = sieve_new(&list_shape, KEPT_MAX, OBJECT_MAX, on_list, a);
	a->events = sieve_new(&event_shape, KEPT_MAX, OBJECT_MAX, on_event, a);
	a->parts = options->parts;
	replace(&a->says.node, options->node);
	return a;
}

void
answer_free(struct answer *a)
{
	if (a == NULL)
		return;
	sieve_free(a->lists);
	sieve_free(a->events);
	answer_forget(a);
	free(a->says.node);
	free(a);
}
