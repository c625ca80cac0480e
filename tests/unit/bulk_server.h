/*
 * A bulk server of few words for tests: one thread, one answer after the
 * other, given by the test's own function.  What it has taken is in a map.
 */
#ifndef BULK_SERVER_H
#define BULK_SERVER_H

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "map.h"
#include "memory.h"
#include "unit.h"

#define CONNECTIONS 16

struct request {
	struct slice method, path, head, body;
};

struct server;

/* Append a whole HTTP answer to ${out}; nothing: the connection is closed. */
typedef void answer(struct server *s, const struct request *q, struct buffer *out);

/* The status and the error's type for one document. */
typedef int judge(struct server *s, struct slice id, struct slice document, const char **type);

struct server {
	int listen, stop[2];
	unsigned port;
	pthread_t thread;
	answer *answer;
	judge *judge;
	struct map *stored; /* id: what was stored */
	struct map *seen;   /* id: how often it came, as a pointer's value */
	atomic_uint bulks;  /* bulk requests */
	atomic_uint taken;  /* documents in `stored`, which is not to be asked while it runs */
	atomic_bool blocked;
	bool closes;    /* the connection, behind this answer */
	unsigned phase; /* the test's */
	char note[4096];
	char file[128];
};

static inline void
http_answer(struct buffer *out, int status, const char *more, struct slice body)
{
	buffer_printf(
	    out, "HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n", status, body.len, more);
	buffer_put(out, body);
}

static inline void
http_text(struct buffer *out, int status, const char *body)
{
	http_answer(out, status, "", slice_of(body));
}

static inline struct slice
line_next(struct slice *rest)
{
	const char *end = memchr(rest->at, '\n', rest->len);
	struct slice line = { rest->at, end == NULL ? rest->len : (size_t)(end - rest->at) };

	*rest = slice_from(*rest, end == NULL ? line.len : line.len + 1);
	return line;
}

static inline bool
has(struct slice text, const char *what)
{
	return memmem(text.at, text.len, what, strlen(what)) != NULL;
}

/* Judge every document, store what is taken, answer as the servers do. */
static inline void
bulk_answer(struct server *s, const struct request *q, struct buffer *out)
{
	struct slice rest = q->body;
	struct buffer body;
	const char *comma = "";

	buffer_init(&body, 0);
	buffer_put(&body, SLICE("{\"took\":1,\"items\":["));
	while (rest.len > 0) {
		struct slice action = line_next(&rest), document = line_next(&rest);
		const char *at = memmem(action.at, action.len, "\"_id\":\"", 7);
		struct slice id;
		const char *type = "";
		int status;

		assert_non_null(at);
		id = (struct slice){ at + 7, 40 };
		map_put(s->seen, id, (void *)((uintptr_t)map_get(s->seen, id) + 1));
		status = s->judge != NULL ? s->judge(s, id, document, &type) : 201;
		if (status == 201 && map_get(s->stored, id) != NULL) {
			status = 409;
			type = "version_conflict_engine_exception";
		} else if (status == 201) {
			map_put(s->stored, id, xslicedup(document));
			atomic_fetch_add(&s->taken, 1);
		}
		buffer_printf(&body, "%s{\"create\":{\"status\":%d", comma, status);
		if (status >= 300)
			buffer_printf(
			    &body, ",\"error\":{\"type\":\"%s\",\"reason\":\"because\"}", type);
		buffer_put(&body, SLICE("}}"));
		comma = ",";
	}
	buffer_put(&body, SLICE("]}"));
	http_answer(out, 200, "", buffer_slice(&body));
	buffer_fini(&body);
}

/* What the whole of the head and body is, once it has come; false: more has to come. */
static inline bool
request_read(struct slice in, struct request *q, size_t *used)
{
	const char *end = in.len == 0 ? NULL : memmem(in.at, in.len, "\r\n\r\n", 4), *at, *space;
	size_t length = 0;

	if (end == NULL)
		return false;
	q->head = (struct slice){ in.at, (size_t)(end + 4 - in.at) };
	at = memmem(q->head.at, q->head.len, "Content-Length: ", 16);
	if (at != NULL)
		length = strtoul(at + 16, NULL, 10);
	if (in.len < q->head.len + length)
		return false;
	space = memchr(in.at, ' ', in.len);
	q->method = (struct slice){ in.at, (size_t)(space - in.at) };
	at = space + 1;
	q->path = (struct slice){ at, strcspn(at, " \r") };
	q->body = (struct slice){ in.at + q->head.len, length };
	*used = q->head.len + length;
	return true;
}

static inline bool
connection_turn(struct server *s, int fd, struct buffer *in)
{
	char *to = buffer_need(in, 65536);
	ssize_t n = read(fd, to, 65536);
	struct request q;
	size_t used;

	if (n <= 0)
		return false;
	in->len += (size_t)n;
	while (request_read(buffer_slice(in), &q, &used)) {
		struct buffer out;
		bool open;

		buffer_init(&out, 0);
		s->closes = false;
		s->answer(s, &q, &out);
		if (has(q.path, "_bulk"))
			atomic_fetch_add(&s->bulks, 1);
		for (size_t done = 0; done < out.len;) {
			n = send(fd, out.at + done, out.len - done, MSG_NOSIGNAL);
			if (n <= 0)
				break;
			done += (size_t)n;
		}
		open = out.len > 0 && !s->closes;
		buffer_fini(&out);
		if (!open)
			return false;
		memmove(in->at, in->at + used, in->len - used);
		in->len -= used;
	}
	return true;
}

static inline void *
server_run(void *arg)
{
	struct server *s = arg;
	struct pollfd fds[CONNECTIONS + 2] = { { .fd = s->stop[0], .events = POLLIN },
		{ .fd = s->listen, .events = POLLIN } };
	struct buffer in[CONNECTIONS + 2];
	nfds_t n = 2;

	while (poll(fds, n, -1) > 0 && fds[0].revents == 0) {
		for (nfds_t i = 2; i < n; i++) {
			if (fds[i].revents == 0 || connection_turn(s, fds[i].fd, &in[i]))
				continue;
			close(fds[i].fd);
			buffer_fini(&in[i]);
			n--;
			fds[i] = fds[n];
			in[i] = in[n];
			i--;
		}
		if (fds[1].revents != 0 && n < CONNECTIONS + 2) {
			fds[n] = (struct pollfd){ .fd = accept(s->listen, NULL, NULL),
				.events = POLLIN };
			buffer_init(&in[n], 0);
			n++;
		}
	}
	for (nfds_t i = 2; i < n; i++) {
		close(fds[i].fd);
		buffer_fini(&in[i]);
	}
	return NULL;
}

static inline void
server_start(struct server *s)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(address);

	s->stored = map_new();
	s->seen = map_new();
	s->listen = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(s->listen, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(s->listen, 64), 0);
	getsockname(s->listen, (struct sockaddr *)&address, &len);
	s->port = ntohs(address.sin_port);
	assert_int_equal(pipe(s->stop), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, server_run, s), 0);
}

static inline void
server_stop(struct server *s)
{
	void *document;
	size_t at = 0;

	close(s->stop[1]);
	pthread_join(s->thread, NULL);
	close(s->stop[0]);
	close(s->listen);
	while ((document = map_next(s->stored, &at, NULL)) != NULL)
		free(document);
	map_free(s->stored);
	map_free(s->seen);
}

#endif
