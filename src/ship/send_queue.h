/*
 * The pieces that an es output sends: some items of one batch each, in one form,
 * as one request.  A batch is returned when its last piece is done.
 *
 *	new ─> put ─> take ─> fly ─> land ─┬─> put, again
 *	                                   └─> done
 */
#ifndef SEND_QUEUE_H
#define SEND_QUEUE_H

#include "batch.h"

/* The part of its documents that a piece sends. */
enum form {
	FORM_FULL,
	FORM_LEAN,     /* without log_parsed.extra, marked */
	FORM_STRIPPED, /* without log_parsed, marked */
	FORM_CORE,     /* @timestamp, time, stream, logtag, log alone */
};

#define TODO_WORDS (BATCH_ITEMS / 64)

struct piece {
	struct piece *next;
	struct batch *batch; /* the hold's, perhaps */
	uint64_t todo[TODO_WORDS];
	uint32_t n; /* bits set in todo */
	enum form form;
	unsigned attempt; /* failures in a row, each at all hosts that were well */
	int64_t due;      /* mono ns */
	int64_t since;    /* mono ns: when each of its documents was refused in doubt; 0: never */
	int64_t refused;  /* … when the whole request was that it was split from; 0: never */
	uint32_t tried;   /* hosts at which it failed since the last attempt; bits */
	bool probe;       /* cores, to learn whether their indices take any document */
};

static inline bool
todo_has(const struct piece *p, uint32_t i)
{
	return p->todo[i / 64] >> (i % 64) & 1;
}

static inline void
todo_add(struct piece *p, uint32_t i)
{
	p->n += !todo_has(p, i);
	p->todo[i / 64] |= UINT64_C(1) << (i % 64);
}

static inline void
todo_remove(struct piece *p, uint32_t i)
{
	p->n -= todo_has(p, i);
	p->todo[i / 64] &= ~(UINT64_C(1) << (i % 64));
}

/* The first item of the piece from ${i} on, or the batch's nitems. */
static inline uint32_t
todo_next(const struct piece *p, uint32_t i)
{
	uint32_t n = p->batch->nitems;

	while (i < n) {
		uint64_t word = p->todo[i / 64] >> (i % 64);

		if (word != 0) {
			i += (uint32_t)__builtin_ctzll(word);
			return i < n ? i : n;
		}
		i = (i / 64 + 1) * 64;
	}
	return n;
}

/* For each item of the piece. */
#define TODO_EACH(p, i)                                                                            \
	for (uint32_t i = todo_next(p, 0); i < (p)->batch->nitems; i = todo_next(p, i + 1))

struct send_queue {
	struct piece *waiting; /* in the order of sending */
	struct piece *flying;  /* in requests */
};

/**
 * send_queue_piece(b, form):
 * A piece of ${b} without items; in no list yet.
 */
struct piece *send_queue_piece(struct batch *b, enum form form);

/**
 * send_queue_put(q, p, first), send_queue_take(q, now, next):
 * ${p} waits from now on, before all others or behind them.  The next one that
 * is due, which waits no more; NULL: none is, and ${*next} is when one may be.
 */
void send_queue_put(struct send_queue *q, struct piece *p, bool first);
struct piece *send_queue_take(struct send_queue *q, int64_t now, int64_t *next);

/**
 * send_queue_put_off(q, before, due), send_queue_leave(q, p):
 * The next waiting piece that was due before ${before}; it stays in its place, and
 * is due at ${due}.  NULL: none was.  ${p} waits no more.
 */
struct piece *send_queue_put_off(struct send_queue *q, int64_t before, int64_t due);
void send_queue_leave(struct send_queue *q, struct piece *p);

/**
 * send_queue_fly(q, p), send_queue_land(q, p):
 * A request is under way with ${p}; it has ended.
 */
void send_queue_fly(struct send_queue *q, struct piece *p);
void send_queue_land(struct send_queue *q, struct piece *p);

/**
 * send_queue_done(q, p):
 * Free ${p}, which is in no list.  Return true when it was the last of its batch.
 */
bool send_queue_done(struct send_queue *q, struct piece *p);

/**
 * send_queue_has(q, b, i):
 * True when a piece that waits or is under way has item ${i} of ${b}.
 */
bool send_queue_has(const struct send_queue *q, const struct batch *b, uint32_t i);

/**
 * send_queue_clear(q):
 * Free all pieces.
 */
void send_queue_clear(struct send_queue *q);

#endif
