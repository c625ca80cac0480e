/* For `parse --explain`. */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <stdio.h>

#include "chain.h"

/**
 * explain(f, chain, source, r, to):
 * Print to ${to} the result of each step for the record ${r}, which ${chain}
 * has just made of ${f}, a record of ${source}: what stands in its document, and
 * what is counted.
 */
void explain(const struct framed *f, const struct chain *chain, const struct source *source,
    const struct record *r, FILE *to);

#endif
