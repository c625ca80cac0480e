/* Verdicts become acts, item by item.  Inside src/ship/ alone. */
#ifndef ES_APPLY_H
#define ES_APPLY_H

#include "es.h"

/* The verdicts on a request, summed up for its host. */
struct es_applied {
	bool taken;       /* an item was; */
	bool rushed;      /* 429 was one's answer; */
	bool mostly_busy; /* more than a quarter had to be put off */
};

/**
 * es_apply(es, r, p, now):
 * Each item of ${p} has a verdict in ${r}: it is done, dead, held, or goes again.
 * ${p} is done with.
 */
struct es_applied es_apply(struct es *es, struct es_request *r, struct piece *p, int64_t now);

/**
 * es_apply_give_up(es, r, p, now):
 * Retry_Limit allows ${p} no more requests: its items are dead letters, each
 * with the answer to the whole of ${r}.
 */
void es_apply_give_up(struct es *es, struct es_request *r, struct piece *p, int64_t now);

#endif
