/*
 * Where lines begin and end in the bytes of a content: in UTF-8, and all encodings that
 * have its line feed, or in the units of UTF-16.  Offsets are those of the file.
 */
#ifndef UNITS_H
#define UNITS_H

#include "framing_rules.h"
#include "utf16.h"

/* UTF16_LE or UTF16_BE when a content's text is that, by its mark or else by the rules. */
static inline enum utf16
units_of(const struct rules *rules, const struct content *c)
{
	if (rules->utf16 == UTF16_NONE)
		return UTF16_NONE;
	if (c->mark != UTF16_NONE)
		return c->mark;
	return rules->utf16 == UTF16_AUTO ? UTF16_NONE : rules->utf16;
}

/**
 * units_line(bytes, units, offset, line):
 * The first line of ${bytes}, which lie at ${offset}: its size with its newline, which
 * *${line} does not have; 0: its newline is not there.  In UTF-16 a CR before it belongs
 * to it.
 */
static inline size_t
units_line(struct slice bytes, enum utf16 units, uint64_t offset, struct slice *line)
{
	const char *newline;
	size_t len;

	if (units == UTF16_NONE) {
		if ((newline = memchr(bytes.at, '\n', bytes.len)) == NULL)
			return 0;
		len = (size_t)(newline - bytes.at);
		*line = (struct slice){ bytes.at, len };
		return len + 1;
	}
	len = utf16_newline(bytes, units, offset & 1);
	if (len == bytes.len)
		return 0;
	*line = (struct slice){ bytes.at, len };
	if (slice_ends(*line, units == UTF16_LE ? SLICE("\r\0") : SLICE("\0\r")))
		line->len -= 2;
	return len + 2;
}

/* The number of bytes before a line at ${offset} that are NULs, whole units where it has them. */
static inline size_t
units_nuls(struct slice bytes, enum utf16 units, uint64_t offset)
{
	size_t n = line_format_nuls(bytes);

	return units != UTF16_NONE && n < bytes.len && n > 0 ? n - ((offset + n) & 1) : n;
}

/* The size of the byte order mark that stands there; none but at a file's head. */
static inline size_t
units_mark(struct slice bytes, enum utf16 units, uint64_t offset)
{
	if (offset != 0)
		return 0;
	if (units != UTF16_NONE)
		return utf16_mark(bytes) != UTF16_NONE ? 2 : 0;
	return slice_starts(bytes, SLICE("\xef\xbb\xbf")) ? 3 : 0;
}

#endif
