/* Outcomes of requests as a whole.  Inside src/ship/ alone. */
#ifndef ES_ANSWER_H
#define ES_ANSWER_H

#include "es.h"

/**
 * es_answer(es, r):
 * ${r} is done: its items are judged, or it goes again, or in halves.  es_request_done.
 */
void es_answer(void *es, struct es_request *r);

#endif
