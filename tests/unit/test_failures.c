/* Failures seen for the first time in a while: by the records' times, in a bounded table. */
#include "agent_story.h"

#include "../../src/metrics/failures.h"

#define NEW "app_new_failures_total" BASE

static void
fails(uint64_t fingerprint, double when)
{
	struct agent_line line = { .level = LEVEL_ERROR,
		.error = { .type.value = SLICE("E"), .fingerprint = fingerprint } };

	agent_metrics_count(a, &pod_a, &line, when < 0 ? 0 : at(when));
}

#define DAY 86400.0

static void
test_a_failure_is_new_once_in_thirty_days(void **state)
{
	static const struct {
		uint64_t fingerprint;
		double when;
		double counted; /* so far */
	} steps[] = {
		{ 1, 0, 1 },
		{ 1, 1, 1 },
		{ 2, 2, 2 },
		{ 1, 0.5, 2 },      /* read late */
		{ 1, 30 * DAY, 2 }, /* a second less than 30 days behind its last */
		{ 1, 60 * DAY - 1, 2 },
		{ 2, 60 * DAY, 3 },     /* not seen for longer */
		{ 1, 90 * DAY - 1, 4 }, /* 30 days to the second */
		{ 1, -1, 4 },           /* no time: that of the newest record */
		{ 3, -1, 5 },
	};
	struct agent_line line = { .event = EVENT_TASK_FAILED };

	(void)state;
	show(0);
	SHOWS(NEW, 0);
	agent_metrics_count(a, &pod_a, &line, at(0)); /* it has no error */
	for (size_t i = 0; i < COUNT(steps); i++) {
		fails(steps[i].fingerprint, steps[i].when);
		show(90 * DAY);
		SHOWS(NEW, steps[i].counted);
	}
}

static struct pod pod_b = { .namespace_name = SLICE("ns"),
	.pod_name = SLICE("agent-1"),
	.pod_id = SLICE("uid-2"),
	.container_name = SLICE("agent") };

static void
test_the_next_pod_fails_as_the_one_before(void **state)
{
	struct agent_series *b = agent_metrics_agent(&pod_b);
	struct agent_line line = { .level = LEVEL_ERROR,
		.error = { .type.value = SLICE("E"), .fingerprint = 1 } };

	(void)state;
	fails(1, 0);
	agent_metrics_count(b, &pod_b, &line, at(1));
	show(2);
	SHOWS(NEW, 1);
	SHOWS("app_new_failures_total{namespace=\"ns\",pod=\"agent-1\",container=\"agent\"}", 0);
}

static void
test_a_wrong_clock_makes_no_failure_known_for_years(void **state)
{
	(void)state;
	fails(1, 1e9);
	show(0);
	fails(1, 31 * DAY);
	show(31 * DAY);
	SHOWS(NEW, 2);
}

static void
test_a_full_page_forgets_the_oldest(void **state)
{
	struct failures *f = failures_new(1, 100);
	uint64_t forgotten = metrics_failures.forgotten;

	(void)state;
	for (uint64_t i = 0; i < FAILURES_PAGE; i++)
		assert_true(failures_see(f, i, (int64_t)i + 10));
	assert_false(failures_see(f, 0, 90)); /* now 1 is the oldest */
	assert_true(failures_see(f, 64, 91));
	assert_int_equal(metrics_failures.forgotten, forgotten + 1);
	assert_false(failures_see(f, 0, 92));
	assert_false(failures_see(f, 2, 93));
	assert_true(failures_see(f, 1, 94));
	assert_int_equal(metrics_failures.forgotten, forgotten + 2);
	assert_true(failures_see(f, 65, 500)); /* 4, which would have been new again anyway */
	assert_int_equal(metrics_failures.forgotten, forgotten + 2);
	failures_free(f);
}

/* A million failures: the table stays as large as it is. */
static void
count_text(void *arg, struct slice key, struct slice value)
{
	size_t *sum = arg;

	assert_true(slice_starts(key, SLICE(FAILURES_KEY)));
	*sum += value.len;
}

static void
test_a_million_failures_stay_bounded(void **state)
{
	struct failures *f = failures_new(4096, 30 * 86400 * NS_PER_S);
	uint64_t fingerprint = 1, forgotten = metrics_failures.forgotten;
	size_t sum = 0;

	(void)state;
	for (int i = 0; i < 1000000; i++) {
		fingerprint = fingerprint * UINT64_C(6364136223846793005) + 1442695040888963407;
		failures_see(f, fingerprint ^ fingerprint >> 32, at(i));
	}
	assert_int_equal(metrics_failures.forgotten - forgotten, 1000000 - 4096);
	failures_save(f, count_text, &sum);
	assert_true(sum < 4096 * 45);
	failures_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_failure_is_new_once_in_thirty_days),
		TEST(test_the_next_pod_fails_as_the_one_before),
		TEST(test_a_wrong_clock_makes_no_failure_known_for_years),
		TEST(test_a_full_page_forgets_the_oldest),
		TEST(test_a_million_failures_stay_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
