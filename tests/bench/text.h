/*
 * Appending text quickly, for the bench's own programs: the caller sees that
 * there is room (one record is at most RECORD_ROOM bytes), so that no append
 * has to ask.  Not for the product: nothing here is hostile.
 */
#ifndef BENCH_TEXT_H
#define BENCH_TEXT_H

#include <stdint.h>
#include <string.h>

#define RECORD_ROOM ((size_t)64 << 10)

struct text {
	char *at;
	size_t len;
};

static inline void
put(struct text *t, const char *bytes, size_t len)
{
	memcpy(t->at + t->len, bytes, len);
	t->len += len;
}

#define put_literal(t, literal) put(t, literal, sizeof(literal) - 1)

static inline void
put_char(struct text *t, char c)
{
	t->at[t->len++] = c;
}

static inline void
put_string(struct text *t, const char *s)
{
	put(t, s, strlen(s));
}

/* ${value} in decimal, with zeros before it up to ${width} digits. */
static inline void
put_number(struct text *t, uint64_t value, int width)
{
	char digits[20];
	int n = 0;

	do
		digits[n++] = (char)('0' + value % 10);
	while ((value /= 10) != 0 || n < width);
	while (n > 0)
		put_char(t, digits[--n]);
}

/* Seconds given in eighths: 101 is 12.625, 24 is 3.0. */
static inline void
put_eighths(struct text *t, uint64_t eighths)
{
	static const char *const fraction[] = { ".0", ".125", ".25", ".375", ".5", ".625", ".75",
		".875" };

	put_number(t, eighths / 8, 1);
	put_string(t, fraction[eighths % 8]);
}

/* The inside of a JSON string. */
static inline void
put_escaped(struct text *t, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = s[i];

		if (c == '"' || c == '\\') {
			put_char(t, '\\');
			put_char(t, c);
		} else if (c == '\n') {
			put_literal(t, "\\n");
		} else if (c == '\t') {
			put_literal(t, "\\t");
		} else {
			put_char(t, c);
		}
	}
}

#endif
