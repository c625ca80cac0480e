/* One easy handle, used again for each request, with its headers and its error. */
#include "exchange.h"

#include <stdlib.h>

#include "clock.h"
#include "proxy.h"

#define HEAD_MAX (128u << 10)
#define AFTER_MOST 300 /* s, whatever Retry-After says */

struct exchange {
	struct access *access;
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	struct exchange_reader reader;
	char error[CURL_ERROR_SIZE];
	bool open;
	bool begun;     /* the first bytes of the body have come */
	uint64_t heads; /* bytes of the head */
};

static size_t
on_header(char *at, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;

	(void)at;
	x->heads += size * n;
	if (x->reader.head != NULL)
		x->reader.head(x->reader.arg, exchange_status(x));
	return exchange_overlong(x) ? 0 : size * n;
}

static size_t
on_write(char *at, size_t size, size_t n, void *arg)
{
	struct exchange *x = arg;

	if (!x->begun && x->reader.begin != NULL)
		x->reader.begin(x->reader.arg, exchange_status(x));
	x->begun = true;
	return x->reader.body(x->reader.arg, (struct slice){ at, size * n }) ? size * n : 0;
}

bool
exchange_send(struct exchange *x, const char *path, const char *header, long seconds)
{
	if (!access_request(x->access, x->easy, &x->headers, path, x->error))
		return false;
	if (header != NULL)
		x->headers = curl_slist_append(x->headers, header);
	curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers);
	curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(x->easy, CURLOPT_HEADERDATA, x);
	curl_easy_setopt(x->easy, CURLOPT_TIMEOUT, seconds);
	curl_multi_add_handle(x->multi, x->easy);
	x->begun = false;
	x->heads = 0;
	x->open = true;
	return true;
}

bool
exchange_is_open(const struct exchange *x)
{
	return x->open;
}

long
exchange_status(const struct exchange *x)
{
	long status = 0;

	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

void
exchange_drop(struct exchange *x)
{
	if (x->open)
		curl_multi_remove_handle(x->multi, x->easy);
	x->open = false;
}

bool
exchange_ended(struct exchange *x, CURL *easy, CURLcode code)
{
	if (easy != x->easy)
		return false;
	exchange_drop(x);
	if (code != CURLE_OK && x->error[0] == '\0')
		snprintf(x->error, sizeof(x->error), "%s", curl_easy_strerror(code));
	if (code != CURLE_OK)
		proxy_note(x->error, sizeof(x->error));
	if (exchange_status(x) == 401)
		access_refused(x->access);
	return true;
}

const char *
exchange_error(const struct exchange *x)
{
	return x->error;
}

bool
exchange_overlong(const struct exchange *x)
{
	return x->heads > HEAD_MAX;
}

int64_t
exchange_after(const struct exchange *x)
{
	curl_off_t after = 0;

	curl_easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &after);
	return earlier(after, AFTER_MOST) * NS_PER_S;
}

enum kube_error
exchange_fault(long status)
{
	switch (status) {
	case 0:
		return KUBE_CONNECT;
	case 401:
		return KUBE_AUTH;
	case 403:
		return KUBE_FORBIDDEN;
	case 429:
		return KUBE_THROTTLED;
	default:
		return KUBE_SERVER;
	}
}

struct exchange *
exchange_new(struct access *access, CURLM *multi, const struct exchange_reader *reader)
{
	struct exchange *x = xcalloc(1, sizeof(*x));

	x->access = access;
	x->multi = multi;
	x->reader = *reader;
	x->easy = curl_easy_init();
	return x;
}

void
exchange_free(struct exchange *x)
{
	if (x == NULL)
		return;
	exchange_drop(x);
	curl_easy_cleanup(x->easy);
	curl_slist_free_all(x->headers);
	free(x);
}
