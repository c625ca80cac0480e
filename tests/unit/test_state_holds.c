/* The table of what outputs hold: written as a whole, read by who looks. */
#include "state_rig.h"

static const struct state_hold one = { { "one" }, false, "es.0", "index a answers 403" },
			       two = { { "two" }, false, "es.0", "index a answers 403" },
			       parked = { { "two" }, true, "es.1", "index b answers 400" };

struct rows {
	struct state_hold at[8];
	size_t n;
};

static void
row_take(void *arg, const struct state_hold *hold)
{
	struct rows *rows = arg;

	assert_true(rows->n < 8);
	rows->at[rows->n++] = *hold;
}

/* The table holds these, in this order. */
static bool
holds(const struct state_hold *const *want, size_t n)
{
	struct state *s = state_look(dir);
	struct rows rows = { .n = 0 };
	bool same;

	assert_non_null(s);
	state_holds_each(s, row_take, &rows);
	state_close(s);
	same = rows.n == n;
	for (size_t i = 0; same && i < n; i++)
		same = memcmp(&rows.at[i], want[i], sizeof(rows.at[i])) == 0;
	return same;
}

static void
wait_for_holds(const struct state_hold *const *want, size_t n)
{
	for (int i = 0; !holds(want, n); i++) {
		assert_true(i < 2000);
		time_passes();
	}
}

static void
test_the_newest_table_takes_the_place_of_all_before(void **state)
{
	struct state *s = opened();

	(void)state;
	wait_for_holds(NULL, 0);
	state_holds(s, (const struct state_hold[]){ two, one, parked }, 3);
	wait_for_holds((const struct state_hold *const[]){ &parked, &one, &two }, 3);
	state_holds(s, &two, 1);
	wait_for_holds((const struct state_hold *const[]){ &two }, 1);
	state_close(s);
	assert_true(
	    holds((const struct state_hold *const[]){ &two }, 1)); /* by who looks after the end */
	s = opened();
	state_holds(s, NULL, 0);
	wait_for_holds(NULL, 0);
	state_close(s);
}

static void
test_what_could_not_be_written_is_written_later(void **state)
{
	struct state *s = opened();

	(void)state;
	for (int newer = 0; newer < 2; newer++) {
		execute("CREATE TRIGGER no INSERT ON holds BEGIN SELECT RAISE(FAIL, 'no'); END");
		state_holds(s, &one, 1);
		wait_failing(s);
		assert_true(newer || holds(NULL, 0));
		if (newer) /* than what failed */
			state_holds(s, &two, 1);
		execute("DROP TRIGGER no");
		wait_for_holds((const struct state_hold *const[]){ newer ? &two : &one }, 1);
	}
	state_close(s);
}

static void
test_without_a_directory_nothing_is_kept(void **state)
{
	struct state *s = state_open(NULL);
	struct rows rows = { .n = 0 };

	(void)state;
	state_holds(s, &one, 1);
	state_holds_each(s, row_take, &rows);
	assert_int_equal(rows.n, 0);
	state_close(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_newest_table_takes_the_place_of_all_before),
		TEST(test_what_could_not_be_written_is_written_later),
		TEST(test_without_a_directory_nothing_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
