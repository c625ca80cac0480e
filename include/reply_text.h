/* A JSON string as it comes in, a byte at a time, kept as far as there is room. */
#ifndef REPLY_TEXT_H
#define REPLY_TEXT_H

#include <stdint.h>
#include <stddef.h>

#include "parse.h"

struct reply_text {
	char *at;         /* where it is kept; NULL: nowhere */
	size_t len, size; /* len: of all of it, kept or not */
	unsigned char state;
	unsigned digits; /* of \u still to come */
	uint32_t code;   /* of those that came */
	uint32_t high;   /* a surrogate that waits for its other half; 0: none */
};

/**
 * reply_text_begin(t, at, size):
 * Begin behind the opening quote; keep at most ${size} - 1 bytes in ${at}.
 */
void reply_text_begin(struct reply_text *t, char *at, size_t size);

/**
 * reply_text_take(t, c):
 * Read a byte.  Return PARSE_OK at the closing quote (the text has ended then,
 * as by reply_text_end), PARSE_BAD when it is no JSON string, else PARSE_MORE.
 */
enum parsed reply_text_take(struct reply_text *t, char c);

/**
 * reply_text_put(t, byte), reply_text_end(t):
 * Append a byte as it is; close what is kept with a zero byte, at the end of a
 * character where it was cut.
 */
void reply_text_put(struct reply_text *t, uint32_t byte);
void reply_text_end(struct reply_text *t);

#endif
