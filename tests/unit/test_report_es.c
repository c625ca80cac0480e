/*
 * A report from a server: what is asked, to the letter, and what becomes of
 * answers, hostile ones among them.  The server is a stand-in in this process;
 * the real ones are asked by the end-to-end tests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <jansson.h>
#include <microhttpd.h>
#include <unistd.h>

#include "../../src/cmd/report.h"
#include "service.h"

/* ---- the stand-in: answers in order, and keeps what was asked */

#define ASKED 4

static struct MHD_Daemon *server;
static struct {
	char url[256];
	char authorization[256];
	char *body;
} asked[ASKED];
static size_t nasked;
static const char *answers[ASKED];
static unsigned status = 200;

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method,
    const char *version, const char *upload, size_t *size, void **mark)
{
	struct buffer *body = *mark;
	struct MHD_Response *response;
	const char *text;

	(void)arg;
	(void)method;
	(void)version;
	if (body == NULL) {
		*mark = body = xcalloc(1, sizeof(*body));
		return MHD_YES;
	}
	if (*size > 0) {
		buffer_put(body, (struct slice){ upload, *size });
		*size = 0;
		return MHD_YES;
	}
	text = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
	snprintf(asked[nasked].url, sizeof(asked[0].url), "%s", url);
	snprintf(asked[nasked].authorization, sizeof(asked[0].authorization), "%s",
	    text != NULL ? text : "");
	asked[nasked].body = xslicedup(buffer_slice(body));
	buffer_fini(body);
	free(body);
	text = answers[nasked] != NULL ? answers[nasked] : "{}";
	nasked = nasked + 1 < ASKED ? nasked + 1 : nasked;
	response = MHD_create_response_from_buffer(
	    strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_MUST_COPY);
	MHD_queue_response(c, status, response);
	MHD_destroy_response(response);
	return MHD_YES;
}

struct values {
	char *host, *index, *path, *user, *password, *key;
	int64_t port;
	bool dated;
};

#define ROW(label, member)                                                                         \
	{                                                                                          \
		.name = label, .where = offsetof(struct values, member)                            \
	}

static const struct option table[] = {
	ROW("Host", host),
	ROW("Port", port),
	ROW("Index", index),
	ROW("Path", path),
	ROW("HTTP_User", user),
	ROW("HTTP_Passwd", password),
	ROW("HTTP_API_Key", key),
	ROW("Logstash_Format", dated),
	{ 0 },
};

static char host[] = "127.0.0.1", agent_logs[] = "matillion-agent-logs";
static struct values values;
static const struct plugin plugin = { .kind = SECTION_OUTPUT, .name = "es", .options = table };
static const struct section output = { .plugin = &plugin, .values = &values };

static void
asked_clear(void)
{
	for (size_t i = 0; i < ASKED; i++)
		free(asked[i].body);
	memset(asked, 0, sizeof(asked));
	memset(answers, 0, sizeof(answers));
	nasked = 0;
	status = 200;
}

static int
start(void **state)
{
	(void)state;
	server = MHD_start_daemon(
	    MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, on_request, NULL, MHD_OPTION_END);
	if (server == NULL)
		return -1;
	values = (struct values){ .host = host,
		.index = agent_logs,
		.port = MHD_get_daemon_info(server, MHD_DAEMON_INFO_BIND_PORT)->port };
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	MHD_stop_daemon(server);
	asked_clear();
	return 0;
}

/* Is the JSON text `text`, at the keys, the value `want`? */
static void
assert_at(const char *text, const char *pointer, const char *want)
{
	json_t *value = json_loads(text, 0, NULL), *at = value, *expected;
	char *keys = xstrdup(pointer);

	for (char *rest = keys, *key; (key = strsep(&rest, "/")) != NULL;)
		at = json_object_get(at, key);
	expected = json_loads(want, JSON_DECODE_ANY, NULL);
	assert_non_null(expected);
	if (!json_equal(at, expected))
		fail_msg("%s is not %s in %s", pointer, want, text);
	json_decref(expected);
	json_decref(value);
	free(keys);
}

/* ---- tests */

static char *scripts[] = { (char[]){ "s?ript.*" }, (char[]){ "[!a-c]" }, (char[]){ "\\*[" } },
	    *exporters[] = { (char[]){ "exporter" } };
static const struct service service = { .agent_exclude_pods = { .at = scripts, .n = 3 },
	.agent_exclude_containers = { .at = exporters, .n = 1 } };
static char tasks[] = "[\"TASK_COMPLETED\",\"job_done\"]";

/* The clause of these names. */
#define NAME(field, regexp)                                                                        \
	"{\"regexp\":{\"kubernetes." field "_name.keyword\":{\"value\":\"" regexp                  \
	"\",\"flags\":\"NONE\"}}}"
#define EXCLUDED                                                                                   \
	"{\"bool\":{\"must_not\":[" NAME("pod", "s.ript\\\\..*") "," NAME(                         \
	    "pod", "[^a-c]") "," NAME("pod", "\\\\*\\\\[") "," NAME("container", "exporter") "]}}"

#define SHARDS "\"_shards\":{\"total\":1}"
#define HITS(n) "\"hits\":{\"total\":{\"value\":" n "}}"

static void
test_errors_are_asked_as_the_reference_document_asks(void **state)
{
	const struct report_query q = {
		.service = &service, .kind = REPORT_ERRORS, .by = BY_ERROR_TYPE, .since = "1h"
	};
	struct report r = { 0 };

	(void)state;
	values.key = (char[]){ "c2VjcmV0" };
	answers[0] = "{" SHARDS "," HITS("1") "}"; /* there are labels */
	answers[1] = "{" SHARDS "," HITS(
	    "5") ",\"aggregations\":{\"wordless\":{\"doc_count\":2},\"error_types\":{\"sum_other_doc_count\":2,\"buckets\":["
		 "{\"key\":\"IO\",\"doc_count\":3,\"first_seen\":{\"value\":1.795334400001E12},"
		 "\"last_seen\":{\"value\":1.795334401500E12},\"sample\":{\"hits\":{\"hits\":["
		 "{\"sort\":[9],\"_source\":{\"log\":\"z\",\"time\":\"1\"}},"
		 "{\"sort\":[9],\"_source\":{\"log\":\"ERROR x\\ny\",\"time\":\"2\"}},"
		 "{\"sort\":[8],\"_source\":{\"log\":\"older\",\"time\":\"3\"}}]}}}]}}}";
	assert_int_equal(report_es(&q, &output, &r), 0);
	values.key = NULL;
	assert_int_equal(nasked, 2);
	assert_string_equal(asked[0].url, "/matillion-agent-logs/_search");
	assert_string_equal(asked[1].authorization, "ApiKey c2VjcmV0");
	assert_at(asked[1].body, "query/bool/filter",
	    "[{\"range\":{\"@timestamp\":{\"gte\":\"now-1h\"}}},"
	    "{\"exists\":{\"field\":\"log_parsed.error_type\"}}," EXCLUDED ","
	    "{\"bool\":{\"should\":["
	    "{\"match\":{\"kubernetes.labels.app\":\"matillion-agent\"}},"
	    "{\"prefix\":{\"kubernetes.labels.app\":\"matillion-agent-\"}},"
	    "{\"match\":{\"kubernetes.labels.app\":\"matillion-runner\"}},"
	    "{\"prefix\":{\"kubernetes.labels.app\":\"matillion-runner-\"}},"
	    "{\"bool\":{\"must_not\":{\"exists\":{\"field\":\"kubernetes.labels.app\"}}}}],"
	    "\"minimum_should_match\":1}}]");
	assert_at(asked[1].body, "aggs/wordless/filter",
	    "{\"bool\":{\"must_not\":{\"match\":{\"log\":\"ERROR\"}}}}");
	assert_at(
	    asked[1].body, "aggs/error_types/terms/field", "\"log_parsed.error_type.keyword\"");
	assert_true(r.labelled);
	assert_int_equal(r.n, 1);
	assert_string_equal(r.rows[0].group, "IO");
	assert_int_equal(r.rows[0].count, 3);
	assert_int_equal(r.rows[0].first, 1795334400001);
	assert_int_equal(r.rows[0].last, 1795334401500);
	assert_string_equal(r.rows[0].sample, "ERROR x");
	assert_int_equal(r.left_out, 2);
	assert_int_equal(r.wordless, 2);
	report_table_free(&r);
	asked_clear();
}

static const char performance[] =
    "{" SHARDS "," HITS("4") ",\"aggregations\":{\"avg_execution_time\":{\"value\":5.5},"
			     "\"stats\":{\"count\":3,\"max\":12.5}}}";
static const char ranks[] =
    "{\"aggregations\":{\"0\":{\"doc_count\":4,\"p\":{\"values\":[{\"key\":1,\"value\":3.0},"
    "{\"key\":2,\"value\":12.509},{\"key\":3,\"value\":12.509}]}}}}";

static void
test_performance_is_asked_by_rank_and_without_a_label_that_no_record_has(void **state)
{
	const struct report_query q = {
		.service = &service, .tasks = tasks, .kind = REPORT_PERFORMANCE, .since = "24h"
	};
	struct report r = { 0 };

	(void)state;
	values.user = (char[]){ "elastic" };
	values.password = (char[]){ "geheim" };
	answers[0] = "{" SHARDS "," HITS("0") "}";
	answers[1] = performance;
	answers[2] = ranks;
	assert_int_equal(report_es(&q, &output, &r), 0);
	values.user = values.password = NULL;
	assert_int_equal(nasked, 3);
	assert_string_equal(asked[1].authorization, "Basic ZWxhc3RpYzpnZWhlaW0=");
	assert_at(asked[1].body, "query/bool/filter",
	    "[{\"range\":{\"@timestamp\":{\"gte\":\"now-24h\"}}},"
	    "{\"terms\":{\"log_parsed.event.keyword\":[\"TASK_COMPLETED\",\"job_done\"]}}," EXCLUDED
	    "]");
	assert_at(asked[1].body, "aggs/avg_execution_time",
	    "{\"avg\":{\"field\":\"log_parsed.execution_time\"}}");
	assert_false(r.labelled);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.rows[0].count, 4);
	assert_true(r.rows[0].mean == 5.5 && r.rows[0].p50 == 3 && r.rows[0].max == 12.5);
	assert_true(r.rows[0].p95 == 12.5); /* not more than the largest */
	report_table_free(&r);
	asked_clear();
}

static void
test_an_index_with_a_date_is_asked_as_a_pattern(void **state)
{
	static const struct {
		const char *index;
		bool dated;
		const char *path;
	} cases[] = {
		{ "logs-%Y.%m.%d", false, "/logs-*.*.*/_search" },
		{ "logs-$kubernetes['namespace_name']", false, "/logs-*/_search" },
		{ "../_all?x", false, "/.._allx/_search" },
		{ "logs", true, "/logstash*/_search" },
	};
	const struct report_query q = {
		.service = &service, .kind = REPORT_ERRORS, .by = BY_POD, .since = "1h"
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct report r = { 0 };
		char *index = xstrdup(cases[i].index);

		values.index = index;
		values.dated = cases[i].dated;
		assert_int_equal(report_es(&q, &output, &r), 0);
		assert_string_equal(asked[0].url, cases[i].path);
		report_table_free(&r);
		asked_clear();
		free(index);
	}
	values.index = agent_logs;
	values.dated = false;
}

static void
test_what_the_server_refuses_is_a_failure(void **state)
{
	const struct report_query q = {
		.service = &service, .kind = REPORT_ERRORS, .by = BY_ERROR_TYPE, .since = "1h"
	};
	struct report r = { 0 };

	(void)state;
	status = 403;
	answers[0] = "{\"error\":{\"reason\":\"no right\"}}";
	assert_int_equal(report_es(&q, &output, &r), -1);
	report_table_free(&r);
	asked_clear();
}

static void
test_each_host_is_asked_in_turn(void **state)
{
	const struct report_query q = {
		.service = &service, .kind = REPORT_ERRORS, .by = BY_ERROR_TYPE, .since = "1h"
	};
	struct sockaddr_in closed = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(closed);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct report r = { 0 };
	char source[64];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&closed, len), 0);
	getsockname(fd, (struct sockaddr *)&closed, &len);
	values.host = xprintf("127.0.0.1:%u, 127.0.0.1", ntohs(closed.sin_port));
	answers[0] = "{" SHARDS "}";
	assert_int_equal(report_es(&q, &output, &r), 0);
	assert_int_equal(nasked, 2);
	snprintf(source, sizeof(source), "127.0.0.1:%u/", (unsigned)values.port);
	assert_true(slice_starts(slice_of(r.source), slice_of(source)));
	report_table_free(&r);
	asked_clear();
	status = 503; /* both have failed then */
	assert_int_equal(report_es(&q, &output, &r), -1);
	assert_int_equal(nasked, 1);
	report_table_free(&r);
	asked_clear();
	free(values.host);
	values.host = host;
	close(fd);
}

/* Whatever an answer lacks, there is no crash; what is no JSON is a failure. */
static void
test_hostile_answers(void **state)
{
	static const char *const bad[] = { "", "[]", "null", "{\"aggregations\":[]}",
		"{\"aggregations\":{\"groups\":{\"buckets\":{\"a\":1}}},\"hits\":{\"total\":-5}}",
		"{" HITS("99999999999999999999999") "}",
		"{" HITS("9") ",\"aggregations\":{\"stats\":{\"count\":-1}}}",
		"{" HITS("9") ",\"aggregations\":{\"stats\":{\"count\":9e99,\"max\":\"x\"}}}" };
	const struct report_query by[] = {
		{ .service = &service, .tasks = tasks, .kind = REPORT_PERFORMANCE, .since = "1h" },
		{ .service = &service,
		    .tasks = tasks,
		    .kind = REPORT_PERFORMANCE,
		    .by = BY_POD,
		    .since = "1h" },
		{ .service = &service, .kind = REPORT_ERRORS, .by = BY_ERROR_TYPE, .since = "1h" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]) * 3; i++) {
		struct report r = { 0 };

		answers[0] = "{" SHARDS "}";
		answers[1] = answers[2] = bad[i / 3];
		report_es(&by[i % 3], &output, &r);
		report_table_free(&r);
		asked_clear();
	}
	for (size_t cut = 0; cut < sizeof(performance) - 1; cut += 3) {
		char *part = xslicedup((struct slice){ performance, cut });
		struct report r = { 0 };

		answers[0] = "{" SHARDS "}";
		answers[1] = part;
		assert_int_equal(report_es(&by[0], &output, &r), -1);
		report_table_free(&r);
		asked_clear();
		free(part);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors_are_asked_as_the_reference_document_asks),
		cmocka_unit_test(
		    test_performance_is_asked_by_rank_and_without_a_label_that_no_record_has),
		cmocka_unit_test(test_an_index_with_a_date_is_asked_as_a_pattern),
		cmocka_unit_test(test_what_the_server_refuses_is_a_failure),
		cmocka_unit_test(test_each_host_is_asked_in_turn),
		cmocka_unit_test(test_hostile_answers),
	};

	return cmocka_run_group_tests(tests, start, stop);
}
