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

#include "answer.h"
#include "backoff.h"
#include "clock.h"
#include "metrics.h"
#include "pod_query.h"
#include "voice.h"

#define PAGES 256 /* of a list: 128,000 pods, more than Max_Pods can be */
#define HEAD_MAX (128u << 10)
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
	struct answer *answer;
	const struct answer_says *says; /* the answer's */
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	char error[CURL_ERROR_SIZE];

	enum step step;
	bool flying;
	int64_t sent, due; /* mono ns of the last request, of the next */
	unsigned failures; /* in a row */
	unsigned hasty;    /* ends in a row of what should have lasted */
	unsigned pages;    /* of this list */
	bool streams;      /* lists may be streamed */
	bool up;
	bool begun;     /* bytes of this answer have come */
	uint64_t heads; /* bytes of its head */

	pthread_mutex_t lock;
	char why[768];
	char said_why[768];
	struct said said;
};

/* ---- how it goes */

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
		say_info("kube", "the pods of node %s are %s, from %s", f->says->node, are,
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

/* ---- requests */

static unsigned
watch_seconds(void)
{
	unsigned random = 0;

	if (getrandom(&random, sizeof(random), 0) < 0)
		random = 0;
	return WATCH_LEAST + random % WATCH_LEAST;
}

static bool
watches(const struct feed *f)
{
	return f->step == STREAM || f->step == WATCH;
}

/* What is expected of a step's answer. */
static const enum answer_kind kinds[] = {
	[FIND_NODE] = ANSWER_NODE,
	[VERSION] = ANSWER_OBJECT,
	[LIST] = ANSWER_LIST,
	[STREAM] = ANSWER_STREAM,
	[WATCH] = ANSWER_WATCH,
};

static size_t
on_write(char *at, size_t size, size_t n, void *arg)
{
	struct feed *f = arg;
	long status = 0;
	bool goes_on;

	if (!f->begun) {
		curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
		answer_begin(f->answer, status == 200 ? kinds[f->step] : ANSWER_OBJECT);
	}
	f->begun = true;
	goes_on = answer_feed(f->answer, (struct slice){ at, size * n });
	if (f->says->any)
		f->failures = 0;
	if (f->step == STREAM && f->says->told_all) {
		f->step = WATCH;
		synced(f);
	}
	return goes_on ? size * n : 0;
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

	f->heads += size * n;
	curl_easy_getinfo(f->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)at;
	if (status == 200 && f->step == WATCH)
		well(f, "watched again");
	return f->heads > HEAD_MAX ? 0 : size * n;
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

static void fail(struct feed *f, int64_t now, enum kube_error error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void
send_request(struct feed *f, int64_t now)
{
	bool watch = watches(f);
	unsigned seconds = watch_seconds();
	char *path = path_of(f, seconds);

	if (path == NULL) {
		pod_table_given_up(f->table, true);
		fail(f, now, KUBE_ANSWER,
		    "this node's name is not known: set NODE_NAME (the downward API has it as "
		    "spec.nodeName), or POD_NAME and POD_NAMESPACE");
		return;
	}
	answer_begin(f->answer, kinds[f->step]);
	f->begun = false;
	f->heads = 0;
	f->sent = now;
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
	if ((f->step == LIST && f->says->next_page == NULL) || f->step == STREAM)
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
	int64_t wait = backoff_wait(BACKOFF, BACKOFF_MOST, n);
	curl_off_t after = 0;

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
	answer_forget(f->answer);
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
	const char *message = f->says->message[0] == '\0' ? "it gives no reason" : f->says->message;
	bool watch = watches(f);

	if (status == 401) {
		access_refused(f->access);
		fail(f, now, KUBE_AUTH, "%s does not know our token (401): %s", server, message);
	} else if (status == 403) {
		fail(f, now, KUBE_FORBIDDEN,
		    "%s forbids to %s pods (403): %s; conf/kubernetes/base/rbac.yaml grants it (pods: list, watch)",
		    server, watch ? "watch" : "list", message);
	} else if (status == 429) {
		fail(f, now, KUBE_THROTTLED, "%s has too many requests (429): %s", server, message);
	} else {
		if (watch ||
		    f->says->next_page != NULL) /* it may not be able to go on from there */
			list_again(f, now);
		fail(f, now, KUBE_SERVER, "%s answers %ld: %s", server, status, message);
	}
}

static void
page_read(struct feed *f, int64_t now)
{
	if (f->says->version == NULL) {
		no_api(f, now);
	} else if (f->says->next_page != NULL && ++f->pages == PAGES) {
		list_again(f, now);
		fail(f, now, KUBE_ANSWER, "%s: the list of pods has no end",
		    access_server(f->access));
	} else if (f->says->next_page == NULL) {
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
		if (f->says->node == NULL) {
			fail(f, now, KUBE_ANSWER,
			    "%s knows no pod of our name that has a node: set NODE_NAME",
			    access_server(f->access));
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
	if (f->says->code == 410 && watches(f)) {
		gone(f, now);
		return;
	}
	list_again(f, now);
	fail(f, now, KUBE_SERVER, "%s ended the watch (%d): %s", access_server(f->access),
	    (int)f->says->code, f->says->message);
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
	if (status == 200 && f->says->code != 0) {
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
	} else if (f->says->bad || f->heads > HEAD_MAX) {
		no_api(f, now);
	} else if (code != CURLE_OK) {
		fail(f, now, KUBE_CONNECT, "%s: %s", server,
		    f->error[0] != '\0' ? f->error : curl_easy_strerror(code));
	} else if (watches(f) ? f->says->within : !f->says->complete) {
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
	f->answer = answer_new(options, table, access_server(access));
	f->says = answer_says(f->answer);
	f->easy = curl_easy_init();
	pthread_mutex_init(&f->lock, NULL);
	snprintf(f->why, sizeof(f->why), "%s has not answered yet", access_server(access));
	f->step = f->says->node != NULL ? VERSION : FIND_NODE;
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
	answer_free(f->answer);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

const char *
feed_node(const struct feed *f)
{
	return f->step > FIND_NODE ? f->says->node : NULL;
}

void
feed_why(struct feed *f, char *why, size_t size)
{
	pthread_mutex_lock(&f->lock);
	snprintf(why, size, "%s", f->why);
	pthread_mutex_unlock(&f->lock);
}
