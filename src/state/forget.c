/*
 * Forgetting: each rotation is a content more, so a process that lives for
 * months would keep them all.  One that has had no file for STATE_AGE_DAYS goes,
 * and when there are more than may be remembered, the one used longest ago: in
 * memory here, on disk with the next commit.
 */
#include "clock.h"
#include "state_internal.h"
#include "voice.h"

#define AGE (STATE_AGE_DAYS * 86400 * NS_PER_S)

static void
forget(struct state *s, struct known *k)
{
	struct tables *t = s->tables;

	t->forgotten_to = k->used > t->forgotten_to ? k->used : t->forgotten_to;
	transaction_add(s, "DELETE FROM contents WHERE id = ?1", ID(&k->id));
	logs_forget(s, k);
	contents_unlink(s, k);
	map_del(t->contents, contents_key(&k->id));
	contents_free(k);
}

static bool
is_crowded(const struct tables *t)
{
	return t->most != 0 && map_count(t->contents) > t->most;
}

static void
crowd_note(struct tables *t)
{
	if (t->crowded_out++ == 0)
		say_warn("state",
		    "more than %zu files that were read would be remembered: those that are gone "
		    "longest are forgotten before %d days; raise Max_Files",
		    t->most, STATE_AGE_DAYS);
}

size_t
forget_old(struct state *s)
{
	struct tables *t = s->tables;
	int64_t before = clock_wall() - AGE;
	size_t n = 0;

	for (struct known *k = TAILQ_FIRST(&t->by_use), *next; k != NULL && n < FORGET_MOST;
	     k = next) {
		next = TAILQ_NEXT(k, by_use);
		if (k->used >= before && !is_crowded(t))
			break; /* all that follow were used later */
		if (k->open || k->is_dirty)
			continue;
		if (k->used >= before)
			crowd_note(t);
		forget(s, k);
		n++;
	}
	if (n > 0)
		transaction_add(
		    s, "INSERT OR REPLACE INTO forgotten VALUES (1, ?1)", NUMBER(t->forgotten_to));
	return n;
}

void
forget_start(struct state *s)
{
	struct known *k;

	TAILQ_FOREACH (k, &s->tables->by_use, by_use) {
		if (!k->open)
			continue;
		k->open = false;
		k->had_file = true;
		k->touched = k->used = clock_wall();
		contents_dirty(s, k);
	}
	while (forget_old(s) == FORGET_MOST) {
	}
	tickets_post(s, false);
}

/* ---- for the caller */

void
state_most(struct state *s, size_t most)
{
	LOCKED(s);
	s->tables->most = most;
}

uint64_t
state_forgotten(struct state *s)
{
	LOCKED(s);
	return s->tables->crowded_out;
}

int64_t
state_forgotten_to(struct state *s)
{
	LOCKED(s);
	return s->tables->forgotten_to;
}
