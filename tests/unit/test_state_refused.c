/*
 * One transaction that touches every table: each of its statements is refused
 * in turn, each write and each sync of the disk fails in turn, and the process
 * is killed at each.  The store has what it had before or what it has after,
 * and nothing is durable that is not in it.  Each second of the test's clock is
 * one transaction.
 */
#include "points.h"
#include "state_disk.h"

#include <sys/eventfd.h>

static const struct identity one = { "one" }, two = { "two" }, three = { "three" },
			     fresh = { "fresh" }, old = { "old" };

/* ---- a life: what is stored one after the other */

enum stage { BASE, OPENED, ALL, LATER, STAGES };

static char *expected[STAGES];       /* what the disk has then */
static state_ticket tickets[STAGES]; /* … and what is durable */
static struct state *life;           /* NULL: it is being opened */
static int wake;

static void
span(const struct identity *log, const struct identity *content, struct span_state is)
{
	state_spans(life, &(struct span_post){ *log, *content, NULL, is, NULL }, 1);
}

static void
both_counted(const struct identity *log, uint64_t position)
{
	for (enum side side = 0; side < SIDES; side++) {
		state_counted(life, log, side, position);
		state_shipped(life, log, side, 0, position - 1);
	}
}

/* Logs `one`, of a content; `two`, of two; `old`, of one that no file has. */
static void
base_make(void)
{
	now_ns = START;
	life = opened();
	state_reader(life, "main");
	state_opened(life, &old, "/old");
	state_ended(life, &old);
	state_opened(life, &one, "/one");
	state_opened(life, &two, "/two");
	state_opened(life, &three, "/three");
	span(&old, &old, (struct span_state){ 0, 0, SEAL_NONE, 1 });
	span(&one, &one, (struct span_state){ 0, 0, SEAL_NONE, state_rules(life, SLICE("a")) });
	span(&two, &two, (struct span_state){ 0, 0, 100, 1 });
	span(&two, &three, (struct span_state){ 100, 0, SEAL_NONE, 1 });
	both_counted(&old, 10);
	both_counted(&one, 10);
	both_counted(&two, 190);
	state_break(life, &old, SIDE_STDOUT, 20);
	state_break(life, &one, SIDE_STDOUT, 20);
	state_break(life, &one, SIDE_STDERR, 30);
	state_break(life, &two, SIDE_STDOUT, 195);
	state_text(life, SLICE("counter"), SLICE("1"));
	state_text(life, SLICE("gone"), SLICE("1"));
	state_counts(life);
	state_metadata(life, SLICE("pod"), SLICE("{}"));
	state_metadata(life, SLICE("gone"), SLICE("{}"));
	state_holds(life, &(struct state_hold){ one, true, "es.0", "a" }, 1);
	state_close(life);
	life = NULL;
	execute("UPDATE machine SET boot = 'another'");
}

static void
life_begins(void)
{
	now_ns = 0; /* the thread waits for the first second */
	life = opened();
	state_wake(life, wake);
	assert_int_equal(state_reader(life, "main"), 0);
}

/* Each kind of change that there is. */
static state_ticket
change_all(void)
{
	const struct state_hold holds[] = { { two, false, "es.0", "b" },
		{ one, true, "es.1", "c" } };
	uint64_t rules = state_rules(life, SLICE("b"));
	const struct span_post posts[] = { { one, one, NULL, { 0, 0, 50, 1 }, NULL },
		{ one, fresh, NULL, { 50, 0, SEAL_NONE, rules }, NULL } };

	state_judged(life);
	state_opened(life, &one, "/one.1");
	state_opened(life, &fresh, "/one");
	state_opened(life, &two, "/two");
	state_opened(life, &three, "/three");
	state_spans(life, posts, 2);
	state_cut(life, &two, 60);
	both_counted(&one, 25);
	state_break(life, &one, SIDE_STDERR, 40);
	state_unbreak(life, &one, SIDE_STDERR, 30);
	state_checkpoint(life, &one, &(struct checkpoint){ 24, 1 });
	state_size(life, &fresh, 7);
	state_file(life, &fresh, 1, 2);
	state_text(life, SLICE("counter"), SLICE("2"));
	state_text(life, SLICE("gone"), SLICE(""));
	state_metadata(life, SLICE("pod"), SLICE("{\"a\":1}"));
	state_metadata(life, SLICE("gone"), SLICE(""));
	state_holds(life, holds, COUNT(holds));
	state_most(life, 1); /* `old` is forgotten */
	return state_counts(life);
}

static state_ticket
change_later(void)
{
	both_counted(&one, 45);
	state_text(life, SLICE("counter"), SLICE("3"));
	state_counts(life);
	return state_break(life, &one, SIDE_STDOUT, 60);
}

/* One transaction is tried; true when it is durable. */
static bool
second_passes(void)
{
	state_ticket durable = state_durable(life);
	unsigned rollbacks = points.rollbacks;

	now_ns += NS_PER_S;
	for (int i = 0; state_durable(life) == durable && points.rollbacks == rollbacks; i++) {
		assert_true(i < 100000);
		usleep(100);
	}
	return state_durable(life) > durable;
}

static bool
has_woken(void)
{
	uint64_t n;

	return read(wake, &n, sizeof(n)) == sizeof(n);
}

/* The store of `in` has what it is to have at `stage`. */
static bool
is_at(const char *in, enum stage stage)
{
	char *text = disk(in);
	bool same = strcmp(text, expected[stage]) == 0;

	free(text);
	return same;
}

/* ---- without a fault */

static void
expected_free(void)
{
	for (enum stage stage = BASE; stage < STAGES; stage++) {
		free(expected[stage]);
		expected[stage] = NULL;
	}
}

/* The part of a table. */
static struct slice
part(const char *text, const char *table)
{
	char *head = xprintf("== %s\n", table);
	const char *from = strstr(text, head), *to = strstr(from + 1, "== ");

	free(head);
	return to != NULL ? (struct slice){ from, (size_t)(to - from) } : slice_of(from);
}

/* What the other tests expect is the whole of it: each table is touched, and all comes back. */
static void
test_all_of_a_transaction_is_stored(void **state)
{
	static const char *const tables[] = { "breaks", "contents", "counters", "cursors",
		"forgotten", "holds", "metadata", "rules", "spans" };
	state_ticket ticket = 0;
	struct cursors at[SIDES];
	struct content_state is;

	(void)state;
	expected_free();
	base_make();
	expected[BASE] = disk(dir);
	life_begins();
	for (enum stage stage = OPENED; stage < STAGES; stage++) {
		if (stage != OPENED)
			ticket = stage == ALL ? change_all() : change_later();
		assert_true(second_passes());
		tickets[stage] = state_durable(life);
		assert_true(tickets[stage] >= ticket && has_woken());
		expected[stage] = disk(dir);
	}
	state_close(life);
	assert_true(is_at(dir, LATER));
	for (size_t i = 0; i < COUNT(tables); i++) {
		if (slice_eq(part(expected[OPENED], tables[i]), part(expected[ALL], tables[i])))
			fail_msg("%s is not touched", tables[i]);
	}
	life_begins();
	assert_false(state_find(life, &old, &is));
	assert_true(state_find(life, &fresh, &is) && is.size == 7 && is.ino == 2);
	assert_true(state_cursors(life, &one, 0, at));
	assert_true(at[SIDE_STDERR].counted == 45 && at[SIDE_STDERR].shipped == 44);
	assert_int_equal(state_breaks(life, &one), 1);
	assert_int_equal(state_breaks(life, &two), 0);
	assert_int_equal(state_checkpoints(life, &one, (struct checkpoint[CHECKPOINTS]){ 0 }), 1);
	state_close(life);
	life = NULL;
}

/* ---- refused */

/* What the disk has, also for who comes after a kill: a COMMIT that failed may have been one. */
static void
check_disk(const char *in, enum stage before)
{
	bool may_be_after = points.point != POINT_STATEMENT || strcmp(points.what, "COMMIT") == 0;

	if (!is_at(in, before) && !(may_be_after && is_at(in, before + 1)))
		fail_msg("not as before: %s", points.what);
}

static void
check_refused(enum stage before)
{
	char why[300] = "";

	assert_true(points.refused);
	assert_true(state_durable(life) == tickets[before] && !has_woken());
	assert_false(state_ready(life, why, sizeof(why)));
	assert_non_null(strstr(why, dir));
	check_disk(dir, before);
	kill_here();
	check_disk(after_kill, before);
}

static void
check_durable(enum stage stage)
{
	char why[300] = "";

	assert_true(state_ready(life, why, sizeof(why)) && has_woken());
	assert_int_equal(state_durable(life), tickets[stage]);
	assert_true(is_at(dir, stage));
}

/* One life in which a point is refused; false: there were not so many. */
static bool
refused(enum point point, unsigned nth, enum refusal how, int code)
{
	bool later = false;

	base_make();
	life_begins();
	assert_true(second_passes() && has_woken());
	points_begin(point, nth, how, code);
	change_all();
	for (enum stage stage = ALL; stage < STAGES; stage++) {
		if (stage == LATER && !later)
			later = change_later() > 0;
		for (int tries = 0; !second_passes(); tries++) {
			assert_true(tries < 2);
			check_refused(stage - 1);
			if (!later) /* what comes while it cannot be written */
				later = change_later() > 0;
		}
		check_durable(stage);
	}
	state_close(life);
	life = NULL;
	points.nth = 0;
	assert_true(is_at(dir, LATER));
	assert_int_equal(unit_remove(dir), 0);
	assert_int_equal(mkdir(dir, 0700), 0);
	return points.refused;
}

/* The number of those that there are. */
static unsigned
each_refused(enum point point, enum refusal how, int code)
{
	unsigned n = 0;

	while (refused(point, n + 1, how, code))
		n++;
	return n;
}

static void
test_each_statement_is_refused_in_turn(void **state)
{
	static const struct {
		enum refusal how;
		int code;
	} cases[] = { { REFUSE_BEFORE, SQLITE_NOMEM }, { REFUSE_AFTER, SQLITE_IOERR },
		{ REFUSE_UNDO, SQLITE_FULL }, { REFUSE_STUCK, SQLITE_BUSY } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_true(each_refused(POINT_STATEMENT, cases[i].how, cases[i].code) > 40);
}

static void
test_each_write_and_each_sync_fails_in_turn(void **state)
{
	(void)state;
	assert_true(each_refused(POINT_WRITE, REFUSE_BEFORE, ENOSPC) > 20);
	assert_true(each_refused(POINT_SYNC, REFUSE_BEFORE, EIO) >= 2);
}

/* ---- killed */

static struct {
	char *text;
	state_ticket durable;
} seen[1000];
static size_t nseen;

static void
see(void)
{
	if (nseen == COUNT(seen))
		return;
	kill_here();
	seen[nseen].text = disk(after_kill);
	seen[nseen++].durable = life != NULL ? state_durable(life) : 0;
}

/* From the opening to the end of the close. */
static void
test_a_kill_at_each_point_leaves_whole_transactions(void **state)
{
	(void)state;
	base_make();
	nseen = 0;
	points.show = see;
	life_begins();
	assert_true(second_passes());
	change_all();
	assert_true(second_passes());
	change_later();
	assert_true(second_passes());
	state_close(life);
	life = NULL;
	points.show = NULL;
	assert_true(nseen > 100 && nseen < COUNT(seen));
	for (size_t i = 0; i < nseen; i++) {
		enum stage stage = LATER;

		while (tickets[stage] > seen[i].durable)
			stage--;
		if (strcmp(seen[i].text, expected[stage]) != 0 &&
		    (stage == LATER || strcmp(seen[i].text, expected[stage + 1]) != 0))
			fail_msg(
			    "%zu of %zu, at stage %d:\n%s", i, nseen, (int)stage, seen[i].text);
		free(seen[i].text);
	}
}

static void
open_killed(void)
{
	struct state *s;

	points.show = NULL;
	kill_here();
	s = state_open(after_kill);
	assert_non_null(s);
	assert_true(state_is_new(s) && !state_was_set_aside(s));
	state_close(s);
	points.show = open_killed;
	nseen++;
}

static void
test_a_kill_while_the_store_is_made_leaves_one_that_can_be_opened(void **state)
{
	(void)state;
	nseen = 0;
	now_ns = 0;
	points.show = open_killed;
	life = state_open(dir);
	points.show = NULL;
	assert_true(nseen > 20);
	state_close(life);
	life = NULL;
}

#define TEST_POINTS(name) cmocka_unit_test_setup_teardown(name, begin, end)

static int
begin(void **state)
{
	int result = setup(state);

	points_init();
	wake = eventfd(0, EFD_NONBLOCK);
	after_kill = xprintf("%s/killed", dir);
	return result;
}

static int
end(void **state)
{
	points.show = NULL;
	points.nth = 0;
	close(wake);
	free(after_kill);
	return teardown(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_POINTS(test_all_of_a_transaction_is_stored),
		TEST_POINTS(test_each_statement_is_refused_in_turn),
		TEST_POINTS(test_each_write_and_each_sync_fails_in_turn),
		TEST_POINTS(test_a_kill_at_each_point_leaves_whole_transactions),
		TEST_POINTS(test_a_kill_while_the_store_is_made_leaves_one_that_can_be_opened),
	};
	int failures;

	failures = cmocka_run_group_tests(tests, NULL, NULL);
	expected_free();
	return failures;
}
