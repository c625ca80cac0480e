/* Inside the chain: the filters that a record passes, under one tag or several. */
#ifndef FILTERING_H
#define FILTERING_H

#include "batch.h"
#include "filter.h"
#include "record.h"

struct filtering;

/* What the filters of a record work with. */
struct filtering_of {
	struct filter *const *filters; /* of the stream's tag */
	size_t n;
	const struct document_rules *rules;
	const struct agent_line *line;
	const struct pod *pod;
	struct arena *arena;
};

/**
 * filtering_new(filters, n, memory), filtering_free(x):
 * All filters of the configuration; trees of records take at most ${memory} bytes.
 */
struct filtering *filtering_new(struct filter *const *filters, size_t n, size_t memory);
void filtering_free(struct filtering *x);

/**
 * filtering_run(x, of, r, failures), filtering_copies(x), filtering_next(x):
 * Apply the filters; the filter that dropped the record, or NULL.  Where rules of rewrite_tag keep
 * the record under its old tag, too, or a script makes several of it, there are copies: filtering_copies() is true, and
 * after filtering_next() the same record is run again and becomes the next of them, whose
 * id is its own.  filtering_first() begins with another record.
 */
void filtering_first(struct filtering *x);
const struct filter *filtering_run(
    struct filtering *x, const struct filtering_of *of, struct record *r, unsigned *failures);
bool filtering_copies(const struct filtering *x);
void filtering_next(struct filtering *x);

#endif
