/* The agents' series: what each event moves, and how label values are cut and capped. */
#include "agent_story.h"

static void
test_each_event_moves_its_own_numbers(void **state)
{
	struct agent_line line = { .event = EVENT_REQUEST_COMPLETED, .duration = seconds(0.25) };

	(void)state;
	event(a, &pod_a, EVENT_TASK_STARTED, "1", -1, 1);
	event(a, &pod_a, EVENT_TASK_STARTED, "2", -1, 1);
	event(a, &pod_a, EVENT_TASK_STARTED, "3", -1, 1);
	event(a, &pod_a, EVENT_TASK_COMPLETED, "1", 12.5, 2);
	event(a, &pod_a, EVENT_TASK_FAILED, "2", 4, 3);
	failure(a, &pod_a, "java.io.IOException", 3);
	failure(a, &pod_a, "", 3);
	agent_metrics_count(a, &pod_a, &line, at(4));
	line =
	    (struct agent_line){ .event = EVENT_REQUEST_COMPLETED, .execution_time = seconds(2) };
	agent_metrics_count(a, &pod_a, &line, at(4));
	line = (struct agent_line){ .open_sessions = seconds(12),
		.active_requests = seconds(8),
		.active_tasks = seconds(5),
		.build.version.value = SLICE("2.1.0"),
		.build.commit.value = SLICE("abc\"123") };
	agent_metrics_count(a, &pod_a, &line, at(5));
	agent_metrics_count(a, &pod_a, NULL, at(5));
	show(6);
	SHOWS("app_completed_tasks_total" BASE, 1);
	SHOWS("app_failed_tasks_total" BASE, 1);
	SHOWS("app_task_errors_total" LABELS ",error_type=\"java.io.IOException\"}", 1);
	SHOWS("app_task_errors_total" LABELS ",error_type=\"UNKNOWN\"}", 1);
	SHOWS("app_task_duration_seconds" BASE, 12.5);
	SHOWS("app_task_execution_seconds_sum" BASE, 12.5);
	SHOWS("app_task_execution_seconds_bucket" LABELS ",le=\"5.0\"}", 0);
	SHOWS("app_task_execution_seconds_bucket" LABELS ",le=\"15.0\"}", 1);
	SHOWS("app_request_duration_seconds_sum" BASE, 2.25);
	SHOWS("app_request_duration_seconds_count" BASE, 2);
	SHOWS("app_active_task_count" BASE, 1);
	SHOWS("app_active_request_count" BASE, 8);
	SHOWS("app_open_sessions" BASE, 12);
	SHOWS("app_max_task_capacity" BASE, 20);
	SHOWS("app_max_connections" BASE, -1);
	SHOWS("app_agent_status" BASE, 1);
	SHOWS("app_last_heartbeat_timestamp" BASE, -1);
	SHOWS("app_build_info" LABELS
	      ",version=\"2.1.0\",commit=\"abc\\\"123\",build_timestamp=\"\"}",
	    1);
}

static bool
line_shown(const char *line)
{
	const char *found = strstr(shown, line);

	return found != NULL && (found == shown || found[-1] == '\n');
}

static void
test_a_bucket_shows_its_last_task(void **state)
{
	char id[128];

	(void)state;
	memset(id, 'x', sizeof(id));
	id[48] = '\0';
	event(a, &pod_a, EVENT_TASK_COMPLETED, "t-1", 12.5, 1);
	event(a, &pod_a, EVENT_TASK_COMPLETED, "t-2", 13, 2.5);
	event(a, &pod_a, EVENT_TASK_COMPLETED, id, 14, 3); /* too long: t-2 stays */
	event(a, &pod_a, EVENT_TASK_COMPLETED, "", 14, 3);
	event(a, &pod_a, EVENT_TASK_COMPLETED, "bad\xff\"", 1e5, 4);
	show(5);
	assert_null(strstr(shown, " # "));
	write_shown(true);
	assert_true(line_shown("app_task_execution_seconds_bucket" LABELS
			       ",le=\"15.0\"} 4 # {task_id=\"t-2\"} 13 1795334402.500\n"));
	assert_true(line_shown("app_task_execution_seconds_bucket" LABELS ",le=\"60.0\"} 4\n"));
	assert_true(line_shown(
	    "app_task_execution_seconds_bucket" LABELS
	    ",le=\"+Inf\"} 5 # {task_id=\"bad\xef\xbf\xbd\\\"\"} 100000 1795334404.000\n"));
	begin(&usual, true);
	memset(id, 'x', 47);
	id[47] = '\0';
	event(a, &pod_a, EVENT_TASK_COMPLETED, id, 14, 3);
	show(5);
	write_shown(true);
	assert_non_null(strstr(shown, "{task_id=\"xxxx"));
}

static void
test_what_was_created_is_shown_when_it_is_known(void **state)
{
	static const char *const lines[] = {
		"app_completed_tasks_created" BASE " 1795334401.000\n",
		"app_task_execution_seconds_created" BASE " 1795334401.000\n",
		"app_request_duration_seconds_created" BASE " 1795334401.000\n",
		"app_task_errors_created" LABELS ",error_type=\"UNKNOWN\"} 1795334401.000\n",
		"app_task_errors_created" LABELS ",error_type=\"IO\"} 1795334402.000\n",
	};

	(void)state;
	event(a, &pod_a, EVENT_TASK_COMPLETED, "", 1, 0);
	show(1);
	write_shown(true);
	assert_null(strstr(shown, "_created")); /* it is of the history */
	begin(&usual, false);
	show(1);
	failure(a, &pod_a, "IO", 2);
	show(2);
	assert_null(strstr(shown, "_created"));
	write_shown(true);
	for (size_t i = 0; i < COUNT(lines); i++)
		assert_true(line_shown(lines[i]));
}

static void
test_sums_are_exact(void **state)
{
	(void)state;
	for (int i = 0; i < 1000; i++)
		event(a, &pod_a, EVENT_TASK_COMPLETED, "", 0.1, 1);
	for (int i = 1; i <= 4000; i++)
		event(a, &pod_a, EVENT_TASK_COMPLETED, "", i * 0.125, 1);
	show(2);
	SHOWS("app_task_execution_seconds_sum" BASE, 100 + 0.125 * 4000 * 4001 / 2);
	SHOWS("app_task_execution_seconds_count" BASE, 5000);
	SHOWS("app_completed_tasks_total" BASE, 5000);
}

static void
test_duplicates_orphans_and_late_starts_change_nothing(void **state)
{
	static const struct {
		enum event event;
		const char *task;
		double when;
		double active;
	} steps[] = {
		{ EVENT_TASK_STARTED, "1", 1, 1 },
		{ EVENT_TASK_STARTED, "1", 2, 1 },
		{ EVENT_TASK_COMPLETED, "9", 3, 1 }, /* never started */
		{ EVENT_TASK_COMPLETED, "1", 4, 0 },
		{ EVENT_TASK_COMPLETED, "1", 5, 0 },
		{ EVENT_TASK_STARTED, "1", 3.5, 0 }, /* read behind its end */
		{ EVENT_TASK_STARTED, "1", 6, 1 },   /* tried again */
		{ EVENT_TASK_STARTED, "", 7, 1 },    /* no id */
		{ EVENT_TASK_FAILED, "1", 8, 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(steps); i++) {
		event(a, &pod_a, steps[i].event, steps[i].task, -1, steps[i].when);
		show(10);
		SHOWS("app_active_task_count" BASE, steps[i].active);
	}
}

static void
test_many_tasks_and_a_cap(void **state)
{
	char id[16];

	(void)state;
	for (int i = 0; i < 1250; i++) {
		snprintf(id, sizeof(id), "t%d", i);
		event(a, &pod_a, EVENT_TASK_STARTED, id, -1, 1);
	}
	show(2);
	SHOWS("app_active_task_count" BASE, 1024);
	for (int i = 0; i < 1250; i += 2) {
		snprintf(id, sizeof(id), "t%d", i);
		event(a, &pod_a, EVENT_TASK_COMPLETED, id, -1, 3);
	}
	show(4);
	SHOWS("app_active_task_count" BASE, 512);
	for (int i = 1; i < 1250; i += 2) {
		snprintf(id, sizeof(id), "t%d", i);
		event(a, &pod_a, EVENT_TASK_STARTED, id, -1, 5);
	}
	show(5);
	SHOWS("app_active_task_count" BASE, 512 + (1250 - 1024) / 2);
}

/* A table that is cleared while it is walked: no task is missed, none is dropped too early. */
static void
test_half_of_many_tasks_time_out(void **state)
{
	char id[16];

	(void)state;
	for (int i = 0; i < 1000; i++) {
		snprintf(id, sizeof(id), "t%d", i);
		event(a, &pod_a, EVENT_TASK_STARTED, id, -1, i % 2 == 0 ? 1 : 100);
	}
	show(100);
	show(86402);
	SHOWS("app_active_task_count" BASE, 500);
	SHOWS("app_oldest_task_start_timestamp" BASE, T0 + 100);
}

#define DAY 86400.0

static void
test_the_oldest_task_and_tasks_without_an_end(void **state)
{
	(void)state;
	event(a, &pod_a, EVENT_HEARTBEAT, "", -1, 0);
	show(1);
	SHOWS("app_oldest_task_start_timestamp" BASE, -1);
	SHOWS("app_task_timeouts_total" BASE, 0);
	event(a, &pod_a, EVENT_TASK_STARTED, "1", -1, 2);
	event(a, &pod_a, EVENT_TASK_STARTED, "2", -1, 10.25);
	event(a, &pod_a, EVENT_TASK_STARTED, "1", -1, 11); /* its start stays */
	show(12);
	SHOWS("app_oldest_task_start_timestamp" BASE, T0 + 2);
	event(a, &pod_a, EVENT_TASK_STARTED, "3", -1, DAY);
	show(DAY + 1);
	SHOWS("app_active_task_count" BASE, 3);
	show(DAY + 2); /* the first is a day old */
	SHOWS("app_active_task_count" BASE, 2);
	SHOWS("app_oldest_task_start_timestamp" BASE, T0 + 10.25);
	show(DAY + 3);
	SHOWS("app_task_timeouts_total" BASE, 1);
	event(a, &pod_a, EVENT_TASK_COMPLETED, "1", 3, DAY + 4); /* it ends, all the same */
	event(a, &pod_a, EVENT_TASK_COMPLETED, "2", 3, DAY + 4);
	event(a, &pod_a, EVENT_TASK_COMPLETED, "3", 3, DAY + 4);
	show(DAY + 12);
	SHOWS("app_completed_tasks_total" BASE, 3);
	SHOWS("app_task_timeouts_total" BASE, 1);
	SHOWS("app_active_task_count" BASE, 0);
	SHOWS("app_oldest_task_start_timestamp" BASE, -1);
}

static void
test_an_end_that_is_not_read_yet_is_waited_for(void **state)
{
	(void)state;
	event(a, &pod_a, EVENT_TASK_STARTED, "1", -1, 0);
	event(a, &pod_a, EVENT_HEARTBEAT, "", -1, DAY - 1);
	publish(3 * DAY, true);
	SHOWS("app_active_task_count" BASE, 1);
	event(a, &pod_a, EVENT_HEARTBEAT, "", -1, DAY);
	publish(3 * DAY, true);
	SHOWS("app_active_task_count" BASE, 0);
}

/* A start without a time, or of the future, counts from its first publish. */
static void
test_a_start_without_a_time_ends_some_day(void **state)
{
	(void)state;
	event(a, &pod_a, EVENT_TASK_STARTED, "none", -1, -2.0 * T0);
	event(a, &pod_a, EVENT_TASK_STARTED, "future", -1, 9e8);
	show(5);
	SHOWS("app_oldest_task_start_timestamp" BASE, T0 + 5);
	show(DAY + 4);
	SHOWS("app_active_task_count" BASE, 2);
	show(DAY + 5);
	SHOWS("app_active_task_count" BASE, 0);
}

static void
test_lines_of_records(void **state)
{
	(void)state;
	agent_metrics_lines(a, SLICE("one"));
	agent_metrics_lines(a, SLICE(""));
	agent_metrics_lines(a, SLICE("three\n\nlines"));
	agent_metrics_lines(a, SLICE("its last is empty\n"));
	show(1);
	SHOWS("app_log_lines_total" BASE, 7);
}

static void
test_the_mean_is_of_a_window_by_record_time_and_stays(void **state)
{
	(void)state;
	show(0);
	SHOWS("app_task_duration_seconds" BASE, -1);
	event(a, &pod_a, EVENT_TASK_COMPLETED, "", 10, 0);
	event(a, &pod_a, EVENT_TASK_COMPLETED, "", 30, 299);
	show(300);
	SHOWS("app_task_duration_seconds" BASE, 20);
	event(a, &pod_a, EVENT_TASK_COMPLETED, "", 50, 300); /* the first has left the window */
	show(301);
	SHOWS("app_task_duration_seconds" BASE, 40);
	event(a, &pod_a, EVENT_TASK_COMPLETED, "", 1000, -1); /* older than the window */
	show(302);
	SHOWS("app_task_duration_seconds" BASE, 40);
	show(5000); /* none completes */
	SHOWS("app_task_duration_seconds" BASE, 40);
	event(a, &pod_a, EVENT_TASK_COMPLETED, "", 7, 5000);
	show(5001);
	SHOWS("app_task_duration_seconds" BASE, 7);
}

#define TASKS(q) "app_task_duration_quantile_seconds" LABELS ",quantile=\"" q "\"}"
#define REQUESTS(q) "app_request_duration_quantile_seconds" LABELS ",quantile=\"" q "\"}"

static void
complete(unsigned n, double took, double when)
{
	for (unsigned i = 0; i < n; i++)
		event(a, &pod_a, EVENT_TASK_COMPLETED, "", took, when);
}

/* By hand, as PromQL's documentation says of histogram_quantile(): buckets 1, 5, 15. */
static void
test_quantiles_are_of_the_window(void **state)
{
	struct agent_line request = { .event = EVENT_REQUEST_COMPLETED, .duration = seconds(20) };
	struct agent_metrics_options options = usual;
	double quantiles[] = { 0.5, 0.95 };

	(void)state;
	show(0);
	show(1);
	complete(1, 2, 1);
	show(2);
	SHOWS(TASKS("0.5"), -1);
	metrics_buckets(&options.quantiles, quantiles, 2);
	begin(&options, true);
	publish(0, true);
	complete(50, 100, 0); /* history */
	show(0);
	show(1);
	SHOWS(TASKS("0.5"), -1);
	complete(9, 2, 2);
	complete(1, 6, 2);
	agent_metrics_count(a, &pod_a, &request, at(2));
	show(2);
	SHOWS(TASKS("0.5"), 1 + 4 * 5.0 / 9);
	SHOWS(TASKS("0.95"), 10);
	SHOWS(REQUESTS("0.5"), 37.5);
	for (int i = 3; i < 270; i++)
		show(i);
	SHOWS(TASKS("0.95"), 10);
	complete(1, 5000, 270);
	for (int i = 270; i < 303; i++)
		show(i);
	SHOWS(TASKS("0.5"), 3600);
	SHOWS(REQUESTS("0.5"), -1);
	for (int i = 303; i < 604; i++)
		show(i);
	SHOWS(TASKS("0.95"), -1);
}

static void
test_times_far_off_do_not_stick(void **state)
{
	(void)state;
	event(a, &pod_a, EVENT_TASK_COMPLETED, "", 10, -1e9 - T0);
	event(a, &pod_a, EVENT_TASK_COMPLETED, "", 10, 3e9);
	event(a, &pod_a, EVENT_HEARTBEAT, "", -1, 3e9);
	show(1);
	SHOWS("app_last_heartbeat_timestamp" BASE, T0 + 1);
	event(a, &pod_a, EVENT_TASK_COMPLETED, "", 4, 2);
	show(3);
	SHOWS("app_task_duration_seconds" BASE, 4);
	show(100);
	SHOWS("app_agent_status" BASE, 0);
}

static void
test_the_caps_fold_into_other(void **state)
{
	struct agent_metrics_options o = {
		.max_series = 3, .per_pipeline = true, .heartbeat_timeout = 90 * NS_PER_S
	};
	struct agent_line line = { .event = EVENT_TASK_COMPLETED, .execution_time = seconds(1) };
	uint64_t folded = metrics.folded;
	char name[8];

	(void)state;
	begin(&o, true);
	for (int i = 0; i < 5; i++) { /* UNKNOWN is one of the three */
		snprintf(name, sizeof(name), "E%d", i);
		failure(a, &pod_a, name, 1);
		line.pipeline.value = slice_of(name);
		agent_metrics_count(a, &pod_a, &line, at(1));
	}
	line.pipeline.value = SLICE("");
	agent_metrics_count(a, &pod_a, &line, at(1));
	show(2);
	SHOWS("app_task_errors_total" LABELS ",error_type=\"E1\"}", 1);
	SHOWS("app_task_errors_total" LABELS ",error_type=\"other\"}", 3);
	SHOWS("app_task_execution_seconds_count" LABELS ",pipeline=\"E2\"}", 1);
	SHOWS("app_task_execution_seconds_count" LABELS ",pipeline=\"other\"}", 2);
	SHOWS("app_task_execution_seconds_count" BASE, 1);
	assert_int_equal(metrics.folded - folded, 5);
}

static void
test_hostile_label_values(void **state)
{
	struct agent_line line = { .level = LEVEL_FATAL };
	char *raw = malloc(3000);

	(void)state;
	failure(a, &pod_a, "bad\xff", 1);
	failure(a, &pod_a, "bad\xfe", 1); /* looks the same: the same series */
	line.error.type.kind = VALUE_ESCAPED;
	line.error.type.value = SLICE("Outer\\u0024Inner\\n");
	agent_metrics_count(a, &pod_a, &line, at(1));
	for (size_t blanks = 0; blanks < 12;
	     blanks++) { /* the cut falls on every byte of an escape */
		size_t len = blanks;

		memset(raw, 'A', blanks);
		for (; len < 2900; len += 6)
			memcpy(raw + len, blanks % 2 ? "\\u0041" : "\\\\\\\\\\\\", 6);
		line.error.type.value = (struct slice){ raw, len };
		agent_metrics_count(a, &pod_a, &line, at(1));
	}
	free(raw);
	show(2);
	SHOWS("app_task_errors_total" LABELS ",error_type=\"bad\xef\xbf\xbd\"}", 2);
	SHOWS("app_task_errors_total" LABELS ",error_type=\"Outer$Inner\xef\xbf\xbd\"}", 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_event_moves_its_own_numbers),
		TEST(test_a_bucket_shows_its_last_task),
		TEST(test_what_was_created_is_shown_when_it_is_known),
		TEST(test_sums_are_exact),
		TEST(test_duplicates_orphans_and_late_starts_change_nothing),
		TEST(test_many_tasks_and_a_cap),
		TEST(test_half_of_many_tasks_time_out),
		TEST(test_the_oldest_task_and_tasks_without_an_end),
		TEST(test_an_end_that_is_not_read_yet_is_waited_for),
		TEST(test_a_start_without_a_time_ends_some_day),
		TEST(test_lines_of_records),
		TEST(test_the_mean_is_of_a_window_by_record_time_and_stays),
		TEST(test_quantiles_are_of_the_window),
		TEST(test_times_far_off_do_not_stick),
		TEST(test_the_caps_fold_into_other),
		TEST(test_hostile_label_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
