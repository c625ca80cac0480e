/* The common part of an es output's requests: TLS, credentials, header lines. */
#ifndef ES_HTTP_H
#define ES_HTTP_H

#include <curl/curl.h>

#include "es_conf.h"

struct es_http;

/**
 * es_http_new(conf), es_http_free(h):
 * The credentials are read.
 */
struct es_http *es_http_new(const struct es_conf *conf);
void es_http_free(struct es_http *h);

/**
 * es_http_credentials(h):
 * The server has refused them: those that stand in files are read again.
 */
void es_http_credentials(struct es_http *h);

/**
 * es_http_setup(h, connect_to, easy, error):
 * Make ${easy} anew for a request; curl's words go to ${error} (CURL_ERROR_SIZE).
 */
void es_http_setup(const struct es_http *h, struct curl_slist *connect_to, CURL *easy, char *error);

/**
 * es_http_note(h, error, size):
 * A connection failed: name the proxies that were asked, as proxy_note() does.
 */
void es_http_note(const struct es_http *h, char *error, size_t size);

/**
 * es_http_headers(h, gzip, type):
 * The header lines of a request of this content type; the caller frees them.
 */
struct curl_slist *es_http_headers(const struct es_http *h, bool gzip, const char *type);

#endif
