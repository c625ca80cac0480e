/* Every plugin that this program has; the one place where they are listed. */
#ifndef PLUGINS_H
#define PLUGINS_H

#include "conf.h"

extern const struct registry plugins_registry;

#endif
