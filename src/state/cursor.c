/*
 * The order of delivery: ranges in flight hang on their cursor in the file's
 * order; the cursor moves over those at the front that are done.
 */
#include "cursor.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "memory.h"

struct range {
	struct range *next; /* on the cursor, or in the pool */
	struct range_book *book;
	struct cursor *cursor; /* NULL: forgotten by a rewind */
	uint64_t end;
	uint32_t pending; /* items × outputs not settled; written under the lock once sealed */
	bool sealed;
	bool dropped;       /* an item was dropped from memory: never done */
	struct range *also; /* the same record's end, in the file after a rotation */
};

struct range_book {
	pthread_mutex_t lock;
	struct state *state;
	struct range *pool, *free;
	unsigned nfree;
	uint64_t unparks;
};

struct range_book *
range_book_new(struct state *state, unsigned max)
{
	struct range_book *book = xcalloc(1, sizeof(*book));

	pthread_mutex_init(&book->lock, NULL);
	book->state = state;
	book->pool = xcalloc(max, sizeof(*book->pool));
	book->nfree = max;
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
cursor_init(struct cursor *c, const struct identity *id, enum side side, uint64_t shipped)
{
	*c = (struct cursor){ .id = id, .side = side, .shipped = shipped };
}

/* ---- under the lock */

static struct range *
range_new(struct range_book *book, struct cursor *c, uint64_t end)
{
	struct range *r = book->free;

	assert(r != NULL);
	book->free = r->next;
	book->nfree--;
	*r = (struct range){ .book = book, .cursor = c, .end = end };
	if (c->last != NULL)
		c->last->next = r;
	else
		c->first = r;
	c->last = r;
	return r;
}

static void
range_drop(struct range *r)
{
	r->next = r->book->free;
	r->book->free = r;
	r->book->nfree++;
}

static bool
range_done(const struct range *r)
{
	return r->sealed && r->pending == 0 && !r->dropped;
}

static void cursor_advance(struct cursor *c);

static void
also_done(struct range *also)
{
	also->pending = 0;
	if (also->cursor != NULL)
		cursor_advance(also->cursor);
	else
		range_drop(also);
}

/* Move over what is done at the front; what ends in another file moves there, too. */
static void
cursor_advance(struct cursor *c)
{
	while (c->first != NULL && range_done(c->first)) {
		struct range *r = c->first, *also = r->also;

		c->first = r->next;
		if (c->first == NULL)
			c->last = NULL;
		/* The next file first: with its cursor alone on disk the record is sent once more. */
		if (also != NULL)
			also_done(also);
		if (r->end > c->shipped) {
			c->shipped = r->end;
			state_shipped(r->book->state, c->id, c->side, c->shipped);
		}
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
	if (c->open_batch == batch)
		return c->open;
	pthread_mutex_lock(&book->lock);
	c->open = NULL;
	if (book->nfree >= 2) { /* one is kept for range_also */
		c->open = range_new(book, c, 0);
		c->open_batch = batch;
	}
	pthread_mutex_unlock(&book->lock);
	return c->open;
}

void
range_add(struct range *r, uint32_t items, uint64_t end)
{
	assert(!r->sealed && end >= r->end);
	r->pending += items;
	r->end = end;
}

void
range_repeat(struct range *r, uint32_t times)
{
	assert(!r->sealed);
	r->pending *= times;
}

void
range_also(struct range *r, struct cursor *c, uint64_t end)
{
	pthread_mutex_lock(&r->book->lock);
	assert(r->also == NULL);
	r->also = range_new(r->book, c, end);
	r->also->pending = 1;
	r->also->sealed = true;
	pthread_mutex_unlock(&r->book->lock);
}

void
range_seal(struct range_book *book, struct range *r)
{
	pthread_mutex_lock(&book->lock);
	r->sealed = true;
	range_release(r, 0);
	pthread_mutex_unlock(&book->lock);
}

uint64_t
cursor_shipped(struct range_book *book, struct cursor *c)
{
	uint64_t shipped;

	pthread_mutex_lock(&book->lock);
	shipped = c->shipped;
	pthread_mutex_unlock(&book->lock);
	return shipped;
}

bool
cursor_idle(struct range_book *book, struct cursor *c)
{
	bool idle;

	pthread_mutex_lock(&book->lock);
	idle = c->first == NULL;
	pthread_mutex_unlock(&book->lock);
	return idle;
}

bool
cursor_follow(struct range_book *book, struct cursor *c, uint64_t offset)
{
	bool moves;

	pthread_mutex_lock(&book->lock);
	moves = c->first == NULL && !c->parked && c->shipped < offset;
	if (moves) {
		c->shipped = offset;
		state_shipped(book->state, c->id, c->side, offset);
	}
	pthread_mutex_unlock(&book->lock);
	return moves;
}

bool
cursor_parked(struct range_book *book, struct cursor *c)
{
	bool parked;

	pthread_mutex_lock(&book->lock);
	parked = c->parked;
	pthread_mutex_unlock(&book->lock);
	return parked;
}

bool
cursor_must_rewind(struct range_book *book, struct cursor *c)
{
	bool must;

	pthread_mutex_lock(&book->lock);
	must = c->parked && c->parked_at != book->unparks;
	pthread_mutex_unlock(&book->lock);
	return must;
}

/* The record comes again, and with it its end in the next file: this one moves nothing. */
static void
also_forget(struct range *r)
{
	if (r->also == NULL)
		return;
	r->also->end = 0;
	r->also->pending = 0;
	if (r->also->cursor != NULL)
		cursor_advance(r->also->cursor);
	else
		range_drop(r->also);
	r->also = NULL;
}

/*
 * Ranges of the batch being filled are forgotten, too: their items are sent,
 * and answered 409 when they come again.
 */
void
cursor_rewind(struct range_book *book, struct cursor *c)
{
	pthread_mutex_lock(&book->lock);
	for (struct range *r = c->first, *next; r != NULL; r = next) {
		next = r->next;
		r->cursor = NULL;
		also_forget(r);
		if (r->sealed && r->pending == 0)
			range_drop(r);
	}
	c->first = c->last = NULL;
	c->open = NULL;
	c->open_batch = 0;
	c->parked = false;
	pthread_mutex_unlock(&book->lock);
}

/* ---- the shipper's */

void
range_settle(struct range_book *book, struct range *r, uint32_t items)
{
	pthread_mutex_lock(&book->lock);
	range_release(r, items);
	pthread_mutex_unlock(&book->lock);
}

bool
range_stream(struct range_book *book, const struct range *r, struct identity *id)
{
	bool known;

	pthread_mutex_lock(&book->lock);
	known = r->cursor != NULL;
	if (known)
		*id = *r->cursor->id;
	pthread_mutex_unlock(&book->lock);
	return known;
}

void
cursor_park(struct range_book *book, struct range *r)
{
	pthread_mutex_lock(&book->lock);
	r->dropped = true;
	if (r->cursor != NULL && !r->cursor->parked) {
		r->cursor->parked = true;
		r->cursor->parked_at = book->unparks;
	}
	range_release(r, 1);
	pthread_mutex_unlock(&book->lock);
}

void
cursor_unpark_all(struct range_book *book)
{
	pthread_mutex_lock(&book->lock);
	book->unparks++;
	pthread_mutex_unlock(&book->lock);
}

uint64_t
range_book_unparks(struct range_book *book)
{
	uint64_t unparks;

	pthread_mutex_lock(&book->lock);
	unparks = book->unparks;
	pthread_mutex_unlock(&book->lock);
	return unparks;
}
