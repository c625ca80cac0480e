/* Allocation that dies rather than fails. */
#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void *
xneeded(void *p, size_t n)
{
	if (p == NULL) {
		fprintf(stderr, "towline: out of memory: no %zu bytes\n", n);
		abort();
	}
	return p;
}

void *
xmalloc(size_t n)
{
	return xneeded(malloc(n ? n : 1), n);
}

void *
xcalloc(size_t n, size_t size)
{
	return xneeded(calloc(n ? n : 1, size ? size : 1), n * size);
}

void *
xrealloc(void *p, size_t n)
{
	return xneeded(realloc(p, n ? n : 1), n);
}

char *
xslicedup(struct slice s)
{
	char *copy = xmalloc(s.len + 1);

	if (s.len > 0)
		memcpy(copy, s.at, s.len);
	copy[s.len] = '\0';
	return copy;
}

char *
xstrdup(const char *s)
{
	return xslicedup(slice_of(s));
}

char *
xprintf(const char *format, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	return xneeded(text, 1);
}
