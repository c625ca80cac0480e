/* Starts of test_moves.c that are not like others: behind Fluent Bit, and when the power was cut. */
#ifndef MOVES_START_H
#define MOVES_START_H

#include "moves_copies.h"
#include "moves_reader.h"

/* ---- what Fluent Bit has read */

static uint64_t
size_of(const struct written *c)
{
	struct stat st;

	assert_int_equal(stat(c->path, &st), 0);
	return (uint64_t)st.st_size;
}

/* What ends at `offset` or before it is not to come. */
static void
taken_to(const struct written *c, uint64_t offset)
{
	TRACE("Fluent Bit has read %llu of %s\n", (unsigned long long)offset, c->path);
	for (unsigned i = 0; i < nwritings; i++) {
		struct fate *f = &fates[writings[i].line];

		if (writings[i].content != c->number || writings[i].end > offset)
			continue;
		f->due--;
		f->least--;
	}
}

/*
 * Its DB has rows of some contents in a row: it forgets those that it has read,
 * whose writers have gone, and does not know the newest yet.
 */
static void
db_write(struct world *w)
{
	struct world_log *log = &logs[0];
	unsigned n = log->nold + 1, from = any(n), to = from + 1 + any(n - from);

	w->conf.db = xprintf("%s/flb.db", w->dir);
	while (from < n - 1 && size_of(log->old[from]) == 0)
		from++;
	to = to > from ? to : from + 1;
	for (unsigned i = 0; i < to; i++) {
		struct written *c = i < log->nold ? log->old[i] : log->live;
		uint64_t offset = size_of(c);

		if (i >= from && any(3) > 0)
			offset = any((unsigned)offset + 1);
		taken_to(c, offset);
		if (i >= from)
			fluent_bit_row(w->conf.db, c->path, offset);
		else
			writer_goes(c);
	}
}

static void
fluent_bit_was_here(struct world *w)
{
	unsigned half = kinds & HALF;

	kinds &= ~half;
	for (unsigned n = 2 + any(8); n > 0; n--) {
		lines_write();
		if (any(2))
			rename_away(&logs[0]);
	}
	db_write(w);
	kinds |= half;
}

/* ---- the power */

static uint64_t
first_line_of(const struct written *c)
{
	char bytes[4096];
	int in = open(c->path, O_RDONLY);
	ssize_t n = read(in, bytes, sizeof(bytes));
	const char *newline = n > 0 ? memchr(bytes, '\n', (size_t)n) : NULL;

	close(in);
	return newline == NULL ? (uint64_t)n : (uint64_t)(newline - bytes) + 1;
}

/*
 * The end of the live file is gone, and reading goes on at the end that it has
 * now: what was in it, and not delivered, may be missing.
 */
static void
end_is_lost(struct world_log *log)
{
	struct written *c = log->live;
	uint64_t size = size_of(c), first = first_line_of(c);
	uint64_t to = first + any((unsigned)(size - first) + 1);

	writer_goes(c);
	TRACE("%s has %llu of %llu bytes\n", c->path, (unsigned long long)to,
	    (unsigned long long)size);
	assert_int_equal(truncate(c->path, (off_t)to), 0);
	c->fd = open(c->path, O_WRONLY | O_APPEND);
	c->ragged = true;
	log->cut[SIDE_STDOUT] = log->cut[SIDE_STDERR] = FIRST;
	for (unsigned i = 0; i < nwritings; i++) {
		struct fate *f = &fates[writings[i].line];

		if (writings[i].content == c->number && f->least > 0)
			f->least--;
		if (writings[i].content == c->number && writings[i].end == to)
			c->ragged = false;
	}
}

static void
power_cut(struct world *w)
{
	life_ends(w);
	for (unsigned i = 0; i < nlogs; i++) {
		for (unsigned j = 0; j < logs[i].nold; j++)
			writer_goes(logs[i].old[j]);
		end_is_lost(&logs[i]);
	}
	TRACE("POWER\n");
	state_reboot(w->state, true);
	life_begins(w);
	turn(w);
	turn(w);
}

#endif
