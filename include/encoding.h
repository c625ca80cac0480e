/* Texts of another encoding than UTF-8, by iconv. */
#ifndef ENCODING_H
#define ENCODING_H

#include "memory.h"

struct encoding;

/**
 * encoding_new(name), encoding_free(e):
 * The encoding ${name}, as Fluent Bit calls it (ShiftJIS, GBK, Win1252, …) or iconv;
 * in it a line feed is the byte 0x0a, and no other character has that byte.  NULL: there
 * is none.  Not shared between threads.  NULL is harmless to free.
 */
struct encoding *encoding_new(const char *name);
void encoding_free(struct encoding *e);

/**
 * encoding_read(e, text, to):
 * Append ${text} to ${to} as UTF-8.  A byte that is part of no character becomes
 * U+FFFD.
 */
void encoding_read(struct encoding *e, struct slice text, struct buffer *to);

#endif
