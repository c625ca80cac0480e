/* Which characters a terminal only shows; the rest is escaped. */
#include "shown.h"

#include <stdint.h>

/* The valid UTF-8 character at the start of ${s} and its length (Unicode 15, table 3-7); 0: none. */
static size_t
character(struct slice s, uint32_t *value)
{
	const unsigned char *c = (const unsigned char *)s.at;
	size_t n = c[0] < 0x80 ? 1 : c[0] < 0xc2 ? 0 : c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;

	if (n > s.len || c[0] > 0xf4)
		return 0;
	*value = n < 2 ? c[0] : c[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
		*value = *value << 6 | (c[i] & 0x3f);
	}
	if ((c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xed && c[1] > 0x9f) ||
	    (c[0] == 0xf0 && c[1] < 0x90) || (c[0] == 0xf4 && c[1] > 0x8f))
		return 0;
	return n;
}

/* Control characters, and those with Unicode's property Bidi_Control. */
static bool
commands(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

size_t
shown_char(struct slice text)
{
	uint32_t c;
	size_t n = character(text, &c);

	return n > 0 && !commands(c) ? n : 0;
}

size_t
shown_write(char *to, size_t size, struct slice text)
{
	static const char hex[] = "0123456789abcdef";
	size_t used = 0;

	while (text.len > 0) {
		unsigned char first = (unsigned char)text.at[0];
		size_t n = shown_char(text), put = n > 0 ? n : 4;

		if (put > size - used)
			break;
		if (n > 0)
			memcpy(to + used, text.at, n);
		else
			memcpy(
			    to + used, (char[]){ '\\', 'x', hex[first >> 4], hex[first & 15] }, 4);
		used += put;
		text = slice_from(text, n > 0 ? n : 1);
	}
	return used;
}

void
shown_print(struct slice text, FILE *to)
{
	while (text.len > 0) {
		size_t n = shown_char(text);

		if (n > 0)
			fwrite(text.at, 1, n, to);
		else
			fprintf(to, "\\x%02x", (unsigned char)text.at[0]);
		text = slice_from(text, n > 0 ? n : 1);
	}
}

/* C0 is escaped in JSON already, or a blank between values. */
void
shown_json(struct slice text, FILE *to)
{
	while (text.len > 0) {
		uint32_t c = 0;
		size_t n = character(text, &c);

		if (n > 0 && c >= 0x20 && commands(c))
			fprintf(to, "\\u%04x", (unsigned)c);
		else
			fwrite(text.at, 1, n > 0 ? n : 1, to);
		text = slice_from(text, n > 0 ? n : 1);
	}
}
