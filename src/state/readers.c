/* Cursors: how far each reader has come in each log, how far it is counted, and which are stored. */
#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include "memory.h"
#include "state_internal.h"
#include "voice.h"

#define COUNT "count"

uint64_t
readers_mark(struct tables *t, const char *name)
{
	unsigned i = 0;

	if (strcmp(name, COUNT) == 0)
		return MARK_COUNT;
	while (i < t->nreaders && strcmp(t->readers[i], name) != 0)
		i++;
	if (i == STATE_READERS)
		return ABSENT;
	if (i == t->nreaders)
		t->readers[t->nreaders++] = xstrdup(name);
	return MARK_READERS + i;
}

unsigned
state_reader(struct state *s, const char *name)
{
	uint64_t mark;

	LOCKED(s);
	mark = readers_mark(s->tables, name);
	assert(mark != MARK_COUNT && mark != ABSENT);
	return (unsigned)mark - MARK_READERS;
}

/* ---- the readers of this start */

static bool
is_among(const char *name, const char *const *names, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static int
number_of(const struct tables *t, const char *name)
{
	for (unsigned i = 0; i < t->nreaders; i++) {
		if (strcmp(t->readers[i], name) == 0)
			return (int)i;
	}
	return -1;
}

/* The cursors by which a new reader begins: of the reader `main`; -1: the least of all. */
static struct mark
mark_first(const struct known_log *l, int main, enum side side)
{
	struct mark least = { ABSENT, ABSENT };

	for (unsigned i = MARK_READERS; i < l->nmarks; i++) {
		if ((main < 0 || (int)i == MARK_READERS + main) &&
		    l->marks[i][side].now < least.now)
			least = l->marks[i][side];
	}
	return least;
}

/* The marks of a log, of `was` for each reader: -1, a new one. */
static void
log_renumber(struct known_log *l, const int *was, unsigned n, int main)
{
	unsigned nmarks = n + MARK_READERS;
	struct mark(*marks)[SIDES];

	if (l->nmarks == 0)
		return;
	marks = xcalloc(nmarks, sizeof(*marks));
	memcpy(marks[MARK_COUNT], l->marks[MARK_COUNT], sizeof(*marks));
	for (unsigned i = 0; i < n; i++) {
		unsigned at = MARK_READERS + (unsigned)was[i];

		for (enum side side = 0; side < SIDES; side++) {
			if (was[i] < 0)
				marks[MARK_READERS + i][side] = mark_first(l, main, side);
			else
				marks[MARK_READERS + i][side] =
				    at < l->nmarks ? l->marks[at][side]
						   : (struct mark){ ABSENT, ABSENT };
		}
	}
	free(l->marks);
	l->marks = marks;
	l->nmarks = nmarks;
}

/* The same in the store, in the transaction of the next change. */
static void
reader_store(struct state *s, const char *name, const char *main)
{
	if (main != NULL)
		transaction_add(s,
		    "INSERT OR REPLACE INTO cursors SELECT log, side, ?1, position FROM cursors"
		    " WHERE reader = ?2",
		    TEXT(slice_of(name)), TEXT(slice_of(main)));
	else
		transaction_add(s,
		    "INSERT OR REPLACE INTO cursors SELECT log, side, ?1, min(position) FROM "
		    "cursors WHERE reader != ?2 GROUP BY log, side",
		    TEXT(slice_of(name)), TEXT(SLICE(COUNT)));
}

static void
reader_drop(struct state *s, const char *name, bool said)
{
	transaction_add(s, "DELETE FROM cursors WHERE reader = ?1", TEXT(slice_of(name)));
	if (said)
		say_info("state",
		    "no output is called '%s' any more: what it had not got is not sent there",
		    name);
}

void
state_readers(struct state *s, const char *const *names, unsigned n)
{
	struct tables *t = s->tables;
	struct known_log *l;
	int was[STATE_READERS], main = -1;
	bool same = t->nreaders == n;
	size_t at = 0;

	LOCKED(s);
	assert(n > 0 && n <= STATE_READERS);
	for (unsigned i = n; i-- > 0;) {
		was[i] = number_of(t, names[i]);
		main = was[i] >= 0 ? was[i] : main;
		same &= was[i] == (int)i;
	}
	if (same)
		return;
	while ((l = map_next(t->logs, &at, NULL)) != NULL)
		log_renumber(l, was, n, main);
	for (unsigned i = 0; i < n && t->nreaders > 0; i++) {
		if (was[i] < 0)
			reader_store(s, names[i], main >= 0 ? t->readers[main] : NULL);
	}
	for (unsigned i = 0; i < t->nreaders; i++) {
		if (!is_among(t->readers[i], names, n))
			reader_drop(s, t->readers[i], main >= 0);
		free(t->readers[i]);
	}
	for (unsigned i = 0; i < n; i++)
		t->readers[i] = xstrdup(names[i]);
	t->nreaders = n;
	tickets_post(s, false);
}

const char *
state_reader_name(struct state *s, unsigned reader)
{
	LOCKED(s);
	return s->tables->readers[reader];
}

/* ---- cursors */

static uint64_t
mark_of(const struct known_log *l, unsigned which, enum side side)
{
	return which < l->nmarks ? l->marks[which][side].now : ABSENT;
}

/* The least cursor of the readers that ship; ABSENT: none has one. */
static uint64_t
least_shipped(const struct known_log *l, enum side side)
{
	uint64_t least = ABSENT;

	for (unsigned i = MARK_READERS; i < l->nmarks; i++)
		least = l->marks[i][side].now < least ? l->marks[i][side].now : least;
	return least;
}

static uint64_t
or_zero(uint64_t mark)
{
	return mark == ABSENT ? 0 : mark;
}

bool
state_cursors(
    struct state *s, const struct identity *log, unsigned reader, struct cursors out[SIDES])
{
	const struct known_log *l;
	bool is_known = false;

	LOCKED(s);
	memset(out, 0, SIDES * sizeof(*out));
	l = map_get(s->tables->logs, contents_key(log));
	for (enum side side = 0; l != NULL && side < SIDES; side++) {
		uint64_t shipped = mark_of(l, MARK_READERS + reader, side);

		is_known |= shipped != ABSENT;
		out[side].shipped = or_zero(shipped != ABSENT ? shipped : least_shipped(l, side));
		out[side].counted = or_zero(mark_of(l, MARK_COUNT, side));
	}
	staging_see(s->staging, log, out);
	return is_known;
}

void
state_shipped(
    struct state *s, const struct identity *log, enum side side, unsigned reader, uint64_t position)
{
	LOCKED(s);
	logs_mark(logs_change(s, log), MARK_READERS + reader, side)->now = position;
	tickets_post(s, false);
}

/* ---- to the store */

/* On disk nothing is shipped that is not counted: a record is sent again rather than not counted. */
static void
side_gather(struct state *s, struct known_log *l, enum side side)
{
	uint64_t counted = or_zero(mark_of(l, MARK_COUNT, side)), passed = ABSENT;

	for (unsigned i = 0; i < l->nmarks; i++) {
		struct mark *m = &l->marks[i][side];
		uint64_t at = m->now;

		if (at == ABSENT)
			continue;
		if (i >= MARK_READERS) {
			at = at < counted ? at : counted;
			passed = at < passed ? at : passed;
		}
		if (at == m->stored)
			continue;
		m->stored = at;
		transaction_add(s, "INSERT OR REPLACE INTO cursors VALUES (?1, ?2, ?3, ?4)",
		    ID(&l->id), NUMBER(side),
		    TEXT(slice_of(i == MARK_COUNT ? COUNT : s->tables->readers[i - MARK_READERS])),
		    NUMBER(at));
	}
	/* Breaks that the stored cursors of all readers have passed are of no use to a replay. */
	if (passed != ABSENT && breaks_pass(&l->breaks[side], passed))
		transaction_add(s,
		    "DELETE FROM breaks WHERE log = ?1 AND side = ?2 AND position <= ?3",
		    ID(&l->id), NUMBER(side), NUMBER(passed));
}

void
readers_gather(struct state *s)
{
	for (struct known_log *l = s->tables->dirty_logs; l != NULL; l = l->dirty) {
		l->is_dirty = false;
		for (enum side side = 0; l->nspans > 0 && side < SIDES; side++)
			side_gather(s, l, side);
	}
	s->tables->dirty_logs = NULL;
}

/* ---- how far a content is done */

#define LEAST UINT_MAX /* in the place of a cursor's number: the least of those that ship */

static uint64_t
log_done(const struct known_log *l, unsigned which)
{
	uint64_t done = UINT64_MAX;

	for (enum side side = 0; side < SIDES; side++) {
		uint64_t at = which != LEAST ? mark_of(l, which, side) : ABSENT;

		if (at == ABSENT && which != MARK_COUNT)
			at = least_shipped(l, side);
		done = or_zero(at) < done ? or_zero(at) : done;
	}
	return done;
}

/* The offset below which both sides of all its logs have been passed by a cursor. */
static uint64_t
offset_done(const struct known *k, unsigned which)
{
	uint64_t done = k->spans != NULL ? k->spans->is.from : 0;

	for (const struct known_span *sp = k->spans; sp != NULL; sp = sp->next) {
		uint64_t at = log_done(sp->log, which);

		if (at < sp->is.base + sp->is.from)
			break;
		done = at - sp->is.base < sp->is.seal ? at - sp->is.base : sp->is.seal;
		if (done < sp->is.seal)
			break;
	}
	return done;
}

static void
seen(const struct state *s, const struct known *k, state_seen *each, void *arg)
{
	uint64_t by[STATE_READERS];
	unsigned n = s->tables->nreaders;

	for (unsigned i = 0; i < n; i++)
		by[i] = offset_done(k, MARK_READERS + i);
	each(arg, &(struct content_seen){ &k->id, &k->is, k->path != NULL ? k->path : "", k->open,
		      k->had_file, offset_done(k, LEAST), offset_done(k, MARK_COUNT), by, n });
}

void
state_each(struct state *s, state_seen *each, void *arg)
{
	const struct known *k;
	size_t at = 0;

	LOCKED(s);
	while ((k = map_next(s->tables->contents, &at, NULL)) != NULL)
		seen(s, k, each, arg);
}

void
state_each_of(struct state *s, uint64_t dev, uint64_t ino, state_seen *each, void *arg)
{
	const uint64_t file[] = { dev, ino };
	const struct known *k;

	LOCKED(s);
	k = map_get(
	    s->tables->twins[TWINS_FILE], (struct slice){ (const char *)file, sizeof(file) });
	for (; k != NULL; k = k->twins[TWINS_FILE])
		seen(s, k, each, arg);
}
