/*
 * One request at a time, by steps:
 *
 *	FIND_NODE -> VERSION -> LIST (pages) -> WATCH -> WATCH …
 *	                     -> STREAM, where the server is 1.34 or newer: both in one
 *
 * A watch that ends in order is followed by a watch from the last version;
 * when the server does not have that version any more (410, an ERROR event),
 * by a list.  A failed request is sent again after a while, longer each time,
 * with jitter, as the server has a thousand nodes.  A watch that ends in order,
 * but at once, again and again, is treated like a failure.
 *
 * The server is not trusted: memory is bounded, whatever it sends, and a list
 * has an end.
 */
#include "feed.h"

#include <stdlib.h>
#include <sys/random.h>

#include "answer.h"
#include "clock.h"
#include "exchange.h"
#include "pod_query.h"

#define PAGES 256             /* of a list: 128,000 pods, more than Max_Pods can be */
#define ANSWER_TIME 60L       /* s for a page */
#define WATCH_LEAST 240u      /* s that a watch lasts; up to as much is added at random */
#define HASTY (10 * NS_PER_S) /* a watch that ends sooner counts as hasty */
#define STREAMS_FROM 34       /* 1.34: streaming lists are on */

enum step { FIND_NODE, VERSION, LIST, STREAM, WATCH };

/* The answer that a step expects, the verb that it is counted as. */
static const struct {
	enum answer_kind kind;
	enum kube_verb verb;
} steps[] = {
	[FIND_NODE] = { ANSWER_NODE, KUBE_LIST },
	[VERSION] = { ANSWER_OBJECT, KUBE_GET },
	[LIST] = { ANSWER_LIST, KUBE_LIST },
	[STREAM] = { ANSWER_STREAM, KUBE_WATCH },
	[WATCH] = { ANSWER_WATCH, KUBE_WATCH },
};

struct feed {
	const struct kube_options *options;
	struct access *access;
	struct pod_table *table;
	struct exchange *exchange;
	struct answer *answer;
	const struct answer_says *says; /* the answer's */
	struct contact *contact;
	const char *server;

	enum step step;
	int64_t sent;   /* mono ns of the last request */
	unsigned pages; /* pages read of this list */
	bool streams;   /* the server can stream a list */
};

#define fail(f, ...) contact_fail((f)->contact, __VA_ARGS__)

static bool
watches(const struct feed *f)
{
	return steps[f->step].verb == KUBE_WATCH;
}

static void
well(struct feed *f, const char *are)
{
	if (contact_well(f->contact))
		say_info(
		    "kube", "the pods of node %s are %s, from %s", f->says->node, are, f->server);
}

static void
synced(struct feed *f)
{
	pod_table_synced(f->table);
	f->contact->failures = 0;
	well(f, "known");
}

/* ---- requests */

static unsigned
watch_seconds(void)
{
	unsigned random = 0;

	if (getrandom(&random, sizeof(random), 0) < 0)
		random = 0;
	return WATCH_LEAST + random % WATCH_LEAST;
}

/* A watch may have no events for long: its head alone tells that it works. */
static void
on_head(void *arg, long status)
{
	struct feed *f = arg;

	if (status == 200 && f->step == WATCH)
		well(f, "watched again");
}

static void
on_begin(void *arg, long status)
{
	struct feed *f = arg;

	answer_begin(f->answer, status == 200 ? steps[f->step].kind : ANSWER_OBJECT);
}

static bool
on_body(void *arg, struct slice piece)
{
	struct feed *f = arg;
	bool goes_on = answer_feed(f->answer, piece);

	if (f->says->events > 0)
		f->contact->failures = 0;
	if (f->step == STREAM && f->says->told_all) {
		f->step = WATCH;
		synced(f);
	}
	return goes_on;
}

static char *
path_of(const struct feed *f, unsigned seconds)
{
	switch (f->step) {
	case FIND_NODE:
		return pod_query_own(f->options->namespace_file);
	case VERSION:
		return xstrdup("/version");
	case LIST:
		return pod_query_list(f->says->node, f->says->next_page);
	case STREAM:
		return pod_query_stream(f->says->node, seconds);
	default:
		return pod_query_watch(f->says->node, f->says->version, seconds);
	}
}

static void
send_request(struct feed *f, int64_t now)
{
	bool sent;
	unsigned seconds = watch_seconds();
	char *path = path_of(f, seconds);

	if (path == NULL) {
		pod_table_given_up(f->table, true);
		fail(f, now, KUBE_ANSWER,
		    "this node's name is not known: set NODE_NAME (the downward API has it as "
		    "spec.nodeName), or POD_NAME and POD_NAMESPACE");
		return;
	}
	answer_begin(f->answer, steps[f->step].kind);
	f->sent = now;
	sent = exchange_send(
	    f->exchange, path, NULL, watches(f) ? (long)seconds + ANSWER_TIME : ANSWER_TIME);
	free(path);
	pod_table_given_up(f->table, !sent);
	if (!sent) {
		fail(f, now, KUBE_AUTH,
		    "%s; in a pod it is there when the service account's token is mounted",
		    access_why(f->access));
		return;
	}
	if ((f->step == LIST && f->says->next_page == NULL) || f->step == STREAM)
		pod_table_sync(f->table);
	metrics_add(&metrics_kube.requests[steps[f->step].verb], 1);
}

/* ---- when one has ended */

static void
list_again(struct feed *f, int64_t now)
{
	answer_forget(f->answer);
	f->pages = 0;
	f->contact->due = now;
	if (f->step > VERSION)
		f->step = f->streams ? STREAM : LIST;
}

/* The server does not have the version any more: the pods are listed anew. */
static void
gone(struct feed *f, int64_t now)
{
	metrics_add(&metrics_kube.errors[KUBE_GONE], 1);
	list_again(f, now);
	if (f->contact->hasty > 1)
		contact_back_off(f->contact, now);
}

static void
no_api(struct feed *f, int64_t now)
{
	if (watches(f)) /* a watch from the same version would get the same answer */
		list_again(f, now);
	fail(f, now, KUBE_ANSWER, "%s does not answer as an API server does: is Kube_URL right?",
	    f->server);
}

/* The server has refused the request, with a message. */
static void
refused(struct feed *f, long status, int64_t now)
{
	const char *message = f->says->message[0] == '\0' ? "it gives no reason" : f->says->message;
	enum kube_error error = exchange_fault(status);

	switch (error) {
	case KUBE_AUTH:
		fail(f, now, error, "%s does not know our token (401): %s", f->server, message);
		break;
	case KUBE_FORBIDDEN:
		fail(f, now, error,
		    "%s forbids to %s pods (403): %s; conf/kubernetes/base/rbac.yaml grants it (pods: list, watch)",
		    f->server, watches(f) ? "watch" : "list", message);
		break;
	case KUBE_THROTTLED:
		fail(f, now, error, "%s has too many requests (429): %s", f->server, message);
		break;
	default:
		if (watches(f) || f->says->next_page != NULL)
			list_again(f, now); /* the version or the page may be the reason */
		fail(f, now, error, "%s answers %ld: %s", f->server, status, message);
	}
}

static void
page_read(struct feed *f, int64_t now)
{
	if (f->says->version == NULL) {
		no_api(f, now);
	} else if (f->says->next_page != NULL && ++f->pages == PAGES) {
		list_again(f, now);
		fail(f, now, KUBE_ANSWER, "%s: the list of pods has no end", f->server);
	} else if (f->says->next_page == NULL) {
		f->step = WATCH;
		synced(f);
	}
}

/* The server has answered in order: the next step is due. */
static void
next_step(struct feed *f, int64_t now)
{
	f->contact->due = now;
	switch (f->step) {
	case FIND_NODE:
		if (f->says->node == NULL) {
			fail(f, now, KUBE_ANSWER,
			    "%s knows no pod of our name that has a node: set NODE_NAME",
			    f->server);
			return;
		}
		f->step = VERSION;
		break;
	case VERSION:
		f->streams = f->says->minor >= STREAMS_FROM;
		f->step = LIST;
		list_again(f, now);
		break;
	case LIST:
		page_read(f, now);
		break;
	case STREAM: /* the stream ended before all pods were told */
		fail(f, now, KUBE_CONNECT, "%s ended its list too soon", f->server);
		break;
	case WATCH: /* the watch ended in order, after its time */
		if (f->contact->hasty > 1)
			contact_back_off(f->contact, now);
		break;
	}
}

/* The server has ended the watch by an ERROR event: 410, or another reason. */
static void
watch_error(struct feed *f, int64_t now)
{
	if (f->says->code == 410 && watches(f)) {
		gone(f, now);
		return;
	}
	list_again(f, now);
	fail(f, now, KUBE_SERVER, "%s ended the watch (%d): %s", f->server, (int)f->says->code,
	    f->says->message);
}

static void
answered(struct feed *f, CURLcode code, long status, int64_t now)
{
	if (status == 200 && f->says->code != 0) {
		watch_error(f, now);
	} else if (status == 410 && f->step > VERSION) {
		f->contact->hasty += f->step == LIST;
		gone(f, now);
	} else if (status == 422 && f->step == STREAM) {
		f->streams = false;
		f->contact->hasty = 0;
		list_again(f, now);
	} else if (f->step == VERSION && status != 200 && status != 0 && status != 401) {
		next_step(f, now); /* a version that is not told streams no lists */
	} else if (status >= 300) {
		refused(f, status, now);
	} else if (f->says->bad || exchange_overlong(f->exchange)) {
		no_api(f, now);
	} else if (code != CURLE_OK) {
		fail(f, now, KUBE_CONNECT, "%s: %s", f->server, exchange_error(f->exchange));
	} else if (!f->says->complete) {
		fail(f, now, KUBE_ANSWER, "%s: the answer ended too soon", f->server);
	} else {
		next_step(f, now);
	}
}

bool
feed_done(struct feed *f, CURL *easy, CURLcode code, int64_t now)
{
	int64_t after;

	if (!exchange_ended(f->exchange, easy, code))
		return false;
	if (watches(f))
		f->contact->hasty = now - f->sent < HASTY ? f->contact->hasty + 1 : 0;
	answered(f, code, exchange_status(f->exchange), now);
	after = now + exchange_after(f->exchange);
	if (f->contact->due > now && f->contact->due < after)
		f->contact->due = after;
	return true;
}

/* ---- a turn */

/* True when a watch's head, or a streamed list's end, has not come in time. */
static bool
overdue(const struct feed *f, int64_t now)
{
	return exchange_is_open(f->exchange) && watches(f) &&
	       now - f->sent >= ANSWER_TIME * NS_PER_S &&
	       (f->step == STREAM || exchange_status(f->exchange) == 0);
}

int64_t
feed_turn(struct feed *f, int64_t now)
{
	if (overdue(f, now)) {
		exchange_drop(f->exchange);
		f->streams = false;
		list_again(f, now);
		fail(f, now, KUBE_CONNECT, "%s has not told of the pods within %ld s", f->server,
		    ANSWER_TIME);
	}
	if (!exchange_is_open(f->exchange) && now >= f->contact->due)
		send_request(f, now);
	return exchange_is_open(f->exchange) ? INT64_MAX : f->contact->due;
}

struct feed *
feed_new(const struct kube_options *options, struct access *access, struct pod_table *table,
    struct contact *contact, CURLM *multi)
{
	struct feed *f = xcalloc(1, sizeof(*f));

	f->options = options;
	f->access = access;
	f->table = table;
	f->contact = contact;
	f->exchange = exchange_new(access, multi,
	    &(struct exchange_reader){
		.head = on_head, .begin = on_begin, .body = on_body, .arg = f });
	f->server = access_server(access);
	f->answer = answer_new(options, table, f->server);
	f->says = answer_says(f->answer);
	f->step = f->says->node != NULL ? VERSION : FIND_NODE;
	return f;
}

void
feed_free(struct feed *f)
{
	if (f == NULL)
		return;
	exchange_free(f->exchange);
	answer_free(f->answer);
	free(f);
}

const char *
feed_node(const struct feed *f)
{
	return f->step > FIND_NODE ? f->says->node : NULL;
}
