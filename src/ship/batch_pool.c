/* The pool of batches: a list of those that are free, and the bytes of the others. */
#include "batch_pool.h"

#include <pthread.h>
#include <stdlib.h>

struct batch_pool {
	struct batch **all;
	unsigned n;
	size_t bytes; /* of each */

	pthread_mutex_t lock;
	struct batch *free;
	size_t lent;     /* bytes of batches that are not here */
	size_t budget;   /* of lent, less the batch being taken */
	uint64_t number; /* of the last one taken */
};

struct batch_pool *
batch_pool_new(unsigned batches, size_t bytes)
{
	size_t cap = bytes > UINT32_MAX / BATCH_GROWTH ? UINT32_MAX : bytes * BATCH_GROWTH;
	struct batch_pool *p = xcalloc(1, sizeof(*p));

	pthread_mutex_init(&p->lock, NULL);
	p->bytes = bytes;
	p->budget = batches * bytes;
	p->all = xcalloc(batches, sizeof(struct batch *));
	p->n = batches;
	for (unsigned i = 0; i < batches; i++) {
		struct batch *b = p->all[i] = batch_new(bytes, cap);

		b->next = p->free;
		p->free = b;
	}
	return p;
}

void
batch_pool_free(struct batch_pool *p)
{
	if (p == NULL)
		return;
	for (unsigned i = 0; i < p->n; i++)
		batch_free(p->all[i]);
	free(p->all);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

struct batch *
batch_pool_take(struct batch_pool *p)
{
	struct batch *b = NULL;

	pthread_mutex_lock(&p->lock);
	if (p->free != NULL && p->lent < p->budget) {
		b = p->free;
		p->free = b->next;
		p->lent += p->bytes;
		b->next = NULL;
		b->number = ++p->number;
	}
	pthread_mutex_unlock(&p->lock);
	return b;
}

void
batch_pool_filled(struct batch_pool *p, struct batch *b)
{
	batch_trim(b, p->bytes);
	pthread_mutex_lock(&p->lock);
	p->lent += b->body.size - p->bytes;
	pthread_mutex_unlock(&p->lock);
}

void
batch_pool_put(struct batch_pool *p, struct batch *b)
{
	size_t size = b->body.size;

	batch_clear(b, 0, p->bytes);
	pthread_mutex_lock(&p->lock);
	p->lent -= size;
	b->next = p->free;
	p->free = b;
	pthread_mutex_unlock(&p->lock);
}
