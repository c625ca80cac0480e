/* The connections of serve: which one makes room for another, and which ones wait. */
#ifndef GUESTS_H
#define GUESTS_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#define GUESTS_MOST 64 /* at once; the last few are on their way out */

struct guests;

struct guests *guests_new(void);
void guests_free(struct guests *g);

/**
 * guests_notify(g, c, context, code):
 * A connection begins or ends.  When places run out, one is closed: the oldest of the address
 * that has the most.
 */
void guests_notify(
    void *g, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode code);

/**
 * guests_keys(context):
 * Where a connection of guests_notify's ${context} keeps its keys of TLS; NULL: it has no place.
 */
struct tls_keys;
struct tls_keys **guests_keys(void *context);

/**
 * guests_wait(c, most, now):
 * Have the request of ${c} come again later, and return true; false: it has waited for ${most}
 * (ns), and is to be answered now.
 *
 * guests_waited(c):
 * What the request of ${c} has waited for is over: another wait of it, or of the next
 * request, begins anew.
 *
 * guests_wake(g, all, now):
 * Have requests come again: ${all}, or those whose time is over.  More
 * than 0 is returned when the daemon is to be run again soon.
 */
bool guests_wait(struct MHD_Connection *c, int64_t most, int64_t now);
void guests_waited(struct MHD_Connection *c);
unsigned guests_wake(struct guests *g, bool all, int64_t now);

#endif
