/*
 * One request at a time, by steps:
 *
 *	FIND_NODE -> VERSION -> LIST (pages) -> WATCH -> WATCH …
 *	                     -> STREAM, where the server is 1.34 or newer: both in one
 *
 * A watch that ends goes on where it was; one that the server cannot go on with
 * (410, an ERROR event) is a list again.  What fails is tried again after a
 * while, longer each time, with jitter: the server has a thousand nodes.  So is
 * what ends well, but at once, again and again.
 *
 * The server is not trusted: whatever it sends is read in bounded memory, and a
 * list has an end.
 */
#include "feed.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "clock.h"
#include "metrics.h"
#include "sieve.h"
#include "voice.h"

#define PAGE 500 /* pods of one page */
#define KEPT_MAX                                                                                   \
	(384u << 10) /* bytes of a pod's used part: the API allows 256 KiB of annotations */
#define OBJECT_MAX                                                                                 \
	(UINT64_C(32) << 20) /* bytes of a pod in all: the API's store allows some 1.5 MiB */
#define PAGES 256            /* of a list: 128,000 pods, more than Max_Pods can be */
#define PAGE_MAX (UINT64_C(256) << 20) /* bytes of a page */
#define HEAD_MAX (128u << 10)
#define NODE_MAX 253 /* bytes of a node's name */
#define BACKOFF (NS_PER_S / 2)
#define BACKOFF_MOST (15 * NS_PER_S)
#define AFTER_MOST 300        /* s, whatever Retry-After says */
#define ANSWER_TIME 60L       /* s for a page */
#define WATCH_LEAST 240u      /* s a watch lasts, and a random part of as much */
#define HASTY (10 * NS_PER_S) /* a watch that ends sooner is hasty */
#define STREAMS_FROM 34       /* 1.34: streaming lists are on */

enum step { FIND_NODE, VERSION, LIST, STREAM, WATCH };

struct feed {
	const struct kube_options *options;
	struct access *access;
	struct pod_table *table;
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	char error[CURL_ERROR_SIZE];
	struct sieve *lists, *watches,
	    *sieve; /* `sieve`: that of this answer; NULL: none of it came */
	struct pod_rules rules;

	enum step step;
	bool flying;
	int64_t sent, due; /* mono ns of the last request, of the next */
	unsigned failures; /* in a row */
	unsigned hasty;    /* ends in a row of what should have lasted */
	unsigned pages;    /* of this list */
	char *node;
	char *version, *next_page; /* to watch from; of a list that has more; NULL: none */
	bool streams;              /* lists may be streamed */
	bool up;
	bool asked_version;

	/* of this answer */
	bool complete;        /* its root was read */
	bool bad;             /* it is not what the API speaks */
	bool within;          /* the last bytes were no object's end */
	uint64_t bytes, head; /* of it */
	json_int_t code;
	char message[512];
	json_int_t minor;

	pthread_mutex_t lock;
	char why[768];
	char said_why[768];
	struct said said;
};

/* ---- what is read */

static const char *const pod_patterns[] = { "code", "message", "metadata.uid", "metadata.name",
	"metadata.namespace", "metadata.resourceVersion", "metadata.labels", "metadata.annotations",
	"metadata.ownerReferences", "spec.nodeName", "spec.containers.name",
	"spec.containers.image", "spec.initContainers.name", "spec.initContainers.image",
	"spec.ephemeralContainers.name", "spec.ephemeralContainers.image", "status.podIP",
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
unreadable(struct feed *f, const char *what)
{
	metrics_add(&metrics.kube_errors[KUBE_ANSWER], 1);
	if (!said_lately(&f->said))
		say_warn("kube", "%s tells of a pod that %s: its logs go without labels",
		    access_server(f->access), what);
}

static void
pod_put(struct feed *f, const json_t *pod)
{
	const char *node = string_at(json_object_get(pod, "spec"), "nodeName");
	struct pod_info *info;

	if (node == NULL || strcmp(node, f->node) != 0) {
		unreadable(f, "is on another node");
		return;
	}
	info = pod_info_read(pod, &f->rules);
	if (info == NULL)
		unreadable(f, "has no uid, name or namespace");
	else
		pod_table_put(f->table, info);
}

static void
node_set(struct feed *f, const char *name)
{
	if (name != NULL && strlen(name) <= NODE_MAX)
		replace(&f->node, name);
}

static void
status_read(struct feed *f, const json_t *status)
{
	const char *message = string_at(status, "message");
	const char *minor = string_at(status, "minor");

	f->code = json_integer_value(json_object_get(status, "code"));
	if (message != NULL)
		snprintf(f->message, sizeof(f->message), "%s", message);
	if (minor != NULL)
		f->minor = strtol(minor, NULL, 10);
}

static json_t *
text_read(struct feed *f, struct slice text, bool pod)
{
	json_t *object = text.len == 0 ? NULL : json_loadb(text.at, text.len, 0, NULL);

	if (!pod)
		return object;
	if (text.len == 0)
		unreadable(f, "is larger than any should be");
	else if (object == NULL)
		unreadable(f, "is no JSON");
	return object;
}

/* A list's item, or what stands around the items; an error's Status is a root, too. */
static void
on_list(void *arg, struct slice text, bool root)
{
	struct feed *f = arg;
	json_t *object = text_read(f, text, !root);
	const json_t *meta = json_object_get(object, "metadata");

	f->complete |= root;
	if (object == NULL) {
		f->bad |= root;
	} else if (root) {
		status_read(f, object);
		if (f->step == LIST) { /* a watch that is refused goes on from where it was */
			replace(&f->version, string_at(meta, "resourceVersion"));
			replace(&f->next_page, string_at(meta, "continue"));
		}
	} else if (f->step == FIND_NODE) {
		node_set(f, string_at(json_object_get(object, "spec"), "nodeName"));
	} else {
		pod_put(f, object);
	}
	json_decref(object);
}

static void
up(struct feed *f, bool is)
{
	f->up = is;
	atomic_store_explicit(&metrics.kube_up, is, memory_order_relaxed);
}

static void
well(struct feed *f, const char *are)
{
	pthread_mutex_lock(&f->lock);
	f->why[0] = '\0';
	pthread_mutex_unlock(&f->lock);
	if (!f->up)
		say_info("kube", "the pods of node %s are %s, from %s", f->node, are,
		    access_server(f->access));
	up(f, true);
}

static void
synced(struct feed *f)
{
	pod_table_synced(f->table);
	f->failures = 0;
	well(f, "known");
}

static void
on_bookmark(struct feed *f, const json_t *meta)
{
	const json_t *annotations = json_object_get(meta, "annotations");

	if (f->step == STREAM && string_at(annotations, "k8s.io/initial-events-end") != NULL) {
		f->step = WATCH;
		synced(f);
	}
}

static void
on_event(void *arg, struct slice text, bool root)
{
	struct feed *f = arg;
	json_t *event = text_read(f, text, true);
	const json_t *object = json_object_get(event, "object");
	const json_t *meta = json_object_get(object, "metadata");
	const char *type = string_at(event, "type"), *version = string_at(meta, "resourceVersion");

	(void)root;
	if (type == NULL) {
		json_decref(event);
		return;
	}
	metrics_add(&metrics.kube_events, 1);
	if (strcmp(type, "ERROR") == 0) {
		status_read(f, object);
		f->code = f->code == 0 ? 500 : f->code;
	} else {
		f->failures = 0;
	}
	if (version != NULL && (f->step == WATCH || strcmp(type, "BOOKMARK") == 0))
		replace(&f->version, version);
	if (strcmp(type, "ADDED") == 0 || strcmp(type, "MODIFIED") == 0)
		pod_put(f, object);
	else if (strcmp(type, "DELETED") == 0)
		pod_table_deleted(f->table, slice_of(string_at(meta, "uid")));
	else if (strcmp(type, "BOOKMARK") == 0)
		on_bookmark(f, meta);
	json_decref(event);
}

/* ---- requests */

static char *
escaped(const char *text)
{
	char *of_curl = curl_easy_escape(NULL, text, 0), *out = xstrdup(of_curl);

	curl_free(of_curl);
	return out;
}

/* Our own pod, which knows its node: its name, and its namespace; NULL: not known. */
static char *
own_path(const struct feed *f)
{
	char host[256] = "", *space = NULL, *name, *path = NULL;
	const char *pod = getenv("POD_NAME");

	if (pod == NULL && gethostname(host, sizeof(host) - 1) == 0)
		pod = host;
	space = getenv("POD_NAMESPACE") != NULL ? xstrdup(getenv("POD_NAMESPACE"))
						: file_text(f->options->namespace_file, 256);
	if (pod != NULL && space != NULL && *pod != '\0' && *space != '\0') {
		name = escaped(pod);
		char *in = escaped(space);

		path = xprintf(
		    "/api/v1/namespaces/%s/pods?fieldSelector=metadata.name%%3D%s", in, name);
		free(in);
		free(name);
	}
	free(space);
	return path;
}

static unsigned
watch_seconds(void)
{
	unsigned random = 0;

	if (getrandom(&random, sizeof(random), 0) < 0)
		random = 0;
	return WATCH_LEAST + random % WATCH_LEAST;
}

static char *
pods_path(struct feed *f, unsigned seconds)
{
	char *node = escaped(f->node), *part = NULL, *path = NULL;
	const char *base = "/api/v1/pods?fieldSelector=spec.nodeName%3D";

	switch (f->step) {
	case LIST:
		part = f->next_page == NULL ? xstrdup("") : escaped(f->next_page);
		path = xprintf("%s%s&limit=%d%s%s", base, node, PAGE,
		    f->next_page == NULL ? "" : "&continue=", part);
		break;
	case STREAM:
		path = xprintf("%s%s&watch=1&allowWatchBookmarks=true&sendInitialEvents=true"
			       "&resourceVersionMatch=NotOlderThan&timeoutSeconds=%u",
		    base, node, seconds);
		break;
	default:
		part = escaped(f->version == NULL ? "" : f->version);
		path = xprintf("%s%s&watch=1&allowWatchBookmarks=true&resourceVersion=%s"
			       "&timeoutSeconds=%u",
		    base, node, part, seconds);
	}
	free(node);
	free(part);
	return path;
}

static bool
watches(const struct feed *f)
{
	return f->step == STREAM || f->step == WATCH;
}

static size_t
on_write(char *at, size_t size, size_t n, void *arg)
{
	struct feed *f = arg;
	enum parsed parsed;
	long status = 0;

	if (f->sieve == NULL) {
		curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
		f->sieve = watches(f) && status == 200 ? f->watches : f->lists;
		sieve_clear(f->sieve);
	}
	f->bytes += size * n;
	parsed = sieve_feed(f->sieve, (struct slice){ at, size * n });
	f->within = parsed == PARSE_MORE;
	f->bad = parsed == PARSE_BAD || (f->sieve == f->lists && f->bytes > PAGE_MAX);
	/* Behind an ERROR event nothing is to be read. */
	return f->bad || (f->sieve == f->watches && f->code != 0) ? 0 : size * n;
}

/*
 * A watch that goes on may tell nothing for long: its head says that it does.
 * A head has an end.
 */
static size_t
on_header(char *at, size_t size, size_t n, void *arg)
{
	struct feed *f = arg;
	long status = 0;

	f->head += size * n;
	f->bad |= f->head > HEAD_MAX;
	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)at;
	if (status == 200 && f->step == WATCH)
		well(f, "watched again");
	return f->bad ? 0 : size * n;
}

static void fail(struct feed *f, int64_t now, enum kube_error error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void
send_request(struct feed *f, int64_t now)
{
	bool watch = watches(f);
	unsigned seconds = watch_seconds();
	char *path = f->step == FIND_NODE ? own_path(f)
		     : f->step == VERSION ? xstrdup("/version")
					  : pods_path(f, seconds);

	if (path == NULL) {
		pod_table_given_up(f->table, true);
		fail(f, now, KUBE_ANSWER,
		    "this node's name is not known: set NODE_NAME (the downward API has it as "
		    "spec.nodeName), or POD_NAME and POD_NAMESPACE");
		return;
	}
	f->sieve = NULL;
	f->complete = f->bad = f->within = false;
	f->code = f->minor = 0;
	f->bytes = f->head = 0;
	f->sent = now;
	f->message[0] = '\0';
	if (!access_request(f->access, f->easy, &f->headers, path, f->error)) {
		free(path);
		pod_table_given_up(f->table, true);
		fail(f, now, KUBE_AUTH,
		    "%s; in a pod it is there when the service account's token is mounted",
		    access_why(f->access));
		return;
	}
	free(path);
	pod_table_given_up(f->table, false);
	if ((f->step == LIST && f->next_page == NULL) || f->step == STREAM)
		pod_table_sync(f->table);
	metrics_add(&metrics.kube_requests[watch                ? KUBE_WATCH
					   : f->step == VERSION ? KUBE_GET
								: KUBE_LIST],
	    1);
	curl_easy_setopt(f->easy, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(f->easy, CURLOPT_WRITEDATA, f);
	curl_easy_setopt(f->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(f->easy, CURLOPT_HEADERDATA, f);
	curl_easy_setopt(
	    f->easy, CURLOPT_TIMEOUT, watch ? (long)seconds + ANSWER_TIME : ANSWER_TIME);
	curl_multi_add_handle(f->multi, f->easy);
	f->flying = true;
}

/* ---- when one has ended */

/* By what went wrong in a row, with jitter; at least as long as the server says. */
static void
back_off(struct feed *f, int64_t now)
{
	unsigned n = f->failures > f->hasty ? f->failures : f->hasty;
	int64_t wait = BACKOFF;
	curl_off_t after = 0;
	uint32_t random = 0;

	for (unsigned i = 0; i < n && wait < BACKOFF_MOST; i++)
		wait *= 2;
	if (wait > BACKOFF_MOST)
		wait = BACKOFF_MOST;
	if (getrandom(&random, sizeof(random), 0) < 0)
		random = 0;
	wait = wait / 2 + (int64_t)((double)wait / 2 * random / UINT32_MAX);
	curl_easy_getinfo(f->easy, CURLINFO_RETRY_AFTER, &after);
	after = after > AFTER_MOST ? AFTER_MOST : after;
	if (after * NS_PER_S > wait)
		wait = after * NS_PER_S;
	f->due = now + wait;
}

static void
fail(struct feed *f, int64_t now, enum kube_error error, const char *format, ...)
{
	bool news, lately = said_lately(&f->said);
	va_list args;

	pthread_mutex_lock(&f->lock);
	va_start(args, format);
	vsnprintf(f->why, sizeof(f->why), format, args);
	va_end(args);
	news = strcmp(f->why, f->said_why) != 0;
	memcpy(f->said_why, f->why, sizeof(f->why));
	pthread_mutex_unlock(&f->lock);
	metrics_add(&metrics.kube_errors[error], 1);
	up(f, false);
	if (news || !lately)
		say_warn("kube", "%s", f->said_why);
	back_off(f, now);
	f->failures++;
}

static void
list_again(struct feed *f, int64_t now)
{
	replace(&f->version, NULL);
	replace(&f->next_page, NULL);
	f->pages = 0;
	f->due = now;
	if (f->step > VERSION)
		f->step = f->streams ? STREAM : LIST;
}

/* What is too old to go on from is listed anew. */
static void
gone(struct feed *f, int64_t now)
{
	metrics_add(&metrics.kube_errors[KUBE_GONE], 1);
	list_again(f, now);
	if (f->hasty > 1)
		back_off(f, now);
}

static void
no_api(struct feed *f, int64_t now)
{
	if (watches(f)) /* the same version would be answered the same */
		list_again(f, now);
	fail(f, now, KUBE_ANSWER, "%s does not answer as an API server does: is Kube_URL right?",
	    access_server(f->access));
}

/* The server refused the request, in words of its own. */
static void
refused(struct feed *f, long status, int64_t now)
{
	const char *server = access_server(f->access);
	bool watch = watches(f);

	if (f->message[0] == '\0')
		snprintf(f->message, sizeof(f->message), "it gives no reason");
	if (status == 401) {
		access_refused(f->access);
		fail(f, now, KUBE_AUTH, "%s does not know our token (401): %s", server, f->message);
	} else if (status == 403) {
		fail(f, now, KUBE_FORBIDDEN,
		    "%s forbids to %s pods (403): %s; conf/kubernetes/base/rbac.yaml grants it (pods: list, watch)",
		    server, watch ? "watch" : "list", f->message);
	} else if (status == 429) {
		fail(f, now, KUBE_THROTTLED, "%s has too many requests (429): %s", server,
		    f->message);
	} else {
		if (watch || f->next_page != NULL) /* it may not be able to go on from there */
			list_again(f, now);
		fail(f, now, KUBE_SERVER, "%s answers %ld: %s", server, status, f->message);
	}
}

static void
page_read(struct feed *f, int64_t now)
{
	if (f->version == NULL) {
		no_api(f, now);
	} else if (f->next_page != NULL && ++f->pages == PAGES) {
		list_again(f, now);
		fail(f, now, KUBE_ANSWER, "%s: the list of pods has no end",
		    access_server(f->access));
	} else if (f->next_page == NULL) {
		f->step = WATCH;
		synced(f);
	}
}

/* The server has answered as it should: on to the next step. */
static void
next_step(struct feed *f, int64_t now)
{
	f->due = now;
	switch (f->step) {
	case FIND_NODE:
		if (f->node == NULL) {
			fail(f, now, KUBE_ANSWER,
			    "%s knows no pod of our name that has a node: set NODE_NAME",
			    access_server(f->access));
			return;
		}
		f->step = VERSION;
		break;
	case VERSION:
		f->streams = f->minor >= STREAMS_FROM;
		f->step = LIST;
		list_again(f, now);
		break;
	case LIST:
		page_read(f, now);
		break;
	case STREAM: /* it ended before all pods were told */
		fail(f, now, KUBE_CONNECT, "%s ended its list too soon", access_server(f->access));
		break;
	case WATCH: /* in order, after its time */
		if (f->hasty > 1)
			back_off(f, now);
		break;
	}
}

/* An ERROR event ends a watch that cannot go on: 410, or anything else. */
static void
watch_error(struct feed *f, int64_t now)
{
	if (f->code == 410 && watches(f)) {
		gone(f, now);
		return;
	}
	list_again(f, now);
	fail(f, now, KUBE_SERVER, "%s ended the watch (%d): %s", access_server(f->access),
	    (int)f->code, f->message);
}

bool
feed_done(struct feed *f, CURL *easy, CURLcode code, int64_t now)
{
	const char *server = access_server(f->access);
	long status = 0;

	if (easy != f->easy)
		return false;
	curl_multi_remove_handle(f->multi, easy);
	f->flying = false;
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	if (watches(f))
		f->hasty = now - f->sent < HASTY ? f->hasty + 1 : 0;
	if (status == 200 && f->code != 0) {
		watch_error(f, now);
	} else if (status == 410 && f->step > VERSION) {
		f->hasty += f->step == LIST;
		gone(f, now);
	} else if (status == 422 && f->step == STREAM) {
		f->streams = false;
		f->hasty = 0;
		list_again(f, now);
	} else if (f->step == VERSION && status != 200 && status != 0 && status != 401) {
		next_step(f, now); /* its version is its secret: no streamed lists */
	} else if (status >= 300) {
		refused(f, status, now);
	} else if (f->bad) {
		no_api(f, now);
	} else if (code != CURLE_OK) {
		fail(f, now, KUBE_CONNECT, "%s: %s", server,
		    f->error[0] != '\0' ? f->error : curl_easy_strerror(code));
	} else if (watches(f) ? f->within : !f->complete) {
		fail(f, now, KUBE_ANSWER, "%s: the answer ended too soon", server);
	} else {
		next_step(f, now);
	}
	return true;
}

/* ---- a turn */

/* A watch whose head, or a streamed list whose end does not come. */
static bool
overdue(const struct feed *f, int64_t now)
{
	long status = 0;

	if (!f->flying || !watches(f) || now - f->sent < ANSWER_TIME * NS_PER_S)
		return false;
	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	return f->step == STREAM || status == 0;
}

int64_t
feed_turn(struct feed *f, int64_t now)
{
	if (overdue(f, now)) {
		curl_multi_remove_handle(f->multi, f->easy);
		f->flying = f->streams = false;
		list_again(f, now);
		fail(f, now, KUBE_CONNECT, "%s has not told of the pods within %ld s",
		    access_server(f->access), ANSWER_TIME);
	}
	if (f->flying)
		return INT64_MAX;
	if (now >= f->due)
		send_request(f, now);
	return f->flying ? INT64_MAX : f->due;
}

struct feed *
feed_new(const struct kube_options *options, struct access *access, struct pod_table *table,
    CURLM *multi)
{
	struct feed *f = xcalloc(1, sizeof(*f));

	f->options = options;
	f->access = access;
	f->table = table;
	f->multi = multi;
	f->easy = curl_easy_init();
	f->lists = sieve_new(&list_shape, KEPT_MAX, OBJECT_MAX, on_list, f);
	f->watches = sieve_new(&event_shape, KEPT_MAX, OBJECT_MAX, on_event, f);
	f->rules = (struct pod_rules){ options->labels, options->annotations,
		options->owner_references, options->keep_dots };
	pthread_mutex_init(&f->lock, NULL);
	snprintf(f->why, sizeof(f->why), "%s has not answered yet", access_server(access));
	replace(&f->node, options->node);
	f->step = f->node != NULL ? VERSION : FIND_NODE;
	return f;
}

void
feed_free(struct feed *f)
{
	if (f == NULL)
		return;
	if (f->flying)
		curl_multi_remove_handle(f->multi, f->easy);
	up(f, false);
	curl_easy_cleanup(f->easy);
	curl_slist_free_all(f->headers);
	sieve_free(f->lists);
	sieve_free(f->watches);
	pthread_mutex_destroy(&f->lock);
	free(f->node);
	free(f->version);
	free(f->next_page);
	free(f);
}

const char *
feed_node(const struct feed *f)
{
	return f->step > FIND_NODE ? f->node : NULL;
}

void
feed_why(struct feed *f, char *why, size_t size)
{
	pthread_mutex_lock(&f->lock);
	snprintf(why, size, "%s", f->why);
	pthread_mutex_unlock(&f->lock);
}
