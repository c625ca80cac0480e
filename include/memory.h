/*
 * Memory: allocation that dies rather than fails, an arena for memory that
 * lives as long as one record, and a growing buffer.
 *
 * Out of memory ends the process: the state is on disk, and a supervisor
 * starts towline again.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdint.h>

#include "slice.h"

/**
 * xmalloc(n), xcalloc(n, size), xrealloc(p, n), xstrdup(s), xslicedup(s):
 * As their namesakes, but never NULL: they end the process with a message.
 * The caller frees.  xslicedup copies a slice into a NUL-terminated string.
 */
void *xmalloc(size_t n) __attribute__((malloc, alloc_size(1), returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, alloc_size(1, 2), returns_nonnull));
void *xrealloc(void *p, size_t n) __attribute__((alloc_size(2), returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xslicedup(struct slice s) __attribute__((malloc, returns_nonnull));
char *xprintf(const char *format, ...) __attribute__((malloc, format(printf, 1, 2)));

/**
 * xneeded(p, n):
 * Return ${p}, ${n} bytes of a library's, but never NULL, as above.
 */
void *xneeded(void *p, size_t n) __attribute__((returns_nonnull));

/*
 * A bump allocator of fixed size, for memory that one record needs beyond the
 * read buffer.  Reset when the record is encoded.
 */
struct arena {
	char *at;
	size_t used;
	size_t size;
};

/**
 * arena_init(a, size), arena_fini(a):
 * Give ${a} a block of ${size} bytes; free it.
 */
void arena_init(struct arena *a, size_t size);
void arena_fini(struct arena *a);

static inline void
arena_reset(struct arena *a)
{
	a->used = 0;
}

/**
 * arena_take(a, n):
 * Return ${n} bytes aligned to 8, or NULL when the arena has no room: the
 * caller then goes without the memory, and counts that.
 */
static inline void *
arena_take(struct arena *a, size_t n)
{
	size_t from = (a->used + 7) & ~(size_t)7;

	if (from > a->size || n > a->size - from)
		return NULL;
	a->used = from + n;
	return a->at + from;
}

/* Bytes that grow up to a cap, whatever the input. */
struct buffer {
	char *at;
	size_t len;
	size_t size;
	size_t cap; /* 0: none */
};

/**
 * buffer_init(b, cap), buffer_fini(b), buffer_clear(b):
 * An empty buffer that may grow to ${cap} bytes (0: without limit); free it;
 * forget its content but keep its memory.
 */
void buffer_init(struct buffer *b, size_t cap);
void buffer_fini(struct buffer *b);

static inline void
buffer_clear(struct buffer *b)
{
	b->len = 0;
}

/**
 * buffer_need(b, n):
 * Make room for ${n} more bytes and return its begin, or NULL when the cap
 * forbids that (nothing has changed then).  The caller adds to b->len.
 */
char *buffer_need(struct buffer *b, size_t n);

/**
 * buffer_put(b, s), buffer_printf(b, format, ...):
 * Append.  Return 0, or -1 when the cap forbids that (nothing was appended).
 */
int buffer_put(struct buffer *b, struct slice s);
int buffer_printf(struct buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

static inline struct slice
buffer_slice(const struct buffer *b)
{
	return (struct slice){ b->at, b->len };
}

#endif
