/*
 * Several readers of one log, each with cursors, a book and a server of its own: they
 * share one walk while they keep pace; one falls behind, is parked, and is read again.  All
 * have each record once, cut alike, over rotations and kills; it is counted once.
 *
 *	SEED=n SEEDS=n   the first seed of the random ones, and how many
 */
#include "tail_rig.h"

#define LINES 1000
#define READERS 3

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
static unsigned nservers, counted, written;
static unsigned again; /* records that were offered to one reader as to the one before */

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
	again += f->offered > 0;
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
ship_third(void *arg, const struct framed *f)
{
	return ship(arg, &servers[2], f);
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
	static tail_record *const records[READERS] = { ship_fast, ship_slow, ship_third };
	static const char *const names[READERS] = { "fast", "slow", "third" };
	struct tail_reader readers[READERS];
	const struct tail_conf *conf = &w->conf;

	for (unsigned i = 0; i < nservers; i++) {
		servers[i].book = range_book_new(w->state, 2 * LINES);
		servers[i].nwaits = 0;
		readers[i] = (struct tail_reader){ names[i], servers[i].book, records[i] };
	}
	w->tail = tail_new(&conf, 1, w->state, readers, nservers, count, stream, w);
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
	for (unsigned i = 0; i < nservers; i++)
		range_book_free(servers[i].book);
	state_kill(w->state);
}

static void
turns(struct world *w, unsigned n)
{
	while (n-- > 0) {
		uint32_t room = 0;

		for (unsigned i = 0; i < nservers; i++)
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

/* Until nothing is behind; far more time than it takes. */
static void
all_arrives(struct world *w)
{
	int64_t until = clock_mono() + 20 * NS_PER_S;
	struct tail_figures figures;

	do {
		for (unsigned j = 0; j < nservers; j++)
			servers[j].room = LINES;
		turns(w, 2);
		for (unsigned j = 0; j < nservers; j++)
			settle(&servers[j]);
		tail_figures(w->tail, &figures);
	} while ((figures.lag_bytes > 0 || !tail_at_end(w->tail)) && clock_mono() < until);
}

/* Each has each line in one record, and that at most so many times. */
static void
judge(unsigned first, unsigned others)
{
	for (unsigned i = 0; i < nservers; i++) {
		assert_int_equal(servers[i].n, servers[0].n);
		for (unsigned line = 0; line < written; line++)
			assert_int_equal(lines_of(&servers[i], line), 1);
		for (size_t j = 0; j < servers[i].n; j++)
			assert_true(servers[i].at[j].times <= (i == 0 ? first : others));
	}
	assert_int_equal(counted, servers[0].n);
}

static void
end(struct world *w)
{
	killing = true;
	tail_free(w->tail);
	killing = false;
	w->tail = NULL;
	for (unsigned i = 0; i < nservers; i++) {
		range_book_free(servers[i].book);
		for (size_t j = 0; j < servers[i].n; j++)
			free(servers[i].at[j].text);
		servers[i] = (struct server){ 0 };
	}
	written = counted = again = 0;
}

static void
test_one_falls_behind_and_is_parked_over_rotations_and_kills(void **state)
{
	struct world *w = *state;

	nservers = 2;
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
	all_arrives(w);
	judge(2, 20);
	end(w);
}

/* ---- one walk for those that keep pace */

static void
test_at_pace_each_line_is_read_once(void **state)
{
	struct world *w = *state;

	nservers = 3;
	w->conf.flush = 60000;
	life_begins(w);
	write_some(w, 100);
	write_last(w);
	all_arrives(w);
	assert_int_equal(again, 2 * servers[0].n);
	judge(1, 1);
	end(w);
}

/* The log is read for it alone. */
static bool
is_apart(struct world *w, unsigned i)
{
	struct tail_figures figures;

	tail_figures(w->tail, &figures);
	return figures.apart[i] > 0;
}

/* The others wait for it about a second, then it is read for by itself, and comes back. */
static void
test_one_that_stands_parts_and_joins_again(void **state)
{
	struct world *w = *state;
	size_t before;
	int64_t began;

	nservers = 2;
	w->conf.flush = 60000;
	life_begins(w);
	write_some(w, 3);
	servers[0].room = servers[1].room = 1000;
	turns(w, 5);
	before = servers[0].n;
	began = clock_mono();
	servers[1].room = 0;
	write_some(w, 60);
	write_last(w);
	turns(w, 5);
	assert_int_equal(servers[0].n, before);
	while (servers[0].n < 20 && clock_mono() - began < 20 * NS_PER_S) {
		turns(w, 1);
		settle(&servers[0]);
	}
	assert_true(clock_mono() - began > 800 * NS_PER_MS);
	assert_true(clock_mono() - began < 5 * NS_PER_S);
	assert_int_equal(servers[1].n, before);
	assert_true(is_apart(w, 1));
	assert_false(is_apart(w, 0));
	all_arrives(w);
	tail_waited(w->tail, 1, 0);
	write_some(w, 3);
	all_arrives(w);
	assert_false(is_apart(w, 1));
	again = 0;
	write_some(w, 30);
	write_last(w);
	all_arrives(w);
	assert_true(again > 20);
	judge(1, 1);
	end(w);
}

static uint64_t chance;

static unsigned
any(unsigned n)
{
	chance ^= chance << 13;
	chance ^= chance >> 7;
	chance ^= chance << 17;
	return (unsigned)(chance % n);
}

static void
step(struct world *w, unsigned number)
{
	struct server *s = &servers[any(nservers)];

	switch (any(11)) {
	case 0:
	case 1:
	case 2:
		if (written < LINES - 20)
			write_some(w, 1 + any(7));
		break;
	case 3:
	case 4:
		s->room = any(12);
		break;
	case 5:
		s->room = 1000;
		break;
	case 6:
		settle(s);
		break;
	case 7:
		if (any(2) == 0)
			park(s);
		break;
	case 8:
		records_unpark(s->book);
		break;
	case 9:
		if (written > 0 && any(3) == 0) {
			write_some(w, 1);
			rotate(w, number);
		}
		break;
	default:
		tail_waited(w->tail, any(nservers), any(2) * 2 * NS_PER_S);
		break;
	}
	turns(w, 1);
}

static void
lives(struct world *w, unsigned seed)
{
	chance = 88172645463325252ULL + seed * UINT64_C(0x9e3779b97f4a7c15);
	nservers = 2 + any(2);
	life_begins(w);
	write_some(w, 3);
	for (unsigned i = 0; i < 120; i++) {
		step(w, i);
		if (any(40) == 0) {
			life_ends(w);
			life_begins(w);
		}
	}
	for (unsigned i = 0; i < nservers; i++) {
		records_unpark(servers[i].book);
		tail_waited(w->tail, i, 0);
	}
	write_some(w, 1);
	write_last(w);
	all_arrives(w);
	for (unsigned i = 0; i < nservers; i++)
		assert_false(is_apart(w, i));
	judge(20, 20);
	end(w);
}

static void
test_stalls_at_random(void **state)
{
	const char *first = getenv("SEED"), *n = getenv("SEEDS");
	unsigned seed = first != NULL ? (unsigned)strtoul(first, NULL, 10) : 1;

	for (unsigned left = n != NULL ? (unsigned)strtoul(n, NULL, 10) : 12; left > 0;
	     left--, seed++) {
		struct world *w;
		void *rig;

		fprintf(stderr, "seed %u\n", seed);
		setup(&rig);
		w = rig;
		w->conf.flush = 60000;
		w->conf.rotate_wait = 20 * NS_PER_MS;
		lives(w, seed);
		w->streams = 0;
		teardown(&rig);
	}
	(void)state;
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
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_one_falls_behind_and_is_parked_over_rotations_and_kills, setup, clear),
		cmocka_unit_test_setup_teardown(test_at_pace_each_line_is_read_once, setup, clear),
		cmocka_unit_test_setup_teardown(
		    test_one_that_stands_parts_and_joins_again, setup, clear),
		cmocka_unit_test(test_stalls_at_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
