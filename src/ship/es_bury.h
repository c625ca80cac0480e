/* Records that become dead letters.  Inside src/ship/ alone. */
#ifndef ES_BURY_H
#define ES_BURY_H

#include "es.h"

/**
 * es_bury(es, v, dead, given_up, now):
 * Write the items of the piece ${dead}, which is freed, to the dead letters, and
 * settle them when they are on disk: faulty documents, or records given up.
 * Those that cannot be written are tried again later.
 */
void es_bury(
    struct es *es, const struct verdicts *v, struct piece *dead, bool given_up, int64_t now);

/**
 * es_bury_reason(c):
 * The reason that metrics have for a cause.
 */
enum reason es_bury_reason(const struct cause *c);

#endif
