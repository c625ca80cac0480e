/*
 * The table of held and parked streams: one row a stream, output and reason,
 * sorted, so that an equal state is an equal table.
 */
#include "hold_report.h"

#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "clock.h"

struct rows {
	struct state_hold *at;
	size_t n;
};

struct hold_report {
	struct rows parked; /* until those of an output go on */
	struct rows next;   /* being made */
	bool any;           /* a table was posted; until then the state has the last process's */
	uint64_t posted;    /* its hash */
	int64_t due;        /* mono ns */
};

struct hold_report *
hold_report_new(void)
{
	return xcalloc(1, sizeof(struct hold_report));
}

void
hold_report_free(struct hold_report *h)
{
	if (h == NULL)
		return;
	free(h->parked.at);
	free(h->next.at);
	free(h);
}

static void
row_add(struct rows *to, const struct state_hold *row)
{
	if (to->n > 0 && memcmp(&to->at[to->n - 1], row, sizeof(*row)) == 0)
		return; /* items of one stream stand side by side */
	if (to->n % 64 == 0)
		to->at = xrealloc(to->at, (to->n + 64) * sizeof(*to->at));
	to->at[to->n++] = *row;
}

/* False after a rewind of the stream, which forgets the item. */
static bool
row_make(struct state_hold *row, const struct item *item, const char *output, const char *why)
{
	memset(row, 0, sizeof(*row)); /* rows are compared as bytes */
	if (item->range == NULL || !range_log(item->range, &row->log))
		return false;
	snprintf(row->output, sizeof(row->output), "%s", output);
	snprintf(row->why, sizeof(row->why), "%s", why);
	return true;
}

void
hold_report_item(
    struct hold_report *h, const struct item *item, const char *output, const char *why)
{
	struct state_hold row;

	if (row_make(&row, item, output, why))
		row_add(&h->next, &row);
}

/* Each stream once for an output, however many of its items are dropped. */
void
hold_report_parked(
    struct hold_report *h, const struct item *item, const char *output, const char *why)
{
	struct state_hold row;

	if (!row_make(&row, item, output, why))
		return;
	row.parked = true;
	for (size_t i = h->parked.n; i-- > 0;) {
		const struct state_hold *other = &h->parked.at[i];

		if (memcmp(&other->log, &row.log, sizeof(row.log)) == 0 &&
		    strcmp(other->output, row.output) == 0)
			return;
	}
	row_add(&h->parked, &row);
}

void
hold_report_unparked(struct hold_report *h, const char *output)
{
	struct rows *rows = &h->parked;
	size_t n = rows->n;

	rows->n = 0;
	for (size_t i = 0; i < n; i++) {
		if (strncmp(rows->at[i].output, output, sizeof(rows->at[i].output) - 1) != 0)
			rows->at[rows->n++] = rows->at[i];
	}
}

bool
hold_report_due(struct hold_report *h, int64_t now)
{
	if (now < h->due)
		return false;
	h->due = now + NS_PER_S;
	h->next.n = 0;
	return true;
}

static int
by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct state_hold));
}

static void
rows_sort(struct rows *rows)
{
	size_t kept = 0;

	if (rows->n > 1)
		qsort(rows->at, rows->n, sizeof(*rows->at), by_bytes);
	for (size_t i = 0; i < rows->n; i++) {
		if (i == 0 || by_bytes(&rows->at[kept - 1], &rows->at[i]) != 0)
			rows->at[kept++] = rows->at[i];
	}
	rows->n = kept;
}

void
hold_report_post(struct hold_report *h, struct state *s)
{
	uint64_t hash;

	for (size_t i = 0; i < h->parked.n; i++)
		row_add(&h->next, &h->parked.at[i]);
	rows_sort(&h->next);
	hash = XXH3_64bits(h->next.at, h->next.n * sizeof(struct state_hold));
	if (h->any && hash == h->posted)
		return;
	h->any = true;
	h->posted = hash;
	state_holds(s, h->next.at, h->next.n);
}
