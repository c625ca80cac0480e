/* Fluent Bit's /api/v1/plugins, of the configuration alone. */
#ifndef PLUGINS_JSON_H
#define PLUGINS_JSON_H

#include "conf.h"
#include "memory.h"

/**
 * plugins_json(conf, to):
 * Append the names of the plugins that ${conf} (NULL: none) has, by their kind, each once.
 */
void plugins_json(const struct conf *conf, struct buffer *to);

#endif
