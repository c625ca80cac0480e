/* Pieces of batches: those that wait to be sent, and those that are. */
#include "send_queue.h"

#include <assert.h>
#include <stdlib.h>

struct piece *
send_queue_piece(struct batch *b, enum form form)
{
	struct piece *p = xcalloc(1, sizeof(*p));

	p->batch = b;
	p->form = form;
	return p;
}

void
send_queue_put(struct send_queue *q, struct piece *p, bool first)
{
	struct piece **at = &q->waiting;

	while (!first && *at != NULL)
		at = &(*at)->next;
	p->next = *at;
	*at = p;
}

struct piece *
send_queue_take(struct send_queue *q, int64_t now, int64_t *next)
{
	for (struct piece **at = &q->waiting; *at != NULL; at = &(*at)->next) {
		struct piece *p = *at;

		if (p->due <= now) {
			*at = p->next;
			p->next = NULL;
			return p;
		}
		if (p->due < *next)
			*next = p->due;
	}
	return NULL;
}

void
send_queue_fly(struct send_queue *q, struct piece *p)
{
	p->next = q->flying;
	q->flying = p;
}

static void
list_remove(struct piece **at, struct piece *p)
{
	while (*at != p) {
		assert(*at != NULL);
		at = &(*at)->next;
	}
	*at = p->next;
	p->next = NULL;
}

void
send_queue_land(struct send_queue *q, struct piece *p)
{
	list_remove(&q->flying, p);
}

struct piece *
send_queue_put_off(struct send_queue *q, int64_t before, int64_t due)
{
	struct piece *p = q->waiting;

	while (p != NULL && p->due >= before)
		p = p->next;
	if (p != NULL)
		p->due = due;
	return p;
}

void
send_queue_leave(struct send_queue *q, struct piece *p)
{
	list_remove(&q->waiting, p);
}

static bool
has_piece_of(const struct piece *p, const struct batch *b)
{
	while (p != NULL && p->batch != b)
		p = p->next;
	return p != NULL;
}

bool
send_queue_done(struct send_queue *q, struct piece *p)
{
	const struct batch *b = p->batch;

	free(p);
	return !has_piece_of(q->waiting, b) && !has_piece_of(q->flying, b);
}

static bool
has_item(const struct piece *p, const struct batch *b, uint32_t i)
{
	while (p != NULL && !(p->batch == b && todo_has(p, i)))
		p = p->next;
	return p != NULL;
}

bool
send_queue_has(const struct send_queue *q, const struct batch *b, uint32_t i)
{
	return has_item(q->waiting, b, i) || has_item(q->flying, b, i);
}

static void
list_free(struct piece **list)
{
	while (*list != NULL) {
		struct piece *p = *list;

		*list = p->next;
		free(p);
	}
}

void
send_queue_clear(struct send_queue *q)
{
	list_free(&q->waiting);
	list_free(&q->flying);
}
