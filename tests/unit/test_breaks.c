/*
 * Breaks: ends of records that time gave.  Each is stored, as a replay must cut
 * there again, and none is kept for longer: a log may live for months.  On a
 * clock of our own.
 */
#include "own_clock.h"
#include "tail_rig.h"

#define RECORDS 4000
#define MOST 1000 /* breaks at any moment: far fewer than records */

static unsigned counted;

static bool
breaks_count(void *arg, const struct framed *f)
{
	(void)arg;
	counted += tally_take(f);
	return true;
}

static bool
breaks_record(void *arg, const struct framed *f)
{
	return on_record(arg, f) && breaks_count(arg, f);
}

static void
breaks_stream(void *arg, struct stream *stream, bool begins)
{
	struct world *w = arg;

	on_stream(arg, stream, begins);
	if (begins)
		tally_begins(w->state, stream);
	else
		tally_ends(w->state, w->book, stream, false);
}

/* On disk: what is done is forgotten when it is written. */
static void
life_begins(struct world *w)
{
	const struct tail_conf *conf = &w->conf;
	char *dir = xprintf("%s/state", w->dir);

	range_book_free(w->book);
	state_close(w->state);
	w->state = state_open(dir);
	w->book = range_book_new(w->state, 64);
	counted = 0;
	w->tail = tail_make(conf, w->state, w->book, breaks_record, breaks_count, breaks_stream, w);
	free(dir);
}

static void
turn(struct world *w)
{
	now_ns += 100 * NS_PER_MS;
	tail_told(w->tail);
	tail_turn(w->tail, 1);
	tail_count(w->tail);
}

/* All is on disk: how many breaks are kept? */
static size_t
kept(struct world *w)
{
	state_ticket ticket = tallies_post(w->state, w->book);

	while (state_durable(w->state) < ticket) {
		now_ns += 10 * NS_PER_MS;
		usleep(100);
	}
	return breaks_kept(w->state);
}

/* Each line is read, and Flush is over before the next one is there: it is a record. */
static void
lines_expire(struct world *w, const char *text)
{
	char *path = xprintf("%s/pods/" POD "/agent/0.log", w->dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0644);
	size_t most = 0;

	life_begins(w);
	for (unsigned i = 0; i < RECORDS; i++) {
		char *line = xprintf("2026-11-22T08:%02u:%02u.%03uZ stdout F %s%u\n", i / 600,
		    i / 10 % 60, i % 10 * 100, text, i);

		assert_int_equal(write(fd, line, strlen(line)), strlen(line));
		free(line);
		for (unsigned n = 0; n < 3; n++)
			turn(w);
		if (i % 100 == 99 && kept(w) > most)
			most = kept(w);
	}
	close(fd);
	free(path);
	if (most >= MOST)
		fail_msg("%zu breaks of %u records are kept", most, RECORDS);
}

/* All that was written comes in the end, whatever was not read ahead. */
static void
all_come(struct world *w)
{
	w->refuse = 0;
	for (unsigned i = 0; i < 10000 && w->records < RECORDS; i++) {
		turn(w);
		if (i % 100 == 99)
			kept(w);
	}
	assert_int_equal(w->records, RECORDS);
}

static void
test_breaks_of_what_is_delivered_are_not_kept(void **state)
{
	struct world *w = *state;

	lines_expire(w, "{} ");
	all_come(w);
}

static void
test_breaks_of_what_would_have_joined_are_not_kept_when_it_is_delivered(void **state)
{
	struct world *w = *state;

	lines_expire(w, "\tat a.B.c ");
	all_come(w);
}

/* ---- while shipping stands, each record that is counted ahead leaves a break */

/* A break goes when the next line of its side would not have joined anyway. */
static void
test_breaks_before_what_begins_a_record_are_not_kept(void **state)
{
	struct world *w = *state;

	w->refuse = ~0u;
	lines_expire(w, "{} ");
	assert_int_equal(counted, RECORDS);
	all_come(w);
}

/* Where each break is needed, so many at the most are read ahead. */
static void
test_a_log_is_not_read_ahead_beyond_a_bound_of_breaks(void **state)
{
	struct world *w = *state;

	w->refuse = ~0u;
	lines_expire(w, "\tat a.B.c ");
	all_come(w);
}

/* ---- whose break it is */

static void
turns(struct world *w, unsigned n)
{
	while (n-- > 0)
		turn(w);
}

/*
 * The header waits 100 ms for its next line, the held line behind it, under later
 * rules, 5 s: a line 1 s later would join the second, and its break is kept.
 */
static void
test_a_break_is_kept_for_the_held_line_that_waits_longer(void **state)
{
	struct world *w = *state;

	w->refuse = ~0u;
	w->conf.flush = 100;
	put_line(w, "0.log", AT(1) "stdout F a.b.CException: x\n");
	life_begins(w);
	tail_turn(w->tail, 1);
	tail_count(w->tail);
	kept(w);
	tail_free(w->tail);
	w->conf.flush = 5000;
	life_begins(w);
	turn(w);
	put_line(w, "0.log", AT(1) "stdout F held\n");
	turns(w, 100);
	assert_int_equal(counted, 2);
	put_line(w, "0.log", AT(2) "stdout F a.b.DException: y\n");
	turns(w, 100);
	assert_int_equal(counted, 3);
	kept(w);
	tail_free(w->tail);
	w->refuse = 0;
	life_begins(w);
	turns(w, 100);
	assert_got(w, "0:a.b.CException: x|0:held|0:a.b.DException: y|");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_breaks_of_what_is_delivered_are_not_kept),
		TEST(test_breaks_of_what_would_have_joined_are_not_kept_when_it_is_delivered),
		TEST(test_breaks_before_what_begins_a_record_are_not_kept),
		TEST(test_a_log_is_not_read_ahead_beyond_a_bound_of_breaks),
		TEST(test_a_break_is_kept_for_the_held_line_that_waits_longer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
