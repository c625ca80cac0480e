/*
 * The agents' series: what each event moves, and how series live.  Each test
 * is a story told in seconds; time is always a parameter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "agent_metrics.h"
#include "clock.h"
#include "metrics.h"

#define T0 INT64_C(1795334400) /* the stories begin here, s */

static struct pod pod_a = { .namespace_name = { "ns", 2 },
	.pod_name = { "agent-0", 7 },
	.pod_id = { "uid-1", 5 },
	.container_name = { "agent", 5 } };

#define LABELS "{namespace=\"ns\",pod=\"agent-0\",container=\"agent\""
#define BASE LABELS "}"

static int64_t
at(double seconds)
{
	return T0 * NS_PER_S + (int64_t)(seconds * 1e9);
}

static void
begin(const struct agent_metrics_options *more, bool history)
{
	struct agent_metrics_options o = { .max_series = 10,
		.max_task_capacity = 20,
		.heartbeat_timeout = 90 * NS_PER_S,
		.window = 300 * NS_PER_S };

	if (more != NULL)
		o = *more;
	agent_metrics_init(&o);
	if (!history)
		agent_metrics_publish(at(0), false);
}

static struct measure
seconds(double value)
{
	return (struct measure){ .present = true, .value = value };
}

/* ---- events */

static void
event(struct agent_series *a, const struct pod *pod, enum event e, const char *task, double took,
    double when)
{
	struct agent_line line = {
		.event = e, .level = LEVEL_INFO, .task_id.value = slice_of(task)
	};

	if (took >= 0)
		line.execution_time = seconds(took);
	agent_metrics_count(a, pod, &line, at(when));
}

static void
failure(struct agent_series *a, const struct pod *pod, const char *type, double when)
{
	struct agent_line line = { .level = LEVEL_ERROR, .error.type.value = slice_of(type) };

	agent_metrics_count(a, pod, &line, at(when));
}

/* ---- what is shown */

static char *shown;

static const char *
show(double when)
{
	struct buffer b;

	agent_metrics_publish(at(when), false);
	free(shown);
	buffer_init(&b, 0);
	agent_metrics_write(&b, false);
	buffer_put(&b, (struct slice){ "", 1 });
	shown = b.at;
	return shown;
}

/* The value of the sample that begins with `name`, -1 when there is none. */
static double
value(const char *name)
{
	char line[256];
	const char *found;

	snprintf(line, sizeof(line), "%s ", name);
	for (found = shown; (found = strstr(found, line)) != NULL; found++) {
		if (found == shown || found[-1] == '\n')
			return strtod(found + strlen(line), NULL);
	}
	return -1;
}

#define SHOWS(name, want) assert_true(value(name) == (want))

/* ---- stories */

static void
test_each_event_moves_its_own_numbers(void **state)
{
	struct agent_line line = { .event = EVENT_REQUEST_COMPLETED, .duration = seconds(0.25) };
	struct agent_series *a;

	(void)state;
	begin(NULL, true);
	a = agent_metrics_agent(&pod_a);
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
	agent_metrics_fini();
}

static void
test_sums_are_exact(void **state)
{
	struct agent_series *a;

	(void)state;
	begin(NULL, true);
	a = agent_metrics_agent(&pod_a);
	for (int i = 0; i < 1000; i++)
		event(a, &pod_a, EVENT_TASK_COMPLETED, "", 0.1, 1);
	for (int i = 1; i <= 4000; i++)
		event(a, &pod_a, EVENT_TASK_COMPLETED, "", i * 0.125, 1);
	show(2);
	SHOWS("app_task_execution_seconds_sum" BASE, 100 + 0.125 * 4000 * 4001 / 2);
	SHOWS("app_task_execution_seconds_count" BASE, 5000);
	SHOWS("app_completed_tasks_total" BASE, 5000);
	agent_metrics_fini();
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
	struct agent_series *a;

	(void)state;
	begin(NULL, true);
	a = agent_metrics_agent(&pod_a);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		event(a, &pod_a, steps[i].event, steps[i].task, -1, steps[i].when);
		show(10);
		SHOWS("app_active_task_count" BASE, steps[i].active);
	}
	agent_metrics_fini();
}

static void
test_many_tasks_and_a_cap(void **state)
{
	struct agent_series *a;
	char id[16];

	(void)state;
	begin(NULL, true);
	a = agent_metrics_agent(&pod_a);
	for (int i = 0; i < 20000; i++) {
		snprintf(id, sizeof(id), "t%d", i);
		event(a, &pod_a, EVENT_TASK_STARTED, id, -1, 1);
	}
	show(2);
	SHOWS("app_active_task_count" BASE, 16384);
	for (int i = 0; i < 20000; i += 2) {
		snprintf(id, sizeof(id), "t%d", i);
		event(a, &pod_a, EVENT_TASK_COMPLETED, id, -1, 3);
	}
	show(4);
	SHOWS("app_active_task_count" BASE, 8192);
	agent_metrics_fini();
}

static void
test_the_mean_is_of_a_window_by_record_time_and_stays(void **state)
{
	struct agent_series *a;

	(void)state;
	begin(NULL, true);
	a = agent_metrics_agent(&pod_a);
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
	agent_metrics_fini();
}

static void
test_times_far_off_do_not_stick(void **state)
{
	struct agent_series *a;

	(void)state;
	begin(NULL, true);
	a = agent_metrics_agent(&pod_a);
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
	agent_metrics_fini();
}

static void
test_status_goes_by_heartbeats_and_before_the_first_by_lines(void **state)
{
	struct agent_line any = { .level = LEVEL_INFO };
	struct agent_series *a;

	(void)state;
	begin(NULL, true);
	a = agent_metrics_agent(&pod_a);
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
	agent_metrics_publish(at(1000), true);
	show(1000);
	SHOWS("app_agent_status" BASE, 0);
	event(a, &pod_a, EVENT_HEARTBEAT, "", -1, 190);
	agent_metrics_publish(at(1000), true);
	free(shown);
	shown = NULL;
	{
		struct buffer b;

		buffer_init(&b, 0);
		agent_metrics_write(&b, false);
		buffer_put(&b, (struct slice){ "", 1 });
		shown = b.at;
	}
	SHOWS("app_agent_status" BASE, 1);
	agent_metrics_fini();
}

static void
test_new_values_are_held_at_0_until_a_scrape_has_seen_them(void **state)
{
	const char *io = "app_task_errors_total" LABELS ",error_type=\"IO\"}";
	struct agent_series *a;

	(void)state;
	begin(NULL, false); /* the history is over */
	assert_true(agent_metrics_counted());
	a = agent_metrics_agent(&pod_a);
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
	show(41);
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
	SHOWS("app_task_errors_total" LABELS ",error_type=\"SQL\"}", 1);
	/* never scraped: ten minutes */
	failure(a, &pod_a, "NPE", 100);
	show(100);
	show(699);
	SHOWS("app_task_errors_total" LABELS ",error_type=\"NPE\"}", 0);
	show(700);
	SHOWS("app_task_errors_total" LABELS ",error_type=\"NPE\"}", 1);
	agent_metrics_fini();
}

static void
test_history_begins_at_its_value(void **state)
{
	struct agent_series *a;

	(void)state;
	begin(NULL, true);
	agent_metrics_publish(at(0), true);
	assert_false(agent_metrics_counted());
	a = agent_metrics_agent(&pod_a);
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
	agent_metrics_fini();
}

static void
test_a_new_uid_continues_counters_and_resets_gauges(void **state)
{
	struct pod pod_b = pod_a;
	struct agent_series *a, *b;

	(void)state;
	begin(NULL, true);
	pod_b.pod_id = SLICE("uid-2");
	a = agent_metrics_agent(&pod_a);
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
	agent_metrics_fini();
}

static void
test_a_restart_clears_active_tasks(void **state)
{
	struct pod again = pod_a;
	struct agent_series *a;

	(void)state;
	begin(NULL, true);
	again.restart = 1;
	a = agent_metrics_agent(&pod_a);
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
	agent_metrics_fini();
}

static void
test_gauges_vanish_and_counters_stay_15_minutes(void **state)
{
	struct agent_series *a;

	(void)state;
	begin(NULL, true);
	a = agent_metrics_agent(&pod_a);
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
	agent_metrics_fini();
}

static void
test_the_caps_fold_into_other(void **state)
{
	struct agent_metrics_options o = {
		.max_series = 3, .per_pipeline = true, .heartbeat_timeout = 90 * NS_PER_S
	};
	struct agent_line line = { .event = EVENT_TASK_COMPLETED, .execution_time = seconds(1) };
	uint64_t folded = metrics.folded;
	struct agent_series *a;
	char name[8];

	(void)state;
	begin(&o, true);
	a = agent_metrics_agent(&pod_a);
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
	agent_metrics_fini();
}

static void
test_the_longest_dead_agent_goes_first(void **state)
{
	struct agent_metrics_options o = {
		.max_series = 3, .hold = -1, .heartbeat_timeout = 90 * NS_PER_S
	};
	struct pod pods[6];
	struct agent_series *a[6];
	char names[6][8];

	(void)state;
	begin(&o, true);
	for (int i = 0; i < 6; i++) {
		snprintf(names[i], sizeof(names[i]), "p%d", i);
		pods[i] = pod_a;
		pods[i].pod_name = slice_of(names[i]);
	}
	for (int i = 0; i < 3; i++)
		a[i] = agent_metrics_agent(&pods[i]);
	show(1);
	a[3] = agent_metrics_agent(&pods[3]); /* all are alive */
	event(a[3], &pods[3], EVENT_TASK_COMPLETED, "", -1, 1);
	show(2);
	SHOWS(
	    "app_completed_tasks_total{namespace=\"other\",pod=\"other\",container=\"other\"}", 1);
	assert_null(strstr(shown, "app_agent_status{namespace=\"other\""));
	agent_metrics_ended(a[3], &pods[3], at(3));
	agent_metrics_ended(a[1], &pods[1], at(4));
	agent_metrics_ended(a[0], &pods[0], at(5));
	a[4] = agent_metrics_agent(&pods[4]);
	show(6);
	assert_null(strstr(shown, "pod=\"p1\""));
	assert_non_null(strstr(shown, "pod=\"p0\""));
	assert_non_null(strstr(shown, "pod=\"p4\""));
	agent_metrics_fini();
}

static void
test_hostile_label_values(void **state)
{
	struct agent_line line = { .level = LEVEL_FATAL };
	struct agent_series *a;
	char *raw = malloc(3000);

	(void)state;
	begin(NULL, true);
	a = agent_metrics_agent(&pod_a);
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
	agent_metrics_fini();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_event_moves_its_own_numbers),
		cmocka_unit_test(test_sums_are_exact),
		cmocka_unit_test(test_duplicates_orphans_and_late_starts_change_nothing),
		cmocka_unit_test(test_many_tasks_and_a_cap),
		cmocka_unit_test(test_the_mean_is_of_a_window_by_record_time_and_stays),
		cmocka_unit_test(test_times_far_off_do_not_stick),
		cmocka_unit_test(test_status_goes_by_heartbeats_and_before_the_first_by_lines),
		cmocka_unit_test(test_new_values_are_held_at_0_until_a_scrape_has_seen_them),
		cmocka_unit_test(test_history_begins_at_its_value),
		cmocka_unit_test(test_a_new_uid_continues_counters_and_resets_gauges),
		cmocka_unit_test(test_a_restart_clears_active_tasks),
		cmocka_unit_test(test_gauges_vanish_and_counters_stay_15_minutes),
		cmocka_unit_test(test_the_caps_fold_into_other),
		cmocka_unit_test(test_the_longest_dead_agent_goes_first),
		cmocka_unit_test(test_hostile_label_values),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free(shown);
	return failed;
}
