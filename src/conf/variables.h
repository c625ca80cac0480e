/* ${VAR} and ${VAR:-default}, from @SET, else from the environment; HOSTNAME is the machine's name then. */
#ifndef VARIABLES_H
#define VARIABLES_H

#include "slice.h"

struct variables;

struct variables *variables_new(void);
void variables_free(struct variables *v);

/**
 * variables_set(v, name, value):
 * @SET.  Return false when ${name} is not of letters, digits, `_`, `.`, `-`.
 * ${value} belongs to the caller and outlives ${v}.
 */
bool variables_set(struct variables *v, struct slice name, char *value);

/**
 * variables_expand(v, text, why, size):
 * Return ${text} with every variable replaced (values are not expanded again),
 * to be freed; or NULL with the reason in ${why}.
 */
char *variables_expand(const struct variables *v, struct slice text, char *why, size_t size);

#endif
