/*
 * The health of the contact with the API server: the gauge, the log, the
 * reason that /readyz shows, the time of the next request.  The kube thread's,
 * but for contact_why().
 */
#ifndef CONTACT_H
#define CONTACT_H

#include <pthread.h>

#include "metrics.h"
#include "voice.h"

struct contact {
	bool up;
	unsigned failures; /* in a row */
	unsigned hasty;    /* watches in a row that ended in order, but too soon */
	int64_t due;       /* mono ns of the next request */
	struct said said;
	char said_why[768];
	pthread_mutex_t lock;
	char why[768]; /* under the lock */
};

/**
 * contact_init(c, server), contact_fini(c):
 * ${server} has not answered yet.
 */
void contact_init(struct contact *c, const char *server);
void contact_fini(struct contact *c);

/**
 * contact_well(c):
 * The pods are known and watched.  True when this is news.
 */
bool contact_well(struct contact *c);

/**
 * contact_fail(c, now, error, format, ...), contact_back_off(c, now):
 * Count an error, say it unless it was said lately, and wait before the next
 * request; wait as long as the failures and hasty ends in a row tell.
 */
void contact_fail(struct contact *c, int64_t now, enum kube_error error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void contact_back_off(struct contact *c, int64_t now);

/**
 * contact_why(c, why, size):
 * The failure that lasts, "": none does.  Any thread.
 */
void contact_why(struct contact *c, char *why, size_t size);

#endif
