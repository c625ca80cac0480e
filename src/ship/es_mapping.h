/* The index template's text.  Inside src/ship/ alone. */
#ifndef ES_MAPPING_H
#define ES_MAPPING_H

#include "memory.h"

/* Of the template below: it replaces its own older ones. */
#define TEMPLATE_VERSION 2

/* What of it depends on the server. */
struct dialect {
	bool opensearch;   /* the products have different names for an object of any keys */
	bool turned;       /* not the name that the output's plugin says */
	bool whole_labels; /* it cannot cut labels at each - */
};

/**
 * mapping_write(to, pattern, time_key, dialect):
 * Append the body of PUT _index_template for indices named ${pattern}.
 */
void mapping_write(
    struct buffer *to, const char *pattern, const char *time_key, const struct dialect *dialect);

/**
 * mapping_refused(dialect, answer):
 * Is the ${answer} 400 for something that ${dialect} may be changed in?  Then
 * change it: that happens at most once for each of its members.
 */
bool mapping_refused(struct dialect *dialect, struct slice answer);

#endif
