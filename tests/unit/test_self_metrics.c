/* Towline's own metrics: families, series by pod up to their limits, the process. */
#include "unit.h"

#include <unistd.h>

#include "clock.h"
#include "metrics.h"
#include "pod_lag.h"

static char *
exposed(bool openmetrics, int64_t now)
{
	struct buffer b;

	buffer_init(&b, 0);
	metrics_write(&b, openmetrics, now);
	buffer_put(&b, (struct slice){ "", 1 });
	return b.at;
}

static void
test_own_families(void **state)
{
	struct output_metrics *m = metrics_output("es \"main\"");
	char *text;

	(void)state;
	assert_ptr_equal(metrics_output("es \"main\""), m);
	metrics_add(&metrics.lines, 3);
	metrics_add(&m->retries[REASON_429], 2);
	metrics_add(&metrics.parse_failures[FAILURE_JSON], 5);
	atomic_store(&metrics.lag_bytes, 10);
	atomic_store(&metrics.newest, 90 * NS_PER_S);
	metrics_delivered(m, 10 * NS_PER_S, 30, 10 * NS_PER_S + 250 * NS_PER_MS);
	metrics_delivered(m, 10 * NS_PER_S, 12, 5 * NS_PER_S); /* a clock that went back: no time */
	text = exposed(false, 100 * NS_PER_S);
	assert_non_null(strstr(text, "\ntowline_lines_total 3\n"));
	assert_non_null(strstr(text, "\ntowline_lag_seconds 10\n"));
	assert_non_null(strstr(text, "\ntowline_parse_failures_total{kind=\"json\"} 5\n"));
	assert_non_null(
	    strstr(text, "\ntowline_retries_total{output=\"es \\\"main\\\"\",reason=\"429\"} 2\n"));
	assert_non_null(strstr(text, "\ntowline_delivered_total{output=\"es \\\"main\\\"\"} 2\n"));
	assert_non_null(
	    strstr(text, "\ntowline_delivery_seconds_sum{output=\"es \\\"main\\\"\"} 0.25\n"));
	assert_non_null(strstr(text, "\ntowline_build_info{version=\"" TOWLINE_VERSION "\"} 1\n"));
	free(text);
	atomic_store(&metrics.lag_bytes, 0);
	text = exposed(true, 100 * NS_PER_S);
	assert_non_null(strstr(text, "\ntowline_lag_seconds 0\n"));
	free(text);
}

/* However many pods lose something, the page has so many series. */
static void
test_lost_bytes_are_by_pod_up_to_a_limit(void **state)
{
	size_t lines = 0;
	char *text;

	(void)state;
	metrics_lost(SLICE(""), LOST_GZIP, 3);
	for (int i = 0; i < LOST_PODS + 5; i++) {
		char pod[32];

		snprintf(pod, sizeof(pod), "pod-%d", i);
		metrics_lost(slice_of(pod), LOST_DELETED, 7);
	}
	metrics_lost(SLICE("pod-0"), LOST_DELETED, 1);
	text = exposed(false, 0);
	assert_non_null(strstr(text, "\ntowline_lost_bytes_total{pod=\"\",reason=\"gzip\"} 3\n"));
	assert_non_null(
	    strstr(text, "\ntowline_lost_bytes_total{pod=\"pod-0\",reason=\"deleted\"} 8\n"));
	assert_non_null(
	    strstr(text, "\ntowline_lost_bytes_total{pod=\"other\",reason=\"deleted\"} 35\n"));
	for (const char *at = text; (at = strstr(at, "\ntowline_lost_bytes_total{")) != NULL; at++)
		lines++;
	assert_int_equal(lines, LOST_PODS + 1 + LOST_REASONS);
	free(text);
}

static void
test_lag_is_by_pod_up_to_a_limit(void **state)
{
	size_t lines = 0;
	char *text;

	(void)state;
	pod_lag_begin();
	for (int i = 0; i < POD_LAG_MOST + 5; i++) {
		char pod[32];

		snprintf(pod, sizeof(pod), "pod-%d", i);
		pod_lag_add(SLICE("ns"), slice_of(pod), 7);
	}
	pod_lag_add(SLICE("ns"), SLICE("pod-0"), 1);       /* another container */
	pod_lag_add(SLICE("other-ns"), SLICE("pod-0"), 2); /* of its own */
	text = exposed(false, 0);
	assert_null(strstr(text, "towline_pod_lag_bytes"));
	free(text);
	pod_lag_end();
	assert_true(pod_lag_any());
	text = exposed(false, 0);
	assert_non_null(
	    strstr(text, "\ntowline_pod_lag_bytes{namespace=\"ns\",pod=\"pod-0\"} 8\n"));
	assert_non_null(
	    strstr(text, "\ntowline_pod_lag_bytes{namespace=\"other\",pod=\"other\"} 37\n"));
	for (const char *at = text; (at = strstr(at, "\ntowline_pod_lag_bytes{")) != NULL; at++)
		lines++;
	assert_int_equal(lines, POD_LAG_MOST + 1);
	free(text);
	pod_lag_begin();
	pod_lag_end();
	assert_false(pod_lag_any());
	text = exposed(false, 0);
	assert_null(strstr(text, "towline_pod_lag_bytes"));
	free(text);
}

static double
sample(const char *name, bool openmetrics)
{
	char *text = exposed(openmetrics, 0), line[64];
	const char *at;
	double value;

	snprintf(line, sizeof(line), "\n%s ", name);
	at = strstr(text, line);
	value = at == NULL ? -1 : strtod(at + strlen(line), NULL);
	free(text);
	return value;
}

static void
test_the_process_of_its_own(void **state)
{
	double began = (double)clock_wall() / 1e9, open;
	size_t size = 64 << 20;
	volatile char *memory;
	double before;
	int fds[2];

	(void)state;
	assert_true(sample("process_open_fds", false) == -1); /* it was not asked for */
	process_metrics_open();
	open = sample("process_open_fds", false);
	assert_true(open >= 5);
	assert_int_equal(pipe(fds), 0);
	assert_true(sample("process_open_fds", false) == open + 2);
	close(fds[0]);
	close(fds[1]);
	assert_true(sample("process_max_fds", false) >= open);
	assert_true(sample("process_start_time_seconds", false) >= began - 0.001);
	assert_true(sample("process_start_time_seconds", false) < began + 60);
	before = sample("process_resident_memory_bytes", false);
	assert_true(sample("process_virtual_memory_bytes", false) > before);
	memory = malloc(size);
	for (size_t i = 0; i < size; i += 4096)
		memory[i] = 1;
	/* the kernel sums up the pages of a thread now and then */
	assert_true(sample("process_resident_memory_bytes", false) > before + 0.9 * (double)size);
	free((void *)(uintptr_t)memory);
	before = sample("process_cpu_seconds_total", false);
	while (sample("process_cpu_seconds_total", false) < before + 0.01)
		;
	/* what the state does not keep begins with the process */
	assert_true(sample("towline_lines_created", true) >= began - 0.001);
	assert_true(sample("process_cpu_seconds_created", true) >= began - 0.001);
	assert_true(sample("towline_records_created", true) == -1);
	assert_true(sample("towline_lag_bytes_created", true) == -1);
	assert_true(sample("towline_lines_created", false) == -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_families),
		cmocka_unit_test(test_lost_bytes_are_by_pod_up_to_a_limit),
		cmocka_unit_test(test_lag_is_by_pod_up_to_a_limit),
		cmocka_unit_test(test_the_process_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
