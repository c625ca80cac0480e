/* When an agent is polled, where, and what its failures mean: on a clock of its own. */
#include "unit.h"

#include "../../src/poll/target.h"
#include "clock.h"
#include "poller.h"

#define NS NS_PER_S

static const struct target_rules rules = {
	.endpoints = 3, .silent = 3, .interval = 15 * NS, .timeout = 5 * NS
};

/* A poll in which the endpoints from the begin on fail until `answers` is asked (3: none answers). */
static enum target_next
poll_once(struct target *t, int64_t now, unsigned answers, char *asked)
{
	unsigned endpoint = target_begin(t, &rules, now);
	enum target_next next;

	for (;;) {
		*asked++ = (char)('0' + endpoint);
		*asked = '\0';
		if (endpoint == answers) {
			target_answered(t, &rules);
			return TARGET_TRIES;
		}
		next = target_failed(t, &rules, POLL_CONNECT, now, &endpoint);
		if (next != TARGET_TRIES)
			return next;
	}
}

static void
test_the_endpoint_that_answered_last_is_asked_first(void **state)
{
	static const struct {
		unsigned answers;
		const char *asked;
	} polls[] = { { 1, "01" }, { 1, "1" }, { 2, "102" }, { 2, "2" }, { 3, "201" }, { 0, "20" },
		{ 0, "0" }, { 2, "012" }, { 1, "201" } };
	struct target t = { 0 };

	(void)state;
	for (size_t i = 0; i < COUNT(polls); i++) {
		char asked[8];

		poll_once(&t, (int64_t)i * 15 * NS, polls[i].answers, asked);
		assert_string_equal(asked, polls[i].asked);
	}
}

static void
test_polls_begin_an_interval_apart(void **state)
{
	struct target t = { 0 };
	unsigned endpoint;

	(void)state;
	assert_int_equal(t.due, 0);
	target_begin(&t, &rules, 100 * NS);
	assert_true(t.flying);
	assert_int_equal(t.due, 115 * NS);
	target_answered(&t, &rules);
	assert_false(t.flying);
	target_begin(&t, &rules, 115 * NS);
	target_failed(&t, &rules, POLL_STATUS, 119 * NS, &endpoint);
	assert_int_equal(t.due, 130 * NS); /* the answer's time is not added */
}

static void
test_three_failures_in_a_row_are_silence_once(void **state)
{
	static const enum target_next wanted[] = { TARGET_FAILED, TARGET_FAILED, TARGET_SILENT,
		TARGET_FAILED, TARGET_FAILED };
	struct target t = { 0 };
	char asked[8];

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < COUNT(wanted); i++)
			assert_int_equal(poll_once(&t, 0, 3, asked), wanted[i]);
		target_begin(&t, &rules, 0);
		assert_true(target_answered(&t, &rules));
		target_begin(&t, &rules, 0);
		assert_false(target_answered(&t, &rules));
	}
	poll_once(&t, 0, 3, asked);
	poll_once(&t, 0, 3, asked);
	poll_once(&t, 0, 2, asked); /* not in a row */
	assert_int_equal(poll_once(&t, 0, 3, asked), TARGET_FAILED);
}

/* One that hangs leaves time for those behind it. */
static void
test_all_requests_of_a_poll_share_its_time(void **state)
{
	static const struct target_rules ten = {
		.endpoints = 3, .silent = 3, .interval = 15 * NS, .timeout = 9 * NS
	};
	struct target t = { 0 };
	unsigned endpoint;

	(void)state;
	target_begin(&t, &ten, 0);
	assert_int_equal(target_time(&t, &ten, 0), 3 * NS);
	assert_int_equal(target_failed(&t, &ten, POLL_TIMEOUT, 3 * NS, &endpoint), TARGET_TRIES);
	assert_int_equal(target_time(&t, &ten, 3 * NS), 3 * NS);
	assert_int_equal(target_failed(&t, &ten, POLL_CONNECT, 3 * NS, &endpoint), TARGET_TRIES);
	assert_int_equal(target_time(&t, &ten, 3 * NS), 6 * NS);
	assert_int_equal(target_failed(&t, &ten, POLL_TIMEOUT, 9 * NS, &endpoint), TARGET_FAILED);
	target_begin(&t, &ten, 15 * NS); /* a step of the clock: no time is left */
	assert_int_equal(target_failed(&t, &ten, POLL_TIMEOUT, 40 * NS, &endpoint), TARGET_FAILED);
}

static void
test_the_gravest_failure_is_counted(void **state)
{
	struct target t = { 0 };
	unsigned endpoint;

	(void)state;
	target_begin(&t, &rules, 0);
	target_failed(&t, &rules, POLL_CONNECT, 0, &endpoint);
	target_failed(&t, &rules, POLL_STATUS, 0, &endpoint);
	target_failed(&t, &rules, POLL_CONNECT, 0, &endpoint);
	assert_int_equal(t.worst, POLL_STATUS);
	target_begin(&t, &rules, 0);
	assert_int_equal(t.worst, POLL_CONNECT);
}

static void
test_endpoints_are_read(void **state)
{
	static const struct {
		const char *text;
		unsigned port; /* 0: it is none */
		const char *path;
	} cases[] = {
		{ "9464/metrics", 9464, "/metrics" },
		{ "8080/actuator/prometheus", 8080, "/actuator/prometheus" },
		{ "1/", 1, "/" },
		{ "65535/a?b=c", 65535, "/a?b=c" },
		{ "65536/m", 0, NULL },
		{ "0/m", 0, NULL },
		{ "/m", 0, NULL },
		{ "8080", 0, NULL },
		{ ":8080/m", 0, NULL },
		{ "8080/a b", 0, NULL },
		{ "8080/a#b", 0, NULL },
		{ "8080/a@b", 0, NULL },
		{ "4294967297/m", 0, NULL },
		{ "", 0, NULL },
	};
	struct poller_endpoint e;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool is = poller_endpoint_read(cases[i].text, &e);

		if (is != (cases[i].port != 0))
			fail_msg("'%s': %d", cases[i].text, is);
		if (!is)
			continue;
		assert_int_equal(e.port, cases[i].port);
		assert_string_equal(e.path, cases[i].path);
	}
}

static void
test_addresses_are_read(void **state)
{
	static const struct {
		const char *text, *host; /* NULL: it is none */
		unsigned port;
		const char *labels;
	} cases[] = {
		{ "10.0.0.5", "10.0.0.5", 0, "//" },
		{ "vm-1.example.org:8080", "vm-1.example.org", 8080, "//" },
		{ "fd00::1", "fd00::1", 0, "//" },
		{ "[fd00::1]:9464", "fd00::1", 9464, "//" },
		{ "[fd00::1]", "fd00::1", 0, "//" },
		{ "prod/vm-1/agent=10.0.0.5:80", "10.0.0.5", 80, "prod/vm-1/agent" },
		{ "prod/vm-1=10.0.0.5", NULL, 0, NULL },
		{ "prod/vm/1/agent=10.0.0.5", NULL, 0, NULL },
		{ "//=10.0.0.5", NULL, 0, NULL },
		{ "a/b/=10.0.0.5", NULL, 0, NULL },
		{ "10.0.0.5:", NULL, 0, NULL },
		{ "10.0.0.5:x", NULL, 0, NULL },
		{ "10.0.0.5:70000", NULL, 0, NULL },
		{ "[fd00::1", NULL, 0, NULL },
		{ "[fd00::1]x", NULL, 0, NULL },
		{ "http://10.0.0.5", NULL, 0, NULL },
		{ "user@host", NULL, 0, NULL },
		{ "a/b/c=", NULL, 0, NULL },
		{ "", NULL, 0, NULL },
	};
	struct poller_address a;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool is = poller_address_read(cases[i].text, &a);
		char labels[128];

		if (is != (cases[i].host != NULL))
			fail_msg("'%s': %d", cases[i].text, is);
		if (!is)
			continue;
		assert_slice(a.host, cases[i].host);
		assert_int_equal(a.port, cases[i].port);
		snprintf(labels, sizeof(labels), "%.*s/%.*s/%.*s", (int)a.namespace_name.len,
		    a.namespace_name.at, (int)a.pod.len, a.pod.at, (int)a.container.len,
		    a.container.at);
		assert_string_equal(labels, cases[i].labels);
	}
}

static void
test_addresses_of_pods(void **state)
{
	static const struct {
		const char *text;
		bool is;
	} cases[] = {
		{ "10.0.0.5", true },
		{ "192.168.254.169", true },
		{ "223.255.255.255", true },
		{ "127.0.0.1", true }, /* of a pod that has the node's network, say */
		{ "fd00::1", true },
		{ "2001:db8::a9fe:a9fe", true },
		{ "169.254.169.254", false },
		{ "fe80::1", false },
		{ "0.0.0.0", false },
		{ "0.1.2.3", false },
		{ "::", false },
		{ "224.0.0.1", false },
		{ "255.255.255.255", false },
		{ "ff02::1", false },
		{ "::ffff:169.254.169.254", false },
		{ "::169.254.169.254", false },
		{ "10.0.0.5/32", false },
		{ "10.0.0.5:80", false },
		{ "010.0.0.5", false },
		{ "10.5", false },
		{ "2852039166", false },
		{ "fe80::1%eth0", false },
		{ "me@10.0.0.5", false },
		{ "metadata.google.internal", false },
		{ " 10.0.0.5", false },
		{ "", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (poller_address_is_pods(cases[i].text) != cases[i].is)
			fail_msg("'%s': %d", cases[i].text, !cases[i].is);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_endpoint_that_answered_last_is_asked_first),
		cmocka_unit_test(test_polls_begin_an_interval_apart),
		cmocka_unit_test(test_three_failures_in_a_row_are_silence_once),
		cmocka_unit_test(test_all_requests_of_a_poll_share_its_time),
		cmocka_unit_test(test_the_gravest_failure_is_counted),
		cmocka_unit_test(test_endpoints_are_read),
		cmocka_unit_test(test_addresses_are_read),
		cmocka_unit_test(test_addresses_of_pods),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
