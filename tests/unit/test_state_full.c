/* A disk that is full: what is posted waits, nothing piles up, and it recovers by itself. */
#include "state_rig.h"

#include <signal.h>
#include <sys/resource.h>

#include "../../src/state/state_internal.h"

static void
files_may_grow_to(rlim_t bytes)
{
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static size_t
kept_for_later(struct state *s)
{
	size_t n;

	pthread_mutex_lock(&s->lock);
	n = s->next.nargs;
	pthread_mutex_unlock(&s->lock);
	return n;
}

/* Said, and tried again and again; nothing piles up; once there is room all of it is stored. */
static void
test_a_full_disk_delays_tickets_and_recovers_by_itself(void **state)
{
	struct state *s = begun();
	struct cursors at[SIDES];
	state_ticket ticket;
	char why[300] = "";

	(void)state;
	state_reader(s, "main");
	wait_durable(s, state_break(s, &id, SIDE_STDOUT, 10));
	assert_true(state_ready(s, why, sizeof(why)));
	files_may_grow_to(4096);
	ticket = state_break(s, &id, SIDE_STDOUT, 20);
	state_counted(s, &id, SIDE_STDERR, 77);
	state_text(s, SLICE("key"), SLICE("value"));
	state_counts(s);
	wait_failing(s);
	for (uint64_t i = 0; i < 350; i++) { /* three more tries */
		state_shipped(s, &id, SIDE_STDERR, 0, i);
		time_passes();
	}
	assert_false(state_ready(s, why, sizeof(why)));
	assert_non_null(strstr(why, dir));
	assert_true(state_durable(s) < ticket);
	assert_true(state_stale(s) > 3 * NS_PER_S);
	assert_int_equal(state_breaks(s, &id), 2);
	assert_true(kept_for_later(s) < 8);
	state_shipped(s, &id, SIDE_STDERR, 0, 76);
	state_break(s, &id, SIDE_STDOUT, 30); /* meanwhile */
	files_may_grow_to(RLIM_INFINITY);
	wait_durable(s, ticket);
	assert_true(state_ready(s, why, sizeof(why)));
	assert_int_equal(state_stale(s), 0);
	reopen(&s);
	for (uint64_t end = 10; end <= 30; end += 10)
		assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, end - 1, end), end);
	assert_int_equal(asked("SELECT count(*) FROM counters WHERE value = 'value'"), 1);
	assert_true(state_cursors(s, &id, 0, at));
	assert_int_equal(at[SIDE_STDERR].counted, 77);
	assert_int_equal(at[SIDE_STDERR].shipped, 76);
	state_close(s);
}

/* What failed, and what came after it, are two transactions: a close writes both. */
static void
test_a_close_writes_what_failed_and_what_came_after(void **state)
{
	struct state *s = begun();

	(void)state;
	wait_durable(s, state_break(s, &id, SIDE_STDOUT, 10));
	files_may_grow_to(4096);
	state_break(s, &id, SIDE_STDOUT, 20);
	wait_failing(s);
	state_break(s, &id, SIDE_STDOUT, 30);
	state_unbreak(s, &id, SIDE_STDOUT, 10);
	files_may_grow_to(RLIM_INFINITY);
	reopen(&s);
	assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 0, 100), 20);
	assert_int_equal(state_is_break(s, &id, SIDE_STDOUT, 20, 100), 30);
	state_close(s);
}

static int
end(void **state)
{
	files_may_grow_to(RLIM_INFINITY);
	return teardown(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    test_a_full_disk_delays_tickets_and_recovers_by_itself, setup, end),
		cmocka_unit_test_setup_teardown(
		    test_a_close_writes_what_failed_and_what_came_after, setup, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
