/* Escape sequences of terminals (ECMA-48): CSI … final, OSC … BEL or ST, ESC x. */
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
			return i; /* broken: what follows is text */
	}
	return s.len;
}

static size_t
osc_len(struct slice s)
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

size_t
ansi_skip(struct slice text)
{
	size_t n = 0;

	while (n < text.len && text.at[n] == ESC) {
		struct slice s = slice_from(text, n);

		if (s.len == 1 || s.at[1] == '\n')
			n += 1;
		else if (s.at[1] == '[')
			n += csi_len(s);
		else if (s.at[1] == ']')
			n += osc_len(s);
		else
			n += 2;
	}
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
