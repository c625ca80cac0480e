/*
 * The hold: records that the server refuses as things are, out of their
 * batches, so that these can go on.  A batch of its own of bounded size, sent
 * by the same means; items of one index wait together, and one of them asks
 * for all.  Inside src/ship/ alone.
 */
#ifndef ES_HOLD_H
#define ES_HOLD_H

#include "es_conf.h"
#include "es_group.h"
#include "reply.h"
#include "send_queue.h"
#include "sink.h"

struct es_hold;

/* A record in it. */
struct held {
	struct group *group;
	bool gone; /* its place is free */
	enum form form;
	enum verdict why;
	unsigned attempt;
	int64_t due;
	int64_t since;  /* mono ns: when it was refused in doubt first, if that is why */
	uint32_t tried; /* hosts that have refused it since all had their turn; bits */
};

/**
 * es_hold_new(sink, conf), es_hold_free(h):
 * Memory is taken when the first record comes.
 */
struct es_hold *es_hold_new(struct sink *sink, const struct es_conf *conf);
void es_hold_free(struct es_hold *h);

/**
 * es_hold_has(h, b):
 * True when ${b} is the hold's batch.
 */
bool es_hold_has(const struct es_hold *h, const struct batch *b);

/**
 * es_hold_put(h, b, i, how), es_hold_remove(h, i):
 * Copy item ${i} of ${b} into the hold, and settle the copy instead of the item
 * from now on; false when there is no room.  Item ${i} of the hold is settled and
 * leaves it; after the last one parked streams go on.
 */
bool es_hold_put(struct es_hold *h, const struct batch *b, uint32_t i, const struct held *how);
void es_hold_remove(struct es_hold *h, uint32_t i);

/**
 * es_hold_park(h, item, why):
 * There is no room for ${item}: its stream is parked.
 */
void es_hold_park(struct es_hold *h, const struct item *item, const char *why);

/**
 * es_hold_at(h, i), es_hold_group(h, i), es_hold_count(h):
 * The record ${i}, and its index; how many there are.
 */
struct held *es_hold_at(struct es_hold *h, uint32_t i);
struct group *es_hold_group(const struct es_hold *h, uint32_t i);
unsigned es_hold_count(const struct es_hold *h);

/**
 * es_hold_take(h, now, next):
 * A piece of records that are due, one piece at a time; NULL: none is due, and
 * ${*next} is lowered to the time when one may be.
 */
struct piece *es_hold_take(struct es_hold *h, int64_t now, int64_t *next);

/**
 * es_hold_put_off(h, q, before, due):
 * Where there is a Retry_Limit, each record that was due before ${before}, and is in no piece of ${q}, has one
 * attempt more, and is due at ${due}.  Return a piece of those that it allows no more;
 * NULL: there are none.
 */
struct piece *es_hold_put_off(
    struct es_hold *h, const struct send_queue *q, int64_t before, int64_t due);

/**
 * es_hold_more(h), es_hold_done(h, p):
 * One piece more is of the hold; ${p} is done with: it is freed.  While there
 * are any, no record changes its place.
 */
void es_hold_more(struct es_hold *h);
void es_hold_done(struct es_hold *h, struct piece *p);

/**
 * es_hold_due(h, g, attempts, due):
 * Records of ${g} that were refused at most ${attempts} times, or in doubt, are
 * tried at ${due}.
 */
void es_hold_due(struct es_hold *h, const struct group *g, unsigned attempts, int64_t due);

/**
 * es_hold_wait(h, g, due):
 * The index has refused its held records once more: all wait until ${due}, but
 * those that have lost log_parsed already, or can be judged now.
 */
void es_hold_wait(struct es_hold *h, const struct group *g, int64_t due);

/**
 * es_hold_report(h):
 * Add all held records to the sink's report.
 */
void es_hold_report(const struct es_hold *h);

/**
 * es_hold_limit(conf):
 * The most memory that a hold takes, in bytes.
 */
uint64_t es_hold_limit(const struct es_conf *conf);

#endif
