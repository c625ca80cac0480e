/*
 * A server that takes bulk requests and only counts them, so that a benchmark
 * measures the sender: one thread, epoll, keep-alive, gzip.  Its answers have
 * the form and, unless filter_path asks for less, the size of a real server's.
 *
 *	POST .../_bulk	one item, status 201, for each document
 *	GET /_sink	the totals as JSON; printed at SIGTERM, too
 *	all else	200 and {}
 *
 * Bodies are counted as they come and not kept; with --ids they are kept, and
 * each document's _id must be there and come only once.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zlib.h>

#include "ids.h"

#define HEAD_ROOM ((size_t)16 << 10)
#define READ_ROOM ((size_t)256 << 10)

/* What a server says of one document: all of it, or what filter_path leaves. */
#define ITEM(action)                                                                               \
	"{\"" action                                                                               \
	"\":{\"_index\":\"bench\",\"_id\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","           \
	"\"_version\":1,\"result\":\"created\",\"_shards\":{\"total\":2,\"successful\":1,"         \
	"\"failed\":0},\"_seq_no\":1234567,\"_primary_term\":1,\"status\":201}},"
#define ITEM_BRIEF(action) "{\"" action "\":{\"status\":201}},"

/* One form of answer: the item over and over, as often as any request needed. */
static struct answer {
	const char *item;
	char *items;
	size_t count;
} answers[2][2] = {
	/* of "create", of "index" */
	{ { ITEM("create"), NULL, 0 }, { ITEM("index"), NULL, 0 } },
	{ { ITEM_BRIEF("create"), NULL, 0 }, { ITEM_BRIEF("index"), NULL, 0 } },
};

struct client {
	struct client *next, **link; /* all of them; what points here */
	int fd;
	char head[HEAD_ROOM + 1];
	size_t head_len;
	bool in_body, body_begun, bulk, gzip, close;
	bool brief; /* filter_path stands in the URL */
	bool index; /* the first action is not create */
	size_t body_left;
	uint64_t newlines; /* of the body so far, but those of empty lines */
	bool mid_line;     /* the body so far does not end with a newline */
	z_stream zlib;
	bool zlib_ready;
	char *body; /* kept with --ids */
	size_t body_len, body_room;
};

static struct {
	uint64_t requests, others, documents, wire_bytes, body_bytes, connections, bad;
} total;

static struct client *clients;
static bool check_ids;
static struct ids ids;
static char *read_buffer, *plain_buffer;

static _Noreturn void
die(const char *what)
{
	fprintf(stderr, "sink: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *
grown(void *old, size_t size)
{
	void *new = realloc(old, size);

	if (new == NULL)
		die("memory");
	return new;
}

/* ---- answers */

static void
send_all(struct client *c, struct iovec *parts, int n)
{
	while (n > 0) {
		ssize_t sent = writev(c->fd, parts, n);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0) {
			c->close = true;
			return;
		}
		while (n > 0 && (size_t)sent >= parts->iov_len) {
			sent -= (ssize_t)parts->iov_len;
			parts++;
			n--;
		}
		if (n > 0) {
			parts->iov_base = (char *)parts->iov_base + sent;
			parts->iov_len -= (size_t)sent;
		}
	}
}

static void
reply(struct client *c, const char *status, const char *body, size_t len)
{
	char head[256];
	int n = snprintf(head, sizeof(head),
	    "HTTP/1.1 %s\r\nX-Elastic-Product: Elasticsearch\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
	    status, len);
	char copy[1024];
	struct iovec parts[2] = { { head, (size_t)n }, { copy, len } };

	memcpy(copy, body, len < sizeof(copy) ? len : sizeof(copy));
	send_all(c, parts, strncmp(c->head, "HEAD ", 5) == 0 ? 1 : 2);
}

static void
answer_grow(struct answer *a, size_t count)
{
	size_t len = strlen(a->item);

	if (count <= a->count)
		return;
	a->items = grown(a->items, count * len);
	for (size_t i = a->count; i < count; i++)
		memcpy(a->items + i * len, a->item, len);
	a->count = count;
}

static void
reply_bulk(struct client *c)
{
	struct answer *a = &answers[c->brief][c->index];
	const char *before =
	    c->brief ? "{\"errors\":false,\"items\":[" : "{\"took\":1,\"errors\":false,\"items\":[";
	size_t count = (size_t)(c->newlines / 2);
	/* The last item goes without its comma. */
	size_t items = count > 0 ? count * strlen(a->item) - 1 : 0;
	char head[320], after[] = "]}";

	answer_grow(a, count);
	int n = snprintf(head, sizeof(head),
	    "HTTP/1.1 200 OK\r\nX-Elastic-Product: Elasticsearch\r\n"
	    "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	    strlen(before) + items + 2, before);
	struct iovec parts[3] = { { head, (size_t)n }, { a->items, items }, { after, 2 } };

	send_all(c, parts, 3);
}

static int
format_totals(char *text, size_t size)
{
	return snprintf(text, size,
	    "{\"documents\": %" PRIu64 ", \"requests\": %" PRIu64 ", \"others\": %" PRIu64
	    ", \"connections\": %" PRIu64 ", \"wire_bytes\": %" PRIu64 ", \"body_bytes\": %" PRIu64
	    ", \"bad\": %" PRIu64 ", \"ids\": %s, \"duplicates\": %" PRIu64
	    ", \"without_id\": %" PRIu64 "}\n",
	    total.documents, total.requests, total.others, total.connections, total.wire_bytes,
	    total.body_bytes, total.bad, check_ids ? "true" : "false", ids.duplicates, ids.missing);
}

static void
reply_other(struct client *c)
{
	static const char hello[] =
	    "{\"name\":\"sink\",\"cluster_name\":\"sink\",\"cluster_uuid\":\"sink\",\"version\":"
	    "{\"number\":\"8.19.0\",\"build_flavor\":\"default\",\"lucene_version\":\"9.12.0\"},"
	    "\"tagline\":\"You Know, for Search\"}";
	char text[512];

	if (strncmp(c->head, "GET /_sink ", 11) == 0) {
		reply(c, "200 OK", text, (size_t)format_totals(text, sizeof(text)));
		return;
	}
	total.others++;
	if (strncmp(c->head, "GET / ", 6) == 0)
		reply(c, "200 OK", hello, sizeof(hello) - 1);
	else
		reply(c, "200 OK", "{}", 2);
}

/* ---- bodies */

static void
body_plain(struct client *c, const char *bytes, size_t len)
{
	const char *end = bytes + len;

	if (!c->bulk || len == 0)
		return;
	if (!c->body_begun)
		c->index = len > 7 && memcmp(bytes, "{\"index", 7) == 0;
	c->body_begun = true;
	total.body_bytes += len;
	for (const char *line = bytes, *p;
	     (p = memchr(line, '\n', (size_t)(end - line))) != NULL;) {
		c->newlines += p > line || c->mid_line;
		line = p + 1;
		c->mid_line = false;
		if (line == end)
			break;
	}
	c->mid_line = end[-1] != '\n';
	if (!check_ids)
		return;
	if (c->body_len + len > c->body_room) {
		c->body_room = (c->body_len + len) * 2;
		c->body = grown(c->body, c->body_room);
	}
	memcpy(c->body + c->body_len, bytes, len);
	c->body_len += len;
}

static void
body_gzip(struct client *c, char *bytes, size_t len)
{
	c->zlib.next_in = (unsigned char *)bytes;
	c->zlib.avail_in = (unsigned)len;
	do {
		c->zlib.next_out = (unsigned char *)plain_buffer;
		c->zlib.avail_out = READ_ROOM;
		int rc = inflate(&c->zlib, Z_NO_FLUSH);

		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) {
			total.bad++;
			c->close = true;
			return;
		}
		body_plain(c, plain_buffer, READ_ROOM - c->zlib.avail_out);
		if (rc != Z_OK)
			return;
	} while (c->zlib.avail_in > 0 || c->zlib.avail_out == 0);
}

static void
request_end(struct client *c)
{
	if (c->bulk) {
		total.requests++;
		total.documents += c->newlines / 2;
		total.bad += c->newlines % 2;
		if (check_ids)
			ids_check(&ids, c->body, c->body_len);
		reply_bulk(c);
	} else {
		reply_other(c);
	}
	c->in_body = false;
	c->head_len = 0;
}

/* ---- heads */

/* The value of a header, or NULL.  The head ends with a NUL. */
static const char *
header(const struct client *c, const char *name)
{
	size_t len = strlen(name);

	for (const char *line = c->head; (line = strstr(line, "\r\n")) != NULL;) {
		line += 2;
		if (strncasecmp(line, name, len) == 0 && line[len] == ':')
			return line + len + 1 + strspn(line + len + 1, " ");
	}
	return NULL;
}

static void
request_begin(struct client *c)
{
	const char *length = header(c, "Content-Length"), *coding = header(c, "Content-Encoding");
	const char *expect = header(c, "Expect"), *path_end = strpbrk(c->head, "?\r");
	const char *space = strchr(c->head, ' ');
	const char *target = space != NULL ? strchr(space + 1, ' ') : NULL;

	if (path_end == NULL || target == NULL || header(c, "Transfer-Encoding") != NULL) {
		reply(c, "411 Length Required", "{}", 2);
		total.bad++;
		c->close = true;
		return;
	}
	if (target < path_end)
		path_end = target;
	c->bulk = strncmp(c->head, "POST ", 5) == 0 && path_end - c->head >= 11 &&
		  memcmp(path_end - 6, "/_bulk", 6) == 0;
	c->brief = memmem(c->head, (size_t)(target - c->head), "filter_path=", 12) != NULL;
	c->gzip = coding != NULL && strncasecmp(coding, "gzip", 4) == 0;
	c->body_left = length != NULL ? strtoull(length, NULL, 10) : 0;
	c->in_body = true;
	c->newlines = 0;
	c->mid_line = false;
	c->body_begun = c->index = false;
	c->body_len = 0;
	if (c->gzip && !c->zlib_ready)
		c->zlib_ready = inflateInit2(&c->zlib, 15 + 32) == Z_OK;
	else if (c->gzip)
		inflateReset(&c->zlib);
	if (expect != NULL && strncasecmp(expect, "100-continue", 12) == 0) {
		char go[] = "HTTP/1.1 100 Continue\r\n\r\n";
		send_all(c, &(struct iovec){ go, sizeof(go) - 1 }, 1);
	}
}

/* Take ${len} bytes into the head; return how many belong to it. */
static size_t
head_feed(struct client *c, const char *bytes, size_t len)
{
	size_t had = c->head_len, take = len < HEAD_ROOM - had ? len : HEAD_ROOM - had;
	size_t from = had > 3 ? had - 3 : 0;
	char *end;

	memcpy(c->head + had, bytes, take);
	end = memmem(c->head + from, had + take - from, "\r\n\r\n", 4);
	if (end == NULL) {
		c->head_len += take;
		c->close = c->close || c->head_len == HEAD_ROOM;
		return take;
	}
	end[2] = '\0';
	request_begin(c);
	return (size_t)(end + 4 - c->head) - had;
}

static void
client_feed(struct client *c, char *bytes, size_t len)
{
	while (!c->close) {
		if (!c->in_body) {
			if (len == 0)
				return;
			size_t n = head_feed(c, bytes, len);
			bytes += n;
			len -= n;
		}
		if (!c->in_body)
			continue;
		size_t n = len < c->body_left ? len : c->body_left;
		if (c->bulk)
			total.wire_bytes += n;
		if (n > 0 && c->gzip)
			body_gzip(c, bytes, n);
		else if (n > 0)
			body_plain(c, bytes, n);
		bytes += n;
		len -= n;
		c->body_left -= n;
		if (c->body_left > 0)
			return;
		request_end(c);
	}
}

/* ---- sockets */

static void
client_free(struct client *c)
{
	*c->link = c->next;
	if (c->next != NULL)
		c->next->link = c->link;
	if (c->zlib_ready)
		inflateEnd(&c->zlib);
	close(c->fd);
	free(c->body);
	free(c);
}

static void
client_read(struct client *c)
{
	ssize_t n = read(c->fd, read_buffer, READ_ROOM);

	if (n > 0)
		client_feed(c, read_buffer, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		c->close = true;
	if (c->close)
		client_free(c);
}

static void
client_accept(int listener, int epoll)
{
	struct client *c = calloc(1, sizeof(*c));
	int one = 1;

	if (c == NULL)
		die("memory");
	if ((c->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) < 0) {
		free(c);
		return;
	}
	total.connections++;
	c->next = clients;
	c->link = &clients;
	clients = c;
	if (c->next != NULL)
		c->next->link = &c->next;
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &(struct epoll_event){ EPOLLIN, { .ptr = c } });
}

static int
listen_on(unsigned port)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 64) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0)
		die("listen");
	printf("%u\n", ntohs(at.sin_port));
	fflush(stdout);
	return fd;
}

static int
signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	if ((fd = signalfd(-1, &set, SFD_CLOEXEC)) < 0)
		die("signalfd");
	return fd;
}

static void
serve(int listener, int stop)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[64];

	if (epoll < 0)
		die("epoll");
	epoll_ctl(
	    epoll, EPOLL_CTL_ADD, listener, &(struct epoll_event){ EPOLLIN, { .ptr = &listener } });
	epoll_ctl(epoll, EPOLL_CTL_ADD, stop, &(struct epoll_event){ EPOLLIN, { .ptr = &stop } });
	for (;;) {
		int n = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == &stop)
				return;
			if (events[i].data.ptr == &listener)
				client_accept(listener, epoll);
			else
				client_read(events[i].data.ptr);
		}
	}
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = { { "port", required_argument, NULL, 'p' },
		{ "ids", no_argument, NULL, 'i' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 } };
	unsigned long port = 0;
	char text[512];
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'p') {
			port = strtoul(optarg, NULL, 10);
		} else if (c == 'i') {
			check_ids = true;
		} else {
			fprintf(c == 'h' ? stdout : stderr,
			    "usage: sink [--port N] [--ids]\n"
			    "Counts bulk requests on 127.0.0.1; prints its port, and at SIGTERM its totals.\n");
			return c == 'h' ? 0 : 2;
		}
	}
	read_buffer = grown(NULL, READ_ROOM);
	plain_buffer = grown(NULL, READ_ROOM);
	serve(listen_on((unsigned)port), signals());
	format_totals(text, sizeof(text));
	fputs(text, stdout);
	while (clients != NULL)
		client_free(clients);
	for (size_t i = 0; i < 4; i++)
		free(answers[i / 2][i % 2].items);
	free(ids.set);
	free(read_buffer);
	free(plain_buffer);
	return 0;
}
