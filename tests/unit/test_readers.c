/*
 * Two readers of one log, each with cursors, a book and a server of its own: one
 * keeps pace, the other falls behind, is parked, and is read again.  Both have
 * each record once, cut alike, over rotations and kills; it is counted once.
 */
#include "tail_rig.h"

#define LINES 400
#define READERS 2

struct delivered {
	struct record_id id;
	char *text;
	unsigned times; /* under this id */
};

struct server {
	struct range_book *book;
	struct delivered at[LINES];
	size_t n;
	struct flight waits[LINES];
	size_t nwaits;
	unsigned room;
};

static struct server servers[READERS];
static unsigned counted, written;

static void
server_take(struct server *s, const struct framed *f)
{
	struct record_id id = record_id(f);
	size_t i = 0;

	while (i < s->n && !record_id_equal(&s->at[i].id, &id))
		i++;
	assert_true(i < LINES);
	if (i == s->n)
		s->at[s->n++] = (struct delivered){ id, xslicedup(f->text), 0 };
	assert_slice(f->text, s->at[i].text); /* cut as it was before */
	s->at[i].times++;
}

static bool
ship(struct world *w, struct server *s, const struct framed *f)
{
	struct flight flight;

	if (s->room == 0)
		return false;
	s->room--;
	assert_true(record_send(s->book, f, ++w->batch, 1, &flight));
	record_seal(s->book, flight);
	server_take(s, f);
	s->waits[s->nwaits++] = flight;
	counted += tally_take(f);
	return true;
}

static bool
ship_fast(void *arg, const struct framed *f)
{
	return ship(arg, &servers[0], f);
}

static bool
ship_slow(void *arg, const struct framed *f)
{
	return ship(arg, &servers[1], f);
}

static bool
count(void *arg, const struct framed *f)
{
	(void)arg;
	counted += tally_take(f);
	return true;
}

static bool killing;

static void
stream(void *arg, struct stream *stream, bool begins)
{
	struct world *w = arg;

	if (begins)
		tally_begins(w->state, stream);
	else
		tally_ends(w->state, servers[0].book, stream, killing);
}

static void
settle(struct server *s)
{
	for (size_t i = 0; i < s->nwaits; i++)
		record_settle(s->book, s->waits[i]);
	s->nwaits = 0;
}

static void
park(struct server *s)
{
	for (size_t i = 0; i < s->nwaits; i++)
		record_park(s->book, s->waits[i]);
	s->nwaits = 0;
}

static void
life_begins(struct world *w)
{
	static tail_record *const records[READERS] = { ship_fast, ship_slow };
	static const char *const names[READERS] = { "fast", "slow" };
	struct tail_reader readers[READERS];
	const struct tail_conf *conf = &w->conf;

	for (int i = 0; i < READERS; i++) {
		servers[i].book = range_book_new(w->state, 2 * LINES);
		servers[i].nwaits = 0;
		readers[i] = (struct tail_reader){ names[i], servers[i].book, records[i] };
	}
	w->tail = tail_new(&conf, 1, w->state, readers, READERS, count, stream, w);
}

/* What was posted is all that is left of the counters. */
static void
life_ends(struct world *w)
{
	tallies_post(w->state, servers[0].book);
	killing = true;
	tail_free(w->tail);
	killing = false;
	w->tail = NULL;
	for (int i = 0; i < READERS; i++)
		range_book_free(servers[i].book);
	state_kill(w->state);
}

static void
turns(struct world *w, unsigned n)
{
	while (n-- > 0) {
		uint32_t room = 0;

		for (unsigned i = 0; i < READERS; i++)
			room |= (servers[i].room > 0 ? UINT32_C(1) : 0) << i;
		tail_told(w->tail);
		tail_turn(w->tail, room);
		tail_count(w->tail);
		tail_wait(w->tail, -1, 5);
	}
}

static char *
log_name(const struct world *w, const char *suffix)
{
	return xprintf("%s/pods/" POD "/agent/0.log%s", w->dir, suffix);
}

/* Lines that are joined over the end of the file, too. */
static void
write_some(struct world *w, unsigned n)
{
	char *path = log_name(w, "");
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);

	assert_true(fd >= 0);
	for (; n > 0; n--, written++)
		dprintf(fd, "2026-11-22T08:00:00.%09uZ %s F %s#%u;\n", written,
		    written % 5 == 0 ? "stderr" : "stdout",
		    written % 3 == 0 ? "\tat a.B.c " : "ERROR failed ", written);
	close(fd);
	free(path);
}

/* More than Flush later, and complete as they stand: nothing stays open. */
static void
write_last(struct world *w)
{
	static const char *const sides[] = { "stdout", "stderr" };
	char *path = log_name(w, "");
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);

	assert_true(fd >= 0);
	for (int side = 0; side < SIDES; side++)
		dprintf(fd, "2026-11-22T08:10:00Z %s F {#%u;}\n", sides[side], written++);
	close(fd);
	free(path);
}

static void
rotate(struct world *w, unsigned number)
{
	char *suffix = xprintf(".20260101-%06u", number), *from = log_name(w, ""),
	     *to = log_name(w, suffix);

	assert_int_equal(rename(from, to), 0);
	free(suffix);
	free(from);
	free(to);
}

static unsigned
lines_of(const struct server *s, unsigned line)
{
	char *mark = xprintf("#%u;", line);
	unsigned n = 0;

	for (size_t i = 0; i < s->n; i++)
		n += strstr(s->at[i].text, mark) != NULL;
	free(mark);
	return n;
}

static void
test_one_falls_behind_and_is_parked_over_rotations_and_kills(void **state)
{
	struct world *w = *state;

	w->conf.flush = 60000;
	w->conf.rotate_wait = 20 * NS_PER_MS;
	life_begins(w);
	for (unsigned round = 0; round < 12; round++) {
		write_some(w, 7);
		if (round % 3 == 1)
			rotate(w, round);
		servers[0].room = 1000;
		servers[1].room = round % 4 == 3 ? 9 : 0;
		turns(w, 8);
		settle(&servers[0]);
		if (round % 4 == 3)
			park(&servers[1]);
		if (round == 7)
			records_unpark(servers[1].book);
		if (round % 5 == 4) {
			life_ends(w);
			life_begins(w);
		}
	}
	write_last(w);
	records_unpark(servers[1].book);
	for (unsigned i = 0; i < 60; i++) {
		servers[0].room = servers[1].room = 1000;
		turns(w, 2);
		settle(&servers[0]);
		settle(&servers[1]);
	}
	assert_int_equal(servers[0].n, servers[1].n);
	for (unsigned line = 0; line < written; line++) {
		assert_int_equal(lines_of(&servers[0], line), 1);
		assert_int_equal(lines_of(&servers[1], line), 1);
	}
	assert_int_equal(counted, servers[0].n);
	for (size_t i = 0; i < servers[0].n; i++)
		assert_true(servers[0].at[i].times <= 2); /* a kill may be between */
	killing = true;
	tail_free(w->tail);
	w->tail = NULL;
	for (int i = 0; i < READERS; i++) {
		range_book_free(servers[i].book);
		for (size_t j = 0; j < servers[i].n; j++)
			free(servers[i].at[j].text);
	}
}

static int
clear(void **state)
{
	struct world *w = *state;

	w->streams = 0;
	return teardown(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(
	    test_one_falls_behind_and_is_parked_over_rotations_and_kills, setup, clear) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
