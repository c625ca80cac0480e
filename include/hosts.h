/* The option Host of the es and opensearch outputs: one host, or several. */
#ifndef HOSTS_H
#define HOSTS_H

#include <stddef.h>

#define HOSTS_MAX 16
#define HOST_NAME 256

struct host {
	char name[HOST_NAME]; /* an IPv6 address stands in brackets */
	unsigned port;
};

/**
 * hosts_parse(text, port, to, why, size):
 * Read a list of hosts, separated by commas or blanks, each with a port of its
 * own or with ${port}.  Return how many, or -1 with the reason in ${why}, which
 * repeats nothing that may be a secret.
 */
int hosts_parse(const char *text, unsigned port, struct host to[HOSTS_MAX], char *why, size_t size);

#endif
