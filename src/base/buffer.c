/* Bytes that grow. */
#include "memory.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
buffer_init(struct buffer *b, size_t cap)
{
	*b = (struct buffer){ .cap = cap };
}

void
buffer_fini(struct buffer *b)
{
	free(b->at);
	*b = (struct buffer){ .cap = b->cap };
}

char *
buffer_need(struct buffer *b, size_t n)
{
	size_t size = b->size ? b->size : 256;

	assert(b->len <= b->size);
	if (n <= b->size - b->len && b->at != NULL)
		return b->at + b->len;
	if (n > SIZE_MAX / 2 - b->len || (b->cap != 0 && n > b->cap - b->len))
		return NULL;
	while (size < b->len + n)
		size *= 2;
	if (b->cap != 0 && size > b->cap)
		size = b->cap;
	b->at = xrealloc(b->at, size);
	b->size = size;
	return b->at + b->len;
}

int
buffer_put(struct buffer *b, struct slice s)
{
	char *to = buffer_need(b, s.len);

	if (to == NULL)
		return -1;
	if (s.len > 0)
		memcpy(to, s.at, s.len);
	b->len += s.len;
	return 0;
}

int
buffer_printf(struct buffer *b, const char *format, ...)
{
	va_list ap;
	char *to;
	int n;

	va_start(ap, format);
	n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	to = n < 0 ? NULL : buffer_need(b, (size_t)n + 1);
	if (to == NULL)
		return -1;
	va_start(ap, format);
	vsnprintf(to, (size_t)n + 1, format, ap);
	va_end(ap);
	b->len += (size_t)n;
	return 0;
}
