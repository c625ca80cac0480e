/*
 * A message being searched: two bit sets, words and points, and the steps over
 * them.  Inside agent_scan.c, agent_keys.c and agent_value.c alone.
 */
#ifndef AGENT_SCAN_H
#define AGENT_SCAN_H

#include "agent_reading.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define SCAN_MAX ((size_t)16 * 1024) /* bytes of a message that are searched */

struct scan {
	struct reading *r;
	const char *at;
	size_t n;
	bool events;
	bool unclosed_bracket;   /* a search for a closing bracket failed: none is done again */
	unsigned unclosed_quote; /* the same for quotes, a bit for each of the three kinds */
	uint64_t word[SCAN_MAX / 64];
	uint64_t point[SCAN_MAX / 64];
};

/* ---- steps */

static inline bool
is_blank(char c)
{
	return (unsigned char)c <= ' ';
}

/* The first point at or behind ${i}, s->n when there is none. */
static inline size_t
next_point(const struct scan *s, size_t i)
{
	size_t k = i / 64;
	uint64_t bits;

	if (i >= s->n)
		return s->n;
	for (bits = s->point[k] & (~(uint64_t)0 << i % 64); bits == 0; bits = s->point[k])
		if (++k * 64 >= s->n)
			return s->n;
	return k * 64 + (size_t)__builtin_ctzll(bits);
}

static inline bool
is_word(const struct scan *s, size_t i)
{
	return s->word[i / 64] >> i % 64 & 1;
}

/* The end of the word around ${i}. */
static inline size_t
word_end(const struct scan *s, size_t i)
{
	size_t k = i / 64, end;
	uint64_t other;

	for (other = ~s->word[k] & (~(uint64_t)0 << i % 64); other == 0; other = ~s->word[k]) {
		if (++k * 64 >= s->n)
			return s->n;
	}
	end = k * 64 + (size_t)__builtin_ctzll(other);
	return least(end, s->n);
}

/* The begin of the word whose last byte is at ${i}. */
static inline size_t
word_begin(const struct scan *s, size_t i)
{
	size_t k = i / 64;
	uint64_t other = ~s->word[k] << (63 - i % 64);

	if (other != 0)
		return i + 1 - (size_t)__builtin_clzll(other);
	for (;;) {
		if (k == 0)
			return 0;
		other = ~s->word[--k];
		if (other != 0)
			return k * 64 + 64 - (size_t)__builtin_clzll(other);
	}
}

#ifdef __SSE2__
static inline __m128i
is(__m128i bytes, char c)
{
	return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(c));
}

static inline __m128i
below(__m128i bytes, char limit)
{
	return _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(limit)), bytes);
}

static inline __m128i
either(__m128i a, __m128i b)
{
	return _mm_or_si128(a, b);
}
#endif

#ifdef __SSE2__
/* A bit for each of 16 bytes that may end a value: blank, comma, bracket, bar. */
static inline unsigned
stops_16(const char *at)
{
	const __m128i c = _mm_loadu_si128((const __m128i *)(const void *)at);
	const __m128i lower = either(c, _mm_set1_epi8(0x20)); /* [ { become one, ] } too */
	const __m128i odd = either(c, _mm_set1_epi8(1));      /* ( ) become one */
	const __m128i bracket = either(either(is(lower, '{'), is(lower, '}')), is(odd, ')'));
	const __m128i comma = either(either(is(c, ','), is(c, ';')), is(lower, '|'));

	return (unsigned)_mm_movemask_epi8(either(either(bracket, comma), below(c, ' ')));
}
#else
static unsigned
stops_16(const char *at)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < 16; i++)
		bits |= (unsigned)(is_blank(at[i]) || strchr(",;()[]{}|\\", at[i]) != NULL) << i;
	return bits;
}
#endif

/* The first byte at or behind ${i} that may end a value. */
static inline size_t
value_stop(const struct scan *s, size_t i)
{
	char tail[16] = { 0 };
	unsigned bits;

	for (; s->n - i >= 16; i += 16) {
		bits = stops_16(s->at + i);
		if (bits != 0)
			return i + (size_t)__builtin_ctz(bits);
	}
	memcpy(tail, s->at + i, s->n - i);
	return i + (size_t)__builtin_ctz(stops_16(tail) | 1u << (s->n - i));
}

/* ---- agent_value.c */

/**
 * agent_value_quote_close(s, i, escaped):
 * Return the quote that closes the one at ${i}, 0 when there is none;
 * *${escaped}: backslashes stand between them.  An apostrophe closes only
 * where no word goes on.
 */
size_t agent_value_quote_close(struct scan *s, size_t i, bool *escaped);

/* The end of an unquoted value that goes on at least to ${stop}. */
size_t agent_value_end(struct scan *s, size_t stop);

/* The end of the value of `k: v` in brackets: ${close}, or a comma and a blank; 0: none. */
size_t agent_value_listed_end(const struct scan *s, size_t v, char close);

/* `12500 ms`, `1m 30s`: the end of the value from ${v} to ${end}, with its unit and further parts of smaller units. */
size_t agent_value_with_unit(const struct scan *s, size_t v, size_t end);

/*
 * ${v} without the bytes at its end that are of the text around it: blanks, the
 * marks .,:;!? of a sentence, a `>` or a quote whose other half is not in the value.
 */
struct slice agent_value_trimmed(struct slice v);

/* The text without its backslashes: \n \t \r as in JSON, else the byte behind the backslash. */
struct slice agent_value_unescaped(struct reading *r, struct slice raw);

/* True when ${v} is a JSON number with no more digits than a double tells apart. */
bool agent_value_is_number(struct slice v);

/* ---- agent_scan.c */

/* Take note of the word at ${i} if it is an event; return the end of the word. */
size_t agent_scan_event(struct scan *s, size_t i);

/* ---- agent_keys.c: return the place where the search goes on */

/* `key=value` around the `=` at ${i}. */
size_t agent_keys_equals(struct scan *s, size_t i);

/* `[k: v, k: v]` from the bracket at ${i}. */
size_t agent_keys_colon(struct scan *s, size_t i);

#endif
