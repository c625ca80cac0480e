/* HTTP for operators and Prometheus: metrics, health, Fluent Bit's probes.  GET and HEAD only. */
#ifndef SERVE_H
#define SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf.h"
#include "web_conf.h"

/* The questions of serve to the rest of the process. */
struct serve_world {
	bool (*ready)(void *arg, char *why, size_t size);
	bool (*alive)(void *arg, char *why, size_t size); /* the reader turns */
	/* The number of the agents' counts that are shown; 0: they are not on disk yet. */
	uint64_t (*shown)(void *arg);
	void *arg;
	const struct conf *conf; /* whose plugins are named; NULL: none */
};

struct serve;

/**
 * serve_start(address, port, web, world):
 * Listen.  Port 0 takes a free one; the address is said as http://HOST:PORT, or https.
 * ${web} (NULL: plain HTTP for everybody) is freed in the end, whatever the answer.
 * Return NULL after saying why (a port in use: which, and what to do).
 */
struct serve *serve_start(
    const char *address, unsigned port, struct web_conf *web, const struct serve_world *world);
void serve_stop(struct serve *s);
unsigned serve_port(const struct serve *s);

#endif
