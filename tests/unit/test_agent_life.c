/* The agents' series over their lives: history, restarts, new pods of a name, their end. */
#include "agent_story.h"

#include "../../src/metrics/agent_series.h"

static void
test_status_goes_by_heartbeats_and_before_the_first_by_lines(void **state)
{
	struct agent_line any = { .level = LEVEL_INFO };

	(void)state;
	agent_metrics_count(a, &pod_a, &any, at(0));
	show(90);
	SHOWS("app_agent_status" BASE, 1);
	show(91);
	SHOWS("app_agent_status" BASE, 0);
	event(a, &pod_a, EVENT_HEARTBEAT, "", -1, 100);
	show(101);
	SHOWS("app_agent_status" BASE, 1);
	SHOWS("app_last_heartbeat_timestamp" BASE, T0 + 100);
	agent_metrics_count(a, &pod_a, &any, at(195)); /* it logs, but does not beat */
	show(191);
	SHOWS("app_agent_status" BASE, 0);
	/* unread bytes: the heartbeat of 100 is judged at 195, the newest record */
	publish(1000, true);
	SHOWS("app_agent_status" BASE, 0);
	event(a, &pod_a, EVENT_HEARTBEAT, "", -1, 190);
	publish(1000, true);
	SHOWS("app_agent_status" BASE, 1);
}

static void
test_new_values_are_held_at_0_until_a_scrape_has_seen_them(void **state)
{
	const char *io = "app_task_errors_total" LABELS ",error_type=\"IO\"}";

	(void)state;
	begin(&usual, false); /* the history is over */
	assert_true(agent_metrics_counted());
	event(a, &pod_a, EVENT_TASK_COMPLETED, "", 1, 1);
	failure(a, &pod_a, "IO", 1);
	show(1);
	SHOWS("app_completed_tasks_total" BASE, 0);
	SHOWS("app_task_execution_seconds_count" BASE, 0);
	SHOWS(io, 0);
	SHOWS("app_active_task_count" BASE, 0);
	show(40); /* no scrape yet */
	SHOWS(io, 0);
	agent_metrics_scraped();
	show(41); /* released; the count is shown once that is saved */
	SHOWS(io, 0);
	show(42);
	SHOWS(io, 1);
	SHOWS("app_completed_tasks_total" BASE, 1);
	SHOWS("app_task_execution_seconds_sum" BASE, 1);
	/* a value of its own hold, scraped at once: 30 s all the same */
	failure(a, &pod_a, "SQL", 50);
	show(50);
	agent_metrics_scraped();
	show(79);
	SHOWS("app_task_errors_total" LABELS ",error_type=\"SQL\"}", 0);
	show(80);
	show(81);
	SHOWS("app_task_errors_total" LABELS ",error_type=\"SQL\"}", 1);
	/* never scraped: ten minutes */
	failure(a, &pod_a, "NPE", 100);
	show(100);
	show(699);
	SHOWS("app_task_errors_total" LABELS ",error_type=\"NPE\"}", 0);
	show(700);
	show(701);
	SHOWS("app_task_errors_total" LABELS ",error_type=\"NPE\"}", 1);
}

static void
test_history_begins_at_its_value(void **state)
{
	(void)state;
	agent_metrics_publish(at(0), true);
	assert_false(agent_metrics_counted());
	failure(a, &pod_a, "IO", -1000);
	agent_metrics_publish(at(59), true);
	assert_false(agent_metrics_counted());
	failure(a, &pod_a, "SQL", -900);
	agent_metrics_publish(at(60), true); /* history has had its minute */
	assert_true(agent_metrics_counted());
	failure(a, &pod_a, "NPE", -800);
	show(61);
	SHOWS("app_task_errors_total" LABELS ",error_type=\"IO\"}", 1);
	SHOWS("app_task_errors_total" LABELS ",error_type=\"SQL\"}", 1);
	SHOWS("app_task_errors_total" LABELS ",error_type=\"NPE\"}", 0);
}

static void
test_a_new_uid_continues_counters_and_resets_gauges(void **state)
{
	struct pod pod_b = pod_a;
	struct agent_series *b;

	(void)state;
	pod_b.pod_id = SLICE("uid-2");
	event(a, &pod_a, EVENT_TASK_STARTED, "1", -1, 10);
	event(a, &pod_a, EVENT_TASK_COMPLETED, "2", 5, 11);
	b = agent_metrics_agent(&pod_b); /* its file is there before the other's is gone */
	assert_ptr_equal(a, b);
	event(b, &pod_b, EVENT_TASK_COMPLETED, "3", 7, 20);
	show(21);
	SHOWS("app_completed_tasks_total" BASE, 2);
	SHOWS("app_active_task_count" BASE, 0);
	SHOWS("app_task_duration_seconds" BASE, 7);
	event(a, &pod_a, EVENT_TASK_STARTED, "4", -1, 12); /* the older's backlog */
	event(a, &pod_a, EVENT_TASK_COMPLETED, "4", 9, 13);
	event(a, &pod_a, EVENT_TASK_STARTED, "5", -1, 14);
	show(22);
	SHOWS("app_completed_tasks_total" BASE, 3);
	SHOWS("app_active_task_count" BASE, 0);
	SHOWS("app_task_duration_seconds" BASE, 7);
	agent_metrics_ended(a, &pod_a, at(23));
	show(40);
	SHOWS("app_active_task_count" BASE, 0); /* the newer still has its file */
}

static void
test_a_restart_clears_active_tasks(void **state)
{
	struct pod again = pod_a;

	(void)state;
	again.restart = 1;
	event(a, &pod_a, EVENT_TASK_STARTED, "1", -1, 1);
	agent_metrics_agent(&pod_a); /* its rotated file: the same life */
	agent_metrics_ended(a, &pod_a, at(2));
	show(2);
	SHOWS("app_active_task_count" BASE, 1);
	agent_metrics_agent(&again);
	show(3);
	SHOWS("app_active_task_count" BASE, 0);
	event(a, &pod_a, EVENT_TASK_STARTED, "2", -1, 5); /* later, but of the restart before */
	event(a, &again, EVENT_TASK_STARTED, "3", -1, 4);
	show(5);
	SHOWS("app_active_task_count" BASE, 1);
}

static void
test_gauges_vanish_and_counters_stay_15_minutes(void **state)
{
	(void)state;
	event(a, &pod_a, EVENT_TASK_STARTED, "1", -1, 1);
	event(a, &pod_a, EVENT_TASK_COMPLETED, "2", 5, 1);
	agent_metrics_ended(a, &pod_a, at(10));
	show(11); /* maybe it only rotates */
	SHOWS("app_active_task_count" BASE, 1);
	agent_metrics_agent(&pod_a);
	show(20);
	SHOWS("app_active_task_count" BASE, 1);
	agent_metrics_ended(a, &pod_a, at(20));
	assert_null(strstr(show(23), "app_active_task_count"));
	assert_null(strstr(shown, "app_agent_status"));
	assert_null(strstr(shown, "app_task_duration_seconds"));
	SHOWS("app_completed_tasks_total" BASE, 1);
	show(20 + 899);
	SHOWS("app_completed_tasks_total" BASE, 1);
	assert_string_equal(show(20 + 900), "");
}

/* A name has 253 bytes at most; no two samples may have the same labels. */
static void
test_the_longest_names_are_told_apart(void **state)
{
	char name[254];
	struct pod long_named = pod_a;

	(void)state;
	memset(name, 'p', sizeof(name));
	for (name[252] = 'a'; name[252] <= 'b'; name[252]++) {
		struct agent_series *of;

		long_named.pod_name = (struct slice){ name, 253 };
		of = agent_metrics_agent(&long_named);
		event(of, &long_named, EVENT_TASK_COMPLETED, "1", 5, 1);
	}
	show(2);
	assert_non_null(strstr(shown, "ppa\",container=\"agent\"} 1\n"));
	assert_non_null(strstr(shown, "ppb\",container=\"agent\"} 1\n"));
}

static void
test_the_longest_dead_agent_goes_first(void **state)
{
	struct agent_metrics_options o = {
		.max_series = 3, .hold = -1, .heartbeat_timeout = 90 * NS_PER_S
	};
	struct pod pods[6];
	struct agent_series *each[6];
	char names[6][8];

	(void)state;
	agent_metrics_fini();
	agent_metrics_init(&o);
	for (int i = 0; i < 6; i++) {
		snprintf(names[i], sizeof(names[i]), "p%d", i);
		pods[i] = pod_a;
		pods[i].pod_name = slice_of(names[i]);
	}
	for (int i = 0; i < 3; i++)
		each[i] = agent_metrics_agent(&pods[i]);
	show(1);
	each[3] = agent_metrics_agent(&pods[3]); /* all are alive */
	event(each[3], &pods[3], EVENT_TASK_COMPLETED, "", -1, 1);
	show(2);
	SHOWS(
	    "app_completed_tasks_total{namespace=\"other\",pod=\"other\",container=\"other\"}", 1);
	assert_null(strstr(shown, "app_agent_status{namespace=\"other\""));
	agent_metrics_ended(each[3], &pods[3], at(3));
	agent_metrics_ended(each[1], &pods[1], at(4));
	agent_metrics_ended(each[0], &pods[0], at(5));
	each[4] = agent_metrics_agent(&pods[4]);
	show(6);
	assert_null(strstr(shown, "pod=\"p1\""));
	assert_non_null(strstr(shown, "pod=\"p0\""));
	assert_non_null(strstr(shown, "pod=\"p4\""));
}

/* The lock is the scrape's, for as long as it writes. */
static void
test_the_reader_does_not_wait_for_a_scrape(void **state)
{
	(void)state;
	event(a, &pod_a, EVENT_TASK_COMPLETED, "", 1, 1);
	show(1);
	event(a, &pod_a, EVENT_TASK_COMPLETED, "", 1, 2);
	pthread_mutex_lock(&agents.lock);
	agent_metrics_publish(at(2), false);
	agent_metrics_ended(a, &pod_a, at(2));
	agent_metrics_publish(at(1000), false); /* it would be forgotten now */
	pthread_mutex_unlock(&agents.lock);
	write_shown(false);
	SHOWS("app_completed_tasks_total" BASE, 1);
	show(5);
	SHOWS("app_completed_tasks_total" BASE, 2);
	show(1000);
	SHOWS("app_completed_tasks_total" BASE, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_status_goes_by_heartbeats_and_before_the_first_by_lines),
		TEST(test_new_values_are_held_at_0_until_a_scrape_has_seen_them),
		TEST(test_history_begins_at_its_value),
		TEST(test_a_new_uid_continues_counters_and_resets_gauges),
		TEST(test_a_restart_clears_active_tasks),
		TEST(test_gauges_vanish_and_counters_stay_15_minutes),
		TEST(test_the_longest_names_are_told_apart),
		TEST(test_the_longest_dead_agent_goes_first),
		TEST(test_the_reader_does_not_wait_for_a_scrape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
