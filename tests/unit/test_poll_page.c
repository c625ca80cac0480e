/* What an agent says, in each form and age of its pages; what is none of an agent's. */
#include "unit.h"

#include <math.h>

#include "../../src/poll/page.h"

#define CAP 65536

/*
 * A page and what is read in it: tasks requests sessions connected state
 * version|commit|build, - where it says none; NULL: it is none of an agent's.
 */
static const struct {
	const char *text, *facts;
} cases[] = {
	/* since 2026-05, by an exporter of OpenTelemetry's */
	{ "# HELP target_info Target metadata\n# TYPE target_info gauge\n"
	  "target_info{process_command_line=\"java -Dpassword=s3cret app_active_task_count 9\",x=\"\\\"\"} 1\n"
	  "# TYPE matillion_agent_status_unit gauge\n"
	  "matillion_agent_status_unit{otel_scope_name=\"agent\"} 1.0\n"
	  "matillion_agent_connected_unit{otel_scope_name=\"agent\"} 1.0\n"
	  "matillion_agent_task_running_unit{otel_scope_name=\"a}\\\"b\"} 3.0\n"
	  "matillion_agent_task_queued_unit{} 2.0\n"
	  "matillion_agent_request_active_unit 4\n"
	  "matillion_agent_open_sessions_unit 1.2E1\n"
	  "matillion_agent_version_unit{version=\"11.8.3\",commit=\"abc\\\"1\"} 1.0\n"
	  "matillion_agent_busyness_score 0.5\n# EOF\n",
	    "3 4 12 1 running 11.8.3|abc\"1|" },
	/* since 2026-02, micrometer's */
	{ "# TYPE app_active_task_count gauge\napp_active_task_count 20.0\napp_active_request_count 0.0 1764230400000\n"
	  "app_open_sessions_count{application=\"agent\",} 7\napp_agent_connected 0.0\napp_agent_status 2.0\n"
	  "app_version_info{build_timestamp=\"2024-01-15T10:30:00Z\",commit=\"abc123\",version=\"2.1.0\",} 1.0\n",
	    "20 0 7 0 pending_shutdown 2.1.0|abc123|2024-01-15T10:30:00Z" },
	{ "app_agent_status 3\n", "- - - - shutting_down ||" },
	{ "app_agent_status 0\n", "- - - - none ||" },
	{ "app_agent_status 1.5\n", "- - - - unknown ||" },
	{ "app_agent_status 9e9\n", "- - - - unknown ||" },
	{ "app_open_sessions 3", "- - 3 - - ||" },
	{ "\n \n  app_open_sessions\t3\r\n", "- - 3 - - ||" },
	{ "app_active_task_count 1 # {trace=\"x\"} 2\n", "1 - - - - ||" },
	{ "app_agent_connected 17\n", "- - - 1 - ||" },
	{ "app_active_task_count{a=\"\\n\\\\\"} 5\n", "5 - - - - ||" },
	/* the first sample counts; a broken line does not */
	{ "app_active_task_count NaN\napp_active_task_count 5\napp_active_task_count 6\n",
	    "5 - - - - ||" },
	{ "app_active_task_count -1\n", NULL },
	{ "app_active_task_count +Inf\n", NULL },
	{ "app_active_task_count 0x10\n", NULL },
	{ "app_active_task_count 1e300\n", NULL },
	{ "app_active_task_count 1,5\n", NULL },
	{ "app_active_task_count 12345678901234567890123456789012345678901234567890\n", NULL },
	{ "app_active_task_count\n", NULL },
	{ "app_active_task_count{a=\"x} 5\n", NULL },
	{ "app_active_task_count{a=x} 5\n", NULL },
	{ "app_active_task_count{a=\"x\" 5\n", NULL },
	{ "app_active_task_count_total 5\n", NULL },
	{ "xapp_active_task_count 5\n", NULL },
	{ "# app_active_task_count 5\n", NULL },
	{ "app_version_info{version=\"1\"} 1\n", NULL }, /* a build alone is no agent's state */
	{ "jvm_threads_live_threads 30\n", NULL },
	{ "<html><body>app_active_task_count 5</body></html>", NULL },
	{ "", NULL },
	/* JSON */
	{ "{\"agentStatus\":\"RUNNING\",\"activeTaskCount\":3,\"activeRequestCount\":1,\"openSessionsCount\":2,"
	  "\"buildInfo\":{\"version\":\"2.1.0\",\"commitHash\":\"abc\",\"buildTimestamp\":\"2024\\u002d01\"}}",
	    "3 1 2 - running 2.1.0|abc|2024-01" },
	{ " \r\n{\"git\":{\"activeTaskCount\":9},\"agentStatus\":\"shutting_down\",\"activeTaskCount\":\"3\"}\n",
	    "- - - - shutting_down ||" },
	{ "{\"agentStatus\":2}", "- - - - pending_shutdown ||" },
	{ "{\"agentStatus\":\"ASLEEP\"}", "- - - - unknown ||" },
	{ "{\"activeTaskCount\":1.0e1,\"buildInfo\":[1]}", "10 - - - - ||" },
	{ "{\"activeTaskCount\":-1}", NULL },
	{ "{\"activeTaskCount\":1e999}", NULL },
	{ "{\"activeTaskCount\":1", NULL },
	{ "{\"activeTaskCount\":1}}", NULL },
	{ "{\"agentStatus\":null}", NULL },
	{ "{}", NULL },
};

static void
number_say(char *to, size_t size, double n)
{
	if (isnan(n))
		snprintf(to, size, "- ");
	else
		snprintf(to, size, "%g ", n);
}

static const char *
facts_of(const struct agent_said *said)
{
	static char facts[1024];
	size_t n = 0;

	for (int i = 0; i < AGENT_NUMBERS; i++) {
		number_say(facts + n, sizeof(facts) - n, said->number[i]);
		n += strlen(facts + n);
	}
	snprintf(facts + n, sizeof(facts) - n, "%s %s|%s|%s",
	    said->state == AGENT_STATES ? "-" : agent_polled_states[said->state],
	    said->text[AGENT_SAID_VERSION], said->text[AGENT_SAID_COMMIT],
	    said->text[AGENT_SAID_BUILT]);
	return facts;
}

/* Feed a piece from memory of just its size. */
static void
feed(struct page *p, struct slice piece)
{
	struct slice copy = exact(piece);

	assert_true(page_feed(p, copy));
	exact_free(copy);
}

static void
test_each_page_cut_at_every_byte(void **state)
{
	struct page page;

	(void)state;
	page_init(&page, CAP);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct slice text = slice_of(cases[i].text);

		for (size_t cut = 0; cut <= text.len; cut++) {
			bool is;

			page_begin(&page);
			feed(&page, slice_cut(text, cut));
			feed(&page, slice_from(text, cut));
			is = page_end(&page);
			if (is != (cases[i].facts != NULL))
				fail_msg("'%s' cut at %zu: %d", cases[i].text, cut, is);
			if (is)
				assert_string_equal(facts_of(&page.said), cases[i].facts);
		}
	}
	page_fini(&page);
}

/* No byte of target_info stays in memory, however it comes. */
static void
test_target_info_is_never_kept(void **state)
{
	static const char info[] = "target_info{process_command_line=\"s3cret\"} 1\n";
	struct page page;

	(void)state;
	for (size_t cut = 0; cut < sizeof(info) - 1; cut++) {
		memset(&page, 0, sizeof(page));
		page_init(&page, CAP);
		feed(&page, (struct slice){ info, cut });
		feed(&page,
		    slice_from(SLICE("target_info{process_command_line=\"s3cret\"} 1\n"), cut));
		assert_false(page_end(&page));
		assert_null(memmem(&page, sizeof(page), "s3cret", 6));
		assert_int_equal(page.json.len, 0);
		page_fini(&page);
	}
}

static void
test_long_lines_are_passed_over(void **state)
{
	struct page page;

	(void)state;
	page_init(&page, CAP);
	feed(&page, SLICE("app_active_task_count{a=\""));
	for (int i = 0; i < SAMPLES_LINE; i++)
		feed(&page, SLICE("x"));
	feed(&page, SLICE("\"} 5\napp_open_sessions 2\n"));
	assert_true(page_end(&page));
	assert_string_equal(facts_of(&page.said), "- - 2 - - ||");
	page_fini(&page);
}

static void
test_texts_are_cut(void **state)
{
	struct page page;

	(void)state;
	page_init(&page, CAP);
	feed(&page, SLICE("app_agent_status 1\napp_version_info{version=\""));
	for (int i = 0; i < 1000; i++)
		feed(&page, SLICE("v"));
	feed(&page, SLICE("\"} 1\n"));
	assert_true(page_end(&page));
	assert_int_equal(strlen(page.said.text[AGENT_SAID_VERSION]), AGENT_SAID_TEXT - 1);
	page_fini(&page);
}

static void
test_a_page_has_a_size(void **state)
{
	static char much[PAGE_JSON];
	struct page page;

	(void)state;
	page_init(&page, 4);
	assert_true(page_feed(&page, SLICE("# 34")));
	assert_false(page_feed(&page, SLICE("5")));
	page_fini(&page);
	page_init(&page, 2 * PAGE_JSON); /* an object is kept whole, and has a size of its own */
	memset(much, ' ', sizeof(much));
	assert_true(page_feed(&page, (struct slice){ much, sizeof(much) }));
	assert_true(page_feed(&page, SLICE("{")));
	assert_false(page_feed(&page, (struct slice){ much, sizeof(much) }));
	page_fini(&page);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_page_cut_at_every_byte),
		cmocka_unit_test(test_target_info_is_never_kept),
		cmocka_unit_test(test_long_lines_are_passed_over),
		cmocka_unit_test(test_texts_are_cut),
		cmocka_unit_test(test_a_page_has_a_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
