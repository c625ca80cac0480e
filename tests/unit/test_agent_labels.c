/* Labels of pods on the series of their agents: as they were first seen, and for good. */
#include "agent_story.h"

#include "agent_polled.h"
#include "agent_usage.h"
#include "map.h"

static const char *const names[] = { "matillion.com/business-unit", "app", "0-9", "absent" };

static const struct agent_metrics_options labelled = { .max_series = 2,
	.per_pipeline = true,
	.heartbeat_timeout = 90 * NS_PER_S,
	.labels = names,
	.nlabels = 4 };

/* As the kube thread makes them. */
static struct shared_json
    first = { .json = SLICE(
		  ",\"host\":\"n\",\"labels\":{\"matillion_com/business-unit\":\"sales \\\"EU\\\"\","
		  "\"app\":\"agent\",\"0-9\":\"x\",\"other\":\"y\"}") },
    second = { .json = SLICE(",\"labels\":{\"matillion.com/business-unit\":\"finance\"}") },
    none = { .json = SLICE(",\"host\":\"n\"") };

#define SALES LABELS ",matillion_com_business_unit=\"sales \\\"EU\\\"\",app=\"agent\",_0_9=\"x\""

static void
told(struct shared_json *meta)
{
	struct pod pod = pod_a;

	pod.meta = meta;
	agent_metrics_labels(a, &pod);
}

static void
test_the_series_waits_for_the_labels_of_its_pod(void **state)
{
	(void)state;
	begin(&labelled, true);
	failure(a, &pod_a, "IO", 1);
	event(a, &pod_a, EVENT_TASK_COMPLETED, "", 1, 1);
	show(1);
	assert_null(strstr(shown, "agent-0"));
	told(&first);
	show(2);
	SHOWS("app_completed_tasks_total" SALES "}", 1);
	SHOWS("app_task_errors_total" SALES ",error_type=\"IO\"}", 1);
	SHOWS("app_agent_status" SALES "}", 1);
	SHOWS("app_completed_tasks_total" BASE, -1);
	failure(a, &pod_a, "SQL", 3);
	show(4);
	SHOWS("app_task_errors_total" SALES ",error_type=\"other\"}", 0); /* at first */
}

static void
test_labels_that_change_change_nothing(void **state)
{
	(void)state;
	begin(&labelled, true);
	told(&first);
	show(1);
	told(&second);
	agent_metrics_agent(&pod_a);
	show(2);
	SHOWS("app_completed_tasks_total" SALES "}", 0);
	assert_null(strstr(shown, "finance"));
}

static void
test_names_with_dots_and_pods_without_labels(void **state)
{
	(void)state;
	begin(&labelled, true);
	told(&second);
	show(1);
	SHOWS("app_completed_tasks_total" LABELS ",matillion_com_business_unit=\"finance\"}", 0);
	begin(&labelled, true);
	told(&none);
	show(1);
	SHOWS("app_completed_tasks_total" BASE, 0);
	begin(&labelled, true);
	told(NULL); /* the API server did not tell in time */
	show(1);
	SHOWS("app_completed_tasks_total" BASE, 0);
}

static void
test_agents_beyond_the_cap_have_no_labels(void **state)
{
	static struct pod pods[3];

	(void)state;
	begin(&labelled, true);
	for (int i = 0; i < 3; i++) {
		static const char *const pod_names[] = { "b", "c", "d" };

		pods[i] = pod_a;
		pods[i].pod_name = slice_of(pod_names[i]);
		agent_metrics_agent(&pods[i]);
	}
	show(1);
	SHOWS(
	    "app_completed_tasks_total{namespace=\"other\",pod=\"other\",container=\"other\"}", 0);
}

/* ---- polled, and measured */

static const struct agent_name agent = { "ns", "agent-0", "agent" },
			       elsewhere = { "ns", "vm-1", "agent" };

static void
measure(const struct agent_name *first_one, const struct agent_name *second_one)
{
	const struct agent_usage all[] = { { *first_one, 5, 1 }, { *second_one, 6, 2 } };

	agent_usage_publish(all, 2);
}

static void
poll(const struct agent_name *who)
{
	struct agent_said s;

	agent_polled_clear(&s);
	s.number[AGENT_SAID_TASKS] = 3;
	s.state = AGENT_RUNNING;
	s.text[AGENT_SAID_VERSION][0] = '2';
	agent_polled_answered(who, &s, at(1));
}

static void
test_what_is_polled_and_measured_has_the_labels_of_its_pod(void **state)
{
	struct agent_metrics_options polled = labelled;

	(void)state;
	polled.gauges = AGENT_GAUGES_POLL;
	begin(&polled, true);
	poll(&agent);
	measure(&agent, &agent);
	told(&first);
	show(2);
	SHOWS("app_active_task_count" SALES "}", 3);
	SHOWS("app_active_task_count" BASE, -1);
	SHOWS("app_agent_status" SALES "}", 1);
	SHOWS("app_agent_state" SALES ",state=\"running\"}", 1);
	SHOWS("app_build_info" SALES ",version=\"2\",commit=\"\",build_timestamp=\"\"}", 1);
	SHOWS("app_last_heartbeat_timestamp" SALES "}", T0 + 1);
	SHOWS("app_memory_usage_bytes" SALES "}", 5);
	SHOWS("app_cpu_usage_seconds_total" SALES "}", 1);
	SHOWS("app_memory_usage_bytes" BASE, -1);
	agent_polled_gone(&agent);
	show(3);
	SHOWS("app_active_task_count" SALES "}", 0);
}

static void
test_what_is_known_without_a_log(void **state)
{
	static const char vm[] =
	    "app_active_task_count{namespace=\"ns\",pod=\"vm-1\",container=\"agent\"}";
	static const char memory[] =
	    "app_memory_usage_bytes{namespace=\"ns\",pod=\"vm-1\",container=\"agent\"}";

	(void)state;
	begin(&labelled, true);
	poll(&elsewhere);
	measure(&agent, &elsewhere);
	show(2); /* the labels of agent-0 are not known yet */
	SHOWS(vm, 3);
	SHOWS(memory, -1);
	assert_null(strstr(shown, "agent-0"));
	begin(&usual, true);
	measure(&agent, &elsewhere);
	show(2);
	SHOWS(memory, 6);
	SHOWS("app_memory_usage_bytes" BASE, 5);
}

/* ---- over a restart */

static struct map *saved;

static void
put(void *arg, struct slice key, struct slice value)
{
	(void)arg;
	free(map_put(saved, key, xslicedup(value)));
}

static void
forget_saved(void)
{
	size_t at = 0;
	char *text;

	while ((text = map_next(saved, &at, NULL)) != NULL)
		free(text);
	map_free(saved);
}

static void
restart(const struct agent_metrics_options *o)
{
	struct slice key = SLICE("ns/agent-0/agent");

	agent_metrics_save(put, NULL);
	agent_metrics_fini();
	agent_metrics_init(o);
	agent_metrics_restore(key, slice_of(map_get(saved, key)), at(5));
	a = agent_metrics_agent(&pod_a);
}

static void
test_labels_outlive_a_restart_unless_others_are_asked_for(void **state)
{
	struct agent_metrics_options fewer = labelled;
	(void)state;
	saved = map_new();
	fewer.nlabels = 1;
	begin(&labelled, true);
	event(a, &pod_a, EVENT_TASK_COMPLETED, "", 1, 1);
	told(&first);
	restart(&labelled);
	told(&second);
	show(6);
	SHOWS("app_completed_tasks_total" SALES "}", 1);
	restart(&fewer);
	show(7);
	assert_null(strstr(shown, "agent-0"));
	told(&second);
	show(8);
	SHOWS("app_completed_tasks_total" LABELS ",matillion_com_business_unit=\"finance\"}", 1);
	restart(&usual);
	show(9);
	SHOWS("app_completed_tasks_total" BASE, 1);
	forget_saved();
}

/* A pod that had none of them has none, whatever it is given later. */
static void
test_having_no_labels_outlives_a_restart(void **state)
{
	(void)state;
	saved = map_new();
	begin(&labelled, true);
	told(&none);
	restart(&labelled);
	told(&first);
	show(6);
	SHOWS("app_completed_tasks_total" BASE, 0);
	forget_saved();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_series_waits_for_the_labels_of_its_pod),
		TEST(test_labels_that_change_change_nothing),
		TEST(test_names_with_dots_and_pods_without_labels),
		TEST(test_agents_beyond_the_cap_have_no_labels),
		TEST(test_what_is_polled_and_measured_has_the_labels_of_its_pod),
		TEST(test_what_is_known_without_a_log),
		TEST(test_labels_outlive_a_restart_unless_others_are_asked_for),
		TEST(test_having_no_labels_outlives_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
