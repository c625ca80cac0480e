/*
 * One bulk request: a piece's items as a body, with the output's host, TLS and
 * credentials, and its answer into the scanner.  What the answer means is
 * es_apply.c's.
 */
#include <stdlib.h>

#include "es.h"
#include "gzip.h"

/* An answer may be this long for each item, and this long beside them. */
#define ANSWER_ITEM 8192u
#define ANSWER_MORE 65536u

#define UPLOAD_BUFFER (256L * 1024)

/* ---- the body: runs of whole items as they lie in the batch, or items in parts */

uint32_t
todo_next(const struct piece *p, uint32_t i)
{
	uint32_t n = p->batch->nitems;

	while (i < n) {
		uint64_t word = p->todo[i / 64] >> (i % 64);

		if (word != 0) {
			i += (uint32_t)__builtin_ctzll(word);
			return i < n ? i : n;
		}
		i = (i / 64 + 1) * 64;
	}
	return n;
}

static const struct slice tails[] = {
	[FORM_FULL] = { "\n", 1 },
	[FORM_STRIPPED] = { ",\"log_parsed_dropped\":true}\n", 28 },
	[FORM_CORE] = { "}\n", 2 },
};

/* The bytes of an item before its tail. */
static struct slice
item_head(const struct piece *p, uint32_t i)
{
	const struct item *item = &p->batch->items[i];
	uint32_t end = p->form == FORM_FULL       ? item->end
		       : p->form == FORM_STRIPPED ? item->plain
						  : item->core;

	return (struct slice){ p->batch->body.at + item->action, end - item->action };
}

uint64_t
body_size(const struct piece *p)
{
	uint64_t n = 0;

	for (uint32_t i = todo_next(p, 0); i < p->batch->nitems; i = todo_next(p, i + 1))
		n += item_head(p, i).len + tails[p->form].len;
	return n;
}

void
body_begin(struct body *b, const struct piece *p)
{
	*b = (struct body){ .piece = p, .item = todo_next(p, 0) };
	if (b->item < p->batch->nitems)
		b->rest = item_head(p, b->item);
}

/* The next part when this one is read; false at the end. */
static bool
body_next(struct body *b)
{
	if (b->item >= b->piece->batch->nitems)
		return false;
	if (b->part == 0) {
		b->part = 1;
		b->rest = tails[b->piece->form];
		return true;
	}
	b->part = 0;
	b->item = todo_next(b->piece, b->item + 1);
	if (b->item >= b->piece->batch->nitems)
		return false;
	b->rest = item_head(b->piece, b->item);
	return true;
}

size_t
body_read(struct body *b, char *to, size_t size)
{
	size_t n = 0;

	while (n < size) {
		size_t part = b->rest.len < size - n ? b->rest.len : size - n;

		if (part == 0 && !body_next(b))
			break;
		if (part > 0)
			memcpy(to + n, b->rest.at, part);
		if (part > 0)
			b->rest = slice_from(b->rest, part);
		n += part;
	}
	return n;
}

static size_t
body_source(void *body, char *to, size_t size)
{
	return body_read(body, to, size);
}

/* The whole body, packed, into the request's buffer. */
static void
body_gzip(struct es_request *r)
{
	buffer_clear(&r->gzip);
	r->gzip_at = 0;
	body_begin(&r->body, r->piece);
	gzip_ways[0].pack(&r->gzip, body_source, &r->body);
}

/* ---- curl's callbacks */

static size_t
on_read(char *to, size_t size, size_t n, void *arg)
{
	struct es_request *r = arg;
	size_t left = r->gzip.len - r->gzip_at;

	FAULT("in-body");
	if (!r->es->conf->compress)
		return body_read(&r->body, to, size * n);
	if (left > size * n)
		left = size * n;
	if (left > 0)
		memcpy(to, r->gzip.at + r->gzip_at, left);
	r->gzip_at += left;
	return left;
}

/* A connection broke under the request: curl sends it again on another.  The server may have it. */
static int
on_seek(void *arg, curl_off_t offset, int origin)
{
	struct es_request *r = arg;

	if (origin != SEEK_SET || offset != 0)
		return CURL_SEEKFUNC_CANTSEEK;
	body_begin(&r->body, r->piece);
	r->gzip_at = 0;
	r->rewound = true;
	metrics_add(&r->es->sink->metrics->retries[REASON_CONNECT], 1);
	return CURL_SEEKFUNC_OK;
}

static size_t
on_write(char *at, size_t size, size_t n, void *arg)
{
	struct es_request *r = arg;
	struct slice piece = { at, size * n };

	FAULT("answer-begins");
	r->reply_bytes += piece.len;
	if (r->reply_bytes > ANSWER_MORE + (size_t)r->piece->n * ANSWER_ITEM)
		return 0;
	if (!r->reply_bad)
		r->reply_bad = reply_feed(&r->reply, piece) == PARSE_BAD;
	return piece.len;
}

/* ---- what all requests of the output have */

static void
set_string(CURL *easy, CURLoption option, const char *value)
{
	if (value != NULL && value[0] != '\0')
		curl_easy_setopt(easy, option, value);
}

static void
tls_setup(const struct es_conf *conf, CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, conf->tls_verify ? 1L : 0L);
	curl_easy_setopt(
	    easy, CURLOPT_SSL_VERIFYHOST, conf->tls_verify && conf->tls_verify_hostname ? 2L : 0L);
	set_string(easy, CURLOPT_CAINFO, conf->tls_ca_file);
	set_string(easy, CURLOPT_CAPATH, conf->tls_ca_path);
	set_string(easy, CURLOPT_SSLCERT, conf->tls_crt_file);
	set_string(easy, CURLOPT_SSLKEY, conf->tls_key_file);
	set_string(easy, CURLOPT_KEYPASSWD, conf->tls_key_passwd);
}

void
es_easy_setup(const struct es *es, const struct es_host *h, CURL *easy, char *error)
{
	const struct es_conf *conf = es->conf;

	curl_easy_reset(easy);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error);
	error[0] = '\0';
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "towline/" TOWLINE_VERSION);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(
	    easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(conf->connect_timeout / NS_PER_MS));
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(conf->io_timeout / NS_PER_MS));
	tls_setup(conf, easy);
	if (h->connect_to != NULL)
		curl_easy_setopt(easy, CURLOPT_CONNECT_TO, h->connect_to);
	if (es->authorization == NULL && conf->http_user != NULL) {
		curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(easy, CURLOPT_USERNAME, conf->http_user);
		set_string(easy, CURLOPT_PASSWORD, es->password);
	}
}

/* The first line of a file, or NULL. */
static char *
secret_read(const char *path)
{
	char text[4096];
	FILE *file = fopen(path, "re");

	if (file == NULL || fgets(text, sizeof(text), file) == NULL)
		text[0] = '\0';
	if (file == NULL)
		say_warn("es", "cannot read %s: %m", path);
	else
		fclose(file);
	text[strcspn(text, "\r\n")] = '\0';
	return xstrdup(text);
}

void
es_credentials_read(struct es *es)
{
	const struct es_conf *conf = es->conf;
	char *key = NULL;

	free(es->authorization);
	free(es->password);
	es->authorization = es->password = NULL;
	if (conf->http_api_key_file != NULL)
		key = secret_read(conf->http_api_key_file);
	else if (conf->http_api_key != NULL)
		key = xstrdup(conf->http_api_key);
	if (key != NULL)
		es->authorization = xprintf("Authorization: ApiKey %s", key);
	if (conf->http_passwd_file != NULL)
		es->password = secret_read(conf->http_passwd_file);
	else if (conf->http_passwd != NULL)
		es->password = xstrdup(conf->http_passwd);
	free(key);
}

struct curl_slist *
es_headers(const struct es *es, bool gzip, const char *type)
{
	char *content = xprintf("Content-Type: %s", type);
	struct curl_slist *list = curl_slist_append(NULL, content);

	list = curl_slist_append(list, "Expect:");
	if (gzip)
		list = curl_slist_append(list, "Content-Encoding: gzip");
	if (es->authorization != NULL)
		list = curl_slist_append(list, es->authorization);
	free(content);
	return list;
}

/* ---- one request */

struct es_request *
es_request_new(struct es *es)
{
	struct es_request *r = xcalloc(1, sizeof(*r));

	r->es = es;
	r->x.easy = curl_easy_init();
	buffer_init(&r->gzip, 0);
	return r;
}

void
es_request_free(struct es_request *r)
{
	if (r == NULL)
		return;
	if (r->piece != NULL)
		curl_multi_remove_handle(ship_multi(r->es->sink->shipper), r->x.easy);
	free(r->piece);
	curl_easy_cleanup(r->x.easy);
	curl_slist_free_all(r->headers);
	buffer_fini(&r->gzip);
	free(r);
}

static void
on_done(struct exchange *x, CURLcode code)
{
	es_answered((struct es_request *)x, code);
}

void
es_send(struct es *es, struct es_request *r, int64_t now)
{
	CURL *easy = r->x.easy;
	uint64_t size;

	FAULT("before-send");
	es_easy_setup(es, r->host, easy, r->error);
	curl_slist_free_all(r->headers);
	r->headers = es_headers(es, es->conf->compress, "application/x-ndjson");
	memset(&r->verdicts.of, 0, sizeof(r->verdicts.of));
	r->verdicts.ncauses = 0;
	r->verdicts.next = todo_next(r->piece, 0);
	reply_init(&r->reply, r->piece->n, verdicts_take, r);
	r->reply_bad = false;
	r->reply_bytes = 0;
	r->rewound = false;
	r->started = now;
	r->x.done = on_done;
	if (es->conf->compress) {
		body_gzip(r);
		size = r->gzip.len;
	} else {
		body_begin(&r->body, r->piece);
		size = body_size(r->piece);
	}
	curl_easy_setopt(easy, CURLOPT_PRIVATE, &r->x);
	curl_easy_setopt(easy, CURLOPT_URL, r->host->url);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, r->headers);
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
	curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
	curl_easy_setopt(easy, CURLOPT_READDATA, r);
	curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
	curl_easy_setopt(easy, CURLOPT_SEEKDATA, r);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
	curl_multi_add_handle(ship_multi(es->sink->shipper), easy);
}
