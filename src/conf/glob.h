/* Patterns of paths and tags, compared with each other without a file at hand. */
#ifndef CONF_GLOB_H
#define CONF_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/**
 * glob_meet(a, b, separator):
 * True when a text exists that both patterns match.  `*` is any text without
 * ${separator} (0: any text), `?` one character, [ ] one of a set.  Patterns
 * of more than 4096 bytes are not compared: they count as meeting.
 */
bool glob_meet(const char *a, const char *b, char separator);

/**
 * glob_head(pattern):
 * The length of the text that each path of ${pattern} begins with.  Patterns meet only where
 * the head of one begins with that of the other.
 */
size_t glob_head(const char *pattern);

#endif
