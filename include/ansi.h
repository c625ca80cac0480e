/* Terminal colours in log lines: recognised and taken out. */
#ifndef ANSI_H
#define ANSI_H

#include "slice.h"

/* True when the text has an escape character. */
static inline bool
ansi_any(struct slice text)
{
	return text.len > 0 && memchr(text.at, 0x1b, text.len) != NULL;
}

/**
 * ansi_skip(text):
 * Return the length of the escape sequences at the front of ${text} (CSI, OSC
 * and its like, short escapes; an unfinished one to the end of the line), 0:
 * none.
 */
size_t ansi_len(struct slice text);

static inline size_t
ansi_skip(struct slice text)
{
	return text.len > 0 && text.at[0] == 0x1b ? ansi_len(text) : 0;
}

/**
 * ansi_strip(text, to):
 * Copy ${text} without its escape sequences to ${to} (text.len bytes; may be
 * text.at itself).  Return the length.
 */
size_t ansi_strip(struct slice text, char *to);

#endif
