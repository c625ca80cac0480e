/* A log goes back to a position, as the bytes behind are not those that were read. */
#include "state_internal.h"

static void
cursors_cut(struct known_log *l, uint64_t position)
{
	for (unsigned i = 0; i < l->nmarks; i++) {
		for (int side = 0; side < SIDES; side++) {
			struct mark *m = &l->marks[i][side];

			if (m->now != ABSENT && m->now > position)
				m->now = position;
		}
	}
}

static void
checkpoints_cut(struct state *s, const struct known_span *sp, uint64_t position)
{
	struct known *k = sp->content;
	uint64_t offset = position > sp->is.base ? position - sp->is.base : 0;
	unsigned gone = 0;

	while (gone < k->nchecks && k->checks[gone].offset > offset)
		gone++;
	if (gone == 0)
		return;
	k->nchecks -= gone;
	memmove(k->checks, &k->checks[gone], k->nchecks * sizeof(k->checks[0]));
	contents_dirty(s, k);
}

state_ticket
state_cut(struct state *s, const struct identity *log, uint64_t position)
{
	struct known_log *l;
	struct known_span *last = NULL;

	LOCKED(s);
	l = logs_change(s, log);
	cursors_cut(l, position);
	for (int side = 0; side < SIDES; side++)
		breaks_cut(&l->breaks[side], position);
	transaction_add(
	    s, "DELETE FROM breaks WHERE log = ?1 AND position > ?2", ID(log), NUMBER(position));
	for (size_t i = 0; i < l->nspans; i++)
		checkpoints_cut(s, l->spans[i], position);
	while (l->nspans > 0) {
		last = l->spans[l->nspans - 1];
		if (last->is.base + last->is.from <= position)
			break;
		logs_drop(s, last);
		last = NULL;
	}
	if (last != NULL && last->is.seal != SEAL_NONE) {
		last->is.seal = SEAL_NONE; /* it is the last one, and stays so */
		logs_save(s, last);
	}
	staging_cut(s->staging, log, position);
	return tickets_post(s, true);
}
