/* The agents' series over a restart: saved, forgotten, brought back, gone on with. */
#include "unit.h"

#include "agent_metrics.h"
#include "clock.h"
#include "map.h"
#include "memory.h"

#define T0 (INT64_C(1795334400) * NS_PER_S)

static struct pod pod_a = { .namespace_name = SLICE("ns"),
	.pod_name = SLICE("agent-0"),
	.pod_id = SLICE("uid-1"),
	.container_name = SLICE("agent") };

static struct map *saved; /* key: text */

static void
put(void *arg, struct slice key, struct slice value)
{
	(void)arg;
	free(value.len > 0 ? map_put(saved, key, xslicedup(value)) : map_del(saved, key));
}

static struct agent_metrics_options options = { .max_series = 4,
	.per_pipeline = true,
	.max_task_capacity = 20,
	.heartbeat_timeout = 90 * NS_PER_S,
	.window = 300 * NS_PER_S };

static void
begin(void)
{
	agent_metrics_init(&options);
}

static void
restored(void)
{
	struct slice key;
	const char *text;
	size_t at = 0;

	while ((text = map_next(saved, &at, &key)) != NULL)
		agent_metrics_restore(key, slice_of(text), T0);
}

/* The process ends and starts again. */
static void
restart(void)
{
	agent_metrics_save(put, NULL);
	agent_metrics_fini();
	begin();
	restored();
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What is shown, its lines sorted: the order of label values is free.  To be freed. */
static char *
show(void)
{
	char *lines[256], *rest, *line;
	struct buffer b, sorted;
	size_t n = 0;

	agent_metrics_publish(T0 + 10 * NS_PER_S, false);
	buffer_init(&b, 0);
	buffer_init(&sorted, 0);
	agent_metrics_write(&b, false);
	buffer_put(&b, (struct slice){ "", 1 });
	for (rest = b.at; (line = strsep(&rest, "\n")) != NULL && n < 256;)
		lines[n++] = line;
	qsort(lines, n, sizeof(lines[0]), by_text);
	for (size_t i = 0; i < n; i++)
		buffer_printf(&sorted, "%s\n", lines[i]);
	buffer_fini(&b);
	return sorted.at;
}

static void
count(struct agent_series *a, enum event e, const char *task, double took)
{
	struct agent_line line = { .event = e,
		.level = LEVEL_INFO,
		.task_id.value = slice_of(task),
		.pipeline.value = SLICE("load \"orders\""),
		.execution_time = { .present = took > 0, .value = took } };

	agent_metrics_count(a, &pod_a, &line, T0 + NS_PER_S);
}

static void
some_of_all(struct agent_series *a)
{
	static const char *const types[] = { "java.io.IOException", "Ümläut", "a", "b", "c", "d" };
	struct agent_line line = { .event = EVENT_HEARTBEAT,
		.open_sessions = { .present = true, .value = 12 },
		.active_requests = { .present = true, .value = 0.125 },
		.build.version.value = SLICE("2.1\"0") };

	agent_metrics_lines(a, SLICE("two\nlines"));
	agent_metrics_count(a, &pod_a, &line, T0 + NS_PER_S);
	count(a, EVENT_TASK_STARTED, "1", 0);
	count(a, EVENT_TASK_STARTED, "2", 0);
	count(a, EVENT_TASK_COMPLETED, "2", 0.1);
	count(a, EVENT_TASK_COMPLETED, "3", 1e9 + 0.3);
	count(a, EVENT_TASK_FAILED, "4", 0);
	count(a, EVENT_REQUEST_COMPLETED, "", 0.7);
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		line = (struct agent_line){ .level = LEVEL_ERROR,
			.error.type.value = slice_of(types[i]) };
		agent_metrics_count(a, &pod_a, &line, T0 + 2 * NS_PER_S);
	}
}

static void
test_a_restart_is_not_seen(void **state)
{
	char *before, *after;

	(void)state;
	begin();
	some_of_all(agent_metrics_agent(&pod_a));
	before = show();
	assert_non_null(strstr(before, "error_type=\"other\"} 3\n"));
	assert_non_null(strstr(before, "app_active_task_count{"));
	assert_non_null(
	    strstr(before, "app_oldest_task_start_timestamp{namespace=\"ns\",pod=\"agent-0\","
			   "container=\"agent\"} 1795334401\n"));
	restart();
	assert_false(agent_metrics_counted());
	agent_metrics_agent(&pod_a);
	assert_true(agent_metrics_counted());
	after = show();
	assert_string_equal(after, before);
	free(before);
	free(after);
}

static void
test_it_goes_on_as_without_one(void **state)
{
	char *once, *twice;

	(void)state;
	begin();
	some_of_all(agent_metrics_agent(&pod_a));
	some_of_all(agent_metrics_agent(&pod_a));
	once = show();
	agent_metrics_fini();
	begin();
	some_of_all(agent_metrics_agent(&pod_a));
	restart();
	some_of_all(agent_metrics_agent(&pod_a));
	twice = show();
	assert_string_equal(twice, once);
	free(once);
	free(twice);
}

static void
none(void *arg, struct slice key, struct slice value)
{
	(void)arg;
	(void)key;
	(void)value;
	fail();
}

static void
test_what_has_not_changed_is_not_saved_again(void **state)
{
	(void)state;
	begin();
	some_of_all(agent_metrics_agent(&pod_a));
	agent_metrics_save(put, NULL);
	agent_metrics_save(none, NULL);
}

static void
test_a_series_that_went_is_gone(void **state)
{
	struct agent_series *a;

	(void)state;
	begin();
	a = agent_metrics_agent(&pod_a);
	some_of_all(a);
	agent_metrics_save(put, NULL);
	assert_non_null(map_get(saved, SLICE("ns/agent-0/agent")));
	agent_metrics_ended(a, &pod_a, T0);
	agent_metrics_publish(T0 + 3600 * NS_PER_S, false);
	agent_metrics_save(put, NULL);
	assert_null(map_get(saved, SLICE("ns/agent-0/agent")));
	assert_int_equal(map_count(saved), 1); /* its failure is known as before */
}

static void
test_agents_beyond_the_cap_are_kept_as_other(void **state)
{
	char names[8][8], *before, *after;

	(void)state;
	begin();
	for (int i = 0; i < 8; i++) {
		struct pod *pod = xcalloc(1, sizeof(*pod));

		snprintf(names[i], sizeof(names[i]), "p%d", i);
		*pod = pod_a;
		pod->pod_name = slice_of(names[i]);
		count(agent_metrics_agent(pod), EVENT_TASK_COMPLETED, "", 1);
		free(pod);
	}
	before = show();
	assert_non_null(strstr(before, "pod=\"other\""));
	restart();
	after = show();
	assert_non_null(strstr(after, "app_completed_tasks_total{namespace=\"other\",pod=\"other\","
				      "container=\"other\"} 4\n"));
	free(before);
	free(after);
}

static void
test_other_bounds_keep_what_was_counted(void **state)
{
	static const double fewer[] = { 1, 7, 3600 };
	static const char *const lines[] = { "pipeline=\"load \\\"orders\\\"\",le=\"1.0\"} 1\n",
		",le=\"7.0\"} 1\n", /* 4 s: it may have been 5 */
		",le=\"3600.0\"} 2\n", ",le=\"+Inf\"} 3\n", "_count{namespace" };
	struct agent_series *a;
	char *shown;

	(void)state;
	begin();
	a = agent_metrics_agent(&pod_a);
	count(a, EVENT_TASK_COMPLETED, "1", 0.7);
	count(a, EVENT_TASK_COMPLETED, "2", 14);
	count(a, EVENT_TASK_COMPLETED, "3", 5000);
	metrics_buckets(&options.task_buckets, fewer, 3);
	restart();
	options.task_buckets.n = 0;
	agent_metrics_agent(&pod_a);
	shown = show();
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_non_null(strstr(shown, lines[i]));
	assert_non_null(strstr(shown, "} 5014.7\n"));
	free(shown);
}

static void
test_the_time_of_creation_outlives_a_restart(void **state)
{
	struct agent_series *a;
	struct buffer b;

	(void)state;
	begin();
	agent_metrics_publish(T0, false);
	a = agent_metrics_agent(&pod_a);
	some_of_all(a);
	free(show());
	restart();
	agent_metrics_agent(&pod_a);
	free(show());
	buffer_init(&b, 0);
	agent_metrics_write(&b, true);
	buffer_put(&b, (struct slice){ "", 1 });
	assert_non_null(strstr(b.at, "app_completed_tasks_created{"));
	assert_non_null(strstr(b.at, "error_type=\"a\"} 1795334410.000\n"));
	assert_non_null(strstr(b.at, "pipeline=\"load \\\"orders\\\"\"} 1795334410.000\n"));
	buffer_fini(&b);
}

/* As towline 0.1.0 wrote it: tasks without their starts, histograms without their bounds. */
static void
test_an_older_state_is_gone_on_with(void **state)
{
	static const char text[] =
	    "{\"completed\":3,\"errors\":{\"IO\":7},"
	    "\"execution\":[1,0,0,0,2,0,0,0,0,0,5,\"60\"],\"uid\":\"uid-1\",\"restart\":0,"
	    "\"pipelines\":{\"load\":[0,4,0,0,0,0,0,0,0,0,0,\"1.25\"]},"
	    "\"counts_tasks\":true,\"tasks\":[17,18]}";
	struct buffer b;
	char *shown;

	(void)state;
	begin();
	agent_metrics_restore(SLICE("ns/agent-0/agent"), SLICE(text), T0);
	agent_metrics_agent(&pod_a);
	shown = show();
	assert_non_null(strstr(shown, "app_active_task_count{namespace=\"ns\",pod=\"agent-0\","
				      "container=\"agent\"} 2\n"));
	assert_non_null(strstr(shown, "error_type=\"IO\"} 7\n"));
	assert_non_null(strstr(shown, "le=\"15.0\"} 3\n"));
	assert_non_null(strstr(shown, "le=\"+Inf\"} 8\n"));
	assert_non_null(strstr(shown, "pipeline=\"load\",le=\"0.1\"} 0\n"));
	assert_non_null(strstr(shown, "pipeline=\"load\",le=\"0.5\"} 4\n"));
	assert_non_null(strstr(shown, "pipeline=\"load\"} 1.25\n"));
	free(shown);
	buffer_init(&b, 0);
	agent_metrics_write(&b, true);
	buffer_put(&b, (struct slice){ "", 1 });
	assert_null(strstr(b.at, "_created{"));
	buffer_fini(&b);
}

/* Values that have no room any more are in what the rest is counted under: no sum goes back. */
static void
test_a_lower_cap_folds_what_was_counted(void **state)
{
	struct agent_series *a;
	uint64_t folded;
	char *shown;

	(void)state;
	begin();
	a = agent_metrics_agent(&pod_a);
	for (int i = 0; i < 4; i++) {
		char name[8];
		struct agent_line line = { .event = EVENT_TASK_COMPLETED,
			.level = LEVEL_ERROR,
			.execution_time = { .present = true, .value = 0.25 } };

		snprintf(name, sizeof(name), "%d", i);
		line.pipeline.value = line.error.type.value = slice_of(name);
		agent_metrics_count(a, &pod_a, &line, T0 + NS_PER_S);
		agent_metrics_count(a, &pod_a, &line, T0 + NS_PER_S);
	}
	options.max_series = 2;
	folded = metrics.folded;
	restart();
	assert_int_equal(metrics.folded, folded); /* no record was */
	options.max_series = 4;
	agent_metrics_agent(&pod_a);
	shown = show();
	assert_non_null(strstr(shown, "error_type=\"other\"} 6\n"));
	assert_non_null(strstr(shown, "_sum{namespace=\"ns\",pod=\"agent-0\",container=\"agent\","
				      "pipeline=\"other\"} 1\n"));
	assert_non_null(strstr(shown, "pipeline=\"other\",le=\"+Inf\"} 4\n"));
	free(shown);
}

/* The first publish, behind the save, tells the time when a count began. */
static void
test_a_creation_is_saved_without_a_further_count(void **state)
{
	struct buffer b;

	(void)state;
	begin();
	agent_metrics_publish(T0, false);
	some_of_all(agent_metrics_agent(&pod_a));
	agent_metrics_save(put, NULL);
	free(show());
	restart();
	agent_metrics_agent(&pod_a);
	agent_metrics_publish(T0 + 77 * NS_PER_S, false);
	buffer_init(&b, 0);
	agent_metrics_write(&b, true);
	buffer_put(&b, (struct slice){ "", 1 });
	assert_non_null(strstr(b.at, "app_completed_tasks_created{"));
	assert_non_null(strstr(b.at, "error_type=\"a\"} 1795334410.000\n"));
	assert_null(strstr(b.at, " 1795334477.000\n"));
	buffer_fini(&b);
}

static void
assert_type_a(int64_t seconds, const char *number)
{
	char want[64];
	struct buffer b;

	agent_metrics_publish(T0 + seconds * NS_PER_S, false);
	snprintf(want, sizeof(want), "error_type=\"a\"} %s\n", number);
	buffer_init(&b, 0);
	agent_metrics_write(&b, false);
	buffer_put(&b, (struct slice){ "", 1 });
	assert_non_null(strstr(b.at, want));
	buffer_fini(&b);
}

/* A value that no scrape has seen at 0 is held on; its release is saved before its count is shown. */
static void
test_a_hold_outlives_a_restart(void **state)
{
	(void)state;
	begin();
	agent_metrics_publish(T0, false);
	some_of_all(agent_metrics_agent(&pod_a));
	assert_type_a(10, "0");
	restart();
	agent_metrics_agent(&pod_a);
	assert_type_a(20, "0");
	agent_metrics_scraped();
	assert_type_a(49, "0");
	agent_metrics_save(put, NULL);
	assert_type_a(50, "0"); /* released, and not saved yet */
	restart();
	agent_metrics_agent(&pod_a);
	assert_type_a(51, "1");
}

static void
test_a_dropped_task_is_saved_as_such(void **state)
{
	(void)state;
	begin();
	count(agent_metrics_agent(&pod_a), EVENT_TASK_STARTED, "1", 0);
	agent_metrics_save(put, NULL);
	agent_metrics_publish(T0 + 90000 * NS_PER_S, false);
	agent_metrics_save(put, NULL);
	assert_non_null(strstr(map_get(saved, SLICE("ns/agent-0/agent")), "\"timeouts\":1,"));
	assert_non_null(strstr(map_get(saved, SLICE("ns/agent-0/agent")), "\"tasks\":[],"));
}

static void
fail_with(struct agent_series *a, uint64_t fingerprint, int64_t seconds)
{
	struct agent_line line = { .level = LEVEL_ERROR,
		.error = { .type.value = SLICE("E"), .fingerprint = fingerprint } };

	agent_metrics_count(a, &pod_a, &line, T0 + seconds * NS_PER_S);
}

static void
assert_new(const char *number)
{
	char *shown = show(), want[128];

	snprintf(want, sizeof(want),
	    "app_new_failures_total{namespace=\"ns\",pod=\"agent-0\",container=\"agent\"} %s\n",
	    number);
	assert_non_null(strstr(shown, want));
	free(shown);
}

/* A kill: what was counted since the last save is counted again. */
static void
test_a_failure_is_new_once_whatever_is_replayed(void **state)
{
	struct agent_series *a;

	(void)state;
	begin();
	a = agent_metrics_agent(&pod_a);
	fail_with(a, 1, 1);
	fail_with(a, UINT64_MAX, 1);
	agent_metrics_save(put, NULL);
	fail_with(a, 3, 2);
	fail_with(a, 1, 2);
	assert_new("3");
	agent_metrics_fini();
	begin();
	restored();
	a = agent_metrics_agent(&pod_a);
	assert_new("2");
	fail_with(a, 3, 2);
	fail_with(a, 1, 2);
	fail_with(a, UINT64_MAX, 3);
	assert_new("3");
	agent_metrics_save(put, NULL);
	agent_metrics_save(none, NULL);
}

static void
test_a_table_of_another_size_keeps_what_it_knows(void **state)
{
	struct agent_metrics_options o = { .max_series = 4 };
	static const size_t sizes[] = { 640, 128, 4096 };
	struct agent_series *a;

	(void)state;
	begin();
	a = agent_metrics_agent(&pod_a);
	for (uint64_t i = 0; i < 50; i++)
		fail_with(a, i * UINT64_C(0x9e3779b97f4a7c15), 1);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		agent_metrics_save(put, NULL);
		agent_metrics_fini();
		o.max_failures = sizes[i];
		agent_metrics_init(&o);
		restored();
		a = agent_metrics_agent(&pod_a);
		for (uint64_t j = 0; j < 50; j++)
			fail_with(a, j * UINT64_C(0x9e3779b97f4a7c15), 2);
		assert_new("50");
		agent_metrics_save(put, NULL);
		assert_true(map_count(saved) <= 1 + (sizes[i] + 63) / 64);
	}
}

static void
test_a_spoilt_text_does_no_harm(void **state)
{
	static const char *const texts[] = { "", "{", "[]", "{\"errors\":[1]}",
		"{\"window\":[[-1,2,3],[1]],\"uid\":\"u\",\"tasks\":[0,\"x\",[],[1,\"y\"]]}",
		"{\"execution\":{\"a\":1},\"pipelines\":{\"p\":3}}",
		"{\"task_bounds\":[\"a\",2],\"execution\":[1],\"pipelines\":{\"p\":[[1,2],{}]}}",
		"{\"task_bounds\":{},\"errors\":{\"e\":[[],\"x\"]}}" };
	static const char *const pages[] = { "", "[", "{}", "[1,[],[\"a\",{}],[-1,-1]]" };

	(void)state;
	begin();
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		agent_metrics_restore(SLICE("a/b/c"), slice_of(texts[i]), T0);
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		agent_metrics_restore(SLICE("//failures/3"), slice_of(pages[i]), T0);
		agent_metrics_restore(SLICE("//failures/x"), slice_of(pages[i]), T0);
		agent_metrics_restore(
		    SLICE("//failures/99999999999999999999"), slice_of(pages[i]), T0);
	}
	agent_metrics_save(put, NULL);
	free(show());
}

static int
setup(void **state)
{
	(void)state;
	saved = map_new();
	return 0;
}

static int
teardown(void **state)
{
	size_t at = 0;
	char *text;

	(void)state;
	while ((text = map_next(saved, &at, NULL)) != NULL)
		free(text);
	map_free(saved);
	agent_metrics_fini();
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_restart_is_not_seen),
		TEST(test_it_goes_on_as_without_one),
		TEST(test_what_has_not_changed_is_not_saved_again),
		TEST(test_a_series_that_went_is_gone),
		TEST(test_agents_beyond_the_cap_are_kept_as_other),
		TEST(test_other_bounds_keep_what_was_counted),
		TEST(test_the_time_of_creation_outlives_a_restart),
		TEST(test_an_older_state_is_gone_on_with),
		TEST(test_a_lower_cap_folds_what_was_counted),
		TEST(test_a_creation_is_saved_without_a_further_count),
		TEST(test_a_hold_outlives_a_restart),
		TEST(test_a_dropped_task_is_saved_as_such),
		TEST(test_a_failure_is_new_once_whatever_is_replayed),
		TEST(test_a_table_of_another_size_keeps_what_it_knows),
		TEST(test_a_spoilt_text_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
