/*
 * What an item's answer means: facts.md, "Elasticsearch and OpenSearch bulk",
 * as a table.  The first row that fits says it; what no row names is the
 * server's state, and the record waits.
 */
#include "es.h"

static const struct {
	int from, to;     /* status */
	const char *type; /* NULL: any */
	enum verdict verdict;
} rows[] = {
	{ 200, 299, NULL, VERDICT_DONE },
	{ 409, 409, NULL, VERDICT_CONFLICT },
	/* blocked by flooded disks: a state of that index, not a rush */
	{ 429, 429, "cluster_block_exception", VERDICT_HOLD },
	{ 429, 429, NULL, VERDICT_BUSY },
	{ 400, 400, "mapper_parsing_exception", VERDICT_FAULT },
	{ 400, 400, "document_parsing_exception", VERDICT_FAULT },
	{ 400, 400, "strict_dynamic_mapping_exception", VERDICT_FAULT },
	/* a missing pipeline, or a term too long: time tells */
	{ 400, 400, "illegal_argument_exception", VERDICT_DOUBT },
	{ 413, 413, NULL, VERDICT_FAULT },
	{ 503, 503, "unavailable_shards_exception", VERDICT_HOLD },
	{ 500, 599, NULL, VERDICT_BUSY },
};

enum verdict
verdict_of(const struct reply_item *item)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (item->status >= rows[i].from && item->status <= rows[i].to &&
		    (rows[i].type == NULL || strcmp(rows[i].type, item->type) == 0))
			return rows[i].verdict;
	}
	return VERDICT_HOLD;
}
