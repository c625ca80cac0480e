/*
 * Whole words as the standard analyzer finds them, so that a table over sqlite
 * counts the records that a server's query counts.  Letters, digits and _ make
 * a word; so does one of . : ' between two letters (UAX 29, WB6 and WB7):
 * java.lang.ERROR is one token, and not the word ERROR.
 */
#include <strings.h>

#include "report.h"

/* The class of a character in word breaking, as far as it may touch an ASCII word. */
enum character {
	OTHER,
	LETTER,
	DIGIT,
	UNDERSCORE,
	JOINER, /* between letters */
	EXTEND, /* belongs to the character before it */
};

/* Letters beyond ASCII that join words; ideographs and kana are words of their own. */
static const struct {
	uint32_t from, to;
	enum character is;
} ranges[] = {
	{ 0x00aa, 0x00aa, LETTER },
	{ 0x00ad, 0x00ad, EXTEND },
	{ 0x00b5, 0x00b5, LETTER },
	{ 0x00b7, 0x00b7, JOINER },
	{ 0x00ba, 0x00ba, LETTER },
	{ 0x00c0, 0x00d6, LETTER },
	{ 0x00d8, 0x00f6, LETTER },
	{ 0x00f8, 0x02ff, LETTER },
	{ 0x0300, 0x036f, EXTEND },
	{ 0x0370, 0x0e00, LETTER },
	{ 0x1000, 0x1fff, LETTER },
	{ 0x200c, 0x200f, EXTEND },
	{ 0x2018, 0x2019, JOINER },
	{ 0x2024, 0x2024, JOINER },
	{ 0x2027, 0x2027, JOINER },
	{ 0x203f, 0x2040, UNDERSCORE },
	{ 0x2c00, 0x2dff, LETTER },
	{ 0xac00, 0xd7a3, LETTER },
	{ 0xfe00, 0xfe0f, EXTEND },
	{ 0xfe13, 0xfe13, JOINER },
	{ 0xfe52, 0xfe55, JOINER },
	{ 0xfeff, 0xfeff, EXTEND },
	{ 0xff07, 0xff0e, JOINER },
	{ 0xff10, 0xff19, DIGIT },
	{ 0xff1a, 0xff1a, JOINER },
	{ 0xff21, 0xff3a, LETTER },
	{ 0xff41, 0xff5a, LETTER },
};

static enum character
character_is(uint32_t c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))
		return LETTER;
	if (c == '_')
		return UNDERSCORE;
	if (c >= '0' && c <= '9')
		return DIGIT;
	if (c == '.' || c == ':' || c == '\'')
		return JOINER;
	for (size_t i = 0; c >= 0x80 && i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		if (c >= ranges[i].from && c <= ranges[i].to)
			return ranges[i].is;
	}
	return OTHER;
}

static bool
continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* The character that begins at `at`; its length in bytes (a bad byte is one OTHER). */
static enum character
character_at(struct slice text, size_t at, size_t *len)
{
	unsigned char first = (unsigned char)text.at[at];
	size_t n = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	uint32_t c = n == 1 ? first : first & (0x7fu >> n);

	*len = 1;
	if (first >= 0x80 && (n == 1 || n > text.len - at))
		return OTHER;
	for (size_t i = 1; i < n; i++) {
		if (!continues(text.at[at + i]))
			return OTHER;
		c = c << 6 | ((unsigned char)text.at[at + i] & 0x3f);
	}
	*len = n;
	return character_is(c);
}

/* The character before `at`, which moves to its beginning; EXTEND is passed over. */
static enum character
before(struct slice text, size_t *at)
{
	enum character is = OTHER;
	size_t len;

	while (*at > 0) {
		size_t from = *at - 1;

		while (from > 0 && *at - from < 4 && continues(text.at[from]))
			from--;
		is = character_at(text, from, &len);
		*at = from;
		if (is != EXTEND)
			return is;
	}
	return OTHER;
}

/* The character at `at`, which moves behind it; EXTEND is passed over. */
static enum character
behind(struct slice text, size_t *at)
{
	while (*at < text.len) {
		size_t len;
		enum character is = character_at(text, *at, &len);

		*at += len;
		if (is != EXTEND)
			return is;
	}
	return OTHER;
}

static bool
begins(struct slice text, size_t at)
{
	enum character is = before(text, &at);

	if (is == JOINER)
		return before(text, &at) != LETTER;
	return is == OTHER;
}

static bool
ends(struct slice text, size_t at)
{
	size_t len;
	enum character is;

	if (at < text.len && character_at(text, at, &len) == EXTEND)
		return false; /* an accent on the last letter: another word */
	is = behind(text, &at);
	if (is == JOINER)
		return behind(text, &at) != LETTER;
	return is == OTHER;
}

bool
report_word_in(struct slice text, struct slice word)
{
	for (size_t at = 0; at + word.len <= text.len; at++) {
		if ((text.at[at] | 0x20) != (word.at[0] | 0x20))
			continue;
		if (strncasecmp(text.at + at, word.at, word.len) == 0 && begins(text, at) &&
		    ends(text, at + word.len))
			return true;
	}
	return false;
}
