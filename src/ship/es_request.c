/* Bulk requests on the shipper's multi handle. */
#include "es_request.h"

#include <stdlib.h>

#include "es_body.h"
#include "fault.h"

/* An answer may be this long for each item, and this long beside them. */
#define ANSWER_ITEM 8192u
#define ANSWER_MORE 65536u

#define UPLOAD_BUFFER (256L * 1024)

struct es_transfer {
	struct exchange x; /* first */
	struct es_request *request;
	struct sink *sink;
	const struct es_conf *conf;
	const struct es_http *http;
	es_request_done *done;
	void *arg;
	struct es_body body;
	struct buffer gzip; /* the body, when it is compressed */
	size_t gzip_at;
	struct reply *reply;
	uint32_t item; /* that the next verdict belongs to */
	size_t bytes;  /* of the answer */
	struct curl_slist *headers;
	char error[CURL_ERROR_SIZE];
};

/* ---- curl's callbacks */

static size_t
on_read(char *to, size_t size, size_t n, void *arg)
{
	struct es_transfer *t = arg;
	size_t left = t->gzip.len - t->gzip_at;

	FAULT("in-body");
	if (!t->conf->compress)
		return es_body_read(&t->body, to, size * n);
	if (left > size * n)
		left = size * n;
	if (left > 0)
		memcpy(to, t->gzip.at + t->gzip_at, left);
	t->gzip_at += left;
	return left;
}

/* A connection broke under the request: curl sends it again on another.  The server may have it. */
static int
on_seek(void *arg, curl_off_t offset, int origin)
{
	struct es_transfer *t = arg;

	if (origin != SEEK_SET || offset != 0)
		return CURL_SEEKFUNC_CANTSEEK;
	es_body_begin(&t->body, t->request->piece);
	t->gzip_at = 0;
	t->request->rewound = true;
	metrics_retry(t->sink->metrics, REASON_CONNECT, t->request->piece->n);
	return CURL_SEEKFUNC_OK;
}

static size_t
on_write(char *at, size_t size, size_t n, void *arg)
{
	struct es_transfer *t = arg;
	struct slice piece = { at, size * n };

	FAULT("answer-begins");
	t->bytes += piece.len;
	if (t->bytes > ANSWER_MORE + (size_t)t->request->piece->n * ANSWER_ITEM)
		return 0;
	reply_feed(t->reply, piece);
	return piece.len;
}

/* One more answer, in the order of the piece's items. */
static void
on_item(void *arg, uint32_t index, const struct reply_item *answer)
{
	struct es_transfer *t = arg;
	struct es_request *r = t->request;

	(void)index;
	r->failure_store += answer->failure_store;
	verdict_take(r->verdicts, t->item, answer);
	t->item = todo_next(r->piece, t->item + 1);
}

static void
on_done(struct exchange *x, CURLcode code)
{
	struct es_transfer *t = (struct es_transfer *)x;
	struct es_request *r = t->request;
	curl_off_t retry_after = 0;

	r->code = code;
	r->status = 0;
	curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &r->status);
	curl_easy_getinfo(x->easy, CURLINFO_RETRY_AFTER, &retry_after);
	r->retry_after = retry_after;
	r->judged = reply_end(t->reply) == PARSE_OK;
	r->answer = t->reply->whole;
	if (code != CURLE_OK && code != CURLE_WRITE_ERROR) {
		if (t->error[0] == '\0')
			snprintf(t->error, sizeof(t->error), "%s", curl_easy_strerror(code));
		es_http_note(t->http, t->error, sizeof(t->error));
	}
	r->error = t->error;
	t->done(t->arg, r);
}

/* ---- one request */

struct es_request *
es_request_new(struct sink *sink, const struct es_conf *conf, const struct es_http *http,
    es_request_done *done, void *arg)
{
	struct es_request *r = xcalloc(1, sizeof(*r));
	struct es_transfer *t = xcalloc(1, sizeof(*t));

	r->transfer = t;
	r->verdicts = xcalloc(1, sizeof(*r->verdicts));
	*t = (struct es_transfer){ .x = { on_done, curl_easy_init() },
		.request = r,
		.sink = sink,
		.conf = conf,
		.http = http,
		.done = done,
		.arg = arg };
	t->reply = xcalloc(1, sizeof(*t->reply));
	buffer_init(&t->gzip, 0);
	return r;
}

void
es_request_free(struct es_request *r)
{
	struct es_transfer *t;

	if (r == NULL)
		return;
	t = r->transfer;
	curl_multi_remove_handle(t->sink->multi, t->x.easy); /* when it is in it */
	curl_easy_cleanup(t->x.easy);
	curl_slist_free_all(t->headers);
	buffer_fini(&t->gzip);
	free(t->reply);
	free(t);
	free(r->verdicts);
	free(r);
}

uint64_t
es_request_limit(void)
{
	return sizeof(struct es_request) + sizeof(struct verdicts) + sizeof(struct es_transfer) +
	       sizeof(struct reply);
}

/* The body from its start; how many bytes it is as it is sent. */
static uint64_t
body_prepare(struct es_transfer *t)
{
	const struct piece *p = t->request->piece;

	es_body_begin(&t->body, p);
	if (!t->conf->compress)
		return es_body_size(p);
	es_body_gzip(p, &t->gzip);
	t->gzip_at = 0;
	return t->gzip.len;
}

void
es_request_send(struct es_request *r, const char *url, struct curl_slist *connect_to, int64_t now)
{
	struct es_transfer *t = r->transfer;
	CURL *easy = t->x.easy;

	FAULT("before-send");
	es_http_setup(t->http, connect_to, easy, t->error);
	curl_slist_free_all(t->headers);
	t->headers = es_http_headers(t->http, t->conf->compress, "application/x-ndjson");
	verdict_begin(r->verdicts);
	reply_init(t->reply, r->piece->n, on_item, t);
	t->item = todo_next(r->piece, 0);
	t->bytes = 0;
	r->failure_store = 0;
	r->rewound = false;
	r->started = now;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, &t->x);
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, t->headers);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body_prepare(t));
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(easy, CURLOPT_READDATA, t);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(easy, CURLOPT_SEEKDATA, t);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
	curl_multi_add_handle(t->sink->multi, easy);
}
