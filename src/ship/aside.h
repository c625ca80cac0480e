/* Fields that cannot stand at a document's root.  Inside src/ship/ alone. */
#ifndef ASIDE_H
#define ASIDE_H

#include "batch.h"

/* The fields of a record that are set aside: bit i is fields[i]. */
struct aside {
	const struct field *fields;
	uint64_t which;
};

/**
 * aside_of(rules, r):
 * The fields of ${r} whose names the document has of its own, or whose values
 * the index template's mapping refuses under their names.
 */
struct aside aside_of(const struct document_rules *rules, const struct record *r);

/**
 * aside_takes(rules, r, f):
 * As document_takes().
 */
bool aside_takes(const struct document_rules *rules, const struct record *r, const struct field *f);

#endif
