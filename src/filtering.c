/*
 * A record passes the filters of its tag.  Where a rule of rewrite_tag matches it goes on
 * under the new tag, from the first filter on.  With KEEP it does both: then the record is
 * run again from its beginning for each copy, along another path.
 *
 * A path is a bit for each KEEP that a record meets on it, set where it takes the new tag.
 * Runs go through all paths in their order; a filter is a function of the record, so
 * that each run meets what the one before met, up to the bit that has changed.
 */
#include "filtering.h"

#include <stdlib.h>

#include "agent.h"
#include "reshape.h"
#include "stream.h"
#include "voice.h"

#define TAGS_MAX 8   /* times that a record is given another tag */
#define COPIES_MAX 4 /* rules with KEEP that a record meets: 16 documents at most */

struct filtering {
	struct filter *const *filters;
	size_t n;
	struct reshape *reshape; /* NULL: no filter changes fields */
	struct filter **again;   /* of a record that has another tag than its stream */
	const struct filter *dropped_by;
	struct record_id id; /* of a copy */
	uint32_t path;       /* bit i: at the i-th KEEP it takes the new tag */
	unsigned met, runs;  /* KEEPs that were met; runs of the record */
	struct said said_full, said_tags;
};

struct filtering *
filtering_new(struct filter *const *filters, size_t n, size_t memory)
{
	struct filtering *x = xcalloc(1, sizeof(*x));

	x->filters = filters;
	x->n = n;
	x->again = xcalloc(n + 1, sizeof(struct filter *));
	for (size_t i = 0; i < n && x->reshape == NULL; i++)
		if (filter_reshapes(filters[i]))
			x->reshape = reshape_new(memory);
	return x;
}

void
filtering_free(struct filtering *x)
{
	if (x == NULL)
		return;
	reshape_free(x->reshape);
	free(x->again);
	free(x);
}

/* ---- one filter */

/* There was no room for the fields as filters change them. */
static void
shape_drop(struct filtering *x, struct record *r, unsigned *failures)
{
	if ((*failures & 1u << FAILURE_RESHAPE) == 0 && !said_lately(&x->said_full))
		say_warn("filter",
		    "a record of %.*s is too large for filters to change its fields, and goes on as it "
		    "was; Filter_Memory in [SERVICE] is the bound",
		    SLICE_ARG(r->tag));
	*failures |= 1u << FAILURE_RESHAPE;
	r->shape = NULL;
}

/* A filter that changes fields; true: the record goes on. */
static bool
reshape_run(struct filtering *x, const struct filtering_of *of, struct filter *filter,
    struct record *r, unsigned *failures)
{
	bool keep;

	if ((*failures & 1u << FAILURE_RESHAPE) != 0)
		return true;
	if (r->shape == NULL && !reshape_begin(x->reshape, r, of->rules)) {
		shape_drop(x, r, failures);
		return true;
	}
	keep = filter_run(filter, r, of->line, of->pod, of->arena);
	if (r->shape->full) {
		shape_drop(x, r, failures);
		r->retag.what = RETAG_NOT;
	}
	return keep || r->shape == NULL;
}

static bool
filter_apply(struct filtering *x, const struct filtering_of *of, struct filter *filter,
    struct record *r, unsigned *failures)
{
	struct reshape_seen before = { r->parsed, r->pod, r->has_log };
	bool keep;

	if (filter_reshapes(filter))
		return reshape_run(x, of, filter, r, failures);
	keep = filter_run(filter, r, of->line, of->pod, of->arena);
	if (r->shape != NULL) {
		reshape_follow(x->reshape, r, &before);
		if (r->shape->full)
			shape_drop(x, r, failures);
	}
	return keep;
}

/* ---- another tag */

/*
 * A copy's id: the record's, whose hash has the number of the rule in it, the same each
 * time, and that of the KEEP, as a record may meet a rule again under another tag.
 */
static void
copy_id(struct filtering *x, struct record *r, const struct filter *by, unsigned keep)
{
	uint32_t number = 1 + (keep << 24);

	for (size_t i = 0; i < x->n && x->filters[i] != by; i++)
		number += 64;
	number += r->retag.rule;
	if (r->place.id == NULL)
		return;
	x->id = *r->place.id;
	x->id.hash = (x->id.hash << 5 | x->id.hash >> 27) ^ number * UINT32_C(0x9e3779b1);
	r->place.id = &x->id;
}

/* True when the record takes the new tag on the path of this run. */
static bool
takes_tag(struct filtering *x, struct record *r, const struct filter *by)
{
	unsigned bit;

	if (r->retag.tag.len == 0)
		return false;
	if (r->retag.what == RETAG_MOVE)
		return true;
	if (x->met == COPIES_MAX)
		return false;
	bit = x->met++;
	if ((x->path >> bit & 1) == 0)
		return false;
	copy_id(x, r, by, bit);
	return true;
}

void
filtering_first(struct filtering *x)
{
	x->path = 0;
	x->met = x->runs = 0;
}

/* The next path: of the bits that were met the last that is not set, and all behind it gone. */
bool
filtering_copies(const struct filtering *x)
{
	return x->path != (UINT32_C(1) << x->met) - 1 && x->runs < 1u << COPIES_MAX;
}

void
filtering_next(struct filtering *x)
{
	unsigned i = x->met;

	while (i > 0 && (x->path >> (i - 1) & 1) != 0)
		i--;
	x->path = (x->path & ((UINT32_C(1) << i) - 1)) | (i > 0 ? UINT32_C(1) << (i - 1) : 0);
	x->met = 0; /* of the run that follows */
}

/* The filters that the record passes under its new tag. */
static size_t
filters_again(struct filtering *x, struct slice tag)
{
	size_t n = 0;

	for (size_t i = 0; i < x->n; i++)
		if (filter_matches(x->filters[i], tag))
			x->again[n++] = x->filters[i];
	return n;
}

/* ---- all filters */

/* Through the filters of one tag: the one that gave the record another tag, NULL: none did. */
static struct filter *
pass(struct filtering *x, const struct filtering_of *of, struct record *r,
    const struct filter *without, unsigned *failures)
{
	for (size_t i = 0; i < of->n; i++) {
		struct filter *filter = of->filters[i];

		if (filter == without)
			continue;
		if (!filter_apply(x, of, filter, r, failures)) {
			x->dropped_by = filter;
			return NULL;
		}
		if (r->retag.what == RETAG_NOT)
			continue;
		if (takes_tag(x, r, filter))
			return filter;
		r->retag.what = RETAG_NOT;
	}
	return NULL;
}

static void
tags_run(struct filtering *x, const struct filtering_of *of, struct record *r, unsigned *failures)
{
	struct filtering_of now = *of;
	struct filter *by = pass(x, &now, r, NULL, failures);

	for (int i = 0; by != NULL; i++) {
		r->tag = r->retag.tag;
		r->retag.what = RETAG_NOT;
		r->retag.given++;
		if (i + 1 == TAGS_MAX) {
			if (!said_lately(&x->said_tags))
				say_warn("filter",
				    "a record was given another tag %d times, the last is %.*s: "
				    "the rules of rewrite_tag go in a circle",
				    TAGS_MAX, SLICE_ARG(r->tag));
			return;
		}
		now.n = filters_again(x, r->tag);
		now.filters = x->again;
		by = pass(
		    x, &now, r, by, failures); /* what a filter sent on it does not see again */
	}
}

const struct filter *
filtering_run(
    struct filtering *x, const struct filtering_of *of, struct record *r, unsigned *failures)
{
	x->dropped_by = NULL;
	x->runs++;
	tags_run(x, of, r, failures);
	if (r->shape != NULL && x->dropped_by == NULL) {
		reshape_settle(x->reshape, r);
		if (r->shape->full)
			shape_drop(x, r, failures);
	}
	return x->dropped_by;
}
