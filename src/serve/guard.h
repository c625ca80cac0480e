/* Who may ask: a web configuration at work, over connections and requests. */
#ifndef GUARD_H
#define GUARD_H

#include <microhttpd.h>
#include <stdbool.h>

#include "web_conf.h"

struct guard;
struct tls_keys;

/**
 * guard_new(web), guard_free(g):
 * ${web} outlives it.  NULL: it does not work, as a message says.
 */
struct guard *guard_new(const struct web_conf *web);
void guard_free(struct guard *g);

/* True when connections are to have TLS: the daemon gets MHD_USE_TLS and these options. */
#define GUARD_OPTIONS 3
bool guard_options(const struct guard *g, struct MHD_OptionItem to[GUARD_OPTIONS]);

/**
 * guard_begin(g, c):
 * A connection begins.  Return the keys that it has until tls_end (tls.h); NULL: none.
 */
struct tls_keys *guard_begin(struct guard *g, struct MHD_Connection *c);

/**
 * guard_ask(g, c):
 * May ${c} ask for more than probes?  Return 200; 403: it has no certificate; 401: no
 * user's name and password; 0: that is being found out, ask again.
 */
unsigned guard_ask(struct guard *g, struct MHD_Connection *c);

/* The headers of each answer, and those of a 401. */
void guard_headers(const struct guard *g, struct MHD_Response *response, unsigned status);

/* True when a request that waited for guard_ask has its answer. */
bool guard_has_news(struct guard *g);

#endif
