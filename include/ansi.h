/* Terminal colours in log lines: recognised and taken out. */
#ifndef ANSI_H
#define ANSI_H

#include "slice.h"

/* Does the text hold an escape character at all? */
static inline bool
ansi_any(struct slice text)
{
	return text.len > 0 && memchr(text.at, 0x1b, text.len) != NULL;
}

/**
 * ansi_skip(text):
 * Return how many bytes of escape sequences ${text} begins with (CSI, OSC
 * and its like, short escapes; an unfinished one to the end of the line), 0 when none.
 */
size_t ansi_skip(struct slice text);

/**
 * ansi_strip(text, to):
 * Copy ${text} without its escape sequences to ${to} (text.len bytes; may be
 * text.at itself).  Return the length.
 */
size_t ansi_strip(struct slice text, char *to);

#endif
