/* Outcomes of requests as a whole.  Inside src/ship/ alone. */
#ifndef ES_ANSWER_H
#define ES_ANSWER_H

#include "es.h"

/**
 * es_answer(es, r):
 * ${r} is done: its items are judged, or it goes again, or in halves.  es_request_done.
 */
void es_answer(void *es, struct es_request *r);

/**
 * es_answer_waiting(es, r, due, now):
 * The server takes no request, as ${r} has shown: to each piece, and each held record,
 * that was due when ${r} was started, and could not be sent beside it, this was an attempt
 * of its own.
 * The next one is ${due}, or Retry_Limit gives it up with the answer to ${r}.
 */
void es_answer_waiting(struct es *es, struct es_request *r, int64_t due, int64_t now);

#endif
