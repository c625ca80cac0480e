/* GET of the metadata of a namespace or a node. */
#include "lookup.h"

#include <stdlib.h>

#include "exchange.h"
#include "sieve.h"
#include "voice.h"

#define KEPT_MAX (384u << 10)
#define OBJECT_MAX (UINT64_C(8) << 20)
#define TIME 30L
#define PARTIAL                                                                                    \
	"Accept: application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json"

struct lookup {
	const struct kube_options *options;
	struct access *access;
	struct pod_table *table;
	struct exchange *exchange;
	struct sieve *sieve;
	struct around_want want;
	json_t *meta; /* the metadata of this answer; NULL: none */
	char message[256];
	struct said said[2]; /* about namespaces, about the node */
};

static const char *const patterns[] = { "message", "metadata.labels", "metadata.annotations",
	NULL };
static const char *const none[] = { NULL };
static const struct sieve_shape shape = { patterns, NULL, none, false };

static void
on_object(void *arg, struct slice text, bool root)
{
	struct lookup *l = arg;
	json_t *object = json_loadb(text.at, text.len, 0, NULL);
	const char *message = json_string_value(json_object_get(object, "message"));

	(void)root;
	json_decref(l->meta);
	l->meta = json_incref(json_object_get(object, "metadata"));
	if (message != NULL)
		snprintf(l->message, sizeof(l->message), "%s", message);
	json_decref(object);
}

static bool
on_body(void *arg, struct slice piece)
{
	struct lookup *l = arg;

	return sieve_feed(l->sieve, piece) != PARSE_BAD;
}

struct lookup *
lookup_new(const struct kube_options *options, struct access *access, struct pod_table *table,
    CURLM *multi)
{
	struct lookup *l = xcalloc(1, sizeof(*l));

	l->options = options;
	l->access = access;
	l->table = table;
	l->exchange =
	    exchange_new(access, multi, &(struct exchange_reader){ .body = on_body, .arg = l });
	l->sieve = sieve_new(&shape, KEPT_MAX, OBJECT_MAX, on_object, l);
	return l;
}

void
lookup_free(struct lookup *l)
{
	if (l == NULL)
		return;
	exchange_free(l->exchange);
	sieve_free(l->sieve);
	json_decref(l->meta);
	free(l);
}

void
lookup_turn(struct lookup *l, const char *node, int64_t now)
{
	char *name, *path;

	if (exchange_is_open(l->exchange) || !pod_table_around_next(l->table, now, &l->want) ||
	    (l->want.node && node == NULL))
		return;
	if (l->want.node)
		snprintf(l->want.name, sizeof(l->want.name), "%s", node);
	sieve_clear(l->sieve);
	json_decref(l->meta);
	l->meta = NULL;
	l->message[0] = '\0';
	name = curl_easy_escape(NULL, l->want.name, 0);
	path = xprintf("/api/v1/%s/%s", l->want.node ? "nodes" : "namespaces", name);
	if (exchange_send(l->exchange, path, PARTIAL, TIME))
		metrics_add(&metrics_kube.requests[KUBE_GET], 1);
	else
		pod_table_around_fail(l->table, &l->want, true, now);
	curl_free(name);
	free(path);
}

/* The value for documents, cut to POD_BYTES: annotations are left out first, then labels. */
static struct shared_json *
value_make(const struct lookup *l)
{
	const struct kube_options *o = l->options;
	bool labels = l->want.node || o->parts & KUBE_NAMESPACE_LABELS;
	bool annotations = !l->want.node && o->parts & KUBE_NAMESPACE_ANNOTATIONS;
	struct shared_json *out = NULL;
	json_t *value = json_object();
	char *text;

	if (!l->want.node)
		json_object_set_new(value, "name", json_string(l->want.name));
	if (labels)
		json_object_set_new(value, l->want.node ? "node_labels" : "labels",
		    pod_info_keyed(json_object_get(l->meta, "labels"), o->parts));
	if (annotations)
		json_object_set_new(value, "annotations",
		    pod_info_keyed(json_object_get(l->meta, "annotations"), o->parts));
	if (json_dumpb(value, NULL, 0, JSON_COMPACT) > POD_BYTES)
		json_object_del(value, "annotations");
	if (json_dumpb(value, NULL, 0, JSON_COMPACT) > POD_BYTES)
		json_object_del(value, l->want.node ? "node_labels" : "labels");
	text = json_dumps(value, JSON_COMPACT);
	json_decref(value);
	if (text == NULL)
		return NULL;
	if (l->want.node && strlen(text) > 2) { /* members that follow others */
		text[0] = ',';
		out = shared_json_new((struct slice){ text, strlen(text) - 1 });
	} else {
		out = shared_json_new(slice_of(l->want.node ? "" : text));
	}
	free(text);
	return out;
}

bool
lookup_done(struct lookup *l, CURL *easy, CURLcode code, int64_t now)
{
	const char *what = l->want.node ? "nodes" : "namespaces";
	struct shared_json *value = NULL;
	long status;

	if (!exchange_ended(l->exchange, easy, code))
		return false;
	status = exchange_status(l->exchange);
	if (code == CURLE_OK && status == 200 && l->meta != NULL)
		value = value_make(l);
	if (value != NULL) {
		pod_table_around_put(l->table, &l->want, value, now);
		return true;
	}
	metrics_add(&metrics_kube.errors[exchange_fault(status)], 1);
	if (!said_lately(&l->said[l->want.node]))
		say_warn("kube", "%s does not tell of %s %s (%ld): %s; its labels are left out%s",
		    access_server(l->access), what, l->want.name, status,
		    l->message[0] != '\0' ? l->message : exchange_error(l->exchange),
		    status == 403 ? " (the ClusterRole must grant get of them)" : "");
	pod_table_around_fail(
	    l->table, &l->want, status == 200 || status == 403 || status == 404, now);
	return true;
}
