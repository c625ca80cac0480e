/*
 * One bulk request: a piece's items as a body, and its answer through the
 * scanner.  The caller is told when it is done, and judges the answer.  Inside src/ship/ alone.
 */
#ifndef ES_REQUEST_H
#define ES_REQUEST_H

#include "es_http.h"
#include "sink.h"
#include "verdict.h"

struct es_transfer;

struct es_request {
	/* the caller's */
	struct es_request *next;
	struct piece *piece;
	unsigned host;
	bool beyond;                 /* Workers: a probe of its host */
	uint64_t proven[TODO_WORDS]; /* items that are faulty if they are refused in doubt */

	/* the outcome, once it is done */
	int64_t started; /* mono ns */
	CURLcode code;
	long status;
	int64_t retry_after;      /* s; 0: not said */
	bool judged;              /* each item of the piece has a verdict */
	bool rewound;             /* sent more than once: by curl, where a connection broke */
	struct reply_item answer; /* to the request as a whole */
	unsigned failure_store;   /* documents that the server put into its failure store */
	struct verdicts *verdicts;
	const char *error; /* curl's words, if it has any; else "" */

	struct es_transfer *transfer; /* of es_request.c */
};

/* Called when a request is done; it may be used again at once. */
typedef void es_request_done(void *arg, struct es_request *r);

/**
 * es_request_new(sink, conf, http, done, arg), es_request_free(r):
 * One that is under way is given up.
 */
struct es_request *es_request_new(struct sink *sink, const struct es_conf *conf,
    const struct es_http *http, es_request_done *done, void *arg);
void es_request_free(struct es_request *r);

/**
 * es_request_send(r, url, connect_to, now):
 * Send r->piece there; r->piece and its batch stay as they are until it is done.
 */
void es_request_send(
    struct es_request *r, const char *url, struct curl_slist *connect_to, int64_t now);

/**
 * es_request_limit():
 * The most memory that one takes beside curl and a compressed body, in bytes.
 */
uint64_t es_request_limit(void);

#endif
