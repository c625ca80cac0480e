/* The table of verdicts, and those of a request as its answer comes in. */
#include "verdict.h"

/*
 * The first row that fits decides; an answer that no row names is the server's
 * state, and the record waits.  No document is blamed for a state: a block may
 * end and begin again at any moment, whatever was taken between.
 */
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
	/* a missing pipeline, a conflict of mappings, or the limit of fields: time tells */
	{ 400, 400, "illegal_argument_exception", VERDICT_DOUBT },
	{ 400, 400, "index_closed_exception", VERDICT_HOLD },
	{ 400, 400, "validation_exception", VERDICT_HOLD }, /* the limit of shards */
	{ 400, 400, "invalid_index_name_exception", VERDICT_HOLD },
	{ 400, 400, "cluster_block_exception", VERDICT_HOLD },
	{ 400, 400, NULL, VERDICT_DOUBT },
	{ 413, 413, NULL, VERDICT_FAULT },
	{ 503, 503, "unavailable_shards_exception", VERDICT_HOLD },
	{ 500, 599, NULL, VERDICT_BUSY },
};

/* A term that is longer than Lucene takes, in its words: no index will ever take it. */
static bool
too_long(const struct reply_item *item)
{
	return strstr(item->reason, "immense term") != NULL ||
	       strstr(item->reason, "is too large, must be <= 32766") != NULL;
}

enum verdict
verdict_of(const struct reply_item *item)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (item->status >= rows[i].from && item->status <= rows[i].to &&
		    (rows[i].type == NULL || strcmp(rows[i].type, item->type) == 0))
			return rows[i].verdict == VERDICT_DOUBT && too_long(item) ? VERDICT_FAULT
										  : rows[i].verdict;
	}
	return VERDICT_HOLD;
}

/* ---- collecting */

static bool
cause_same(const struct cause *c, enum verdict verdict, const struct reply_item *answer, bool whole)
{
	return c->verdict == verdict && c->answer.status == answer->status &&
	       strcmp(c->answer.type, answer->type) == 0 &&
	       (!whole || strcmp(c->answer.reason, answer->reason) == 0);
}

/* Kept once for all items that share it; when there are too many, without its reason. */
static unsigned
cause_find(struct verdicts *v, enum verdict verdict, const struct reply_item *answer)
{
	for (unsigned i = 0; i < v->ncauses; i++) {
		if (cause_same(&v->causes[i], verdict, answer, true))
			return i;
	}
	if (v->ncauses < CAUSES) {
		v->causes[v->ncauses] = (struct cause){ verdict, *answer };
		return v->ncauses++;
	}
	for (unsigned i = 0; i < v->ncauses; i++) {
		if (cause_same(&v->causes[i], verdict, answer, false))
			return i;
	}
	/* The last one is the newest of the rest. */
	v->causes[CAUSES - 1] = (struct cause){ verdict, *answer };
	return CAUSES - 1;
}

static uint8_t
verdict_code(struct verdicts *v, enum verdict verdict, const struct reply_item *answer)
{
	if (verdict == VERDICT_DONE)
		return OF_DONE;
	if (verdict == VERDICT_CONFLICT)
		return OF_CONFLICT;
	return (uint8_t)(OF_CAUSE + cause_find(v, verdict, answer));
}

void
verdict_begin(struct verdicts *v)
{
	memset(v->of, OF_NONE, sizeof(v->of));
	v->ncauses = 0;
}

void
verdict_take(struct verdicts *v, uint32_t i, const struct reply_item *answer)
{
	v->of[i] = verdict_code(v, verdict_of(answer), answer);
}

void
verdict_all(struct verdicts *v, const struct piece *p, enum verdict verdict,
    const struct reply_item *answer)
{
	v->ncauses = 0;
	TODO_EACH (p, i)
		v->of[i] = verdict_code(v, verdict, answer);
}

unsigned
verdict_busy(const struct verdicts *v, const struct piece *p, unsigned *rushed)
{
	unsigned busy = 0;

	*rushed = 0;
	TODO_EACH (p, i) {
		const struct cause *c = verdict_cause(v, i);

		if (c == NULL || c->verdict != VERDICT_BUSY)
			continue;
		busy++;
		*rushed += c->answer.status == 429;
	}
	return busy;
}
