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

static void
restart(struct world *w)
{
	tail_free(w->tail);
	w->tail = NULL;
	start(w);
}

/* All names of a log's files are found by the Path, not by their directory's listing alone. */
static void
find_all(struct world *w, const char *glob)
{
	free(w->path);
	w->path = xprintf("%s/pods/" POD "/agent/%s", w->dir, glob);
}

/* A rotated file that is older than that is left out, packed or not, and is one file. */
static void
test_old_rotated_files_of_a_log_that_is_read_are_left_out(void **state)
{
	struct world *w = *state;

	w->conf.ignore_older = HOUR;
	find_all(w, "0.log*");
	put_line(w, "0.log.20261119-000000", AT(1) "stdout F a\n");
	put_line(w, "0.log.20261120-000000", AT(2) "stdout F b\n");
	in_logs(w, "gzip 0.log.20261119-000000 && touch -d '2 hours ago' 0.log.*");
	put_line(w, "0.log", AT(3) "stdout F c\n");
	for (int i = 0; i < 2; i++) {
		if (i == 0)
			start(w);
		else
			restart(w);
		turn_ms(w, 100);
		assert_int_equal(metrics.left_files[LEFT_OLDER], 2);
		turn_ms(w, 500);
		assert_got(w, "0:c|");
		assert_int_equal(metrics.left_files[LEFT_OLDER], 2);
	}
}

/* What was begun is read on under any name that it has now. */
static void
test_a_file_that_was_begun_is_read_on_under_another_name(void **state)
{
	static const char *const moves[] = {
		"mv 0.log 0.log.20261120-000000",
		"mv 0.log 0.log.20261120-000000 && gzip 0.log.20261120-000000",
		"mv 0.log old.log",
	};
	struct world *w = *state;

	w->conf.ignore_older = HOUR;
	find_all(w, "*.log*");
	for (size_t i = 0; i < sizeof(moves) / sizeof(*moves); i++) {
		unsigned n = w->records;

		in_logs(w, "rm -f *");
		shell("echo '2026-11-22T08:00:0%zuZ stdout F a' > %s/pods/" POD "/agent/0.log", i,
		    w->dir);
		if (w->tail == NULL)
			start(w);
		turn_until(w, n + 1);
		tail_free(w->tail);
		w->tail = NULL;
		put_line(w, "0.log", AT(9) "stdout F b\n");
		in_logs(w, moves[i]);
		in_logs(w, "touch -d '2 hours ago' *");
		start(w);
		turn_until(w, n + 2);
		turn_ms(w, 300);
		assert_int_equal(w->records, n + 2);
		assert_int_equal(metrics.left_files[LEFT_OLDER], 0);
	}
	assert_got(w, "0:a|0:b|0:a|0:b|0:a|0:b|");
}

/* What Fluent Bit had begun goes on where it stopped. */
static void
test_an_old_file_that_fluent_bit_had_begun_goes_on(void **state)
{
	struct world *w = *state;
	char *log = xprintf("%s/pods/" POD "/agent/0.log", w->dir);

	w->conf.ignore_older = HOUR;
	w->conf.db = xprintf("%s/flb.db", w->dir);
	put_line(w, "0.log", AT(1) "stdout F {}\n");
	fluent_bit_row(w->conf.db, log, strlen(AT(1) "stdout F {}\n"));
	in_logs(w, "touch -d '2 hours ago' 0.log");
	start(w);
	turn_ms(w, 500);
	put_line(w, "0.log", AT(2) "stdout F {1}\n");
	turn_until(w, 1);
	assert_got(w, "0:{1}|");
	free(w->conf.db);
	free(log);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_an_old_file_is_left_out_until_it_is_written_to),
		TEST(test_a_file_that_was_begun_is_read_on),
		TEST(test_from_the_end_an_old_file_is_followed),
		TEST(test_old_rotated_files_of_a_log_that_is_read_are_left_out),
		TEST(test_a_file_that_was_begun_is_read_on_under_another_name),
		TEST(test_an_old_file_that_fluent_bit_had_begun_goes_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
