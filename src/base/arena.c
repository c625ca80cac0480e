/* The block of an arena: allocated and freed. */
#include "memory.h"

#include <stdlib.h>

void
arena_init(struct arena *a, size_t size)
{
	*a = (struct arena){ .at = xmalloc(size), .size = size };
}

void
arena_fini(struct arena *a)
{
	free(a->at);
	*a = (struct arena){ 0 };
}
