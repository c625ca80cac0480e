/* Decode_Field and Decode_Field_As of a configured parser: a field's text is read again. */
#ifndef PARSER_DECODE_H
#define PARSER_DECODE_H

#include "parser_take.h"

struct decoding;

/**
 * parser_decode_new(lines, n, error, size), parser_decode_free(d):
 * Of ${n} lines, `Decode_Field DECODER KEY [try_next|do_next]` or with
 * Decode_Field_As.  NULL, with the reason in ${error} (${size} bytes), when one is
 * none.  NULL is harmless to free.
 */
struct decoding *parser_decode_new(const char *const *lines, size_t n, char *error, size_t size);
void parser_decode_free(struct decoding *d);

/**
 * parser_decode_run(d, t):
 * Decode the fields that were taken.  A text that a decoder does not read, or for
 * which there is no room, stays as it is.
 */
void parser_decode_run(const struct decoding *d, struct take *t);

/* Which escapes are resolved. */
enum decode_escapes {
	DECODE_PLAIN, /* \n and the like; of any other the backslash goes */
	DECODE_UTF8,  /* \u00e9, \x41, \101, too; but \" \' \\ \/ stay as they are */
	DECODE_ALL,   /* those, too */
	DECODE_MYSQL, /* those of a quoted text of MySQL */
};

/**
 * parser_decode_text(which, arena, text, out):
 * Resolve escapes of ${text} in ${arena}.  False: it has no room.
 */
bool parser_decode_text(
    enum decode_escapes which, struct arena *arena, struct slice text, struct slice *out);

#endif
