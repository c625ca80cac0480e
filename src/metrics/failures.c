/* Failures that have been seen: pages of fingerprints; the table is set-associative, as a cache is. */
#include "failures.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "metrics.h"

#define PAGES_MAX 100000 /* a page of the state with a higher number is none of ours */

struct page {
	uint64_t fingerprints[FAILURES_PAGE];
	int64_t last[FAILURES_PAGE]; /* time of the newest record, ns */
	unsigned n;
	bool changed; /* since it was saved */
};

struct failures {
	struct page *pages;
	size_t n;
	size_t saved; /* pages that the state has, of a larger table perhaps */
	int64_t memory;
	int64_t newest; /* of all times */
};

struct failures *
failures_new(size_t most, int64_t memory)
{
	struct failures *f = xcalloc(1, sizeof(*f));

	f->n = (most + FAILURES_PAGE - 1) / FAILURES_PAGE;
	f->pages = xcalloc(f->n, sizeof(*f->pages));
	f->memory = memory;
	return f;
}

void
failures_free(struct failures *f)
{
	if (f == NULL)
		return;
	free(f->pages);
	free(f);
}

/* The place of the fingerprint in its page; when it has none, a free one, or that of the oldest. */
static unsigned
place_of(const struct page *p, uint64_t fingerprint)
{
	unsigned i = 0, oldest = 0;

	while (i < p->n && p->fingerprints[i] != fingerprint)
		i++;
	if (i < FAILURES_PAGE)
		return i;
	for (i = 1; i < FAILURES_PAGE; i++) {
		if (p->last[i] < p->last[oldest])
			oldest = i;
	}
	return oldest;
}

/* A fingerprint that was not known takes the place ${i}. */
static void
settle(struct failures *f, struct page *p, unsigned i, uint64_t fingerprint, int64_t time)
{
	if (i == p->n)
		p->n++;
	else if (time - p->last[i] < f->memory)
		metrics_add(&metrics_failures.forgotten, 1);
	p->fingerprints[i] = fingerprint;
	p->last[i] = time;
}

bool
failures_see(struct failures *f, uint64_t fingerprint, int64_t time)
{
	struct page *p = &f->pages[fingerprint % f->n];
	unsigned i = place_of(p, fingerprint);
	bool known = i < p->n && p->fingerprints[i] == fingerprint, first;

	first = !known || time - p->last[i] >= f->memory;
	if (time > f->newest)
		f->newest = time;
	p->changed = true;
	if (!known)
		settle(f, p, i, fingerprint, time);
	else if (time > p->last[i])
		p->last[i] = time;
	return first;
}

void
failures_tame(struct failures *f, int64_t now)
{
	if (f->newest <= now)
		return;
	f->newest = now;
	for (size_t at = 0; at < f->n; at++) {
		struct page *p = &f->pages[at];

		for (unsigned i = 0; i < p->n; i++) {
			if (p->last[i] <= now)
				continue;
			p->last[i] = now;
			p->changed = true;
		}
	}
}

/* ---- the state */

/* A JSON text. */
static void
page_text(struct buffer *to, const struct page *p)
{
	buffer_clear(to);
	buffer_put(to, SLICE("["));
	for (unsigned i = 0; i < p->n; i++)
		buffer_printf(to, "%s[%lld,%lld]", i > 0 ? "," : "", (long long)p->fingerprints[i],
		    (long long)p->last[i]);
	buffer_put(to, SLICE("]"));
}

static void
page_put(size_t page, struct slice text, agent_metrics_put *put, void *arg)
{
	char key[64];

	snprintf(key, sizeof(key), FAILURES_KEY "%zu", page);
	put(arg, slice_of(key), text);
}

void
failures_save(struct failures *f, agent_metrics_put *put, void *arg)
{
	struct buffer text;

	buffer_init(&text, 0);
	for (size_t at = 0; at < f->n; at++) {
		if (!f->pages[at].changed)
			continue;
		f->pages[at].changed = false;
		page_text(&text, &f->pages[at]);
		page_put(at, buffer_slice(&text), put, arg);
	}
	buffer_fini(&text);
	for (; f->saved > f->n; f->saved--)
		page_put(f->saved - 1, SLICE(""), put, arg);
}

void
failures_restore(struct failures *f, struct slice page, struct slice value)
{
	json_t *all;
	size_t number = 0;
	bool changed;

	for (size_t i = 0; i < page.len && number < PAGES_MAX; i++)
		number = 10 * number + (size_t)(page.at[i] - '0') % 10;
	if (number >= PAGES_MAX)
		return;
	if (number >= f->saved)
		f->saved = number + 1;
	all = json_loadb(value.at, value.len, 0, NULL);
	changed = number < f->n && f->pages[number].changed;
	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *one = json_array_get(all, i);
		uint64_t fingerprint = (uint64_t)json_integer_value(json_array_get(one, 0));

		failures_see(f, fingerprint, json_integer_value(json_array_get(one, 1)));
		changed |= fingerprint % f->n != number; /* the table has another size now */
	}
	if (number < f->n)
		f->pages[number].changed = changed;
	json_decref(all);
}
