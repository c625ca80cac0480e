/* Lines of UTF-16.  A unit lies at even offsets of its file; bytes may begin within one. */
#include "utf16.h"

#include <stdint.h>

#define REPLACEMENT 0xfffd

enum utf16
utf16_mark(struct slice head)
{
	if (slice_starts(head, SLICE("\xff\xfe")))
		return UTF16_LE;
	return slice_starts(head, SLICE("\xfe\xff")) ? UTF16_BE : UTF16_NONE;
}

size_t
utf16_newline(struct slice bytes, enum utf16 order, bool odd)
{
	size_t low = order == UTF16_BE, at = 0; /* the byte of a unit that has the 0x0a */
	const char *found;

	while (at < bytes.len && (found = memchr(bytes.at + at, '\n', bytes.len - at)) != NULL) {
		size_t i = (size_t)(found - bytes.at), other = low ? i - 1 : i + 1;

		if (((i + odd) & 1) == low && other < bytes.len && bytes.at[other] == '\0')
			return low ? other : i;
		at = i + 1;
	}
	return bytes.len;
}

static char *
put(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
		return to;
	}
	if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
	} else {
		if (c < 0x10000) {
			*to++ = (char)(0xe0 | c >> 12);
		} else {
			*to++ = (char)(0xf0 | c >> 18);
			*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		}
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (c & 0x3f));
	return to;
}

static uint32_t
unit(const char *at, enum utf16 order)
{
	unsigned char a = (unsigned char)at[0], b = (unsigned char)at[1];

	return order == UTF16_BE ? (uint32_t)a << 8 | b : (uint32_t)b << 8 | a;
}

size_t
utf16_read(struct slice bytes, enum utf16 order, bool odd, struct buffer *to)
{
	char *begin = buffer_need(to, bytes.len / 2 * 3 + 6), *at = begin;
	size_t i = odd && bytes.len > 0, wrong = i;

	if (i > 0)
		at = put(at, REPLACEMENT);
	for (; i + 1 < bytes.len; i += 2) {
		uint32_t c = unit(bytes.at + i, order), low = 0;

		if (c >> 11 == 0x1b) { /* a surrogate, D800 to DFFF */
			if (c < 0xdc00 && i + 3 < bytes.len)
				low = unit(bytes.at + i + 2, order);
			if (low >> 10 == 0x37) {
				c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
				i += 2;
			} else {
				c = REPLACEMENT;
				wrong++;
			}
		}
		at = put(at, c);
	}
	if (i < bytes.len) {
		at = put(at, REPLACEMENT);
		wrong++;
	}
	to->len += (size_t)(at - begin);
	return wrong;
}
