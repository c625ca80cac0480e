/* The text of a journal's cursor, taken apart. */
#include <inttypes.h>
#include <stdio.h>

#include "entry.h"

static int
digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool
number_read(struct slice text, uint64_t *to)
{
	*to = 0;
	for (size_t i = 0; i < text.len; i++) {
		int digit = digit_of(text.at[i]);

		if (digit < 0 || i == 16)
			return false;
		*to = *to << 4 | (unsigned)digit;
	}
	return text.len > 0;
}

static bool
id_read(struct slice text, struct identity *to)
{
	if (text.len != 2 * sizeof(to->at))
		return false;
	for (size_t i = 0; i < sizeof(to->at); i++) {
		int high = digit_of(text.at[2 * i]), low = digit_of(text.at[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		to->at[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

static bool
part_read(char letter, struct slice value, struct entry_name *out)
{
	switch (letter) {
	case 's':
		return id_read(value, &out->seqnum_id);
	case 'b':
		return id_read(value, &out->boot);
	case 'i':
		return number_read(value, &out->seqnum);
	case 'm':
		return number_read(value, &out->monotonic);
	case 't':
		return number_read(value, &out->realtime);
	case 'x':
		return number_read(value, &out->hash);
	default:
		return true; /* a later systemd's */
	}
}

bool
entry_name_read(struct slice text, struct entry_name *out)
{
	static const char parts[] = "sibmtx";
	unsigned seen = 0;

	*out = (struct entry_name){ 0 };
	while (text.len > 0) {
		const char *end = memchr(text.at, ';', text.len);
		size_t len = end != NULL ? (size_t)(end - text.at) : text.len;
		const char *letter;

		if (len < 2 || text.at[1] != '=' || (end != NULL && len + 1 == text.len))
			return false;
		letter = memchr(parts, text.at[0], sizeof(parts) - 1);
		if (letter != NULL)
			seen |= 1u << (letter - parts);
		if (!part_read(text.at[0], (struct slice){ text.at + 2, len - 2 }, out))
			return false;
		len += end != NULL;
		text = (struct slice){ text.at + len, text.len - len };
	}
	return seen == (1u << (sizeof(parts) - 1)) - 1;
}

static void
id_write(const struct identity *id, char to[33])
{
	for (size_t i = 0; i < sizeof(id->at); i++)
		snprintf(to + 2 * i, 3, "%02x", id->at[i]);
}

void
entry_name_write(const struct entry_name *name, char to[ENTRY_NAME])
{
	char seqnum_id[33], boot[33];

	id_write(&name->seqnum_id, seqnum_id);
	id_write(&name->boot, boot);
	snprintf(to, ENTRY_NAME, "s=%s;i=%" PRIx64 ";b=%s;m=%" PRIx64 ";t=%" PRIx64 ";x=%" PRIx64,
	    seqnum_id, name->seqnum, boot, name->monotonic, name->realtime, name->hash);
}

bool
entry_name_alike(const struct entry_name *a, const struct entry_name *b)
{
	return memcmp(&a->boot, &b->boot, sizeof(a->boot)) == 0 && a->monotonic == b->monotonic &&
	       a->realtime == b->realtime && a->hash == b->hash;
}

static bool
is_of_one(const struct entry_name *a, const struct entry_name *b)
{
	return memcmp(&a->seqnum_id, &b->seqnum_id, sizeof(a->seqnum_id)) == 0;
}

bool
entry_name_eq(const struct entry_name *a, const struct entry_name *b)
{
	return is_of_one(a, b) && a->seqnum == b->seqnum && entry_name_alike(a, b);
}

bool
entry_name_behind(const struct entry_name *a, const struct entry_name *b)
{
	if (is_of_one(a, b))
		return a->seqnum > b->seqnum;
	if (memcmp(&a->boot, &b->boot, sizeof(a->boot)) == 0)
		return a->monotonic > b->monotonic;
	return a->realtime > b->realtime;
}
