/*
 * One easy handle, set anew for each request.  Each has a connection of its
 * own: an address that another pod has now must not be asked through an old
 * one, and agents have no idle connection of ours.
 */
#include "request.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

#define HEAD_MAX (32u << 10)
#define LINE_EACH 100  /* bytes that libcurl keeps of a line, beside its text */
#define RECEIVE 16384L /* bytes of libcurl's buffer */
#define KERNEL 32768   /* bytes of the kernel's, which doubles that */

/*
 * A line of the head that says the body is packed.  libcurl unpacks it, asked or
 * not, without a look at the clock: a kilobyte that is packed several times over
 * takes minutes.
 */
static bool
is_packed(struct slice line)
{
	static const char name[] = "transfer-encoding:", plain[] = "chunked";
	struct slice coding;

	if (line.len < sizeof(name) - 1 || strncasecmp(line.at, name, sizeof(name) - 1) != 0)
		return false;
	coding = slice_trim(slice_from(line, sizeof(name) - 1));
	return coding.len != sizeof(plain) - 1 || strncasecmp(coding.at, plain, coding.len) != 0;
}

static size_t
on_header(char *at, size_t size, size_t n, void *arg)
{
	struct request *r = arg;

	r->heads += size * n + LINE_EACH;
	r->large |= r->heads > HEAD_MAX;
	r->packed |= is_packed((struct slice){ at, size * n });
	return r->large || r->packed ? 0 : size * n;
}

static long
status_of(const struct request *r)
{
	long status = 0;

	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

/* The body of another status is not read. */
static size_t
on_body(char *at, size_t size, size_t n, void *arg)
{
	struct request *r = arg;

	if (status_of(r) != 200)
		return 0;
	r->large |= !page_feed(&r->page, (struct slice){ at, size * n });
	return r->large ? 0 : size * n;
}

/*
 * The bytes of the connection are an answer's and those that frame its chunks:
 * libcurl passes over a chunk's extension for as long as it comes, and tells none
 * of it.
 */
static int
on_progress(void *arg, curl_off_t to_get, curl_off_t got, curl_off_t to_put, curl_off_t put)
{
	struct request *r = arg;
	struct tcp_info info = { 0 };
	socklen_t size = sizeof(info);

	(void)to_get, (void)got, (void)to_put, (void)put;
	if (r->fd >= 0 && getsockopt(r->fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0)
		r->large |= info.tcpi_bytes_received > HEAD_MAX + 2 * r->page.cap;
	return r->large;
}

static curl_socket_t
socket_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	struct request *r = arg;
	int fd = socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol), bytes = KERNEL;

	(void)purpose;
	if (fd >= 0) { /* they do not grow then, whatever an agent sends */
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	}
	r->fd = fd;
	return fd;
}

static int
socket_close(void *arg, curl_socket_t fd)
{
	struct request *r = arg;

	if (r->fd == fd)
		r->fd = -1;
	return close(fd);
}

void
request_init(struct request *r, CURLM *multi, size_t limit)
{
	*r = (struct request){ .multi = multi, .fd = -1 };
	r->easy = curl_easy_init();
	r->headers = curl_slist_append(
	    NULL, "Accept: text/plain;version=0.0.4,application/json;q=0.9,*/*;q=0.1");
	page_init(&r->page, limit);
}

void
request_fini(struct request *r)
{
	request_drop(r);
	curl_easy_cleanup(r->easy);
	curl_slist_free_all(r->headers);
	page_fini(&r->page);
}

void
request_send(struct request *r, const char *url, int64_t time)
{
	CURL *easy = r->easy;

	curl_easy_reset(easy);
	r->error[0] = '\0';
	r->heads = 0;
	r->large = r->packed = false;
	page_begin(&r->page);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, r);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, r->headers);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, r->error);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* whatever the environment names */
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a name server is not waited for */
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, socket_open);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, r);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, socket_close);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, r);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "towline/" TOWLINE_VERSION);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(time / NS_PER_MS) + 1);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, r);
	curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, r);
	curl_multi_add_handle(r->multi, easy);
	r->open = true;
}

void
request_drop(struct request *r)
{
	if (r->open)
		curl_multi_remove_handle(r->multi, r->easy);
	r->open = false;
}

static enum poll_failure
fault_of(const struct request *r, CURLcode code, long status)
{
	if (r->large)
		return POLL_TOO_LARGE;
	if (status != 0 && status != 200)
		return POLL_STATUS;
	if (code == CURLE_OPERATION_TIMEDOUT)
		return POLL_TIMEOUT;
	return code == CURLE_OK || status != 0 || code == CURLE_UNSUPPORTED_PROTOCOL ||
		       code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_GOT_NOTHING ||
		       code == CURLE_RECV_ERROR
		   ? POLL_ANSWER
		   : POLL_CONNECT;
}

bool
request_ended(struct request *r, CURLcode code, enum poll_failure *why, char *text, size_t size)
{
	long status = status_of(r);

	request_drop(r);
	r->large |=
	    code == CURLE_OUT_OF_MEMORY; /* of a line's cap: without memory the process ends */
	if (code == CURLE_OK && status == 200 && page_end(&r->page))
		return true;
	*why = fault_of(r, code, status);
	if (r->large)
		snprintf(text, size,
		    "its answer is larger than Agent_Answer_Limit, or its head than 32 KiB");
	else if (r->packed)
		snprintf(text, size, "its answer is packed, which was not asked for");
	else if (*why == POLL_STATUS)
		snprintf(text, size, "it answers %ld", status);
	else if (code != CURLE_OK)
		snprintf(
		    text, size, "%s", r->error[0] != '\0' ? r->error : curl_easy_strerror(code));
	else
		snprintf(text, size, "its answer has no metric of an agent");
	return false;
}
