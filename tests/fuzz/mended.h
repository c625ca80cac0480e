/*
 * Text for jansson to judge.  What our scanner takes on purpose and jansson does not
 * (bytes that are no UTF-8, lone surrogates, NULs in names) has other letters there,
 * and so has a NUL, which ends the text for jansson.
 */
#ifndef MENDED_H
#define MENDED_H

/* Both have kinds of these names; the first three are the same numbers. */
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_TRUE JANSSON_TRUE
#define JSON_FALSE JANSSON_FALSE
#define JSON_NULL JANSSON_NULL
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL

#include "json.h"
#include "memory.h"

/* The caller frees it by exact_free(). */
static inline struct slice
mended(struct slice text)
{
	char *to = xmalloc(text.len + 1);

	for (size_t i = 0; i < text.len; i++) {
		to[i] = text.at[i] & 0x80 ? '~' : text.at[i] == '\0' ? '\1' : text.at[i];
		if (i >= 2 && to[i - 2] == '\\' && to[i - 1] == 'u' && strchr("dD0", to[i]) != NULL)
			to[i] = '1';
	}
	return (struct slice){ to, text.len };
}

static inline json_t *
jansson(struct slice text, size_t flags, json_error_t *error)
{
	memset(error, 0, sizeof(*error));
	return json_loadb(text.at, text.len,
	    JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL | flags, error);
}

#endif
