/* Breaks of a log: positions at which a record ended by time, or by the end of the log. */
#include "memory.h"
#include "state_internal.h"

/* The number of breaks at or before `position`. */
static size_t
count_to(const struct breaks *b, uint64_t position)
{
	size_t low = 0, high = b->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (b->at[middle] <= position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
breaks_add(struct breaks *b, uint64_t position)
{
	size_t i = count_to(b, position);

	if (i > 0 && b->at[i - 1] == position)
		return;
	b->at = xrealloc(b->at, (b->n + 1) * sizeof(*b->at));
	memmove(&b->at[i + 1], &b->at[i], (b->n++ - i) * sizeof(*b->at));
	b->at[i] = position;
}

void
breaks_cut(struct breaks *b, uint64_t position)
{
	b->n = count_to(b, position);
}

bool
breaks_pass(struct breaks *b, uint64_t position)
{
	size_t passed = count_to(b, position);

	if (passed == 0)
		return false;
	b->n -= passed;
	memmove(b->at, &b->at[passed], b->n * sizeof(*b->at));
	return true;
}

state_ticket
state_break(struct state *s, const struct identity *log, enum side side, uint64_t end)
{
	LOCKED(s);
	breaks_add(&logs_change(s, log)->breaks[side], end);
	transaction_add(s, "INSERT OR IGNORE INTO breaks VALUES (?1, ?2, ?3)", ID(log),
	    NUMBER(side), NUMBER(end));
	return tickets_post(s, true);
}

void
state_unbreak(struct state *s, const struct identity *log, enum side side, uint64_t end)
{
	struct breaks *b;
	size_t i;

	LOCKED(s);
	b = &logs_of(s, log)->breaks[side];
	i = count_to(b, end);
	if (i == 0 || b->at[i - 1] != end)
		return;
	memmove(&b->at[i - 1], &b->at[i], (b->n-- - i) * sizeof(*b->at));
	transaction_add(s, "DELETE FROM breaks WHERE log = ?1 AND side = ?2 AND position = ?3",
	    ID(log), NUMBER(side), NUMBER(end));
	tickets_post(s, false);
}

uint64_t
state_is_break(
    struct state *s, const struct identity *log, enum side side, uint64_t from, uint64_t to)
{
	const struct known_log *l;
	size_t i;

	LOCKED(s);
	l = map_get(s->tables->logs, contents_key(log));
	if (l == NULL)
		return 0;
	i = count_to(&l->breaks[side], from);
	return i < l->breaks[side].n && l->breaks[side].at[i] <= to ? l->breaks[side].at[i] : 0;
}

size_t
state_breaks(struct state *s, const struct identity *log)
{
	const struct known_log *l;

	LOCKED(s);
	l = map_get(s->tables->logs, contents_key(log));
	return l != NULL ? l->breaks[SIDE_STDOUT].n + l->breaks[SIDE_STDERR].n : 0;
}
