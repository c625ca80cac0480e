/*
 * A record passes the filters of its tag.  Where a rule of rewrite_tag matches it goes on
 * under the new tag, from the first filter on.  With KEEP it does both: then the record is
 * run again from its beginning for each copy, along another path.  So it is for each record
 * that a script makes of one.
 *
 * A path is a choice at each KEEP (1: it takes the new tag) and each script (its part) that a
 * record meets on it.  Runs go through all paths in their order; a filter is a function of the
 * record, so that each run meets what the one before met, up to the choice that has changed.
 */
#include "filtering.h"

#include <stdlib.h>

#include "agent.h"
#include "reshape.h"
#include "stream.h"
#include "voice.h"

#define TAGS_MAX 8                       /* times that a record is given another tag */
#define CHOICES 4                        /* that a record meets */
#define PARTS_MAX 1000                   /* documents of one record */
#define PART_NUMBERS (UINT32_C(1) << 31) /* no rule has one */

struct filtering {
	struct filter *const *filters;
	size_t n;
	struct reshape *reshape; /* NULL: no filter changes fields */
	struct filter **again;   /* of a record that has another tag than its stream */
	const struct filter *dropped_by;
	struct record_id id;                   /* of a copy */
	unsigned path[CHOICES], ways[CHOICES]; /* the choices of this run, and of how many */
	unsigned met;                          /* choices in this run */
	int changed; /* the first of them that is another than in the run before; -1: it is the first */
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
		if (r->split.part == 0) /* what goes on as it was has all parts in it */
			r->split.parts = 0;
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

/* The most ways of a further choice: all documents of the record have a bound. */
static unsigned
ways_most(const struct filtering *x)
{
	unsigned taken = 1;

	for (unsigned i = 0; i < x->met; i++)
		taken *= x->ways[i];
	return x->met < CHOICES ? PARTS_MAX / taken : 0;
}

/* A choice of ${ways}; the one of this run. */
static unsigned
choose(struct filtering *x, unsigned ways)
{
	x->ways[x->met] = ways;
	return x->path[x->met++];
}

/* The number of a filter, from 1; ${each} is how many numbers it has. */
static uint32_t
number_of(const struct filtering *x, const struct filter *filter, uint32_t each)
{
	uint32_t number = 1;

	for (size_t i = 0; i < x->n && x->filters[i] != filter; i++)
		number += each;
	return number;
}

/*
 * A copy's id: the record's, whose hash has the number of the rule or part in it, the same
 * each time, and that of the choice, as a record may meet a rule again under another tag.
 */
static void
copy_id(struct filtering *x, struct record *r, uint32_t number)
{
	number += (x->met - 1) << 24;
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
	if (r->retag.tag.len == 0)
		return false;
	if (r->retag.what == RETAG_MOVE)
		return true;
	if (ways_most(x) < 2 || choose(x, 2) == 0)
		return false;
	copy_id(x, r, number_of(x, by, 64) + r->retag.rule);
	return true;
}

/* A filter may make several records of this one: which of them is wanted. */
static void
split_ask(const struct filtering *x, struct record *r)
{
	r->split = (struct split){ .place = x->met,
		.part = x->met < CHOICES ? x->path[x->met] : 0,
		.most = ways_most(x),
		.again = (int)x->met <= x->changed };
}

static void
split_note(struct filtering *x, struct record *r, const struct filter *by)
{
	unsigned part;

	if (r->split.parts < 2)
		return;
	part = choose(x, r->split.parts);
	if (part > 0)
		copy_id(x, r, PART_NUMBERS | (number_of(x, by, PARTS_MAX) + part));
}

void
filtering_first(struct filtering *x)
{
	memset(x->path, 0, sizeof(x->path));
	x->met = 0;
	x->changed = -1;
}

/* The last choice that has a further way, from 1; 0: there is none. */
static unsigned
choice_last(const struct filtering *x)
{
	unsigned i = x->met;

	while (i > 0 && x->path[i - 1] + 1 >= x->ways[i - 1])
		i--;
	return i;
}

bool
filtering_copies(const struct filtering *x)
{
	return choice_last(x) > 0;
}

/* The next path: the last choice that can be another is, and all behind it are the first. */
void
filtering_next(struct filtering *x)
{
	unsigned i = choice_last(x);

	x->path[i - 1]++;
	for (unsigned k = i; k < CHOICES; k++)
		x->path[k] = 0;
	x->changed = (int)i - 1;
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
		split_ask(x, r);
		if (!filter_apply(x, of, filter, r, failures)) {
			x->dropped_by = filter;
			return NULL;
		}
		split_note(x, r, filter);
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
	tags_run(x, of, r, failures);
	if (r->shape != NULL && x->dropped_by == NULL) {
		reshape_settle(x->reshape, r);
		if (r->shape->full)
			shape_drop(x, r, failures);
	}
	return x->dropped_by;
}
