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

static char *
put_utf8(char *to, unsigned c)
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

/* \uXXXX, or a pair of them, at raw[*i]; moves *i behind it. */
static unsigned
code_point(struct slice raw, size_t *i)
{
	unsigned c = hex_value(raw.at + *i + 2), low;

	*i += 6;
	if (c < 0xd800 || c > 0xdfff)
		return c;
	if (c < 0xdc00 && raw.len - *i >= 6 && raw.at[*i] == '\\' && raw.at[*i + 1] == 'u') {
		low = hex_value(raw.at + *i + 2);
		if (low >= 0xdc00 && low <= 0xdfff) {
			*i += 6;
			return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		}
	}
	return 0xfffd;
}

size_t
json_unescape(struct slice raw, char *to)
{
	static const char plain[256] = { ['b'] = '\b',
		['f'] = '\f',
		['n'] = '\n',
		['r'] = '\r',
		['t'] = '\t',
		['"'] = '"',
		['\\'] = '\\',
		['/'] = '/' };
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
			to = put_utf8(to, code_point(raw, &i));
		} else {
			*to++ = plain[(unsigned char)raw.at[i + 1]];
			i += 2;
		}
	}
	return (size_t)(to - from);
}
