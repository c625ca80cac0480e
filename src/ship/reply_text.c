/*
 * Strings of bulk answers: escapes resolved, UTF-16's pairs joined, cut where
 * the room ends.  reply.c knows their meaning.
 */
#include "reply_text.h"

#include <string.h>

#include "json.h"

enum { IN_TEXT, IN_ESCAPE, IN_CODE };

void
reply_text_begin(struct reply_text *t, char *at, size_t size)
{
	*t = (struct reply_text){ .at = at, .size = size, .state = IN_TEXT };
}

void
reply_text_put(struct reply_text *t, uint32_t byte)
{
	if (t->len + 1 < t->size)
		t->at[t->len] = (char)byte;
	t->len++;
}

/* A code unit of UTF-16 is complete. */
static void
put_unit(struct reply_text *t)
{
	uint32_t high = t->high;
	char character[4], *end;

	t->high = 0;
	if (t->code >= 0xd800 && t->code < 0xdc00) {
		t->high = t->code;
		return;
	}
	if (t->code >= 0xdc00 && t->code < 0xe000)
		t->code = json_pair(high, t->code);
	end = json_utf8(character, t->code);
	for (const char *at = character; at < end; at++)
		reply_text_put(t, (unsigned char)*at);
}

void
reply_text_end(struct reply_text *t)
{
	size_t n = t->len;

	if (t->size == 0)
		return;
	if (n >= t->size) {
		/* cut: not within a character */
		for (n = t->size - 1; n > 0 && ((unsigned char)t->at[n - 1] & 0xc0) == 0x80;)
			n--;
		if (n > 0 && (unsigned char)t->at[n - 1] >= 0xc0)
			n--;
	}
	t->at[n] = '\0';
}

static enum parsed
take_escape(struct reply_text *t, char c)
{
	char stands_for = json_escaped(c);

	if (c == 'u') {
		t->state = IN_CODE;
		t->digits = 4;
		t->code = 0;
		return PARSE_MORE;
	}
	if (stands_for == 0)
		return PARSE_BAD;
	t->state = IN_TEXT;
	reply_text_put(t, (unsigned char)stands_for);
	return PARSE_MORE;
}

static enum parsed
take_digit(struct reply_text *t, char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = memchr(digits, c, sizeof(digits) - 1);

	if (at == NULL)
		return PARSE_BAD;
	t->code = t->code << 4 | ((uint32_t)(at - digits) & 15);
	if (--t->digits == 0) {
		t->state = IN_TEXT;
		put_unit(t);
	}
	return PARSE_MORE;
}

enum parsed
reply_text_take(struct reply_text *t, char c)
{
	if (t->state == IN_ESCAPE)
		return take_escape(t, c);
	if (t->state == IN_CODE)
		return take_digit(t, c);
	if (c == '\\') {
		t->state = IN_ESCAPE;
	} else if (c == '"') {
		reply_text_end(t);
		return PARSE_OK;
	} else if ((unsigned char)c < 0x20) {
		return PARSE_BAD;
	} else {
		t->high = 0;
		reply_text_put(t, (unsigned char)c);
	}
	return PARSE_MORE;
}
