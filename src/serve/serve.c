/*
 * HTTP for operators and Prometheus, by libmicrohttpd in one thread of its own, which
 * waits for nothing else: connections, who may ask, and answers on their way.
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
#include "pages.h"
#include "tls.h"
#include "voice.h"

#define CONNECTION_MEMORY 16384    /* bytes each: the room for a request's head */
#define CONNECTION_TIMEOUT 15      /* s without a byte */
#define TICK 10                    /* ms between looks at whether counts have reached the disk */
#define GUARD_WAIT (10 * NS_PER_S) /* a request waits no longer for its password to be hashed */
#define PACKED_FROM 1400           /* bytes: a smaller answer is a packet anyway */

struct serve {
	struct MHD_Daemon *daemon;
	struct pages pages;
	unsigned port;
	pthread_t thread;
	int over; /* eventfd: the thread is to end */
	struct guests *guests;
	struct web_conf *web;
	struct guard *guard; /* NULL: everybody may ask */
};

/* ---- libmicrohttpd */

static struct slice
header_of(struct MHD_Connection *c, const char *name)
{
	return slice_of(MHD_lookup_connection_value(c, MHD_HEADER_KIND, name));
}

/* An answer of some size becomes gzip, when the client takes that. */
static bool
answer_pack(struct MHD_Connection *c, struct page_answer *a)
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
send_answer(struct serve *s, const struct page_request *r, struct page_answer *a)
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
	if (s->guard != NULL)
		guard_headers(s->guard, response, a->status);
	result = MHD_queue_response(c, a->status, response);
	MHD_destroy_response(response);
	return result;
}

/* True when the request may be answered; else ${a} is the answer, or it waits for one. */
static bool
admits(
    struct serve *s, const struct page_request *r, struct page_answer *a, const struct page *path)
{
	struct guard *guard = s->guard;
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
request_answer(struct serve *s, const struct page_request *r, struct page_answer *a,
    const char *url, const char *method)
{
	const struct page *path = pages_find(url);

	if (!admits(s, r, a, path))
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
	struct serve *s = arg;
	struct page_request r = { .pages = &s->pages, .connection = c };
	struct page_answer a = { .status = MHD_HTTP_OK, .type = PAGES_TEXT };
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
	request_answer(s, &r, &a, url, method);
	if (a.waits) {
		buffer_fini(&a.body);
		return MHD_YES;
	}
	if (a.scrape && get)
		*mark = &scraped;
	return send_answer(s, &r, &a);
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
		waiting = guests_wake(s->guests, news || pages_have_news(&s->pages), clock_mono());
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
	pages_fini(&s->pages);
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

	s->web = web;
	pages_init(&s->pages, world);
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
