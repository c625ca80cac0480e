/* Outputs that are named by their places, over starts.  Inside src/ship/ alone. */
#ifndef PLACES_H
#define PLACES_H

#include "ship.h"

/**
 * places_settle(state, of, names, n):
 * ${names}, allocated, are those of ${n} outputs, at most SHIP_LANES, by which the state
 * knows their cursors.  An output without an Alias that was at another place at the last
 * start gets the name of that, which is said.  Before any thread runs.
 */
void places_settle(struct state *state, const struct section *const *of, char **names, size_t n);

#endif
