/*
 * HTTP for operators and Prometheus, by libmicrohttpd in one thread of its
 * own, which waits for nothing else: the paths and their answers.  It reads values that other threads have
 * published, and changes nothing.
 */
#include "serve.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "accept.h"
#include "agent_metrics.h"
#include "clock.h"
#include "guard.h"
#include "guests.h"
#include "gzip.h"
#include "listen.h"
#include "metrics.h"
#include "plugins_json.h"
#include "tls.h"
#include "unread.h"
#include "voice.h"

#define CONNECTION_MEMORY 16384     /* bytes each: the room for a request's head */
#define CONNECTION_TIMEOUT 15       /* s without a byte */
#define SETTLE (2 * NS_PER_S)       /* the time for counts to reach the disk */
#define TICK 10                     /* ms between looks at whether they have */
#define GUARD_WAIT (10 * NS_PER_S)  /* a request waits no longer for its password to be hashed */
#define PACKED_FROM 1400            /* bytes: a smaller answer is a packet anyway */
#define UNREAD_SHOWN 20             /* files that cannot be read, in the body of /readyz */
#define HISTORY_MAX (60 * NS_PER_S) /* /metrics does not wait longer for history to be counted */

struct serve {
	struct MHD_Daemon *daemon;
	struct serve_world world;
	unsigned port;
	int64_t began; /* mono ns */
	pthread_t thread;
	int over; /* eventfd: the thread is to end */
	struct guests *guests;
	struct web_conf *web;
	struct guard *guard;   /* NULL: everybody may ask */
	struct buffer last[2]; /* the agents' last exposition, in either form */
};

/* A path and its answer. */
struct answer {
	unsigned status;
	const char *type;
	struct buffer body;
	bool waits;  /* there is none yet: the request comes again */
	bool scrape; /* once the answer is sent, label values that it shows at 0 may be released */
};

struct request {
	struct serve *serve;
	struct MHD_Connection *connection;
	struct slice accept;
};

#define TEXT "text/plain; charset=utf-8"

/* ---- paths */

/*
 * Have last[] hold counts that are on disk: a kill after this scrape must not
 * bring back smaller counts.  False: they are not there yet, and last[] holds
 * those of the scrape before.
 */
static bool
agents_settled(struct serve *s, bool openmetrics)
{
	uint64_t before = s->world.shown(s->world.arg);
	struct buffer now;

	if (before == 0)
		return false;
	buffer_init(&now, 0);
	agent_metrics_write(&now, openmetrics);
	if (s->world.shown(s->world.arg) != before) {
		buffer_fini(&now);
		return false;
	}
	buffer_fini(&s->last[openmetrics]);
	s->last[openmetrics] = now;
	return true;
}

/* Counts do not reach the disk while the state cannot be written. */
static bool
state_is_stale(void)
{
	return atomic_load_explicit(&metrics.state_stale, memory_order_relaxed) > 0;
}

static void
answer_metrics(const struct request *r, struct answer *a)
{
	bool openmetrics = accept_openmetrics(r->accept);

	if (!agent_metrics_counted() && clock_mono() - r->serve->began < HISTORY_MAX) {
		a->status = MHD_HTTP_SERVICE_UNAVAILABLE;
		buffer_put(&a->body, SLICE("counting what the log files hold already\n"));
		return;
	}
	a->type = openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
			      : "text/plain; version=0.0.4; charset=utf-8";
	a->scrape = agents_settled(r->serve, openmetrics);
	a->waits =
	    !a->scrape && !state_is_stale() && guests_wait(r->connection, SETTLE, clock_mono());
	if (a->waits)
		return;
	metrics_write(&a->body, openmetrics, clock_wall());
	buffer_put(&a->body, buffer_slice(&r->serve->last[openmetrics]));
	if (openmetrics)
		buffer_put(&a->body, SLICE("# EOF\n"));
}

/* 200 and `ok`, or `status` and the reason. */
static void
answer_probe(bool (*ask)(void *arg, char *why, size_t size), const struct request *r,
    struct answer *a, unsigned status)
{
	char why[512] = "";

	if (ask(r->serve->world.arg, why, sizeof(why))) {
		buffer_put(&a->body, SLICE("ok\n"));
		return;
	}
	a->status = status;
	buffer_printf(&a->body, "%s\n", why[0] != '\0' ? why : "not yet");
}

static void
answer_healthz(const struct request *r, struct answer *a)
{
	answer_probe(r->serve->world.alive, r, a, MHD_HTTP_SERVICE_UNAVAILABLE);
}

static void
answer_readyz(const struct request *r, struct answer *a)
{
	answer_probe(r->serve->world.ready, r, a, MHD_HTTP_SERVICE_UNAVAILABLE);
	unread_lines(&a->body, UNREAD_SHOWN);
}

/* The status of Fluent Bit's own answer when it is not healthy. */
static void
answer_health(const struct request *r, struct answer *a)
{
	answer_probe(r->serve->world.alive, r, a, MHD_HTTP_INTERNAL_SERVER_ERROR);
}

static void
answer_uptime(const struct request *r, struct answer *a)
{
	long long up = (clock_mono() - r->serve->began) / NS_PER_S;
	long long days = up / 86400, hours = up / 3600 % 24, minutes = up / 60 % 60, s = up % 60;

	a->type = "application/json";
	buffer_printf(&a->body,
	    "{\"uptime_sec\":%lld,\"uptime_hr\":\"towline has been running: %lld day%s, "
	    "%lld hour%s, %lld minute%s and %lld second%s\"}\n",
	    up, days, days > 1 ? "s" : "", hours, hours > 1 ? "s" : "", minutes,
	    minutes > 1 ? "s" : "", s, s > 1 ? "s" : "");
}

static void
answer_counters(const struct request *r, struct answer *a)
{
	(void)r;
	a->type = "application/json";
	metrics_json(&a->body);
}

static void
answer_plugins(const struct request *r, struct answer *a)
{
	a->type = "application/json";
	plugins_json(r->serve->world.conf, &a->body);
}

static void answer_index(const struct request *r, struct answer *a);

static const struct path {
	const char *path;
	void (*answer)(const struct request *r, struct answer *a);
	const char *help;
	bool probe; /* answered without a password: the kubelet has none */
} paths[] = {
	{ "/", answer_index, "this list", false },
	{ "/metrics", answer_metrics, "towline's and the agents' metrics, for Prometheus", false },
	{ "/healthz", answer_healthz, "200 while the reader turns", true },
	{ "/readyz", answer_readyz,
	    "200 once each output has answered, else 503 and why; files that cannot be read",
	    true },
	{ "/api/v1/health", answer_health, "as /healthz, where Fluent Bit has it", true },
	{ "/api/v1/uptime", answer_uptime, "how long this process has run, as Fluent Bit says it",
	    false },
	{ "/api/v1/metrics", answer_counters,
	    "counters of inputs and outputs, as Fluent Bit's JSON", false },
	{ "/api/v1/metrics/prometheus", answer_metrics, "as /metrics, where Fluent Bit has it",
	    false },
	{ "/api/v1/plugins", answer_plugins, "the plugins that the configuration has", false },
	{ "/api/v2/health", answer_health, "as /api/v1/health", true },
	{ "/api/v2/metrics", answer_metrics, "as /metrics", false },
	{ "/api/v2/metrics/prometheus", answer_metrics, "as /metrics", false },
};

static void
answer_index(const struct request *r, struct answer *a)
{
	(void)r;
	buffer_put(&a->body, SLICE("towline " TOWLINE_VERSION "\n\n"));
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		buffer_printf(&a->body, "%-28s %s\n", paths[i].path, paths[i].help);
}

/* ---- libmicrohttpd */

static struct slice
header_of(struct MHD_Connection *c, const char *name)
{
	return slice_of(MHD_lookup_connection_value(c, MHD_HEADER_KIND, name));
}

/* An answer of some size becomes gzip, when the client takes that. */
static bool
answer_pack(struct MHD_Connection *c, struct answer *a)
{
	struct buffer packed;

	if (a->body.len < PACKED_FROM ||
	    !accept_gzip(header_of(c, MHD_HTTP_HEADER_ACCEPT_ENCODING)))
		return false;
	buffer_init(&packed, 0);
	gzip_text(&packed, buffer_slice(&a->body));
	buffer_fini(&a->body);
	a->body = packed;
	return true;
}

/* The state of a connection from its answer to its end. */
static char scraped, started;

static enum MHD_Result
send_answer(const struct request *r, struct answer *a)
{
	struct MHD_Connection *c = r->connection;
	bool packed = answer_pack(c, a);
	struct MHD_Response *response;
	enum MHD_Result result;

	response = MHD_create_response_from_buffer(a->body.len, a->body.at, MHD_RESPMEM_MUST_FREE);
	if (response == NULL) {
		buffer_fini(&a->body);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, a->type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept, Accept-Encoding");
	if (packed)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	if (a->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	if (r->serve->guard != NULL)
		guard_headers(r->serve->guard, response, a->status);
	result = MHD_queue_response(c, a->status, response);
	MHD_destroy_response(response);
	return result;
}

static const struct path *
path_find(const char *url)
{
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (strcmp(paths[i].path, url) == 0)
			return &paths[i];
	}
	return NULL;
}

/* True when the request may be answered; else ${a} is the answer, or it waits for one. */
static bool
admits(const struct request *r, struct answer *a, const struct path *path)
{
	struct guard *guard = r->serve->guard;
	unsigned status = guard == NULL || (path != NULL && path->probe)
			      ? MHD_HTTP_OK
			      : guard_ask(guard, r->connection);

	if (status == 0) {
		a->waits = guests_wait(r->connection, GUARD_WAIT, clock_mono());
		a->status = MHD_HTTP_SERVICE_UNAVAILABLE;
		if (!a->waits)
			buffer_put(&a->body, SLICE("the password is being checked: ask again\n"));
		return false;
	}
	a->status = status;
	if (status == MHD_HTTP_UNAUTHORIZED)
		buffer_put(&a->body, SLICE("a user's name and password are needed\n"));
	else if (status == MHD_HTTP_FORBIDDEN)
		buffer_put(&a->body, SLICE("a client certificate is needed\n"));
	return status == MHD_HTTP_OK;
}

static void
request_answer(const struct request *r, struct answer *a, const char *url, const char *method)
{
	const struct path *path = path_find(url);

	if (!admits(r, a, path))
		return;
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
		a->status = MHD_HTTP_METHOD_NOT_ALLOWED;
		buffer_put(&a->body, SLICE("GET and HEAD only\n"));
	} else if (path == NULL) {
		a->status = MHD_HTTP_NOT_FOUND;
		buffer_put(&a->body, SLICE("no such path; / lists them\n"));
	} else {
		path->answer(r, a);
	}
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method,
    const char *version, const char *upload, size_t *upload_size, void **mark)
{
	struct request r = { .serve = arg, .connection = c };
	struct answer a = { .status = MHD_HTTP_OK, .type = TEXT };
	bool get = strcmp(method, MHD_HTTP_METHOD_GET) == 0;

	(void)version;
	(void)upload;
	if (get && *mark == NULL) { /* only the head has come */
		*mark = &started;
		return MHD_YES;
	}
	if (*upload_size > 0) { /* a body is not read */
		*upload_size = 0;
		return MHD_YES;
	}
	buffer_init(&a.body, 0);
	r.accept = header_of(c, MHD_HTTP_HEADER_ACCEPT);
	request_answer(&r, &a, url, method);
	if (a.waits) {
		buffer_fini(&a.body);
		return MHD_YES;
	}
	if (a.scrape && get)
		*mark = &scraped;
	return send_answer(&r, &a);
}

static void
on_completed(void *arg, struct MHD_Connection *c, void **mark, enum MHD_RequestTerminationCode how)
{
	(void)arg;
	guests_waited(c);
	if (*mark == &scraped && how == MHD_REQUEST_TERMINATED_COMPLETED_OK)
		agent_metrics_scraped();
	*mark = NULL;
}

static void
on_connection(
    void *arg, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct serve *s = arg;
	struct tls_keys **keys = guests_keys(*context);

	if (code == MHD_CONNECTION_NOTIFY_CLOSED && keys != NULL)
		tls_end(*keys);
	guests_notify(s->guests, c, context, code);
	keys = guests_keys(*context);
	if (code == MHD_CONNECTION_NOTIFY_STARTED && keys != NULL)
		*keys = guard_begin(s->guard, c);
}

/* ---- the thread */

static void *
turn(void *arg)
{
	struct serve *s = arg;
	const union MHD_DaemonInfo *info = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	struct pollfd fds[2] = { { .fd = info->epoll_fd, .events = POLLIN },
		{ .fd = s->over, .events = POLLIN } };

	pthread_setname_np(pthread_self(), "http");
	for (;;) {
		unsigned long long due;
		unsigned waiting;
		bool news;
		int wait;

		MHD_run(s->daemon);
		news = guard_has_news(s->guard);
		waiting = guests_wake(s->guests,
		    news || s->world.shown(s->world.arg) != 0 || state_is_stale(), clock_mono());
		wait = waiting > 0 ? TICK : -1;
		if (MHD_get_timeout(s->daemon, &due) == MHD_YES &&
		    (wait < 0 || due < (unsigned)wait))
			wait = due < 60000 ? (int)due : 60000;
		poll(fds, 2, wait);
		if (fds[1].revents != 0)
			return NULL;
	}
}

static void
serve_free(struct serve *s)
{
	if (s->daemon != NULL)
		MHD_stop_daemon(s->daemon);
	guests_free(s->guests);
	guard_free(s->guard);
	web_conf_free(s->web);
	for (int i = 0; i < 2; i++)
		buffer_fini(&s->last[i]);
	if (s->over >= 0)
		close(s->over);
	free(s);
}

static struct MHD_Daemon *
daemon_start(struct serve *s, int fd)
{
	struct MHD_OptionItem guard[GUARD_OPTIONS];
	bool tls = guard_options(s->guard, guard);

	return MHD_start_daemon(
	    MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (tls ? (unsigned)MHD_USE_TLS : 0), 0, NULL,
	    NULL, on_request, s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
	    (unsigned)GUESTS_MOST, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONNECTION_TIMEOUT,
	    MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_NOTIFY_COMPLETED,
	    on_completed, NULL, MHD_OPTION_ARRAY, guard, MHD_OPTION_END);
}

struct serve *
serve_start(
    const char *address, unsigned port, struct web_conf *web, const struct serve_world *world)
{
	struct serve *s = xcalloc(1, sizeof(*s));
	bool v6 = strchr(address, ':') != NULL;
	int fd = -1;

	s->world = *world;
	s->web = web;
	s->began = clock_mono();
	for (int i = 0; i < 2; i++)
		buffer_init(&s->last[i], 0);
	s->over = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	s->guests = guests_new();
	s->guard = web != NULL ? guard_new(web) : NULL;
	if (web == NULL || s->guard != NULL)
		fd = listen_on(address, port, &s->port);
	if (fd < 0) {
		serve_free(s);
		return NULL;
	}
	s->daemon = daemon_start(s, fd);
	if (s->daemon == NULL || s->over < 0 || pthread_create(&s->thread, NULL, turn, s) != 0) {
		say_error("http", "the server does not start: %m");
		if (s->daemon == NULL)
			close(fd);
		serve_free(s);
		return NULL;
	}
	say_info("http", "metrics and health at http%s://%s%s%s:%u",
	    web != NULL && web->cert.path != NULL ? "s" : "", v6 ? "[" : "", address, v6 ? "]" : "",
	    s->port);
	return s;
}

void
serve_stop(struct serve *s)
{
	uint64_t one = 1;

	if (s == NULL)
		return;
	(void)!write(s->over, &one, sizeof(one));
	pthread_join(s->thread, NULL);
	guests_wake(s->guests, true, 0); /* none may be suspended at the end */
	serve_free(s);
}

unsigned
serve_port(const struct serve *s)
{
	return s->port;
}
