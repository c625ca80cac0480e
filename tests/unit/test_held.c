/* What open files cost others: the disk of deleted files, descriptors. */
#include "tail_rig.h"

#include <limits.h>
#include <sys/resource.h>

#include "metrics.h"

#define LOGS "%s/pods/" POD "/agent/"
#define HEAD "2026-11-22T08:00:00Z stdout F {} "

/* Lines that no other call wrote: what begins alike is one stream. */
static void
write_lines(struct world *w, int n)
{
	static int next;

	shell("cd " LOGS " && seq -f '" HEAD "%%.0f' %d %d >> 0.log", w->dir, next, next + n - 1);
	next += n;
}

static uint64_t
lost(void)
{
	static const char held[] = "reason=\"held\"} ";
	struct buffer page;
	const char *at;
	uint64_t sum = 0;

	buffer_init(&page, 0);
	metrics_write(&page, false, 0);
	assert_int_equal(buffer_put(&page, (struct slice){ "", 1 }), 0);
	at = page.at;
	while ((at = strstr(at, held)) != NULL)
		sum += strtoull(at += sizeof(held) - 1, NULL, 10);
	buffer_fini(&page);
	return sum;
}

/* Rotated, compressed (the names follow) and deleted, while nothing is taken. */
static void
rotate_away(struct world *w, const char *to, bool compressed)
{
	shell("cd " LOGS " && mv 0.log %s && touch 0.log", w->dir, to);
	turn_ms(w, 200);
	shell("cd " LOGS " && %s %s", w->dir, compressed ? "gzip" : "rm", to);
}

/* Over the limit, a deleted file whose .gz is there is read from that; it is found ${late} s later. */
static void
gz_is_read(struct world *w, unsigned late, int ms)
{
	uint64_t before = lost();

	w->conf.held_deleted_limit = 100000;
	w->refuse = UINT_MAX;
	write_lines(w, 5000);
	start(w);
	turn_ms(w, 100);
	rotate_away(w, "0.log.20260101-000000", true);
	write_lines(w, 10);
	sleep(late);
	turn_ms(w, ms);
	assert_int_equal(tail_held(w->tail), 0);
	w->refuse = 0;
	turn_until(w, 5010);
	assert_int_equal(lost(), before);
}

static void
test_a_deleted_file_goes_on_in_its_gz(void **state)
{
	gz_is_read(*state, 0, 1500);
}

/* Files are summed in the turn that finds the .gz: at the latest a second after the sum before. */
static void
test_a_gz_that_is_found_with_the_limit_is_read(void **state)
{
	gz_is_read(*state, 1, 100);
}

static void
test_the_oldest_deleted_file_is_let_go_and_counted(void **state)
{
	struct world *w = *state;
	uint64_t before = lost();
	struct stat st;
	char *path = xprintf(LOGS "0.log", w->dir);

	w->conf.held_deleted_limit = 250000;
	w->refuse = UINT_MAX;
	write_lines(w, 5000);
	assert_int_equal(stat(path, &st), 0);
	start(w);
	turn_ms(w, 100);
	rotate_away(w, "0.log.20260101-000000", false);
	turn_ms(w, 1200);
	assert_int_equal(lost(), before); /* one is within the limit */
	assert_true(tail_held(w->tail) > 0);
	write_lines(w, 5000);
	turn_ms(w, 200);
	rotate_away(w, "0.log.20260101-000001", false);
	write_lines(w, 10);
	turn_ms(w, 1500);
	assert_int_equal(lost(), before + (uint64_t)st.st_size);
	w->refuse = 0;
	turn_until(w, 5010);
	free(path);
}

static void
test_descriptors_run_out(void **state)
{
	struct world *w = *state;
	struct rlimit limit = { 64, 64 };
	char *path;
	int last;

	w->conf.rotate_wait = 10 * NS_PER_MS;
	write_lines(w, 1);
	start(w);
	turn_until(w, 1);
	/* A rotated file that its writer still has, and more live ones than there is room for. */
	path = xprintf(LOGS "0.log", w->dir);
	last = open(path, O_WRONLY | O_APPEND);
	free(path);
	shell("cd " LOGS " && mv 0.log 0.log.20260101-000000", w->dir);
	write_lines(w, 1);
	turn_until(w, 2);
	assert_int_equal(tail_nfiles(w->tail), 2);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	shell(
	    "cd %s/containers && for i in $(seq 60); do echo '" HEAD "'$i > m$i.log; done", w->dir);
	for (int i = 0; i < 400 && tail_closed_for_now(w->tail) == 0; i++)
		turn_ms(w, 50);
	assert_true(tail_nfiles(w->tail) < 60);
	assert_int_equal(tail_closed_for_now(w->tail), 1);
	/* Late bytes come while it is closed; then there is room. */
	assert_true(write(last, HEAD "late\n", sizeof(HEAD "late\n") - 1) > 0);
	close(last);
	shell("rm %s/containers/m*.log", w->dir);
	for (int i = 0; i < 200 && strstr(w->got.at, "late") == NULL; i++)
		turn_ms(w, 50);
	assert_non_null(strstr(w->got.at, "late"));
	assert_int_equal(tail_closed_for_now(w->tail), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_a_deleted_file_goes_on_in_its_gz, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_a_gz_that_is_found_with_the_limit_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_the_oldest_deleted_file_is_let_go_and_counted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_descriptors_run_out, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
