/* What runs: the first line of towline's log. */
#ifndef BANNER_H
#define BANNER_H

#include "conf.h"

/**
 * banner_say(conf):
 * Say the version, the inputs with the number of files that their paths lead to now, the
 * outputs, and the proxies that the environment names, where an output or the requests to
 * the API server go by them.
 */
void banner_say(const struct conf *conf);

#endif
