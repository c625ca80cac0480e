/*
 * The logs that wait for an output, with the reason: a table that is written as a
 * whole when it has changed, and read by state_look().
 */
#include <stdlib.h>

#include "memory.h"
#include "state_internal.h"

void
holds_free(struct holds *h)
{
	free(h->at);
	*h = (struct holds){ 0 };
}

void
holds_add(struct holds *h, const struct state_hold *hold)
{
	h->at = xrealloc(h->at, (h->n + 1) * sizeof(*h->at));
	h->at[h->n++] = *hold;
}

void
holds_gather(struct state *s)
{
	struct holds *h = &s->tables->holds;

	if (!h->changed)
		return;
	transaction_add(s, "DELETE FROM holds");
	for (size_t i = 0; i < h->n; i++)
		transaction_add(s, "INSERT OR IGNORE INTO holds VALUES (?1, ?2, ?3, ?4)",
		    ID(&h->at[i].log), NUMBER(h->at[i].parked), TEXT(slice_of(h->at[i].output)),
		    TEXT(slice_of(h->at[i].why)));
	holds_free(h);
}

void
state_holds(struct state *s, const struct state_hold *at, size_t n)
{
	struct holds *h = &s->tables->holds;

	if (s->dir == NULL)
		return;
	LOCKED(s);
	holds_free(h);
	for (size_t i = 0; i < n; i++)
		holds_add(h, &at[i]);
	h->changed = true;
	tickets_post(s, false);
}

void
state_holds_each(struct state *s, void (*each)(void *arg, const struct state_hold *hold), void *arg)
{
	const struct holds *h = &s->tables->holds;

	for (size_t i = 0; i < h->n; i++)
		each(arg, &h->at[i]);
}
