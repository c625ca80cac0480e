/* Which outputs share a lane, and what each lane has. */
#include "lanes.h"

#include <stdlib.h>
#include <string.h>

#include "es_index.h"
#include "places.h"

/* True when it has no lane of its own: it is shown what another is given. */
static bool
rides(const struct section *s)
{
	return s->plugin == &stdout_plugin || s->plugin == &null_plugin;
}

unsigned
lanes_plan(const struct section *const *outputs, size_t n, unsigned *lane)
{
	unsigned lanes = 0;

	for (size_t i = 0; i < n; i++)
		lane[i] = rides(outputs[i]) ? 0 : lanes++;
	return lanes > 0 ? lanes : 1;
}

/* By it the state knows its cursors; "count" are those of counting, and no Alias ends with a blank. */
static char *
lane_name(const struct section *const *outputs, size_t which)
{
	char *name = output_name(outputs, which);

	if (strcmp(name, "count") == 0) {
		free(name);
		name = xstrdup("count ");
	}
	return name;
}

static void
lane_init(struct lane *l, struct state *state, unsigned batches, size_t bytes)
{
	l->book = range_book_new(state, (batches + 2) * BATCH_ITEMS);
	l->pool = batch_pool_new(batches, bytes);
	l->delivery = delivery_new(l->book, l->pool);
	l->rules = document_rules_default();
	l->is.book = l->book;
	l->is.rules = &l->rules;
}

void
lanes_init(struct lanes *l, const struct section *const *outputs, size_t n, struct state *state,
    unsigned batches, size_t bytes)
{
	unsigned *lane = xcalloc(n + 1, sizeof(*lane)), named = 0;
	const struct section *of[SHIP_LANES];
	char *names[SHIP_LANES];

	l->n = lanes_plan(outputs, n, lane);
	for (unsigned i = 0; i < l->n; i++)
		lane_init(&l->at[i], state, batches, bytes);
	for (size_t i = 0; i < n; i++) {
		struct lane *its = &l->at[lane[i]];

		its->is.outputs |= UINT32_C(1) << i;
		if (rides(outputs[i]))
			continue;
		of[named] = outputs[i];
		names[named++] = lane_name(outputs, i);
		es_index_rules(outputs[i], &its->rules);
	}
	places_settle(state, of, names, named);
	for (unsigned i = 0; i < named; i++)
		l->at[i].is.name = names[i];
	if (l->at[0].is.name == NULL)
		l->at[0].is.name = xstrdup("main");
	free(lane);
}

void
lanes_fini(struct lanes *l)
{
	for (unsigned i = 0; i < l->n; i++) {
		delivery_free(l->at[i].delivery);
		batch_pool_free(l->at[i].pool);
		range_book_free(l->at[i].book);
		free(l->at[i].is.name);
	}
}

uint64_t
lanes_missing(const struct lanes *l)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < l->n; i++)
		n += delivery_missing(l->at[i].delivery);
	return n;
}
