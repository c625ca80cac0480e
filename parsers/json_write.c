/*
 * Writing JSON strings: runs of plain bytes are copied 16 at a time, bytes
 * that need an escape and bytes that are no ASCII are written one by one.
 */
#include "json.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Byte classes of the slow path: 0 plain, 1 multi-byte UTF-8, else the letter of a short escape, u for \u00xx. */
static const unsigned char escape_of[256] = {
	[0x00 ... 0x07] = 'u',
	['\b'] = 'b',
	['\t'] = 't',
	['\n'] = 'n',
	[0x0b] = 'u',
	['\f'] = 'f',
	['\r'] = 'r',
	[0x0e ... 0x1f] = 'u',
	['"'] = '"',
	['\\'] = '\\',
	[0x80 ... 0xff] = 1,
};

#ifdef __SSE2__
/* A bit for each byte that is not plain. */
static inline unsigned
not_plain(__m128i bytes)
{
	/* Signed: bytes from 0x80 are below the space, too. */
	__m128i other = _mm_or_si128(_mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20)),
	    _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
		_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));

	return (unsigned)_mm_movemask_epi8(other);
}

static inline unsigned
copy_sixteen(char *to, const char *at)
{
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);

	_mm_storeu_si128((__m128i *)(void *)to, bytes);
	return not_plain(bytes);
}

/* 8 to 15 bytes, as two eights that overlap. */
static inline size_t
copy_eights(char *to, const char *at, size_t len)
{
	int64_t first, last;
	unsigned mask, i;

	memcpy(&first, at, 8);
	memcpy(&last, at + len - 8, 8);
	memcpy(to, &first, 8);
	memcpy(to + len - 8, &last, 8);
	mask = not_plain(_mm_set_epi64x(last, first));
	if (mask == 0)
		return len;
	i = (unsigned)__builtin_ctz(mask);
	return i < 8 ? i : len - 16 + i;
}
#endif

/* Copy plain bytes from `at`; return the number of plain bytes before the first other byte. */
static inline size_t
copy_plain(char *to, const char *at, size_t len)
{
	size_t i = 0;

#ifdef __SSE2__
	unsigned mask;

	for (; len - i >= 16; i += 16) {
		mask = copy_sixteen(to + i, at + i);
		if (mask != 0)
			return i + (unsigned)__builtin_ctz(mask);
	}
	if (i > 0 && i < len) { /* the last sixteen, some of them once more */
		mask = copy_sixteen(to + len - 16, at + len - 16);
		return mask == 0 ? len : len - 16 + (unsigned)__builtin_ctz(mask);
	}
	if (i == 0 && len >= 8)
		return copy_eights(to, at, len);
#endif
	for (; i < len && escape_of[(unsigned char)at[i]] == 0; i++)
		to[i] = at[i];
	return i;
}

/*
 * The length of the UTF-8 sequence at `s`, or 0 with *bad the length of the
 * maximal ill-formed part (Unicode, chapter 3, table 3-7).
 */
static size_t
utf8_len(struct slice s, size_t *bad)
{
	unsigned char c = (unsigned char)s.at[0], low = 0x80, high = 0xbf;
	size_t need, i;

	*bad = 1;
	if (c >= 0xc2 && c <= 0xdf) {
		need = 2;
	} else if (c >= 0xe0 && c <= 0xef) {
		need = 3;
		low = c == 0xe0 ? 0xa0 : 0x80;
		high = c == 0xed ? 0x9f : 0xbf;
	} else if (c >= 0xf0 && c <= 0xf4) {
		need = 4;
		low = c == 0xf0 ? 0x90 : 0x80;
		high = c == 0xf4 ? 0x8f : 0xbf;
	} else {
		return 0;
	}
	for (i = 1; i < need; i++, low = 0x80, high = 0xbf) {
		if (i >= s.len || (unsigned char)s.at[i] < low || (unsigned char)s.at[i] > high) {
			*bad = i;
			return 0;
		}
	}
	return need;
}

/* The places where writing and reading go on; returned in registers. */
struct places {
	char *to;
	const char *at;
};

/* Write one multi-byte sequence, or U+FFFD for an ill-formed part. */
static __attribute__((noinline)) struct places
write_utf8(char *to, struct slice s)
{
	size_t bad, n = utf8_len(s, &bad);

	if (n > 0) {
		memcpy(to, s.at, n);
		return (struct places){ to + n, s.at + n };
	}
	memcpy(to, "\xef\xbf\xbd", 3);
	return (struct places){ to + 3, s.at + bad };
}

static char *
write_escape(char *to, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";

	*to++ = '\\';
	*to++ = (char)escape_of[c];
	if (escape_of[c] == 'u') {
		*to++ = '0';
		*to++ = '0';
		*to++ = hex[c >> 4];
		*to++ = hex[c & 15];
	}
	return to;
}

#ifdef __SSE2__
/*
 * Write blocks of sixteen bytes from a quote or a backslash on, of which a line of JSON
 * has many: behind each the rest of its block is written again, a byte further.  Up to
 * a block that has none, a byte that needs more than a backslash, or the last 31.
 */
static __attribute__((noinline)) struct places
write_blocks(char *to, const char *at, const char *end)
{
	unsigned other = 1;

	while (other != 0 && end - at >= 32) {
		other = copy_sixteen(to, at);
		for (unsigned mask = other; mask != 0; mask &= mask - 1) {
			unsigned n = (unsigned)__builtin_ctz(mask);

			if (at[n] != '"' && at[n] != '\\')
				return (struct places){ to + n, at + n };
			to[n] = '\\';
			to++;
			copy_sixteen(to + n, at + n);
		}
		to += 16;
		at += 16;
	}
	return (struct places){ to, at };
}
#endif

/* Write the bytes from the first that is not plain on: at least that one. */
static inline struct places
write_other(char *to, const char *at, const char *end)
{
	unsigned char c = (unsigned char)*at;

	if (escape_of[c] == 1)
		return write_utf8(to, (struct slice){ at, (size_t)(end - at) });
#ifdef __SSE2__
	if (end - at >= 32 && (c == '"' || c == '\\'))
		return write_blocks(to, at, end);
#endif
	return (struct places){ write_escape(to, c), at + 1 };
}

char *
json_write(char *to, struct slice text)
{
	const char *at = text.at, *end = at + text.len;

	*to++ = '"';
	while (at < end) {
		size_t n = copy_plain(to, at, (size_t)(end - at));
		struct places on = { to + n, at + n };

		if (on.at < end)
			on = write_other(on.to, on.at, end);
		to = on.to;
		at = on.at;
	}
	*to++ = '"';
	return to;
}

static inline bool
ascii_eight(const char *at)
{
	uint64_t eight;

	memcpy(&eight, at, 8);
	return (eight & 0x8080808080808080) == 0;
}

/* Text that is JSON already, in or outside a string: only its UTF-8 is mended. */
static char *
write_mended(char *to, struct slice raw)
{
	while (raw.len > 0) {
		size_t n = 0;

		while (raw.len - n >= 8 && ascii_eight(raw.at + n))
			n += 8;
		while (n < raw.len && (signed char)raw.at[n] >= 0)
			n++;
		memcpy(to, raw.at, n);
		to += n;
		raw = slice_from(raw, n);
		if (raw.len > 0) {
			struct places on = write_utf8(to, raw);

			raw = slice_from(raw, (size_t)(on.at - raw.at));
			to = on.to;
		}
	}
	return to;
}

char *
json_write_raw(char *to, struct slice raw)
{
	*to++ = '"';
	to = write_mended(to, raw);
	*to++ = '"';
	return to;
}
