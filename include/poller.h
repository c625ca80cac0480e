/*
 * The agents' own endpoints, polled for gauges that their logs do not tell: a
 * thread of its own asks each agent in turns, and puts its answers into
 * agent_polled.h.  (Called poller, as a header poll.h would hide poll(2)'s.)
 *
 * Agents are untrusted: no redirect is followed, no proxy asked, an answer is
 * bounded in bytes and in time, and of its lines only known ones are kept.
 */
#ifndef POLLER_H
#define POLLER_H

#include <stdbool.h>
#include <stdint.h>

#include "slice.h"

/* An endpoint of an agent: in the order in which they are asked. */
struct poller_endpoint {
	unsigned port;
	const char *path; /* with its slash */
};

struct poller_options {
	const struct poller_endpoint *endpoints; /* copied, not their paths */
	size_t nendpoints;
	int64_t interval; /* ns between two polls of one agent */
	int64_t timeout;  /* ns for all requests of one poll */
	unsigned silent;  /* failed polls in a row, after which an agent does not run */
	uint64_t limit;   /* bytes of an answer */
	size_t most;      /* agents; further ones are not polled */
};

/* An agent to be polled; texts live until the call returns. */
struct poller_agent {
	const char *namespace_name, *pod, *container;
	const char *id;   /* its pod's uid: another one is another agent */
	const char *host; /* address or name */
	unsigned port;    /* in the place of the endpoints' ports; 0: theirs */
};

/* Takes one agent. */
typedef void poller_found(void *to, const struct poller_agent *agent);

/* The agents that are there now, in any order; called by the poll thread, once a second. */
struct poller_source {
	void (*each)(void *arg, poller_found *found, void *to);
	void *arg;
};

struct poller;

/**
 * poller_new(options, source), poller_free(p):
 * Make it ready; never NULL.  NULL is harmless.
 */
struct poller *poller_new(const struct poller_options *options, const struct poller_source *source);
void poller_free(struct poller *p);

/**
 * poller_start(p), poller_stop(p):
 * Start the thread, -1 after saying why it does not start; end it, without
 * waiting for an answer.  NULL is harmless to the second.
 */
int poller_start(struct poller *p);
void poller_stop(struct poller *p);

/**
 * poller_endpoint_read(text, out), poller_address_read(text, out):
 * Read an option's value: PORT/PATH; [NAMESPACE/POD/CONTAINER=]HOST[:PORT]
 * (an IPv6 address with a port is [ADDRESS]:PORT).  ${out} has slices of
 * ${text}; false: it is none.
 */
struct poller_address {
	struct slice namespace_name, pod, container; /* empty: not given */
	struct slice host;
	unsigned port; /* 0: not given */
};
bool poller_endpoint_read(const char *text, struct poller_endpoint *out);
bool poller_address_read(const char *text, struct poller_address *out);

/**
 * poller_address_is_pods(text):
 * True when ${text} is an IP address, and one that a pod can have: of no link
 * (169.254.169.254 has a cloud's credentials), not of many, nor of any host.
 */
bool poller_address_is_pods(const char *text);

/**
 * poller_limit(options):
 * The most memory that polling takes, bytes; *${sockets}: with the kernel's
 * buffers.
 */
uint64_t poller_limit(const struct poller_options *options, uint64_t *sockets);

#endif
