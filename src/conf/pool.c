/* Memory that lives as long as a configuration. */
#include "pool.h"

#include <stdlib.h>
#include <string.h>

#include "memory.h"

struct piece {
	struct piece *next;
	_Alignas(16) char at[];
};

struct pool {
	struct piece *pieces;
};

struct pool *
pool_new(void)
{
	return xcalloc(1, sizeof(struct pool));
}

void
pool_free(struct pool *p)
{
	struct piece *next;

	if (p == NULL)
		return;
	for (struct piece *piece = p->pieces; piece != NULL; piece = next) {
		next = piece->next;
		free(piece);
	}
	free(p);
}

void *
pool_take(struct pool *p, size_t n)
{
	struct piece *piece = xcalloc(1, sizeof(*piece) + n);

	piece->next = p->pieces;
	p->pieces = piece;
	return piece->at;
}

char *
pool_text(struct pool *p, struct slice s)
{
	char *text = pool_take(p, s.len + 1);

	if (s.len > 0)
		memcpy(text, s.at, s.len);
	return text;
}

/* The room doubles at each power of two; the old room stays in the pool. */
void *
pool_grow(struct pool *p, void *at, size_t n, size_t size)
{
	void *moved;

	if (n > 0 && (n & (n - 1)) != 0)
		return at;
	moved = pool_take(p, (n == 0 ? 1 : 2 * n) * size);
	if (n > 0)
		memcpy(moved, at, n * size);
	return moved;
}
