/*
 * The ceiling: what one thread can carry on this machine when it does only
 * what no shipper can leave out.  Reads the files, cuts lines, splits CRI,
 * escapes the message, appends an action with an id of constant text and
 * --metadata bytes of constant text, sends it all as bulk requests over one
 * connection and reads the answers.  No grammar, no ids, no state, no retries.
 *
 *	ceiling --port N [--metadata BYTES] FILE...
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define READ_SIZE ((size_t)256 << 10)
#define BODY_SIZE ((size_t)1 << 20)
#define LINE_MAX_BYTES ((size_t)1 << 20)
#define TIME_LEN 30 /* 2026-11-22T08:00:00.000000000Z */

static const char action[] =
    "{\"create\":{\"_id\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}}\n";

static char *input, *body, *metadata;
static size_t body_len, metadata_len;
static uint64_t lines, bytes_in, bytes_out;
static int server;

static _Noreturn void
die(const char *what)
{
	fprintf(
	    stderr, "ceiling: %s: %s\n", what, errno != 0 ? strerror(errno) : "not as expected");
	exit(1);
}

static inline void
append(const char *bytes, size_t len)
{
	memcpy(body + body_len, bytes, len);
	body_len += len;
}

#define append_literal(literal) append(literal, sizeof(literal) - 1)

/* ---- escaping: eight bytes at a time while none of them needs it */

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Is one of the eight bytes below ${n}, which is at most 128? */
static inline uint64_t
any_below(uint64_t x, unsigned n)
{
	return (x - EACH(n)) & ~x & EACH(0x80);
}

static inline uint64_t
any_needs_escape(uint64_t x)
{
	return any_below(x, 0x20) | any_below(x ^ EACH('"'), 1) | any_below(x ^ EACH('\\'), 1);
}

static char *
escape_byte(char *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	static const char letter[32] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'
	};

	if (c >= 0x20 && c != '"' && c != '\\') {
		*out++ = (char)c;
	} else if (c >= 0x20 || letter[c] != 0) {
		*out++ = '\\';
		*out++ = c >= 0x20 ? (char)c : letter[c];
	} else {
		memcpy(out, "\\u00", 4);
		out[4] = hex[c >> 4];
		out[5] = hex[c & 15];
		out += 6;
	}
	return out;
}

static void
append_escaped(const char *s, size_t len)
{
	const char *end = s + len;
	char *out = body + body_len;
	uint64_t eight;

	while (end - s >= 8) {
		memcpy(&eight, s, 8);
		memcpy(out, &eight, 8);
		if (any_needs_escape(eight) == 0) {
			s += 8;
			out += 8;
			continue;
		}
		for (int i = 0; i < 8; i++)
			out = escape_byte(out, (unsigned char)*s++);
	}
	while (s < end)
		out = escape_byte(out, (unsigned char)*s++);
	body_len = (size_t)(out - body);
}

/* ---- the connection */

static void
connect_to(unsigned long port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (server < 0 || connect(server, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("connect");
}

static void
send_body(void)
{
	char head[256];
	int n = snprintf(head, sizeof(head),
	    "POST /bench/_bulk?filter_path=items.*.status HTTP/1.1\r\nHost: sink\r\n"
	    "Content-Type: application/x-ndjson\r\nContent-Length: %zu\r\n\r\n",
	    body_len);
	struct iovec parts[2] = { { head, (size_t)n }, { body, body_len } }, *part = parts;

	while (part < parts + 2) {
		ssize_t sent = writev(server, part, (int)(parts + 2 - part));

		if (sent < 0)
			die("send");
		while (part < parts + 2 && (size_t)sent >= part->iov_len)
			sent -= (ssize_t)part++->iov_len;
		if (part < parts + 2) {
			part->iov_base = (char *)part->iov_base + sent;
			part->iov_len -= (size_t)sent;
		}
	}
	bytes_out += body_len;
	body_len = 0;
}

/* Read the answer whole: its head, and as many bytes as that says. */
static void
read_answer(void)
{
	static char answer[256 << 10];
	size_t len = 0, left;
	char *end = NULL, *length;

	while (end == NULL) {
		ssize_t n = read(server, answer + len, sizeof(answer) - 1 - len);

		if (n <= 0)
			die("answer");
		len += (size_t)n;
		answer[len] = '\0';
		end = strstr(answer, "\r\n\r\n");
	}
	length = strstr(answer, "Content-Length: ");
	if (strncmp(answer, "HTTP/1.1 200", 12) != 0 || length == NULL)
		die("answer");
	left = strtoull(length + 16, NULL, 10) - (size_t)(answer + len - (end + 4));
	while (left > 0) {
		ssize_t n = read(server, answer, left < sizeof(answer) ? left : sizeof(answer));

		if (n <= 0)
			die("answer");
		left -= (size_t)n;
	}
}

static void
flush(void)
{
	if (body_len == 0)
		return;
	send_body();
	read_answer();
}

/* ---- lines */

/* "<time> <side> <tag> <content>"; times here end with Z and have nine digits. */
static void
line(const char *at, size_t len)
{
	const char *side = at + TIME_LEN + 1, *end = at + len;
	const char *tag = len > TIME_LEN ? memchr(side, ' ', (size_t)(end - side)) : NULL;
	const char *content = tag != NULL ? memchr(tag + 1, ' ', (size_t)(end - tag - 1)) : NULL;

	errno = 0;
	if (content == NULL || at[TIME_LEN - 1] != 'Z')
		die("a line that is not CRI");
	content++;
	append_literal(action);
	append_literal("{\"@timestamp\":\"");
	append(at, TIME_LEN);
	append_literal("\",\"time\":\"");
	append(at, TIME_LEN);
	append_literal("\",\"stream\":\"");
	append(side, (size_t)(tag - side));
	append_literal("\",\"logtag\":\"");
	append(tag + 1, (size_t)(content - tag - 2));
	append_literal("\",\"log\":\"");
	append_escaped(content, (size_t)(end - content));
	append_literal("\",\"kubernetes\":\"");
	append(metadata, metadata_len);
	append_literal("\"}\n");
	lines++;
	if (body_len >= BODY_SIZE)
		flush();
}

static void
read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t kept = 0;
	ssize_t n;

	if (fd < 0)
		die(path);
	while ((n = read(fd, input + kept, READ_SIZE)) > 0) {
		char *at = input, *end = input + kept + n, *newline;

		bytes_in += (uint64_t)n;
		while ((newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
			line(at, (size_t)(newline - at));
			at = newline + 1;
		}
		kept = (size_t)(end - at);
		if (kept > LINE_MAX_BYTES)
			die("a line that is too long");
		memmove(input, at, kept);
	}
	close(fd);
}

static double
seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = { { "port", required_argument, NULL, 'p' },
		{ "metadata", required_argument, NULL, 'm' }, { NULL, 0, NULL, 0 } };
	unsigned long port = 0;
	struct rusage usage;
	int c;

	metadata_len = 600;
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'p')
			port = strtoul(optarg, NULL, 10);
		else if (c == 'm')
			metadata_len = strtoul(optarg, NULL, 10);
	}
	if (port == 0 || optind == argc) {
		fprintf(stderr, "usage: ceiling --port N [--metadata BYTES] FILE...\n");
		return 2;
	}
	input = malloc(LINE_MAX_BYTES + READ_SIZE);
	/* A line may grow sixfold by escaping. */
	body = malloc(BODY_SIZE + 6 * (LINE_MAX_BYTES + READ_SIZE) + metadata_len + 4096);
	metadata = malloc(metadata_len + 1);
	if (input == NULL || body == NULL || metadata == NULL)
		die("memory");
	memset(metadata, 'm', metadata_len);

	connect_to(port);
	for (int i = optind; i < argc; i++)
		read_file(argv[i]);
	flush();
	getrusage(RUSAGE_SELF, &usage);
	printf("{\"lines\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"sent\": %" PRIu64
	       ", \"cpu\": %.3f}\n",
	    lines, bytes_in, bytes_out, seconds(usage.ru_utime) + seconds(usage.ru_stime));
	return 0;
}
