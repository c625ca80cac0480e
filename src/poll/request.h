/* One GET of an agent's endpoint, on the poll thread's multi handle; its handle and its page are used again. */
#ifndef REQUEST_H
#define REQUEST_H

#include <curl/curl.h>

#include "metrics.h"
#include "page.h"

struct request {
	CURLM *multi;
	CURL *easy;
	struct curl_slist *headers;
	char error[CURL_ERROR_SIZE];
	struct page page;
	uint64_t heads; /* bytes of the head */
	int fd;         /* the socket opened last; -1: it is closed */
	bool open, large, packed;
};

/**
 * request_init(r, multi, limit), request_fini(r):
 * For answers of at most ${limit} bytes.
 */
void request_init(struct request *r, CURLM *multi, size_t limit);
void request_fini(struct request *r);

/**
 * request_send(r, url, time), request_drop(r):
 * Send it: the answer must have ended within ${time} ns; give it up.
 */
void request_send(struct request *r, const char *url, int64_t time);
void request_drop(struct request *r);

/**
 * request_ended(r, code, why, text, size):
 * It has ended with ${code}.  True: r->page.said is an agent's answer.  False:
 * *${why} is the reason, ${text} the same for a reader.
 */
bool request_ended(
    struct request *r, CURLcode code, enum poll_failure *why, char *text, size_t size);

#endif
