/* The text behind a JSON string's escapes. */
#include "json.h"

static unsigned
hex_value(const char *at)
{
	unsigned v = 0;

	for (int i = 0; i < 4; i++) {
		unsigned c = (unsigned char)at[i];

		v = v << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
	}
	return v;
}

char *
json_utf8(char *to, uint32_t c)
{
	if (c < 0x80) {
		*to++ = (char)c;
	} else if (c < 0x800) {
		*to++ = (char)(0xc0 | c >> 6);
		*to++ = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		*to++ = (char)(0xe0 | c >> 12);
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	} else {
		*to++ = (char)(0xf0 | c >> 18);
		*to++ = (char)(0x80 | (c >> 12 & 0x3f));
		*to++ = (char)(0x80 | (c >> 6 & 0x3f));
		*to++ = (char)(0x80 | (c & 0x3f));
	}
	return to;
}

uint32_t
json_pair(uint32_t high, uint32_t low)
{
	if (high < 0xd800 || high > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return 0xfffd;
	return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

char
json_escaped(char c)
{
	static const char plain[256] = { ['b'] = '\b',
		['f'] = '\f',
		['n'] = '\n',
		['r'] = '\r',
		['t'] = '\t',
		['"'] = '"',
		['\\'] = '\\',
		['/'] = '/' };

	return plain[(unsigned char)c];
}

/* \uXXXX, or a pair of them, at raw[*i]; moves *i behind it. */
static uint32_t
code_point(struct slice raw, size_t *i)
{
	uint32_t c = hex_value(raw.at + *i + 2), pair;

	*i += 6;
	if (c < 0xd800 || c > 0xdfff)
		return c;
	if (raw.len - *i < 6 || raw.at[*i] != '\\' || raw.at[*i + 1] != 'u')
		return 0xfffd;
	pair = json_pair(c, hex_value(raw.at + *i + 2));
	*i += pair != 0xfffd ? 6 : 0;
	return pair;
}

size_t
json_unescape(struct slice raw, char *to)
{
	char *from = to;

	for (size_t i = 0; i < raw.len;) {
		const char *slash = memchr(raw.at + i, '\\', raw.len - i);
		size_t n = slash == NULL ? raw.len - i : (size_t)(slash - raw.at) - i;

		memmove(to, raw.at + i, n);
		to += n;
		i += n;
		if (raw.len - i < 2)
			break;
		if (raw.at[i + 1] == 'u' && raw.len - i >= 6) {
			to = json_utf8(to, code_point(raw, &i));
		} else {
			*to++ = json_escaped(raw.at[i + 1]);
			i += 2;
		}
	}
	return (size_t)(to - from);
}
