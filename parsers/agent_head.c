/* The level and the time that a header begins with. */
#include "agent_head.h"

#include "agent_reading.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* ---- level */

enum level
agent_head_level(struct slice word)
{
	static const struct {
		struct slice name;
		enum level level;
	} names[] = {
		{ SLICE("info"), LEVEL_INFO },
		{ SLICE("error"), LEVEL_ERROR },
		{ SLICE("warn"), LEVEL_WARN },
		{ SLICE("debug"), LEVEL_DEBUG },
		{ SLICE("trace"), LEVEL_TRACE },
		{ SLICE("fatal"), LEVEL_FATAL },
		{ SLICE("warning"), LEVEL_WARN },
		{ SLICE("severe"), LEVEL_ERROR },
		{ SLICE("critical"), LEVEL_FATAL },
		{ SLICE("notice"), LEVEL_INFO },
		{ SLICE("fine"), LEVEL_DEBUG },
		{ SLICE("finer"), LEVEL_TRACE },
		{ SLICE("finest"), LEVEL_TRACE },
		{ SLICE("err"), LEVEL_ERROR },
		{ SLICE("information"), LEVEL_INFO },
		{ SLICE("config"), LEVEL_DEBUG },
		{ SLICE("alert"), LEVEL_FATAL },
		{ SLICE("emergency"), LEVEL_FATAL },
		{ SLICE("emerg"), LEVEL_FATAL },
		{ SLICE("crit"), LEVEL_FATAL },
		{ SLICE("panic"), LEVEL_FATAL },
	};
	const uint64_t fold = 0x2020202020202020;
	uint64_t begins;

	if (word.len < 3 || word.len > 11)
		return LEVEL_NONE;
	if (slice_eq(word, SLICE("INFO")))
		return LEVEL_INFO;
	begins = load_up_to_8(word.at, word.len) | fold;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct slice name = names[i].name;
		size_t n = least(word.len, 8); /* those are in ${begins} */

		if (name.len != word.len || begins != (load_up_to_8(name.at, name.len) | fold))
			continue;
		while (n < name.len && (word.at[n] | 0x20) == name.at[n])
			n++;
		if (n == name.len)
			return names[i].level;
	}
	return LEVEL_NONE;
}

bool
agent_head_is_upper(struct slice s)
{
	return s.len > 0 && s.at[0] >= 'A' && s.at[0] <= 'Z' && s.at[s.len - 1] >= 'A' &&
	       s.at[s.len - 1] <= 'Z';
}

/* ---- time */

static inline bool
two_digits(const char *at)
{
	return is_digit(at[0]) && is_digit(at[1]);
}

/* 08:00:00, in 8 bytes. */
static inline bool
is_clock(const char *at)
{
	return two_digits(at) && at[2] == ':' && two_digits(at + 3) && at[5] == ':' &&
	       two_digits(at + 6);
}

bool
agent_head_is_stamp(struct slice s)
{
	const char *at = s.at;

	if (s.len < STAMP_LEN)
		return false;
	if ((at[4] != '-' && at[4] != '/') || at[7] != at[4] || (at[10] != 'T' && at[10] != ' ') ||
	    at[13] != ':' || at[16] != ':' || !two_digits(at + 17))
		return false;
#ifdef __SSE2__
	const __m128i c = _mm_loadu_si128((const __m128i *)(const void *)at);
	const __m128i digit = _mm_sub_epi8(c, _mm_set1_epi8('0'));
	const unsigned digits = (unsigned)_mm_movemask_epi8(
	    _mm_cmpeq_epi8(_mm_min_epu8(digit, _mm_set1_epi8(9)), digit));

	return digits == 0xdb6f; /* digits at all places but the five separators */
#else
	return two_digits(at) && two_digits(at + 2) && two_digits(at + 5) && two_digits(at + 8) &&
	       two_digits(at + 11) && two_digits(at + 14);
#endif
}

/* +01:00, +0100, Z, or nothing. */
static size_t
zone_len(struct slice s)
{
	if (s.len > 0 && s.at[0] == 'Z')
		return 1;
	if (s.len < 5 || (s.at[0] != '+' && s.at[0] != '-') || !two_digits(s.at + 1))
		return 0;
	if (s.len > 5 && s.at[3] == ':' && two_digits(s.at + 4))
		return 6;
	return two_digits(s.at + 3) ? 5 : 0;
}

bool
agent_head_is_zone(struct slice word)
{
	if (agent_head_is_upper(word))
		return slice_eq(word, SLICE("Z")) || slice_eq(word, SLICE("UTC")) ||
		       ((word.len == 3 || word.len == 4) && word.at[word.len - 1] == 'T');
	return word.len > 1 && zone_len(word) == word.len;
}

/* Further forms of dates: 0 is a digit, a a letter, any other byte itself. */
static const struct slice dates[] = {
	SLICE("00/00/00 00:00:00"),
	SLICE("000000 000000"),
	SLICE("00-aaa-0000 00:00:00"),
	SLICE("00/00/0000 00:00:00"),
	SLICE("00.00.0000 00:00:00"),
	SLICE("0000.00.00 00:00:00"),
	SLICE("00000000 00:00:00"),
};

static bool
fits(struct slice s, struct slice form)
{
	if (s.len < form.len)
		return false;
	for (size_t i = 0; i < form.len; i++) {
		char f = form.at[i], c = s.at[i];

		if (f == '0'   ? !is_digit(c)
		    : f == 'a' ? (c | 0x20) < 'a' || (c | 0x20) > 'z'
			       : c != f)
			return false;
	}
	return true;
}

static size_t
other_date_len(struct slice s)
{
	for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++)
		if (fits(s, dates[i]))
			return dates[i].len;
	return 0;
}

bool
agent_head_is_short(struct slice time)
{
	return fits(time, dates[0]) || fits(time, dates[1]);
}

size_t
agent_head_time(struct slice s)
{
	size_t n;

	if (s.len < 8 || !is_digit(s.at[0]))
		return 0;
	if (agent_head_is_stamp(s))
		n = STAMP_LEN;
	else if (is_clock(s.at))
		n = 8;
	else if ((n = other_date_len(s)) == 0)
		return 0;
	if (s.len - n > 1 && (s.at[n] == '.' || s.at[n] == ',') && is_digit(s.at[n + 1]))
		for (n += 2; n < s.len && is_digit(s.at[n]);)
			n++;
	n += zone_len(slice_from(s, n));
	return n == s.len || is_blank(s.at[n]) || s.at[n] == ']' || s.at[n] == '|' ? n : 0;
}
