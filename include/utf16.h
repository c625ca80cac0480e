/* Lines of UTF-16: where they end, and their text as UTF-8. */
#ifndef UTF16_H
#define UTF16_H

#include "memory.h"

/* What a file's text is written in; UTF16_AUTO: what the mark at its head says. */
enum utf16 { UTF16_NONE, UTF16_LE, UTF16_BE, UTF16_AUTO };

/**
 * utf16_mark(head):
 * The order that the byte order mark at a file's ${head} says; UTF16_NONE: there is none.
 *
 * utf16_newline(bytes, order, odd):
 * Where the first line feed begins, two bytes of ${order} (UTF16_LE or UTF16_BE);
 * bytes.len: none is there whole.  ${odd}: ${bytes} begin with the second byte of a unit.
 *
 * utf16_read(bytes, order, odd, to):
 * Append ${bytes} to ${to} as UTF-8.  A surrogate without the other one, and half a
 * unit, become U+FFFD.  Return their number.
 */
enum utf16 utf16_mark(struct slice head);
size_t utf16_newline(struct slice bytes, enum utf16 order, bool odd);
size_t utf16_read(struct slice bytes, enum utf16 order, bool odd, struct buffer *to);

#endif
