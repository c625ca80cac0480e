/* Allocation that dies rather than fails. */
#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static void *
or_die(void *p, size_t n)
{
	if (p == NULL && n != 0) {
		fprintf(stderr, "towline: out of memory: no %zu bytes\n", n);
		abort();
	}
	return p;
}

void *
xmalloc(size_t n)
{
	return or_die(malloc(n ? n : 1), 1);
}

void *
xcalloc(size_t n, size_t size)
{
	return or_die(calloc(n ? n : 1, size ? size : 1), 1);
}

void *
xrealloc(void *p, size_t n)
{
	return or_die(realloc(p, n ? n : 1), n ? n : 1);
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
	return or_die(text, 1);
}
