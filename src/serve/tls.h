/* TLS of towline's own HTTP, by GnuTLS, which libmicrohttpd has inside. */
#ifndef TLS_H
#define TLS_H

#include <gnutls/gnutls.h>
#include <stdbool.h>

#include "web_conf.h"

struct tls;
struct tls_keys;

/**
 * tls_new(web, findings):
 * Load the files of ${web}, which outlives the result.  NULL: it asks for no TLS, or a
 * file is wrong, as ${findings} says.  tls_free frees it when no connection has its keys;
 * NULL is harmless.
 */
struct tls *tls_new(const struct web_conf *web, struct findings *findings);
void tls_free(struct tls *t);

/* The versions and the order of ciphers, as GnuTLS has it. */
const char *tls_priorities(const struct tls *t);

/**
 * tls_begin(t, session), tls_end(keys):
 * Give the ${session} that begins the keys as the files have them now, or, while those
 * are wrong, as they had them last.  tls_end is told when it has ended.
 */
struct tls_keys *tls_begin(struct tls *t, gnutls_session_t session);
void tls_end(struct tls_keys *keys);

/**
 * tls_admits(t, session):
 * False: clients need a certificate, and this one has none.
 */
bool tls_admits(const struct tls *t, gnutls_session_t session);

#endif
