/* http_proxy and its kin in the environment, by which libcurl goes (curl(1), ENVIRONMENT). */
#ifndef PROXY_H
#define PROXY_H

#include <stddef.h>

/**
 * proxy_names(to, size):
 * Write the variables that are set, as `http_proxy=HOST:PORT, no_proxy=NAMES`, without scheme, user and
 * password, to ${to}.  Return ${to}; NULL: no proxy is named.
 *
 * proxy_note(error, size):
 * Append them to the message of a connection that failed.
 */
const char *proxy_names(char *to, size_t size);
void proxy_note(char *error, size_t size);

#endif
