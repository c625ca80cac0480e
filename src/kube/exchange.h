/*
 * One GET of the API server at a time, on the kube thread's multi handle.  The
 * feed of pods and the lookups have an exchange each.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include "access.h"
#include "metrics.h"

struct exchange;

/* The functions that read the answers. */
struct exchange_reader {
	void (*head)(void *arg, long status);  /* a line of the head; may be NULL */
	void (*begin)(void *arg, long status); /* before the first bytes of a body; may be NULL */
	bool (*body)(void *arg, struct slice piece); /* false: the rest is not read */
	void *arg;
};

struct exchange *exchange_new(
    struct access *access, CURLM *multi, const struct exchange_reader *reader);
void exchange_free(struct exchange *x);

/**
 * exchange_send(x, path, header, seconds):
 * Send a GET of ${path}, with one more ${header} (NULL: none); the answer must
 * end within ${seconds}.  False: there is no token, access_why() is the
 * reason.
 */
bool exchange_send(struct exchange *x, const char *path, const char *header, long seconds);

/**
 * exchange_is_open(x), exchange_status(x), exchange_drop(x):
 * True from exchange_send() until the answer has ended; the answer's HTTP
 * status, 0: none came; give up the answer.
 */
bool exchange_is_open(const struct exchange *x);
long exchange_status(const struct exchange *x);
void exchange_drop(struct exchange *x);

/**
 * exchange_ended(x, easy, code):
 * The request of ${easy} has ended with ${code}.  False: ${easy} is not this
 * exchange's.  After a status 401 the token is read again.
 */
bool exchange_ended(struct exchange *x, CURL *easy, CURLcode code);

/**
 * exchange_error(x), exchange_overlong(x), exchange_after(x):
 * The error that ended the answer, "" when none did; true when the head was
 * too long; the wait (ns) that the server asks for by Retry-After, 0: none.
 */
const char *exchange_error(const struct exchange *x);
bool exchange_overlong(const struct exchange *x);
int64_t exchange_after(const struct exchange *x);

/**
 * exchange_fault(status):
 * The kind of error that a status other than 200 is counted as.
 */
enum kube_error exchange_fault(long status);

#endif
