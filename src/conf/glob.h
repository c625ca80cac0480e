/* Patterns of paths and tags, compared with each other without a file at hand. */
#ifndef CONF_GLOB_H
#define CONF_GLOB_H

#include <stdbool.h>

/**
 * glob_meet(a, b, separator):
 * Is there a text that both patterns match?  `*` is any text without
 * ${separator} (0: any text), `?` one character, [ ] one of some.  What is too
 * long to be compared (4096 bytes) meets.
 */
bool glob_meet(const char *a, const char *b, char separator);

/**
 * glob_covers(wide, narrow):
 * Does ${wide}, whose `*` is any text, match all that ${narrow} matches?  True
 * only when that is certain.
 */
bool glob_covers(const char *wide, const char *narrow);

#endif
