/* For `parse --explain`. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <stdio.h>

#include "chain.h"

/**
 * explain(f, chain, r, to):
 * Print to ${to} the result of each step for the record ${r}, which ${chain}
 * has just made of ${f}.
 */
void explain(const struct framed *f, const struct chain *chain, const struct record *r, FILE *to);

#endif
