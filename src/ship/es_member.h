/* The member of a document that an accessor names.  Inside src/ship/ alone. */
#ifndef ES_MEMBER_H
#define ES_MEMBER_H

#include "accessor.h"
#include "batch.h"

/**
 * es_member_find(a, rules, document, to, size):
 * Write the value of the member of the JSON object ${document} to ${to}: a string
 * without its escapes, or a number.  A member that is not at the root is looked for
 * where ${rules} have what the text says: under their parsed_key, and in the `extra` of
 * log_parsed.  A dot of a name stands for an underscore, too, as in the names of labels.
 * Return its length, 0 when there is none or it is longer than ${size}.
 */
size_t es_member_find(const struct accessor *a, const struct document_rules *rules,
    struct slice document, char *to, size_t size);

#endif
