/* HTTP over a real socket: what each path answers, what is refused, and the Accept header. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "../../src/serve/accept.h"
#include "agent_metrics.h"
#include "clock.h"
#include "metrics.h"
#include "serve.h"
#include "voice.h"

/* ---- the Accept header */

static const struct {
	const char *accept;
	bool openmetrics;
} accepts[] = {
	{ "", false },
	{ "*/*", false },
	{ "text/plain", false },
	{ "application/openmetrics-text", true },
	{ "application/openmetrics-text; version=1.0.0", true },
	{ "APPLICATION/OPENMETRICS-TEXT;VERSION=\"1.0.0\"", true },
	{ "application/openmetrics-text;version=0.0.1", false },
	{ "application/openmetrics-text;q=0", false },
	{ "application/openmetrics-text;q=0.000, */*", false },
	{ "application/openmetrics-text;q=0.5,text/plain;q=0.6", false },
	{ "application/openmetrics-text;q=0.6,text/plain;q=0.5", true },
	{ "application/openmetrics-text;q=0.6,text/*", false },
	{ "application/openmetrics-text;q=0.5 , text/plain ; q=0.5", true },
	{ "text/plain;version=1.0.0,application/openmetrics-text;q=0.001", true },
	{ "application/openmetrics-textual", false },
	{ "application/openmetrics", false },
	{ ",;,=;q=,application/openmetrics-text;q=x", true },
	/* Prometheus 2.42 */
	{ "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;"
	  "q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
	    true },
	/* Prometheus 3 */
	{ "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
	  "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
	  "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
	    true },
};

static void
test_accept(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(accepts) / sizeof(accepts[0]); i++) {
		struct slice all = slice_of(accepts[i].accept);

		assert_int_equal(accept_openmetrics(all), accepts[i].openmetrics);
		for (size_t cut = 0; cut < all.len; cut++) {
			char *exact = malloc(cut + 1);

			memcpy(exact, all.at, cut);
			exact = realloc(exact, cut ? cut : 1);
			accept_openmetrics((struct slice){ exact, cut });
			free(exact);
		}
	}
}

static const struct {
	const char *encodings;
	bool gzip;
} encodings[] = {
	{ "", false },
	{ "gzip", true }, /* Prometheus */
	{ "deflate, gzip;q=1.0, *;q=0.5", true },
	{ "GZIP", true },
	{ "x-gzip", true },
	{ "identity", false },
	{ "gzip;q=0", false },
	{ "gzip;q=0.000,*", false },
	{ "*", true },
	{ "*;q=0", false },
	{ "br;q=1,gzip;q=0.001", true },
	{ "gzipped", false },
	{ ",;=,", false },
};

static void
test_accept_encoding(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++)
		assert_int_equal(accept_gzip(slice_of(encodings[i].encodings)), encodings[i].gzip);
}

/* ---- a client */

static bool is_ready;

static bool
ready(void *arg, char *why, size_t size)
{
	(void)arg;
	if (!is_ready)
		snprintf(why, size, "es has not answered yet");
	return is_ready;
}

static bool
alive(void *arg, char *why, size_t size)
{
	(void)arg;
	(void)why;
	(void)size;
	return true;
}

static atomic_ullong counts = 1;

static uint64_t
shown(void *arg)
{
	(void)arg;
	return atomic_load(&counts);
}

static const struct plugin tail = { .kind = SECTION_INPUT, .name = "tail" };
static const struct plugin es = { .kind = SECTION_OUTPUT, .name = "es" };
static const struct plugin null = { .kind = SECTION_OUTPUT, .name = "null" };
static struct section sections[] = { { .plugin = &tail }, { .plugin = &es }, { .plugin = &null },
	{ .plugin = &es } };
static const struct conf conf = { .sections = sections, .n = 4 };
static const struct serve_world world = { ready, alive, shown, NULL, &conf };
static struct serve *server;

static int
connected(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)serve_port(server)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static char got[262144];
static size_t got_len;

/* Send `METHOD PATH` with further header lines; the whole answer stands in `got`. */
static const char *
ask(const char *request, const char *headers)
{
	char text[1024];
	size_t len = 0;
	ssize_t n;
	int fd = connected();

	n = snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n%s\r\n",
	    request, headers);
	assert_int_equal(write(fd, text, (size_t)n), n);
	while ((n = read(fd, got + len, sizeof(got) - 1 - len)) > 0)
		len += (size_t)n;
	got[len] = '\0';
	got_len = len;
	close(fd);
	return got;
}

static const char *
body(void)
{
	const char *at = strstr(got, "\r\n\r\n");

	assert_non_null(at);
	return at + 4;
}

static void
status(const char *request, const char *headers, int want)
{
	ask(request, headers);
	assert_int_equal(strncmp(got, "HTTP/1.1 ", 9), 0);
	assert_int_equal(strtol(got + 9, NULL, 10), want);
}

static int
start(void **state)
{
	const struct agent_metrics_options options = { .max_series = 10 };

	(void)state;
	atomic_store(&counts, 1);
	agent_metrics_init(&options);
	server = serve_start("127.0.0.1", 0, NULL, &world);
	return server == NULL;
}

static int
stop(void **state)
{
	(void)state;
	serve_stop(server);
	serve_stop(NULL);
	agent_metrics_fini();
	return 0;
}

static void
test_probes(void **state)
{
	(void)state;
	status("GET /healthz", "", 200);
	assert_string_equal(body(), "ok\n");
	status("GET /readyz", "", 503);
	assert_string_equal(body(), "es has not answered yet\n");
	is_ready = true;
	status("GET /readyz", "", 200);
	status("GET /api/v1/health", "", 200);
	assert_string_equal(body(), "ok\n");
	status("GET /api/v1/uptime", "", 200);
	assert_non_null(strstr(got, "Content-Type: application/json\r\n"));
	assert_string_equal(body(),
	    "{\"uptime_sec\":0,\"uptime_hr\":\"towline has been running: 0 day, 0 hour, 0 minute "
	    "and 0 second\"}\n");
	status("GET /api/v2/health", "", 200);
	assert_string_equal(body(), "ok\n");
	status("GET /api/v1/plugins", "", 200);
	assert_string_equal(
	    body(), "{\"inputs\":[\"tail\"],\"filters\":[],\"outputs\":[\"es\",\"null\"]}\n");
	status("GET /", "", 200);
	assert_non_null(strstr(body(), "/api/v1/metrics/prometheus "));
}

static void
test_metrics_wait_for_history_and_come_in_both_forms(void **state)
{
	(void)state;
	status("GET /metrics", "", 503);
	agent_metrics_publish(clock_wall(), false);
	status("GET /metrics", "", 200);
	assert_non_null(strstr(got, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
	assert_non_null(strstr(body(), "# TYPE towline_lines_total counter\n"));
	status("GET /api/v1/metrics/prometheus", "Accept: application/openmetrics-text\r\n", 200);
	assert_non_null(strstr(
	    got, "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n"));
	assert_non_null(strstr(body(), "# TYPE towline_lines counter\n"));
	assert_non_null(strstr(body(), "\n# EOF\n"));
	status("GET /api/v2/metrics/prometheus", "", 200);
	assert_non_null(strstr(body(), "# TYPE towline_lines_total counter\n"));
	status("GET /api/v2/metrics", "", 200);
	status("HEAD /metrics", "", 200);
	assert_string_equal(body(), "");
	assert_null(strstr(got, "Content-Length: 0\r\n"));
}

static void
test_counters_are_in_fluent_bits_form(void **state)
{
	struct output_metrics *m = metrics_output("e\"s");

	(void)state;
	metrics_add(&metrics_input("tail.0")->records, 3);
	metrics_add(&metrics_input("a \"b\"")->bytes, 4);
	assert_ptr_equal(metrics_input("tail.0"), metrics_input("tail.0"));
	metrics_delivered(m, 0, 70, 0);
	metrics_retry(m, REASON_5XX, 20);
	metrics_retry(m, REASON_429, 1);
	metrics_add(&m->dead_letters[REASON_REJECTED], 5);
	metrics_add(&m->dead_letters[REASON_GIVEN_UP], 1);
	status("GET /api/v1/metrics", "", 200);
	assert_non_null(strstr(got, "Content-Type: application/json\r\n"));
	assert_string_equal(body(),
	    "{\"input\":{\"a _b_\":{\"records\":0,\"bytes\":4},\"tail.0\":{\"records\":3,"
	    "\"bytes\":0}},\"output\":{\"e_s\":{\"proc_records\":1,\"proc_bytes\":70,\"errors\":5,"
	    "\"retries\":2,\"retries_failed\":1,\"dropped_records\":6,\"retried_records\":21}}}\n");
	agent_metrics_publish(clock_wall(), false);
	status("GET /api/v2/metrics/prometheus", "", 200);
	assert_non_null(strstr(body(), "# TYPE fluentbit_input_records_total counter\n"));
	assert_non_null(strstr(body(), "\nfluentbit_input_records_total{name=\"tail.0\"} 3\n"));
	assert_non_null(strstr(body(), "\nfluentbit_input_bytes_total{name=\"a \\\"b\\\"\"} 4\n"));
	assert_non_null(strstr(body(), "\nfluentbit_output_errors_total{name=\"e\\\"s\"} 5\n"));
	assert_non_null(strstr(body(), "\nfluentbit_uptime{hostname=\""));
	status("GET /metrics", "", 200);
	assert_null(strstr(body(), "fluentbit_"));
}

static void
test_an_output_that_is_skipped_is_shown(void **state)
{
	(void)state;
	metrics_unbuilt("loki.0");
	metrics_unbuilt("loki.0");
	agent_metrics_publish(clock_wall(), false);
	status("GET /metrics", "", 200);
	assert_non_null(strstr(body(), "\ntowline_output_unbuilt{output=\"loki.0\"} 1\n"));
	metrics_unbuilt_none();
	metrics_unbuilt("of \"ours\"");
	status("GET /metrics", "", 200);
	assert_non_null(strstr(body(), "\ntowline_output_unbuilt{output=\"loki.0\"} 0\n"));
	assert_non_null(strstr(body(), "\ntowline_output_unbuilt{output=\"of \\\"ours\\\"\"} 1\n"));
}

static void
failed(struct agent_series *a, struct pod *pod)
{
	struct agent_line line = { .event = EVENT_TASK_FAILED };

	agent_metrics_count(a, pod, &line, clock_wall());
	agent_metrics_publish(clock_wall(), false);
}

/* The same text in less than half the bytes. */
static void
test_a_page_is_packed_for_who_takes_that(void **state)
{
	char *plain, unpacked[sizeof(got)];
	size_t len, same;
	z_stream z = { 0 };

	(void)state;
	agent_metrics_publish(clock_wall(), false);
	status("GET /metrics", "", 200);
	assert_null(strstr(got, "Content-Encoding"));
	assert_non_null(strstr(got, "Vary: Accept, Accept-Encoding\r\n"));
	len = got_len - (size_t)(body() - got);
	plain = strdup(body());
	status("GET /metrics", "Accept-Encoding: gzip\r\n", 200);
	assert_non_null(strstr(got, "Content-Encoding: gzip\r\n"));
	assert_true(got_len - (size_t)(body() - got) < len / 2);
	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	z.next_in = (unsigned char *)got + (body() - got);
	z.avail_in = (unsigned)(got_len - (size_t)(body() - got));
	z.next_out = (unsigned char *)unpacked;
	z.avail_out = sizeof(unpacked);
	assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
	/* the CPU time moves; what stands before it does not */
	same = (size_t)(strstr(plain, "# HELP process_") - plain);
	assert_true(same > len / 2 && z.total_out > same);
	assert_memory_equal(unpacked, plain, same);
	inflateEnd(&z);
	free(plain);
	status("GET /healthz", "Accept-Encoding: gzip\r\n", 200); /* small */
	assert_null(strstr(got, "Content-Encoding"));
	assert_string_equal(body(), "ok\n");
}

static void
test_agents_counts_that_are_not_on_disk_are_not_shown(void **state)
{
	static struct pod pod = { .namespace_name = { "n", 1 }, .pod_name = { "p", 1 } };
	struct agent_series *a;

	(void)state;
	a = agent_metrics_agent(&pod);
	failed(a, &pod);
	atomic_store(&counts, 0);
	status("GET /metrics", "", 200); /* none were ever on disk */
	assert_null(strstr(body(), "app_failed_tasks_total{"));
	assert_non_null(strstr(body(), "towline_state_stale_seconds "));
	atomic_store(&counts, 1);
	status("GET /metrics", "", 200);
	assert_non_null(strstr(body(), "container=\"\"} 1\n"));
	failed(a, &pod);
	atomic_store(&counts, 0);
	status("GET /metrics", "", 200);
	assert_non_null(strstr(body(), "container=\"\"} 1\n"));
	atomic_store(&counts, 2);
	status("GET /metrics", "Accept: application/openmetrics-text\r\n", 200);
	assert_non_null(strstr(body(), "container=\"\"} 2\n"));
	assert_string_equal(body() + strlen(body()) - 6, "# EOF\n");
}

/* A connection on which `text` was sent; what is answered has not been read. */
static int
sent(const char *text)
{
	int fd = connected();

	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	return fd;
}

static bool
is_prompt(const char *request, int want)
{
	int64_t began = clock_mono();

	status(request, "", want);
	return clock_mono() - began < NS_PER_S;
}

/* Of three: what waits for others is late each time, and the machine now and then. */
static bool
is_prompt_once(const char *request, int want)
{
	return is_prompt(request, want) || is_prompt(request, want) || is_prompt(request, want);
}

/* Probes while scrapes wait, which all are answered in the end. */
static bool
probes_are_prompt(void)
{
	struct timeval second = { .tv_sec = 4 };
	bool prompt = true;
	int scrapes[20], begun;
	char first;

	atomic_store(&counts, 0);
	for (int i = 0; i < 20; i++)
		scrapes[i] = sent("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
	for (int i = 0; i < 20; i++)
		prompt &= is_prompt("GET /healthz", 200);
	begun = sent("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
	atomic_store(&counts, 1); /* all are answered now */
	for (int i = 0; i < 20; i++) {
		setsockopt(scrapes[i], SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
		assert_int_equal(read(scrapes[i], &first, 1), 1);
		close(scrapes[i]);
	}
	close(begun);
	return prompt;
}

static void
test_a_probe_waits_for_no_scrape(void **state)
{
	(void)state;
	agent_metrics_publish(clock_wall(), false);
	assert_true(probes_are_prompt() || probes_are_prompt() || probes_are_prompt());
	atomic_store(&metrics.state_stale, 1);
	atomic_store(&counts, 0);
	assert_true(is_prompt_once("GET /metrics", 200)); /* it says what it has */
	atomic_store(&metrics.state_stale, 0);
	atomic_store(&counts, 1);
}

/* Read what has come on a connection that is kept; the answer has come whole when it is short. */
static void
read_kept(int fd)
{
	struct timeval second = { .tv_sec = 4 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	assert_true(read(fd, got, sizeof(got)) > 0);
	status("GET /healthz", "", 200); /* the thread has turned */
	while (recv(fd, got, sizeof(got), MSG_DONTWAIT) > 0)
		;
}

static void
test_each_scrape_of_a_connection_waits_anew(void **state)
{
	static const char scrape[] = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";
	int64_t began = clock_mono();
	int fd;

	(void)state;
	agent_metrics_publish(clock_wall(), false);
	atomic_store(&counts, 0);
	fd = sent(scrape);
	status("GET /healthz", "", 200);
	atomic_store(&counts, 1);
	read_kept(fd);
	while (clock_mono() - began < 2100 * NS_PER_MS) /* the first would not wait any more */
		usleep(10000);
	atomic_store(&counts, 0);
	assert_int_equal(write(fd, scrape, strlen(scrape)), strlen(scrape));
	for (int i = 0; i < 3; i++)
		status("GET /healthz", "", 200);
	assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), -1);
	atomic_store(&counts, 1);
	read_kept(fd);
	close(fd);
}

static void
test_peers_that_send_nothing_take_no_place_for_good(void **state)
{
	int idle[200];

	(void)state;
	agent_metrics_publish(clock_wall(), false);
	for (int i = 0; i < 200; i++) {
		idle[i] = i % 2 == 0 ? connected() : sent("GET /healthz HTTP/1.1\r\nHo");
		if (i % 20 == 0)
			assert_true(is_prompt_once("GET /readyz", 200));
	}
	assert_true(is_prompt_once("GET /healthz", 200));
	assert_true(is_prompt_once("GET /metrics", 200));
	for (int i = 0; i < 200; i++)
		close(idle[i]);
	assert_true(is_prompt_once("GET /healthz", 200));
}

static void
test_a_stop_waits_for_no_scrape(void **state)
{
	(void)state;
	agent_metrics_publish(clock_wall(), false);
	atomic_store(&counts, 0);
	close(sent("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"));
	close(sent("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n"));
	sent("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
	status("GET /healthz", "", 200);
}

static void
test_what_is_refused(void **state)
{
	char path[900];

	(void)state;
	agent_metrics_publish(clock_wall(), false);
	status("POST /metrics", "Content-Length: 0\r\n", 405);
	assert_non_null(strstr(got, "Allow: GET, HEAD\r\n"));
	status("DELETE /metrics", "", 405);
	status("PUT /", "Content-Length: 1000000\r\n", 405);
	status("OPTIONS /nothing", "", 405);
	status("GET /nothing", "", 404);
	status("GET /metrics/", "", 404);
	status("GET /%6detrics?x=1", "Content-Length: 0\r\n", 200);
	memset(path, 'x', sizeof(path));
	memcpy(path, "GET /", 5);
	path[sizeof(path) - 1] = '\0';
	status(path, "", 404);
}

static void
test_a_scrape_releases_what_it_has_seen(void **state)
{
	struct pod pod = {
		.namespace_name = { "ns", 2 }, .pod_name = { "p", 1 }, .container_name = { "c", 1 }
	};
	struct agent_line line = { .event = EVENT_TASK_COMPLETED };
	int64_t now = clock_wall();
	struct agent_series *a;

	(void)state;
	agent_metrics_publish(now, false);
	a = agent_metrics_agent(&pod);
	agent_metrics_count(a, &pod, &line, now);
	agent_metrics_publish(now, false);
	status("HEAD /metrics", "", 200); /* has seen nothing */
	agent_metrics_publish(now + 40 * NS_PER_S, false);
	status("GET /metrics", "", 200);
	assert_non_null(strstr(
	    got, "\napp_completed_tasks_total{namespace=\"ns\",pod=\"p\",container=\"c\"} 0\n"));
	/* The server hears of the scrape's end on its own thread: soon, not at once. */
	for (int i = 0;
	     i < 500 &&
	     strstr(got,
		 "app_completed_tasks_total{namespace=\"ns\",pod=\"p\",container=\"c\"} 1\n") ==
		 NULL;
	     i++) {
		usleep(10000);
		agent_metrics_publish(now + 41 * NS_PER_S, false);
		ask("GET /metrics", "");
	}
	assert_non_null(strstr(
	    got, "\napp_completed_tasks_total{namespace=\"ns\",pod=\"p\",container=\"c\"} 1\n"));
	agent_metrics_ended(a, &pod, now);
}

static void
test_a_port_in_use_is_refused_with_what_to_do(void **state)
{
	char name[] = "/tmp/test_serve.XXXXXX", text[512];
	int fd = mkstemp(name);
	ssize_t n;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(voice_open(VOICE_ERROR, name), 0);
	assert_null(serve_start("127.0.0.1", serve_port(server), NULL, &world));
	assert_null(serve_start("192.0.2.1", 0, NULL, &world));
	voice_open(VOICE_ERROR, NULL);
	n = read(fd, text, sizeof(text) - 1);
	assert_true(n > 0);
	text[n] = '\0';
	assert_non_null(strstr(text, "in use by another process: set HTTP_Port"));
	assert_non_null(strstr(text, "192.0.2.1 is no address of this machine"));
	close(fd);
	unlink(name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accept),
		cmocka_unit_test(test_accept_encoding),
		cmocka_unit_test_setup_teardown(test_probes, start, stop),
		cmocka_unit_test_setup_teardown(test_counters_are_in_fluent_bits_form, start, stop),
		cmocka_unit_test_setup_teardown(
		    test_an_output_that_is_skipped_is_shown, start, stop),
		cmocka_unit_test_setup_teardown(
		    test_metrics_wait_for_history_and_come_in_both_forms, start, stop),
		cmocka_unit_test_setup_teardown(
		    test_a_page_is_packed_for_who_takes_that, start, stop),
		cmocka_unit_test_setup_teardown(
		    test_agents_counts_that_are_not_on_disk_are_not_shown, start, stop),
		cmocka_unit_test_setup_teardown(test_a_probe_waits_for_no_scrape, start, stop),
		cmocka_unit_test_setup_teardown(
		    test_peers_that_send_nothing_take_no_place_for_good, start, stop),
		cmocka_unit_test_setup_teardown(
		    test_each_scrape_of_a_connection_waits_anew, start, stop),
		cmocka_unit_test_setup_teardown(test_a_stop_waits_for_no_scrape, start, stop),
		cmocka_unit_test_setup_teardown(test_what_is_refused, start, stop),
		cmocka_unit_test_setup_teardown(
		    test_a_scrape_releases_what_it_has_seen, start, stop),
		cmocka_unit_test_setup_teardown(
		    test_a_port_in_use_is_refused_with_what_to_do, start, stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
