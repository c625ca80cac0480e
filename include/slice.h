/*
 * Text in memory that another part owns: its begin and its length.  It need
 * not end with a NUL, and is never freed through the slice.
 */
#ifndef SLICE_H
#define SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "least.h"

struct slice {
	const char *at;
	size_t len;
};

/* A slice over a string literal. */
#define SLICE(literal) ((struct slice){ (literal), sizeof(literal) - 1 })

static inline struct slice
slice_of(const char *text)
{
	return (struct slice){ text, text ? strlen(text) : 0 };
}

static inline bool
slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static inline bool
slice_starts(struct slice s, struct slice with)
{
	return s.len >= with.len && memcmp(s.at, with.at, with.len) == 0;
}

static inline bool
slice_ends(struct slice s, struct slice with)
{
	return s.len >= with.len && memcmp(s.at + s.len - with.len, with.at, with.len) == 0;
}

/* The slice without its first ${n} bytes; ${n} is at most its length. */
static inline struct slice
slice_from(struct slice s, size_t n)
{
	return (struct slice){ s.at + n, s.len - n };
}

/* The first ${most} bytes of the slice, or all of it. */
static inline struct slice
slice_cut(struct slice s, size_t most)
{
	return (struct slice){ s.at, least(s.len, most) };
}

/* As isspace(3) has it in C's own locale. */
static inline bool
slice_is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The slice without blanks at its end; at both ends. */
static inline struct slice
slice_trim_end(struct slice s)
{
	while (s.len > 0 && slice_is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

static inline struct slice
slice_trim(struct slice s)
{
	while (s.len > 0 && slice_is_blank(s.at[0]))
		s = slice_from(s, 1);
	return slice_trim_end(s);
}

#endif
