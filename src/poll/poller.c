/*
 * The poll thread: one multi handle, a few requests at a time.  It looks for
 * agents once a second, and sleeps until an answer or a due poll wakes it.
 */
#include "poller.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "map.h"
#include "memory.h"
#include "request.h"
#include "target.h"
#include "voice.h"

#define REQUESTS 8    /* at a time */
#define LOOK NS_PER_S /* between two looks for agents */

/* An agent with its texts. */
struct polled {
	struct target target;
	char *id;
	char *texts[3]; /* namespace, pod, container */
	char *host;
	unsigned port;
	bool seen;                 /* by the look under way */
	char why[CURL_ERROR_SIZE]; /* the failure that target.worst is, for a reader */
};

struct poller {
	struct poller_options options;
	struct poller_source source;
	struct target_rules rules;
	struct map *agents; /* struct polled, by labels and id */
	CURLM *multi;
	struct request requests[REQUESTS];
	struct polled *of[REQUESTS]; /* the agent of each request; NULL: it is free */
	int64_t looked;              /* mono ns; 0: not yet */
	struct said said_full;
	pthread_t thread;
	bool running;
	atomic_bool stop;
};

static struct agent_name
name_of(const struct polled *a)
{
	return (struct agent_name){ a->texts[0], a->texts[1], a->texts[2] };
}

static void
polled_free(struct polled *a)
{
	free(a->id);
	free(a->host);
	for (int i = 0; i < 3; i++)
		free(a->texts[i]);
	free(a);
}

/* ---- the agents that are there */

static void
on_found(void *to, const struct poller_agent *agent)
{
	struct poller *p = to;
	char *key = xprintf("%s/%s/%s/%s/%s/%u", agent->namespace_name, agent->pod,
	    agent->container, agent->id, agent->host, agent->port);
	struct polled *a = map_get(p->agents, slice_of(key));

	if (a != NULL) {
		a->seen = true;
		free(key);
		return;
	}
	if (map_count(p->agents) >= p->options.most) {
		if (!said_lately(&p->said_full))
			say_warn("poll", "%zu agents are polled: %s/%s is not; raise Max_Series",
			    map_count(p->agents), agent->namespace_name, agent->pod);
		free(key);
		return;
	}
	a = xcalloc(1, sizeof(*a));
	a->id = key;
	a->texts[0] = xstrdup(agent->namespace_name);
	a->texts[1] = xstrdup(agent->pod);
	a->texts[2] = xstrdup(agent->container);
	a->host = xstrdup(agent->host);
	a->port = agent->port;
	a->seen = true;
	map_put(p->agents, slice_of(key), a);
}

/* Its request is dropped, its gauges vanish. */
static void
agent_forget(struct poller *p, struct polled *a)
{
	struct agent_name name = name_of(a);

	for (int i = 0; i < REQUESTS; i++) {
		if (p->of[i] != a)
			continue;
		request_drop(&p->requests[i]);
		p->of[i] = NULL;
	}
	agent_polled_gone(&name);
	map_del(p->agents, slice_of(a->id));
	polled_free(a);
}

static void
agents_look(struct poller *p, int64_t now)
{
	struct polled *a;
	size_t at = 0;

	if (p->looked != 0 && now - p->looked < LOOK)
		return;
	p->looked = now;
	while ((a = map_next(p->agents, &at, NULL)) != NULL)
		a->seen = false;
	p->source.each(p->source.arg, on_found, p);
	at = 0;
	while ((a = map_next(p->agents, &at, NULL)) != NULL) {
		if (a->seen)
			continue;
		agent_forget(p, a);
		at--; /* another one may have moved to its place */
	}
}

/* ---- requests */

static void
ask(struct poller *p, int i, unsigned endpoint, int64_t now)
{
	const struct polled *a = p->of[i];
	const struct poller_endpoint *e = &p->options.endpoints[endpoint];
	bool v6 = strchr(a->host, ':') != NULL;
	char *url = xprintf("http://%s%s%s:%u%s", v6 ? "[" : "", a->host, v6 ? "]" : "",
	    a->port != 0 ? a->port : e->port, e->path);

	request_send(&p->requests[i], url, target_time(&a->target, &p->rules, now));
	free(url);
}

/* The agent whose poll is due first. */
static struct polled *
next_due(const struct poller *p)
{
	struct polled *a, *first = NULL;
	size_t at = 0;

	while ((a = map_next(p->agents, &at, NULL)) != NULL) {
		if (!a->target.flying && (first == NULL || a->target.due < first->target.due))
			first = a;
	}
	return first;
}

/* Begin polls that are due; return the time of the next one. */
static int64_t
polls_begin(struct poller *p, int64_t now)
{
	for (int i = 0; i < REQUESTS; i++) {
		struct polled *a;

		if (p->of[i] != NULL)
			continue;
		a = next_due(p);
		if (a == NULL || a->target.due > now)
			return a == NULL ? INT64_MAX : a->target.due;
		p->of[i] = a;
		ask(p, i, target_begin(&a->target, &p->rules, now), now);
	}
	return INT64_MAX; /* an answer comes first */
}

static void
answered(struct poller *p, int i)
{
	struct polled *a = p->of[i];
	struct agent_name name = name_of(a);

	p->of[i] = NULL;
	if (target_answered(&a->target, &p->rules))
		say_info("poll", "%s/%s answers at %s", a->texts[0], a->texts[1], a->host);
	agent_polled_answered(&name, &p->requests[i].page.said, clock_wall());
}

static void
failed(struct poller *p, int i, enum poll_failure why, const char *text)
{
	struct polled *a = p->of[i];
	struct agent_name name = name_of(a);
	int64_t now = clock_mono();
	enum target_next next;
	unsigned endpoint;

	if (a->target.attempt == 0 || why > a->target.worst)
		snprintf(a->why, sizeof(a->why), "%s", text);
	next = target_failed(&a->target, &p->rules, why, now, &endpoint);
	if (next == TARGET_TRIES) {
		ask(p, i, endpoint, now);
		return;
	}
	p->of[i] = NULL;
	metrics_add(&metrics_poll.failed[a->target.worst], 1);
	if (next != TARGET_SILENT)
		return;
	say_warn("poll", "%s/%s at %s has not answered %u polls: its app_agent_status is 0: %s",
	    a->texts[0], a->texts[1], a->host, a->target.failures, a->why);
	agent_polled_silent(&name);
}

static void
answers_take(struct poller *p)
{
	char text[CURL_ERROR_SIZE];
	enum poll_failure why;
	CURLMsg *m;
	int left;

	while ((m = curl_multi_info_read(p->multi, &left)) != NULL) {
		CURLcode code = m->data.result;
		struct request *r;

		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &r);
		if (request_ended(r, code, &why, text, sizeof(text)))
			answered(p, (int)(r - p->requests));
		else
			failed(p, (int)(r - p->requests), why, text);
	}
}

/* ---- the thread */

static void *
turn(void *arg)
{
	struct poller *p = arg;

	pthread_setname_np(pthread_self(), "poll");
	while (!atomic_load(&p->stop)) {
		int64_t now, due;
		int running;

		curl_multi_perform(p->multi, &running);
		answers_take(p); /* they make room for polls */
		now = clock_mono();
		agents_look(p, now);
		due = earlier(polls_begin(p, now), p->looked + LOOK);
		curl_multi_poll(p->multi, NULL, 0, (int)((due - now) / NS_PER_MS) + 1, NULL);
	}
	return NULL;
}

struct poller *
poller_new(const struct poller_options *options, const struct poller_source *source)
{
	struct poller *p = xcalloc(1, sizeof(*p));
	size_t bytes = options->nendpoints * sizeof(*options->endpoints);
	struct poller_endpoint *endpoints = xmalloc(bytes);

	memcpy(endpoints, options->endpoints, bytes);
	p->options = *options;
	p->options.endpoints = endpoints;
	p->source = *source;
	p->rules = (struct target_rules){ (unsigned)options->nendpoints, options->silent,
		options->interval, options->timeout };
	p->agents = map_new();
	p->multi = curl_multi_init();
	for (int i = 0; i < REQUESTS; i++)
		request_init(&p->requests[i], p->multi, (size_t)options->limit);
	return p;
}

void
poller_free(struct poller *p)
{
	struct polled *a;
	size_t at = 0;
	union {
		const struct poller_endpoint *at;
		void *memory;
	} own;

	if (p == NULL)
		return;
	poller_stop(p);
	while ((a = map_next(p->agents, &at, NULL)) != NULL)
		polled_free(a);
	map_free(p->agents);
	for (int i = 0; i < REQUESTS; i++)
		request_fini(&p->requests[i]);
	curl_multi_cleanup(p->multi);
	own.at = p->options.endpoints;
	free(own.memory);
	free(p);
}

int
poller_start(struct poller *p)
{
	int error = pthread_create(&p->thread, NULL, turn, p);

	p->running = error == 0;
	if (error != 0)
		say_error("poll", "no thread: %s", strerrordesc_np(error));
	return p->running ? 0 : -1;
}

void
poller_stop(struct poller *p)
{
	if (p == NULL || !p->running)
		return;
	atomic_store(&p->stop, true);
	curl_multi_wakeup(p->multi);
	pthread_join(p->thread, NULL);
	p->running = false;
}

/* ---- the memory sum */

#define AGENT_EACH                                                                                 \
	UINT64_C(4096) /* struct polled, its texts, its part of the maps; the gauges shown */
#define REQUEST_EACH (UINT64_C(192) << 10) /* libcurl's and ours, but for the object */
#define SOCKET_EACH (UINT64_C(256) << 10)  /* the kernel's buffers of a small answer */

uint64_t
poller_limit(const struct poller_options *options, uint64_t *sockets)
{
	uint64_t object = 2 * least(options->limit, PAGE_JSON);

	*sockets += REQUESTS * SOCKET_EACH;
	return REQUESTS * (REQUEST_EACH + object) + options->most * AGENT_EACH;
}
