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

/* Is there a control character other than a tab: a newline, an escape? */
static inline bool
bytes_controls(struct slice s)
{
	size_t i = 0;

#ifdef __SSE2__
	const __m128i last = _mm_set1_epi8(0x1f), tab = _mm_set1_epi8('\t');

	for (; s.len - i >= 16; i += 16) {
		const __m128i c = _mm_loadu_si128((const __m128i *)(const void *)(s.at + i));

		if (_mm_movemask_epi8(_mm_andnot_si128(
			_mm_cmpeq_epi8(c, tab), _mm_cmpeq_epi8(_mm_min_epu8(c, last), c))) != 0)
			return true;
	}
#endif
	for (; i < s.len; i++)
		if ((unsigned char)s.at[i] < 0x20 && s.at[i] != '\t')
			return true;
	return false;
}

#endif
