/*
 * The order of delivery: ranges in flight hang on their cursor in the order of
 * their positions; the cursor moves over those at the front that are done.
 */
#include "cursor.h"

#include <assert.h>
#include <stdlib.h>

#include "fault.h"
#include "locked.h"
#include "memory.h"

struct range {
	struct range *next; /* on the cursor, or in the pool */
	struct range_book *book;
	struct cursor *cursor; /* NULL: forgotten by a rewind */
	uint64_t end;
	uint32_t pending; /* items × outputs not settled; written under the lock once sealed */
	bool sealed;
	bool dropped; /* an item was dropped from memory: never done */
};

struct range_book {
	pthread_mutex_t lock;
	struct state *state;
	struct range *pool, *free;
	uint64_t unparks;
};

struct range_book *
range_book_new(struct state *state, unsigned max)
{
	struct range_book *book = xcalloc(1, sizeof(*book));

	pthread_mutex_init(&book->lock, NULL);
	book->state = state;
	book->pool = xcalloc(max, sizeof(*book->pool));
	for (unsigned i = 0; i < max; i++) {
		book->pool[i].next = book->free;
		book->free = &book->pool[i];
	}
	return book;
}

void
range_book_free(struct range_book *book)
{
	if (book == NULL)
		return;
	pthread_mutex_destroy(&book->lock);
	free(book->pool);
	free(book);
}

void
cursor_init(
    struct cursor *c, const struct identity *log, enum side side, unsigned reader, uint64_t shipped)
{
	*c = (struct cursor){ .log = log, .side = side, .reader = reader, .shipped = shipped };
}

/* ---- under the lock */

static void
range_drop(struct range *r)
{
	r->next = r->book->free;
	r->book->free = r;
}

static bool
range_done(const struct range *r)
{
	return r->sealed && r->pending == 0 && !r->dropped;
}

/* The cursor has moved to `to`. */
static void
cursor_set(struct range_book *book, struct cursor *c, uint64_t to)
{
	c->shipped = to;
	state_shipped(book->state, c->log, c->side, c->reader, to);
}

/* Move over the ranges at the front that are done. */
static void
cursor_advance(struct cursor *c)
{
	while (c->first != NULL && range_done(c->first)) {
		struct range *r = c->first;

		c->first = r->next;
		if (c->first == NULL)
			c->last = NULL;
		if (r->end > c->shipped)
			cursor_set(r->book, c, r->end);
		range_drop(r);
	}
}

/* `items` of `r` need no more room; the last one of a forgotten range frees it. */
static void
range_release(struct range *r, uint32_t items)
{
	assert(r->sealed && r->pending >= items);
	r->pending -= items;
	if (r->cursor != NULL)
		cursor_advance(r->cursor);
	else if (r->pending == 0)
		range_drop(r);
}

/* ---- the reader's */

struct range *
range_open(struct range_book *book, struct cursor *c, uint64_t batch)
{
	struct range *r;

	if (c->open_batch == batch)
		return c->open;
	LOCKED(book);
	r = c->open = book->free;
	if (r != NULL) {
		c->open_batch = batch;
		book->free = r->next;
		*r = (struct range){ .book = book, .cursor = c };
		if (c->last != NULL)
			c->last->next = r;
		else
			c->first = r;
		c->last = r;
	}
	return r;
}

void
range_add(struct range *r, uint32_t items, uint64_t end)
{
	assert(!r->sealed && end >= r->end);
	r->pending += items;
	r->end = end;
}

void
range_more(struct range *r, uint32_t items)
{
	assert(!r->sealed);
	r->pending += items;
}

void
range_repeat(struct range *r, uint32_t times)
{
	assert(!r->sealed);
	r->pending *= times;
}

void
range_seal(struct range_book *book, struct range *r)
{
	LOCKED(book);
	r->sealed = true;
	range_release(r, 0);
}

uint64_t
cursor_shipped(struct range_book *book, struct cursor *c)
{
	LOCKED(book);
	return c->shipped;
}

bool
cursor_idle(struct range_book *book, struct cursor *c)
{
	LOCKED(book);
	return c->first == NULL;
}

bool
cursor_follow(struct range_book *book, struct cursor *c, uint64_t position)
{
	LOCKED(book);
	if (c->first != NULL || c->parked || c->shipped >= position)
		return false;
	cursor_set(book, c, position);
	return true;
}

bool
cursor_parked(struct range_book *book, struct cursor *c)
{
	LOCKED(book);
	return c->parked;
}

bool
cursor_must_rewind(struct range_book *book, struct cursor *c)
{
	LOCKED(book);
	return c->parked && c->parked_at != book->unparks;
}

/*
 * Ranges of the batch being filled are forgotten, too: their items are sent,
 * and answered 409 when they come again.
 */
void
cursor_rewind(struct range_book *book, struct cursor *c)
{
	LOCKED(book);
	for (struct range *r = c->first, *next; r != NULL; r = next) {
		next = r->next;
		r->cursor = NULL;
		if (r->sealed && r->pending == 0)
			range_drop(r);
	}
	c->first = c->last = NULL;
	c->open = NULL;
	c->open_batch = 0;
	c->parked = false;
}

/* ---- the shipper's */

void
range_settle(struct range_book *book, struct range *r, uint32_t items)
{
	LOCKED(book);
	range_release(r, items);
}

bool
range_log(const struct range *r, struct identity *id)
{
	LOCKED(r->book);
	if (r->cursor != NULL)
		*id = *r->cursor->log;
	return r->cursor != NULL;
}

void
cursor_park(struct range_book *book, struct range *r)
{
	LOCKED(book);
	r->dropped = true;
	if (r->cursor != NULL && !r->cursor->parked) {
		r->cursor->parked = true;
		r->cursor->parked_at = book->unparks;
	}
	range_release(r, 1);
}

void
cursor_unpark_all(struct range_book *book)
{
	LOCKED(book);
	book->unparks++;
}

uint64_t
range_book_unparks(struct range_book *book)
{
	LOCKED(book);
	return book->unparks;
}
