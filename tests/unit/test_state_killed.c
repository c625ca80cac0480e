/* The process is killed, or closes its state, while the store thread writes. */
#include "state_rig.h"

#include <signal.h>
#include <sys/wait.h>

/* Fork `work`; kill it some time after so many reports; the last one is the answer. */
static uint64_t
killed(void (*work)(int report), int reports, useconds_t after)
{
	uint64_t last = 0, seen;
	int report[2], status;
	pid_t pid;

	assert_int_equal(pipe(report), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		work(report[1]);
	close(report[1]);
	for (int i = 0; i < reports; i++)
		assert_int_equal(read(report[0], &last, sizeof(last)), sizeof(last));
	usleep(after);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	while (read(report[0], &seen, sizeof(seen)) == sizeof(seen))
		last = seen;
	close(report[0]);
	return last;
}

/* The seal of one content and the next one come in pairs, whatever happens in between. */
static void
spans_post(int report)
{
	struct state *s = opened();

	for (uint64_t n = listed(s, &id).n == 0 ? 0 : 1;; n++) {
		struct identity a = { "a" }, b = { "b" };
		struct span_post posts[2] = { { id, a, NULL, { 0, 0, 1000, n }, NULL },
			{ id, b, NULL, { 1000, 0, SEAL_NONE, n }, NULL } };

		wait_durable(s, state_spans(s, posts, 2));
		if (write(report, &n, sizeof(n)) != sizeof(n))
			_exit(1);
	}
}

static void
test_spans_are_one_change_also_over_a_kill(void **state)
{
	(void)state;
	for (useconds_t round = 0; round < 8; round++) {
		uint64_t last = killed(spans_post, (int)round % 3, round * 2900);
		struct state *s = opened();
		struct listed list = listed(s, &id);

		assert_true(list.n == 2 || (list.n == 0 && round % 3 == 0));
		if (list.n == 2) {
			assert_true(list.at[0].rules == list.at[1].rules);
			assert_true(list.at[0].rules >= last);
			assert_int_equal(list.at[0].seal, 1000);
			assert_true(list.at[1].seal == SEAL_NONE);
		}
		state_close(s);
	}
}

/* A child that posts until it is killed; what it saw durable must be there. */
static void
counts_post(int report)
{
	struct state *s = begun();

	state_reader(s, "main");
	for (uint64_t at = counted(s) + 1;; at++) {
		char value[32];
		state_ticket ticket;

		snprintf(value, sizeof(value), "%llu", (unsigned long long)at);
		state_break(s, &id, SIDE_STDERR, at);
		state_counted(s, &id, SIDE_STDOUT, at);
		state_text(s, SLICE("a"), slice_of(value));
		ticket = state_counts(s);
		state_shipped(s, &id, SIDE_STDOUT, 0, at);
		wait_durable(s, ticket);
		if (write(report, &at, sizeof(at)) != sizeof(at))
			_exit(1);
	}
}

static void
number(void *arg, struct slice key, struct slice value)
{
	if (slice_eq(key, SLICE("a")))
		*(uint64_t *)arg = strtoull(value.at, NULL, 10);
}

static void
test_a_kill_at_any_instant_loses_nothing_that_was_durable(void **state)
{
	(void)state;
	for (int round = 0; round < 12; round++) {
		/* so many commits, and a part of another */
		uint64_t last = killed(counts_post, 1 + round % 4, (useconds_t)(round * 1700)),
			 counter = 0;
		struct state *s = opened();

		state_texts(s, number, &counter);
		assert_true(counted(s) >= last);
		assert_int_equal(counter, counted(s));
		assert_true(shipped(s, 0) <= counter);
		assert_true(
		    last == 0 || state_is_break(s, &id, SIDE_STDERR, last - 1, UINT64_MAX) > 0);
		state_close(s);
	}
}

/* ---- a close */

/* What the store thread is writing just now does not hide what comes behind it. */
static void
test_what_was_posted_last_is_there_after_a_close(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= 150; i++) {
		struct state *s = begun();

		state_break(s, &id, SIDE_STDERR, 2 * i);
		time_passes();
		usleep(i * 37 % 3000);
		state_break(s, &id, SIDE_STDERR, 2 * i + 1);
		reopen(&s);
		assert_int_equal(state_is_break(s, &id, SIDE_STDERR, 2 * i, 2 * i + 1), 2 * i + 1);
		state_close(s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_spans_are_one_change_also_over_a_kill),
		TEST(test_a_kill_at_any_instant_loses_nothing_that_was_durable),
		TEST(test_what_was_posted_last_is_there_after_a_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
