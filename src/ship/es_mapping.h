/* The index template's text.  Inside src/ship/ alone. */
#ifndef ES_MAPPING_H
#define ES_MAPPING_H

#include "memory.h"

/* Of the template below: it replaces its own older ones. */
#define TEMPLATE_VERSION 1

enum flat { FLAT_ELASTICSEARCH, FLAT_OPENSEARCH, FLATS };

/**
 * mapping_write(to, pattern, time_key, flat):
 * Append the body of PUT _index_template for indices named ${pattern}; the
 * two products have different names for an object of any keys.
 */
void mapping_write(struct buffer *to, const char *pattern, const char *time_key, enum flat flat);

#endif
