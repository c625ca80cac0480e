/* The index template's text.  Inside src/ship/ alone. */
#ifndef ES_MAPPING_H
#define ES_MAPPING_H

#include <stdbool.h>

#include "memory.h"

/* Of the template below: it replaces its own older ones. */
#define TEMPLATE_VERSION 3

/* What of it depends on the server, as bits. */
enum dialect {
	DIALECT_OPENSEARCH = 1,   /* the products have different names for an object of any keys */
	DIALECT_TURNED = 2,       /* not the name that the output's plugin says */
	DIALECT_WHOLE_LABELS = 4, /* it cannot cut labels at each - */
};

/**
 * es_mapping_write(to, pattern, time_key, dialect):
 * Append the body of PUT _index_template for indices named ${pattern}; NULL: of
 * PUT _component_template.
 */
void es_mapping_write(
    struct buffer *to, const char *pattern, const char *time_key, unsigned dialect);

/**
 * es_mapping_refused(dialect, answer):
 * True when the ${answer} 400 is for something that ${*dialect} may be changed
 * in, which is done: at most once for each of its bits.
 */
bool es_mapping_refused(unsigned *dialect, struct slice answer);

#endif
