/* Ignore_Older: files that have not changed for long are left out until they do. */
#include "tail_rig.h"

#define HOUR (3600 * NS_PER_S)

static void
test_an_old_file_is_left_out_until_it_is_written_to(void **state)
{
	struct world *w = *state;

	w->conf.ignore_older = HOUR;
	put_line(w, "0.log", AT(1) "stdout F a\n");
	shell("touch -d '2 hours ago' %s/pods/" POD "/agent/0.log", w->dir);
	start(w);
	turn_ms(w, 500);
	assert_int_equal(w->records, 0);
	assert_int_equal(metrics.left_files[LEFT_OLDER], 1);
	put_line(w, "0.log", AT(2) "stdout F b\n");
	turn_until(w, 2);
	assert_slice(buffer_slice(&w->got), "0:a|0:b|");
	assert_int_equal(metrics.left_files[LEFT_OLDER], 0);
}

/* What was begun is read on, however old it is. */
static void
test_a_file_that_was_begun_is_read_on(void **state)
{
	struct world *w = *state;

	w->conf.ignore_older = HOUR;
	put_line(w, "0.log", AT(1) "stdout F {}\n");
	start(w);
	turn_until(w, 1);
	tail_free(w->tail);
	w->tail = NULL;
	put_line(w, "0.log", AT(2) "stdout F {1}\n");
	shell("touch -d '2 hours ago' %s/pods/" POD "/agent/0.log", w->dir);
	start(w);
	turn_until(w, 2);
	assert_slice(buffer_slice(&w->got), "0:{}|0:{1}|");
}

/* Where reading begins at the end, an old file is followed: none of its old lines comes. */
static void
test_from_the_end_an_old_file_is_followed(void **state)
{
	struct world *w = *state;

	w->conf.ignore_older = HOUR;
	w->conf.read_from_head = false;
	put_line(w, "0.log", AT(1) "stdout F {}\n");
	shell("touch -d '2 hours ago' %s/pods/" POD "/agent/0.log", w->dir);
	start(w);
	turn_ms(w, 500);
	put_line(w, "0.log", AT(2) "stdout F {1}\n");
	turn_until(w, 1);
	assert_slice(buffer_slice(&w->got), "0:{1}|");
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_an_old_file_is_left_out_until_it_is_written_to),
		TEST(test_a_file_that_was_begun_is_read_on),
		TEST(test_from_the_end_an_old_file_is_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
