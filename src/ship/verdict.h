/* The verdicts on the items of one request. */
#ifndef VERDICT_H
#define VERDICT_H

#include "reply.h"
#include "send_queue.h"

/* Why items were not taken: kept once for all that share it. */
struct cause {
	enum verdict verdict;
	struct reply_item answer;
};

#define CAUSES 32

enum { OF_NONE, OF_DONE, OF_CONFLICT, OF_CAUSE };

struct verdicts {
	uint8_t of[BATCH_ITEMS]; /* by item: OF_NONE: not answered; OF_CAUSE + cause */
	struct cause causes[CAUSES];
	unsigned ncauses;
};

/**
 * verdict_begin(v), verdict_take(v, i, answer), verdict_all(v, p, verdict, answer):
 * No item is answered; item ${i} of the batch is; all of the piece ${p} are, in
 * the same way.
 */
void verdict_begin(struct verdicts *v);
void verdict_take(struct verdicts *v, uint32_t i, const struct reply_item *answer);
void verdict_all(struct verdicts *v, const struct piece *p, enum verdict verdict,
    const struct reply_item *answer);

/**
 * verdict_busy(v, p, rushed):
 * How many items of ${p} the server has too much to do for; of these, ${*rushed}
 * were answered 429.
 */
unsigned verdict_busy(const struct verdicts *v, const struct piece *p, unsigned *rushed);

/* Why item ${i} was not taken; NULL: it was. */
static inline const struct cause *
verdict_cause(const struct verdicts *v, uint32_t i)
{
	return v->of[i] >= OF_CAUSE ? &v->causes[v->of[i] - OF_CAUSE] : NULL;
}

#endif
