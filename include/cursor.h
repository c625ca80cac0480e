/*
 * Order of delivery: the cursor of a reader on one side of a log moves over
 * records in the order of their positions, whatever order the server answers in.
 *
 * A range is the records of one batch that are of one side of one log.  Ranges
 * hang on their cursor in that order; when the first of them has no item left to
 * settle, the cursor moves to its end, and so on.
 *
 * The reader opens and seals ranges, the shipper settles them; either takes the
 * book's lock for a run of records of one range, not for each record.
 */
#ifndef CURSOR_H
#define CURSOR_H

#include <stdint.h>

#include "state.h"

struct range;
struct range_book;

/* The cursor of one reader on one side of one log; embedded in the reader. */
struct cursor {
	const struct identity *log;
	enum side side;
	unsigned reader;            /* state_reader() */
	struct range *first, *last; /* in flight, in their order */
	uint64_t shipped;           /* under the book's lock; cursor_shipped() reads it */
	struct range *open;         /* of the batch being filled: the reader's alone */
	uint64_t open_batch;        /* the number of that batch */
	bool parked;                /* under the lock: an item was dropped from memory */
	uint64_t parked_at;         /* … when parked logs had been let go so often */
};

/**
 * range_book_new(state, max), range_book_free(book):
 * A fixed pool of ${max} ranges; cursors that move are passed on to ${state}.
 */
struct range_book *range_book_new(struct state *state, unsigned max);
void range_book_free(struct range_book *book);

void cursor_init(struct cursor *c, const struct identity *log, enum side side, unsigned reader,
    uint64_t shipped);

/**
 * range_open(book, c, batch):
 * Return the range of ${c} for the batch numbered ${batch} (never 0), opening
 * one when there is none, or NULL when the pool is empty: the caller seals its
 * batch and waits.
 */
struct range *range_open(struct range_book *book, struct cursor *c, uint64_t batch);

/**
 * range_add(r, items, end):
 * The batch being filled holds ${items} more records of ${r} (0: the record was
 * filtered out), and the cursor may go on to ${end}.  No lock: the shipper does not know the
 * batch yet.
 */
void range_add(struct range *r, uint32_t items, uint64_t end);

/**
 * range_more(r, items):
 * The same for ${items} of a record that further ranges hold documents of: the cursor may
 * not go beyond the record, before the last of them.
 */
void range_more(struct range *r, uint32_t items);

/**
 * range_repeat(r, times):
 * Each item of ${r} is settled ${times} times, once by each output that takes
 * it.  Before the range is sealed; no lock, as for range_add.
 */
void range_repeat(struct range *r, uint32_t times);

/**
 * range_seal(book, r):
 * The batch is complete; nothing is added any more.
 */
void range_seal(struct range_book *book, struct range *r);

/**
 * range_log(r, id):
 * The log that ${r} is of; false when it was forgotten by a rewind.
 */
bool range_log(const struct range *r, struct identity *id);

/**
 * range_settle(book, r, items):
 * ${items} of ${r} are done for one output: taken, dead-lettered or given up.
 * Moves cursors and tells the state; frees the range when nothing is left of it.
 */
void range_settle(struct range_book *book, struct range *r, uint32_t items);

/**
 * cursor_shipped(book, c), cursor_idle(book, c):
 * The position that ${c} has reached; true when no record of it is in flight.
 */
uint64_t cursor_shipped(struct range_book *book, struct cursor *c);
bool cursor_idle(struct range_book *book, struct cursor *c);

/**
 * cursor_follow(book, c, offset):
 * No record of this side is open below ${offset}: with none in flight either,
 * the cursor moves there (true), so that a silent side holds nothing back.
 */
bool cursor_follow(struct range_book *book, struct cursor *c, uint64_t offset);

/**
 * cursor_park(book, r), cursor_unpark_all(book):
 * One output has dropped an item of ${r} from memory (it counts as settled
 * for the range's memory, but the cursor never passes it): the log is parked.
 * Later that output lets all parked logs go on.
 *
 * cursor_parked(book, c), cursor_must_rewind(book, c), cursor_rewind(book, c):
 * The reader passes over parked logs; once a cursor must rewind, its ranges in
 * flight are forgotten (records of them that the server has taken are answered
 * 409 when they are sent again), and reading goes on from cursor_shipped().
 *
 * range_book_unparks(book):
 * The number of times that parked logs were let go on; when it has changed,
 * cursor_must_rewind() is asked for each cursor.
 */
void cursor_park(struct range_book *book, struct range *r);
void cursor_unpark_all(struct range_book *book);
uint64_t range_book_unparks(struct range_book *book);
bool cursor_parked(struct range_book *book, struct cursor *c);
bool cursor_must_rewind(struct range_book *book, struct cursor *c);
void cursor_rewind(struct range_book *book, struct cursor *c);

#endif
