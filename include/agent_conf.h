/* Reading conf/agent-events.conf: the words that are events, the keys of each field. */
#ifndef AGENT_CONF_H
#define AGENT_CONF_H

#include "agent.h"
#include "conf.h"

struct service;

/**
 * agent_conf_read(path, findings):
 * The built-in words and those of the file ${path} (NULL: the built-in ones
 * alone).  Mistakes in the file become findings, each with its line. Never
 * NULL; the caller frees with agent_words_free().
 */
struct agent_words *agent_conf_read(const char *path, struct findings *findings);

/**
 * agent_conf_load(service, main, findings):
 * The words of the file that ${service} names by Agent_Events, found beside
 * the configuration ${main} or where configurations are installed; without
 * that option, agent-events.conf where there is one.
 */
struct agent_words *agent_conf_load(
    const struct service *service, const char *main, struct findings *findings);

#endif
