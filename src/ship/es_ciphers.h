/* tls.ciphers, tried without a server.  Inside src/ship/ alone. */
#ifndef ES_CIPHERS_H
#define ES_CIPHERS_H

#include <stdbool.h>

/**
 * es_ciphers_right(list):
 * False when TLS, as libcurl has it, would take none of ${list}, so that no connection
 * could ever begin.
 */
bool es_ciphers_right(const char *list);

#endif
