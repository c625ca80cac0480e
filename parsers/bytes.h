/*
 * Finding bytes sixteen at a time, inline: for texts too short to call memchr
 * for each part of them.
 */
#ifndef BYTES_H
#define BYTES_H

#include <stdint.h>

#include "slice.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* The place of the first ${a} or ${b} in ${s}, s.len when there is none. */
static inline size_t
bytes_find(struct slice s, char a, char b)
{
	size_t i = 0;

#ifdef __SSE2__
	for (; s.len - i >= 16; i += 16) {
		const __m128i c = _mm_loadu_si128((const __m128i *)(const void *)(s.at + i));
		unsigned bits = (unsigned)_mm_movemask_epi8(_mm_or_si128(
		    _mm_cmpeq_epi8(c, _mm_set1_epi8(a)), _mm_cmpeq_epi8(c, _mm_set1_epi8(b))));

		if (bits != 0)
			return i + (size_t)__builtin_ctz(bits);
	}
#endif
	while (i < s.len && s.at[i] != a && s.at[i] != b)
		i++;
	return i;
}

/* True when ${c} is among the first ${n} bytes of ${s}; later bytes may be read, too. */
static inline bool
bytes_have(struct slice s, size_t n, char c)
{
	size_t i = 0;

#ifdef __SSE2__
	for (; i < n && s.len - i >= 16; i += 16) {
		const __m128i at = _mm_loadu_si128((const __m128i *)(const void *)(s.at + i));
		unsigned bits = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(at, _mm_set1_epi8(c)));

		if (bits != 0)
			return i + (size_t)__builtin_ctz(bits) < n;
	}
#endif
	while (i < n && s.at[i] != c)
		i++;
	return i < n;
}

/* True when ${s} has a control character: a newline, an escape, a tab. */
static inline bool
bytes_controls(struct slice s)
{
	size_t i = 0;

#ifdef __SSE2__
	const __m128i last = _mm_set1_epi8(0x1f);
	__m128i any = _mm_setzero_si128();

	if (s.len >= 16) {
		for (; s.len - i >= 16; i += 16) {
			const __m128i c =
			    _mm_loadu_si128((const __m128i *)(const void *)(s.at + i));

			any = _mm_or_si128(any, _mm_cmpeq_epi8(_mm_min_epu8(c, last), c));
		}
		/* the last sixteen, some of them again */
		const __m128i c =
		    _mm_loadu_si128((const __m128i *)(const void *)(s.at + s.len - 16));

		any = _mm_or_si128(any, _mm_cmpeq_epi8(_mm_min_epu8(c, last), c));
		return _mm_movemask_epi8(any) != 0;
	}
#endif
	for (; i < s.len; i++)
		if ((unsigned char)s.at[i] < 0x20)
			return true;
	return false;
}

#endif
