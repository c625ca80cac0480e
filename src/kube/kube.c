/*
 * The kube thread: one multi handle, on which the feed of pods and the lookups
 * have a request each.  It sleeps until an answer or a due time wakes it.
 */
#include "kube.h"

#include <linux/close_range.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "access.h"
#include "clock.h"
#include "feed.h"
#include "lookup.h"
#include "pods_file.h"
#include "pod_table.h"
#include "voice.h"

#define TICK (10 * NS_PER_S)       /* between looks for pods to be forgotten */
#define LOOK_GAP (200 * NS_PER_MS) /* … for namespaces to be read, if the configuration has such */

struct kube {
	struct kube_options options;
	struct access *access;
	struct pod_table *table;
	struct contact contact;
	struct feed *feed;
	struct lookup *lookup;
	CURLM *multi;
	pthread_t thread;
	bool running;
	atomic_bool stop;
};

static struct kube *
from_file(struct kube *k, struct state *state)
{
	k->table = pod_table_new(&k->options, state);
	if (pods_file_read(k->options.pods_file, k->table, k->options.parts) == 0)
		return k;
	kube_free(k);
	return NULL;
}

struct kube *
kube_new(const struct kube_options *options, struct state *state)
{
	struct kube *k = xcalloc(1, sizeof(*k));

	k->options = *options;
	if (options->pods_file != NULL)
		return from_file(k, state);
	k->access = access_new(&k->options.server);
	if (k->access == NULL) {
		free(k);
		return NULL;
	}
	k->table = pod_table_new(&k->options, state);
	k->multi = curl_multi_init();
	close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC); /* its own sockets */
	contact_init(&k->contact, access_server(k->access));
	k->feed = feed_new(&k->options, k->access, k->table, &k->contact, k->multi);
	k->lookup = lookup_new(&k->options, k->access, k->table, k->multi);
	return k;
}

void
kube_free(struct kube *k)
{
	if (k == NULL)
		return;
	kube_stop(k);
	if (k->options.pods_file == NULL) {
		feed_free(k->feed);
		contact_fini(&k->contact);
		lookup_free(k->lookup);
		curl_multi_cleanup(k->multi);
		access_free(k->access);
	}
	pod_table_free(k->table);
	free(k);
}

/* True: an answer has ended, and the next request may be due at once. */
static bool
answers_take(struct kube *k, int64_t now)
{
	CURLMsg *m;
	bool any = false;
	int left;

	while ((m = curl_multi_info_read(k->multi, &left)) != NULL) {
		CURLcode code = m->data.result;

		if (m->msg == CURLMSG_DONE && !feed_done(k->feed, m->easy_handle, code, now))
			lookup_done(k->lookup, m->easy_handle, code, now);
		any = true;
	}
	return any;
}

static void *
keep(void *arg)
{
	struct kube *k = arg;
	bool looks = k->options.parts & (KUBE_OF_NAMESPACES | KUBE_NODE_LABELS);
	int64_t ticked = clock_mono();

	pthread_setname_np(pthread_self(), "kube");
	while (!atomic_load(&k->stop)) {
		int64_t now = clock_mono(), due = feed_turn(k->feed, now);
		int running;

		if (looks)
			lookup_turn(k->lookup, feed_node(k->feed), now);
		if (now - ticked >= TICK) {
			pod_table_tick(k->table, now);
			ticked = now;
		}
		if (due > now + (looks ? LOOK_GAP : TICK))
			due = now + (looks ? LOOK_GAP : TICK);
		curl_multi_perform(k->multi, &running);
		if (!answers_take(k, clock_mono()) && due > now)
			curl_multi_poll(
			    k->multi, NULL, 0, (int)((due - now) / NS_PER_MS) + 1, NULL);
	}
	return NULL;
}

int
kube_start(struct kube *k, int wake)
{
	int error;

	pod_table_wake(k->table, wake);
	if (k->options.pods_file != NULL)
		return 0;
	error = pthread_create(&k->thread, NULL, keep, k);
	k->running = error == 0;
	if (error != 0)
		say_error("kube", "no thread: %s", strerror(error));
	return k->running ? 0 : -1;
}

void
kube_stop(struct kube *k)
{
	if (k == NULL || !k->running)
		return;
	atomic_store(&k->stop, true);
	access_stop(k->access);
	curl_multi_wakeup(k->multi);
	pthread_join(k->thread, NULL);
	k->running = false;
}

/* ---- asked by others */

/* TLS, libcurl and the thread; the kept part of one object, and jansson's tree of that. */
#define ANSWER_BYTES (UINT64_C(16) << 20)

uint64_t
kube_limit(const struct kube_options *options)
{
	uint64_t around = options->parts & KUBE_OF_NAMESPACES ? AROUND_MOST
			  : options->parts & KUBE_NODE_LABELS ? 1
							      : 0;

	return ANSWER_BYTES + ((uint64_t)options->max_pods + around) * POD_BYTES;
}

void
kube_use(struct kube *k, struct slice uid)
{
	pod_table_use(k->table, uid);
}

void
kube_leave(struct kube *k, struct slice uid)
{
	pod_table_leave(k->table, uid);
}

enum kube_answer
kube_find(struct kube *k, const struct pod *have, int64_t now, struct pod **out)
{
	return pod_table_find(k->table, have, now, out);
}

void
kube_running(struct kube *k, kube_runs *each, void *arg)
{
	pod_table_running(k->table, each, arg);
}

uint64_t
kube_version(const struct kube *k)
{
	return pod_table_version(k->table);
}

bool
kube_ready(struct kube *k, char *why, size_t size)
{
	char text[768];

	if (pod_table_is_synced(k->table))
		return true;
	contact_why(&k->contact, text, sizeof(text));
	snprintf(why, size, "pods' labels: %s", text);
	return false;
}
