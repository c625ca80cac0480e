/* A member of a document by its record accessor.  Inside src/ship/ alone. */
#ifndef ES_ACCESSOR_H
#define ES_ACCESSOR_H

#include "slice.h"

#define ES_ACCESSOR_NAMES 8

/* The names from the root to the member; they lie in the text that was read. */
struct es_accessor {
	struct slice names[ES_ACCESSOR_NAMES];
	unsigned n;
};

/**
 * es_accessor_read(text, to):
 * Read `$name`, `name`, `$name['name']…` (as Fluent Bit's record accessor) into
 * ${to}.  Return NULL, or the fault as a text.
 */
const char *es_accessor_read(const char *text, struct es_accessor *to);

/**
 * es_accessor_find(a, parsed_key, document, to, size):
 * Write the value of the member of the JSON object ${document} to ${to}: a string
 * without its escapes, or a number.  A member that is not at the root is looked for
 * under ${parsed_key}, and in the `extra` there.  A dot of a name stands for an
 * underscore, too, as in the names of labels.  Return its length, 0 when there is none
 * or it is longer than ${size}.
 */
size_t es_accessor_find(const struct es_accessor *a, struct slice parsed_key, struct slice document,
    char *to, size_t size);

#endif
