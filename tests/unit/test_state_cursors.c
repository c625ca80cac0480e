/* Cursors of the readers, what is counted, and the breaks between them. */
#include "state_rig.h"

/* ---- shipped and counted */

static void
test_nothing_is_shipped_that_is_not_counted(void **state)
{
	struct state *s = begun();

	(void)state;
	state_reader(s, "main");
	state_break(s, &id, SIDE_STDOUT, 80);
	state_counted(s, &id, SIDE_STDOUT, 70);
	state_counts(s);
	state_shipped(s, &id, SIDE_STDOUT, 0, 100);
	state_counted(s, &id, SIDE_STDOUT, 100); /* never posted */
	reopen(&s);
	assert_int_equal(shipped(s, 0), 70);
	assert_int_equal(counted(s), 70);
	assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 70, UINT64_MAX),
	    80); /* a replay from 70 meets it */
	state_close(s);
}

static void
test_what_was_held_back_for_the_counters_is_stored_with_them(void **state)
{
	struct state *s = begun();

	(void)state;
	state_reader(s, "main");
	state_shipped(s, &id, SIDE_STDOUT, 0, 100);
	wait_durable(s, state_break(s, &id, SIDE_STDOUT, 300));
	state_counted(s, &id, SIDE_STDOUT, 90);
	state_counts(s); /* the cursor itself is not set again */
	reopen(&s);
	assert_int_equal(shipped(s, 0), 90);
	state_close(s);
}

static void
test_what_is_counted_and_not_posted_is_known(void **state)
{
	struct state *s = state_open(NULL);

	(void)state;
	state_counted(s, &id, SIDE_STDOUT, 100);
	state_counts(s);
	state_counted(s, &id, SIDE_STDOUT, 200);
	assert_int_equal(counted(s), 200);
	state_cut(s, &id, 150);
	assert_int_equal(counted(s), 150);
	state_counts(s);
	assert_int_equal(counted(s), 150);
	state_close(s);
}

static void
test_each_reader_has_a_cursor_and_none_passes_what_is_counted(void **state)
{
	struct state *s = begun();
	struct cursors at[SIDES];

	(void)state;
	assert_int_equal(state_reader(s, "a"), 0);
	assert_false(state_cursors(s, &id, 0, at));
	assert_int_equal(at[SIDE_STDOUT].shipped, 0);
	assert_int_equal(state_reader(s, "b"), 1);
	assert_int_equal(state_reader(s, "c"), 2);
	assert_int_equal(state_reader(s, "b"), 1);
	state_counted(s, &id, SIDE_STDOUT, 70);
	state_counts(s);
	state_shipped(s, &id, SIDE_STDOUT, 0, 100);
	state_shipped(s, &id, SIDE_STDOUT, 1, 60);
	assert_true(shipped(s, 0) == 100 && shipped(s, 1) == 60);
	assert_false(state_cursors(s, &id, 2, at)); /* it begins at the least */
	assert_int_equal(at[SIDE_STDOUT].shipped, 60);
	reopen(&s);
	assert_true(
	    shipped(s, state_reader(s, "a")) == 70 && shipped(s, state_reader(s, "b")) == 60);
	assert_int_equal(state_reader(s, "c"), 2);
	assert_false(state_cursors(s, &id, 2, at));
	assert_int_equal(at[SIDE_STDOUT].shipped, 60);
	state_close(s);
}

/* Cursors of the first side, by the readers' numbers; UINT64_MAX: it has none. */
static void
assert_readers(struct state *s, unsigned n, const uint64_t *want)
{
	struct cursors at[SIDES];

	for (unsigned i = 0; i < n; i++) {
		bool known = state_cursors(s, &id, i, at);

		assert_int_equal(known ? at[SIDE_STDOUT].shipped : UINT64_MAX, want[i]);
	}
}

static void
test_readers_come_go_and_change_their_names(void **state)
{
	static const struct {
		const char *names[3];
		uint64_t want[3];
	} starts[] = {
		{ { "a", "b" }, { 500, 100 } },
		{ { "b", "a" }, { 100, 500 } },             /* in another order */
		{ { "b", "a", "new" }, { 100, 500, 100 } }, /* as the first that is known */
		{ { "newer", "a" }, { 500, 500 } },         /* b and new are dropped */
		{ { "renamed" }, { 500 } },                 /* all are new: none is lost */
		{ { "one", "two" }, { 500, 500 } },
	};
	struct state *s = begun();

	(void)state;
	state_readers(s, starts[0].names, 2);
	state_counted(s, &id, SIDE_STDOUT, 1000);
	state_counts(s);
	state_shipped(s, &id, SIDE_STDOUT, 0, 500);
	state_shipped(s, &id, SIDE_STDOUT, 1, 100);
	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++) {
		unsigned n = 0;

		while (n < 3 && starts[i].names[n] != NULL)
			n++;
		reopen(&s);
		state_readers(s, starts[i].names, n);
		assert_readers(s, n, starts[i].want);
		reopen(&s); /* the store has the same; readers have the order of their names */
		for (unsigned j = 0; j < n; j++) {
			unsigned at = state_reader(s, starts[i].names[j]);

			assert_in_range(at, 0, n - 1);
			assert_string_equal(state_reader_name(s, at), starts[i].names[j]);
			assert_int_equal(shipped(s, at), starts[i].want[j]);
		}
	}
	state_close(s);
}

/* ---- breaks */

static void
test_a_break_stays_until_the_last_reader_has_passed_it(void **state)
{
	struct state *s = begun();

	(void)state;
	state_reader(s, "a");
	state_reader(s, "b");
	state_counted(s, &id, SIDE_STDOUT, 1000);
	state_counts(s);
	state_break(s, &id, SIDE_STDOUT, 200);
	state_break(s, &id, SIDE_STDOUT, 100);
	state_break(s, &id, SIDE_STDOUT, 100);
	state_shipped(s, &id, SIDE_STDOUT, 0, 500);
	state_shipped(s, &id, SIDE_STDOUT, 1, 99);
	reopen(&s);
	assert_int_equal(state_breaks(s, &id), 2);
	state_shipped(s, &id, SIDE_STDOUT, 1, 100);
	reopen(&s);
	assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, 1000), 200);
	state_shipped(s, &id, SIDE_STDOUT, 1, 200);
	reopen(&s);
	assert_int_equal(state_breaks(s, &id), 0);
	state_close(s);
}

static void
test_a_break_that_is_not_needed_is_gone(void **state)
{
	struct state *s = begun();

	(void)state;
	for (uint64_t end = 10; end <= 30; end += 10)
		state_break(s, &id, SIDE_STDERR, end);
	state_unbreak(s, &id, SIDE_STDERR, 20);
	state_unbreak(s, &id, SIDE_STDERR, 25);
	state_unbreak(s, &id, SIDE_STDOUT, 10);
	for (int life = 0; life < 2; life++) {
		assert_int_equal(state_breaks(s, &id), 2);
		assert_int_equal(state_is_break(s, &id, SIDE_STDERR, 0, 30), 10);
		assert_int_equal(state_is_break(s, &id, SIDE_STDERR, 10, 30), 30);
		assert_int_equal(state_is_break(s, &id, SIDE_STDERR, 10, 29), 0);
		reopen(&s);
	}
	state_close(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_nothing_is_shipped_that_is_not_counted),
		TEST(test_what_was_held_back_for_the_counters_is_stored_with_them),
		TEST(test_what_is_counted_and_not_posted_is_known),
		TEST(test_readers_come_go_and_change_their_names),
		TEST(test_each_reader_has_a_cursor_and_none_passes_what_is_counted),
		TEST(test_a_break_stays_until_the_last_reader_has_passed_it),
		TEST(test_a_break_that_is_not_needed_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
