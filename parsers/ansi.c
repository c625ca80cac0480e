/*
 * Escape sequences of terminals (ECMA-48): CSI … final; OSC, DCS, SOS, PM, APC …
 * BEL or ST; ESC ( B, with bytes between, and ESC 7.
 */
#include "ansi.h"

#define ESC 0x1b

static size_t
csi_len(struct slice s)
{
	for (size_t i = 2; i < s.len; i++) {
		unsigned char c = (unsigned char)s.at[i];

		if (c >= 0x40 && c <= 0x7e)
			return i + 1;
		if (c < 0x20 || c > 0x3f)
			return i; /* broken: the rest is text */
	}
	return s.len;
}

/* A string for the terminal: a title, a link, an answer. */
static size_t
string_len(struct slice s)
{
	for (size_t i = 2; i < s.len; i++) {
		if (s.at[i] == 0x07)
			return i + 1;
		if (s.at[i] == ESC)
			return i + 1 < s.len && s.at[i + 1] == '\\' ? i + 2 : i;
		if (s.at[i] == '\n')
			return i;
	}
	return s.len;
}

/* ESC, any bytes of 0x20 to 0x2f, and a final byte; another sequence is text. */
static size_t
short_len(struct slice s)
{
	size_t i = 1;

	while (i < s.len && (unsigned char)s.at[i] >= 0x20 && (unsigned char)s.at[i] <= 0x2f)
		i++;
	if (i < s.len && (unsigned char)s.at[i] >= 0x30 && (unsigned char)s.at[i] <= 0x7e)
		i++;
	return i;
}

static size_t
sequence_len(struct slice s)
{
	switch (s.len > 1 ? s.at[1] : '\0') {
	case '[':
		return csi_len(s);
	case ']':
	case 'P':
	case 'X':
	case '^':
	case '_':
		return string_len(s);
	default:
		return short_len(s);
	}
}

size_t
ansi_len(struct slice text)
{
	size_t n = 0;

	while (n < text.len && text.at[n] == ESC)
		n += sequence_len(slice_from(text, n));
	return n;
}

size_t
ansi_strip(struct slice text, char *to)
{
	char *from = to;

	while (text.len > 0) {
		const char *esc = memchr(text.at, ESC, text.len);
		size_t n = esc == NULL ? text.len : (size_t)(esc - text.at);

		memmove(to, text.at, n);
		to += n;
		text = slice_from(text, n);
		text = slice_from(text, ansi_skip(text));
	}
	return (size_t)(to - from);
}
