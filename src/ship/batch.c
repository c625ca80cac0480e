/* Batches: memory for encoded documents, used again and again.  document.c fills them. */
#include "batch.h"

#include <stdlib.h>

struct batch *
batch_new(size_t bytes, size_t cap)
{
	struct batch *b = xcalloc(1, sizeof(*b));

	buffer_init(&b->body, cap > bytes ? cap : bytes);
	buffer_need(&b->body, bytes);
	b->number = 1;
	return b;
}

void
batch_free(struct batch *b)
{
	if (b == NULL)
		return;
	buffer_fini(&b->body);
	free(b);
}

void
batch_trim(struct batch *b, size_t bytes)
{
	size_t size = b->body.len > bytes ? b->body.len : bytes;

	if (b->body.size <= bytes)
		return;
	b->body.at = xrealloc(b->body.at, size);
	b->body.size = size;
}

void
batch_clear(struct batch *b, uint64_t number, size_t bytes)
{
	buffer_clear(&b->body);
	batch_trim(b, bytes);
	b->number = number;
	b->nitems = 0;
	b->nranges = 0;
	b->opened = 0;
	b->after = 0;
	b->route = 0;
	b->outputs = 0;
	b->next = NULL;
}
