/* Inside the pipeline: the agents that are polled, from the API server's pods and from the option Agents. */
#ifndef POLLING_H
#define POLLING_H

#include "kube.h"
#include "poller.h"
#include "service.h"

struct polling;

/**
 * polling_check(conf, findings):
 * Add a finding for each value of Agent_Ports, Agents and Agent_Selector that
 * cannot be read.
 */
void polling_check(const struct conf *conf, struct findings *findings);

/**
 * polling_limit(service, sockets):
 * The memory that polling takes, as poller_limit(); 0: agents are not polled.
 */
uint64_t polling_limit(const struct service *service, uint64_t *sockets);

/**
 * polling_new(service, kube), polling_free(p):
 * NULL when agents are not polled.  ${kube} (NULL: the API server is not asked)
 * outlives it.
 */
struct polling *polling_new(const struct service *service, struct kube *kube);
void polling_free(struct polling *p);

/**
 * polling_start(p), polling_stop(p):
 * As poller_start() and poller_stop(); NULL is harmless.
 */
int polling_start(struct polling *p);
void polling_stop(struct polling *p);

/**
 * polling_selects(service, pod, container, members):
 * True when ${container} of an agent's pod is the one to be polled: Agent_Containers
 * names it, or a label among the JSON ${members} of its pod (kube.h) is one of
 * Agent_Selector.
 */
bool polling_selects(
    const struct service *service, const char *pod, const char *container, struct slice members);

#endif
