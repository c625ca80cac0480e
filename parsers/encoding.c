/*
 * Texts of another encoding than UTF-8.  Lines are cut by their bytes before, so
 * offsets and ids are those of the file.
 */
#include "encoding.h"

#include <errno.h>
#include <iconv.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

#define EXPANDS 4 /* UTF-8 of a byte takes no more, nor does U+FFFD */

struct encoding {
	iconv_t to;
};

/* Names of Fluent Bit's that iconv has not. */
static const char *
known_as(const char *name)
{
	static const char *const names[][2] = { { "ShiftJIS", "CP932" }, { "SJIS", "CP932" },
		{ "UHC", "CP949" }, { "Win866", "CP866" }, { "Win874", "CP874" },
		{ "Win1250", "CP1250" }, { "Win1251", "CP1251" }, { "Win1252", "CP1252" },
		{ "Win1253", "CP1253" }, { "Win1254", "CP1254" }, { "Win1255", "CP1255" },
		{ "Win1256", "CP1256" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcasecmp(name, names[i][0]) == 0)
			return names[i][1];
	return name;
}

/* In it each byte of ASCII is that character: lines end as in UTF-8. */
static bool
has_ascii(struct encoding *e)
{
	const struct slice sample = SLICE("a\n{\"}+AGE-"); /* an escape of UTF-7 */
	struct buffer text;
	bool has;

	buffer_init(&text, 0);
	encoding_read(e, sample, &text);
	has = slice_eq(buffer_slice(&text), sample);
	buffer_fini(&text);
	return has;
}

struct encoding *
encoding_new(const char *name)
{
	struct encoding *e = xcalloc(1, sizeof(*e));

	e->to = iconv_open("UTF-8", known_as(name));
	if (e->to != (iconv_t)-1 && has_ascii(e))
		return e;
	encoding_free(e);
	return NULL;
}

void
encoding_free(struct encoding *e)
{
	if (e == NULL)
		return;
	if (e->to != (iconv_t)-1)
		iconv_close(e->to);
	free(e);
}

void
encoding_read(struct encoding *e, struct slice text, struct buffer *to)
{
	char *from = (char *)(uintptr_t)text.at, *at;
	size_t left = text.len, room = EXPANDS * text.len + 1, had = room;

	at = buffer_need(to, room);
	(void)iconv(e->to, NULL, NULL, NULL, NULL);
	while (left > 0 && room >= 4 && iconv(e->to, &from, &left, &at, &room) == (size_t)-1 &&
	       errno != E2BIG) {
		memcpy(at, "\xef\xbf\xbd", 3);
		at += 3;
		room -= 3;
		from++;
		left--;
	}
	to->len += had - room;
}
