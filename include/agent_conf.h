/* Reading conf/agent-events.conf: which words are events, which keys are which field. */
#ifndef AGENT_CONF_H
#define AGENT_CONF_H

#include "agent.h"
#include "conf.h"

/**
 * agent_conf_read(path, findings):
 * The built-in words and those of the file ${path} (NULL: the built-in ones
 * alone).  What is wrong in the file becomes findings, each with its line.
 * Never NULL; the caller frees with agent_words_free().
 */
struct agent_words *agent_conf_read(const char *path, struct findings *findings);

#endif
