/* The gauges of agents that are polled, beside those that their logs tell. */
#include "agent_story.h"

#include "agent_polled.h"

#define OTHER "{namespace=\"ns\",pod=\"vm-1\",container=\"agent\""
#define BUILD ",version=\"2\",commit=\"c\",build_timestamp=\"\"}"

static const struct agent_name logged = { "ns", "agent-0", "agent" },
			       unlogged = { "ns", "vm-1", "agent" };

static struct agent_metrics_options polling;

/* Agents are polled. */
static void
polls(void)
{
	polling = usual;
	polling.gauges = AGENT_GAUGES_POLL;
	begin(&polling, false);
}

static struct agent_said
said(double tasks, enum agent_state state)
{
	struct agent_said s;

	agent_polled_clear(&s);
	s.number[AGENT_SAID_TASKS] = tasks;
	s.state = state;
	return s;
}

static void
text_set(char to[AGENT_SAID_TEXT], const char *text)
{
	snprintf(to, AGENT_SAID_TEXT, "%s", text);
}

/* The number of times that the text stands in what is shown. */
static int
count_of(const char *text)
{
	int n = 0;

	for (const char *at = shown; (at = strstr(at, text)) != NULL; at++)
		n++;
	return n;
}

/* The log states other numbers than the agent does. */
static void
log_states(void)
{
	struct agent_line line = { .event = EVENT_HEARTBEAT,
		.open_sessions = seconds(12),
		.active_requests = seconds(8),
		.active_tasks = seconds(5),
		.build.version.value = SLICE("1") };

	agent_metrics_count(a, &pod_a, &line, at(1));
}

static void
test_an_answer_takes_the_place_of_the_log(void **state)
{
	struct agent_said s = said(3, AGENT_RUNNING);

	(void)state;
	polls();
	log_states();
	show(2);
	SHOWS("app_active_task_count" BASE, 5);
	SHOWS("app_agent_state" LABELS ",state=\"running\"}", -1);
	s.number[AGENT_SAID_REQUESTS] = 0;
	s.number[AGENT_SAID_SESSIONS] = 7;
	s.number[AGENT_SAID_CONNECTED] = 0;
	text_set(s.text[AGENT_SAID_VERSION], "2");
	text_set(s.text[AGENT_SAID_COMMIT], "c");
	agent_polled_answered(&logged, &s, at(3));
	show(4);
	SHOWS("app_active_task_count" BASE, 3);
	SHOWS("app_active_request_count" BASE, 0);
	SHOWS("app_open_sessions" BASE, 7);
	SHOWS("app_agent_connected" BASE, 0);
	SHOWS("app_agent_status" BASE, 1);
	SHOWS("app_agent_state" LABELS ",state=\"running\"}", 1);
	SHOWS("app_agent_state" LABELS ",state=\"shutting_down\"}", 0);
	SHOWS("app_last_heartbeat_timestamp" BASE, T0 + 3);
	SHOWS("app_build_info" LABELS BUILD, 1);
	SHOWS("app_build_info" LABELS ",version=\"1\",commit=\"\",build_timestamp=\"\"}", -1);
	SHOWS("app_max_task_capacity" BASE, 20);
	assert_int_equal(count_of("app_active_task_count{"), 1);
	assert_int_equal(count_of("app_agent_state{"), AGENT_STATES);
}

static void
test_each_state_is_running_or_not(void **state)
{
	static const struct {
		enum agent_state state;
		double status, states;
	} cases[] = { { AGENT_NONE, 0, 5 }, { AGENT_RUNNING, 1, 5 },
		{ AGENT_PENDING_SHUTDOWN, 1, 5 }, { AGENT_SHUTTING_DOWN, 1, 5 },
		{ AGENT_UNKNOWN, 1, 5 }, { AGENT_STATES, 1, 0 } };

	(void)state;
	polls();
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct agent_said s = said(1, cases[i].state);

		agent_polled_answered(&logged, &s, at(1));
		show(2);
		SHOWS("app_agent_status" BASE, cases[i].status);
		assert_int_equal(count_of("app_agent_state{"), cases[i].states);
	}
}

static void
test_a_silent_agent_has_no_made_up_zeros(void **state)
{
	struct agent_said s = said(3, AGENT_RUNNING);

	(void)state;
	polls();
	log_states();
	text_set(s.text[AGENT_SAID_VERSION], "2");
	text_set(s.text[AGENT_SAID_COMMIT], "c");
	agent_polled_answered(&logged, &s, at(1));
	agent_polled_silent(&logged);
	show(2);
	SHOWS("app_agent_status" BASE, 0);
	SHOWS("app_active_task_count" BASE, -1);
	SHOWS("app_open_sessions" BASE, -1);
	assert_int_equal(count_of("app_agent_state{"), 0);
	SHOWS("app_last_heartbeat_timestamp" BASE, T0 + 1);
	SHOWS("app_build_info" LABELS BUILD, 1);
	agent_polled_answered(&logged, &s, at(3));
	show(4);
	SHOWS("app_agent_status" BASE, 1);
	SHOWS("app_active_task_count" BASE, 3);
}

static void
test_of_an_agent_that_never_answered_the_log_tells_all_but_the_status(void **state)
{
	(void)state;
	polls();
	log_states();
	agent_polled_silent(&logged);
	show(2);
	SHOWS("app_agent_status" BASE, 0);
	SHOWS("app_active_task_count" BASE, 5);
	SHOWS("app_open_sessions" BASE, 12);
	SHOWS("app_last_heartbeat_timestamp" BASE, T0 + 1);
	SHOWS("app_build_info" LABELS ",version=\"1\",commit=\"\",build_timestamp=\"\"}", 1);
	assert_int_equal(count_of("app_agent_status{"), 1);
}

static void
test_an_agent_without_a_log_has_its_polled_gauges(void **state)
{
	struct agent_said s = said(2, AGENT_SHUTTING_DOWN);

	(void)state;
	polls();
	agent_polled_answered(&unlogged, &s, at(1));
	show(2);
	SHOWS("app_active_task_count" OTHER "}", 2);
	SHOWS("app_agent_status" OTHER "}", 1);
	SHOWS("app_agent_status" BASE, 1);
	SHOWS("app_completed_tasks_total" OTHER "}", -1);
	agent_polled_gone(&unlogged);
	agent_polled_gone(&unlogged);
	show(3);
	assert_int_equal(count_of("vm-1"), 0);
}

static void
test_off_shows_none_of_the_four(void **state)
{
	struct agent_metrics_options off = usual;

	(void)state;
	off.gauges = AGENT_GAUGES_OFF;
	begin(&off, false);
	log_states();
	show(2);
	SHOWS("app_active_task_count" BASE, -1);
	SHOWS("app_active_request_count" BASE, -1);
	SHOWS("app_open_sessions" BASE, -1);
	SHOWS("app_agent_status" BASE, -1);
	SHOWS("app_last_heartbeat_timestamp" BASE, T0 + 1);
	SHOWS("app_max_task_capacity" BASE, 20);
}

/* An agent chooses its version's text. */
static void
test_texts_are_escaped(void **state)
{
	struct agent_said s = said(1, AGENT_RUNNING);

	(void)state;
	polls();
	text_set(s.text[AGENT_SAID_VERSION], "a\"b\n\\\xff");
	agent_polled_answered(&unlogged, &s, at(1));
	show(2);
	SHOWS("app_build_info" OTHER
	      ",version=\"a\\\"b\xef\xbf\xbd\\\\\xef\xbf\xbd\",commit=\"\",build_timestamp=\"\"}",
	    1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_answer_takes_the_place_of_the_log),
		TEST(test_each_state_is_running_or_not),
		TEST(test_a_silent_agent_has_no_made_up_zeros),
		TEST(test_of_an_agent_that_never_answered_the_log_tells_all_but_the_status),
		TEST(test_an_agent_without_a_log_has_its_polled_gauges),
		TEST(test_off_shows_none_of_the_four),
		TEST(test_texts_are_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
