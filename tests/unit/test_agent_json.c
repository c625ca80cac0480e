/* The agent's JSON: logstash, ECS, GELF, and names that would break a document. */
#include "agent_try.h"

static const struct agent_case encodings[] = {
	{ "{\"@timestamp\":\"2026-11-22T08:00:00.001Z\",\"@version\":\"1\",\"message\":"
	  "\"TASK_COMPLETED\",\"logger_name\":\"c.m.T\",\"thread_name\":\"t-1\",\"level\":\"INFO\","
	  "\"level_value\":20000,\"task_id\":\"42\",\"pipeline\":\"load\",\"execution_time\":12.5,"
	  "\"rows\":100}",
	    "json INFO TASK_COMPLETED/task_completed timestamp=2026-11-22T08:00:00.001Z "
	    "logger=c.m.T thread=t-1 task_id=42 pipeline=load execution_time=12.5 @version:1 "
	    "level_value:20000 rows:100 message:TASK_COMPLETED" },
	{ "{\"log\":{\"level\":\"ERROR\",\"logger\":\"c.m.T\",\"origin\":{\"a\":1}},\"process\":"
	  "{\"pid\":1,\"thread\":{\"name\":\"t-1\"}},\"error\":{\"type\":\"a.B\",\"message\":"
	  "\"oops\",\"stack_trace\":\"a.B: oops\\n\\tat a.C.d(C.java:1)\"},\"event\":{\"action\":"
	  "\"TASK_FAILED\"},\"message\":\"m\"}",
	    "ecs ERROR TASK_FAILED/task_failed logger=c.m.T thread=t-1 error_type=a.B "
	    "error_message=oops stack_trace=2 log.origin:{\"a\":1} process.pid:1 message:m" },
	{ "{\"log.level\":\"WARN\",\"log.logger\":\"c.m.T\",\"process.thread.name\":\"t-1\","
	  "\"event.action\":\"HEARTBEAT\",\"message\":\"m\"}",
	    "ecs WARN HEARTBEAT/heartbeat logger=c.m.T thread=t-1 message:m" },
	{ "{\"version\":\"1.1\",\"host\":\"h\",\"short_message\":\"TASK_COMPLETED\",\"level\":3,"
	  "\"_level_name\":\"INFO\",\"_execution_time\":\"12500ms\",\"_task_id\":7}",
	    "gelf INFO TASK_COMPLETED/task_completed task_id=7 execution_time=12.5 raw=12500ms "
	    "version:1.1 host:h short_message:TASK_COMPLETED" },
	{ "{\"short_message\":\"m\",\"level\":4}", "gelf WARN short_message:m" },
	{ "{\"level\":9}", "json -" },
	{ "{}", "json -" },
	{ " {}", "text -" },
};

static const struct agent_case members[] = {
	/* one field under two names: none of them is lost */
	{ "{\"@timestamp\":\"a\",\"timestamp\":\"b\"}", "json - timestamp=b @timestamp:a" },
	{ "{\"message\":\"a\",\"msg\":\"b\"}", "json - message:a msg:b" },
	{ "{\"duration\":1,\"duration_ms\":2000}",
	    "json - duration=2.0 duration:1 duration_ms:2000" },
	{ "{\"execution_time\":\" 12.5 s\"}", "json - execution_time=12.5 raw= 12.5 s" },
	{ "{\"event\":\"CUSTOM\",\"event_type\":\"TASK_FAILED\"}",
	    "json - CUSTOM/other event_type:TASK_FAILED" },
	{ "{\"event\":7,\"event_type\":\"TASK_STARTED\"}",
	    "json - TASK_STARTED/task_started event:7" },
	{ "{\"message\":\"TASK_COMPLETED task_id=1 rows=2\",\"task_id\":\"3\"}",
	    "json - TASK_COMPLETED/task_completed task_id=3 rows:2 message:TASK_COMPLETED task_id=1 "
	    "rows=2" },
	{ "{\"message\":\"\\\"TASK_COMPLETED\\\" x\"}", "json - message:\\\"TASK_COMPLETED\\\" x" },
	{ "{\"execution_time\":1.25e1}", "json - execution_time=12.5" },
	{ "\xef\xbb\xbf{\"execution_time\":1.25e1}", "json - execution_time=12.5" },
	{ "{\"execution_time_ms\":100}", "json - execution_time=0.1" },
	{ "{\"execution_time\":\"PT1M\"}", "json - execution_time=60.0 raw=PT1M" },
	{ "{\"execution_time\":-1}", "json - raw=-1 failure!duration" },
	{ "{\"execution_time\":1e400}", "json - raw=1e400 failure!duration" },
	{ "{\"execution_time\":\"\"}", "json - failure!duration" },
	{ "{\"execution_time\":null,\"task_id\":null,\"x\":null}", "json - x:null" },
	{ "{\"execution_time\":[1],\"task_id\":{\"a\":1},\"pipeline\":true}",
	    "json - execution_time:[1] task_id:{\"a\":1} pipeline:true" },
	{ "{\"a\":1,\"a\":2,\"\\u0061\":3,\"task_id\":1,\"taskId\":2}",
	    "json - task_id=2 a:3 task_id:1" },
	{ "{\"\":1,\"a\\u0000b\":2,\"a\\\"b\":3,\"\xff\":4,\"\xfe\":5}",
	    "json - _:1 a?b:2 a\\\"b:3 \xef\xbf\xbd:5" },
	{ "{\"a\":\"x\\ny\",\"b\":[{\"c\":1}]}", "json - a:x\\ny b:[{\"c\":1}]" },
	{ "{\"version\":\"1\",\"commit\":\"c\"}", "json - version=1 commit=c version:1 commit:c" },
	/* no JSON: kept as text */
	{ "{\"a\":1", "text - failure!json" },
	{ "{\"a\":1}x", "text - failure!json" },
	{ "{\"a\":1,}", "text - failure!json" },
	{ "{\"task_id\":1} task_id=2", "text - task_id=2 failure!json" },
	{ "{\"a\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}", "text - failure!json" },
	{ "{\"a\":[\"level\"],\"level\":[\"ERROR\"", "text - failure!json" },
};

#define DEEP "[[[[[[[[[[[[[[[[[[{\"level\":\"WARN\",\"s\":\"]}\\\"\"}]]]]]]]]]]]]]]]]]]"

/* More than is read as a whole: its fields are found, whatever stands between them. */
static const struct agent_case torn[] = {
	{ "{\"a\":" DEEP ",\"level\":\"ERROR\",\"logger_name\":\"c.m.T\",\"message\":\"no\"}",
	    "json ERROR logger=c.m.T error_type=UNKNOWN error_message=no message:no failure!json" },
	{ "{\"level\":\"ERROR\",\"error_type\":\"X\",\"a\":" DEEP "}",
	    "json ERROR error_type=X failure!json" },
	{ "{\"log\":{\"origin\":" DEEP
	  ",\"level\":\"ERROR\"},\"process\":{\"thread\":{\"name\":\"t-1\"}"
	  "},\"error\":{\"type\":\"a.B\"},\"level\":null}",
	    "json ERROR thread=t-1 error_type=a.B failure!json" },
	{ "{\"short_message\":\"TASK_FAILED\",\"level\":3,\"_task_id\":7,\"x\":NaN}",
	    "json ERROR TASK_FAILED/task_failed task_id=7 error_type=UNKNOWN "
	    "error_message=TASK_FAILED short_message:TASK_FAILED failure!json" },
	{ "{\"event\":\"TASK_COMPLETED\",\"execution_time\": NaN ,\"level\":\"INFO\"}",
	    "json INFO TASK_COMPLETED/task_completed raw=NaN failure!json failure!duration" },
	{ "{\"x\":-Infinity,\"message\":\"a \\\"b\\\" task_id=7\",\"severity\":\"ALERT\"}",
	    "json FATAL task_id=7 error_type=UNKNOWN error_message=a \"b\" task_id=7 "
	    "message:a \\\"b\\\" task_id=7 failure!json" },
	/* the end is missing */
	{ "{\"level\":\"ERROR\",\"message\":\"m\",\"stack_trace\":\"a.BException: c\\n\\tat d.E.f(E.j",
	    "json ERROR error_type=a.BException error_message=c stack_trace=2 message:m "
	    "failure!json" },
	{ "{\"level\":\"ERROR\",\"message\":\"a\\",
	    "json ERROR error_type=UNKNOWN error_message=a\\ "
	    "message:a\\ failure!json" },
	/* two objects: the second is text; a string that JSON would not write */
	{ "{\"level\":\"INFO\"} {\"level\":\"ERROR\"}", "json INFO failure!json" },
	{ "{\"level\":\"ERROR\",\"message\":\"a\\qb\tc\"}",
	    "json ERROR error_type=UNKNOWN error_message=aqb\tc message:aqb\tc failure!json" },
};

static void
test_encodings(void **state)
{
	(void)state;
	try_cases(encodings, COUNT(encodings));
}

static void
test_members(void **state)
{
	(void)state;
	try_cases(members, COUNT(members));
}

static void
test_torn_objects(void **state)
{
	(void)state;
	try_cases(torn, COUNT(torn));
}

/* A name of any length is bounded, and stays whole UTF-8. */
static void
test_long_names_are_cut(void **state)
{
	static const char *const pieces[] = { "a", "\xc3\xa9", "\\u00e9", "\\\\", "\\\"",
		"\xf0\x9f\x90\x9f", "\xff" };
	struct agent_words *w = agent_words_new();
	struct agent_line *line = malloc(sizeof(*line));
	struct arena arena;
	char text[20000];

	(void)state;
	arena_init(&arena, 1 << 16);
	for (size_t i = 0; i < COUNT(pieces); i++) {
		for (size_t times = 100; times <= 3000; times = times * 3 + 1) {
			enum json_kind kind;
			char object[2000];
			size_t n = 2;
			int len;

			memcpy(text, "{\"", 2);
			for (size_t j = 0; j < times; j++) {
				memcpy(text + n, pieces[i], strlen(pieces[i]));
				n += strlen(pieces[i]);
			}
			memcpy(text + n, "\":1}", 4);
			arena_reset(&arena);
			agent_parse(w, (struct slice){ text, n + 4 }, &arena, line);
			assert_int_equal(line->nextra, 1);
			len = snprintf(object, sizeof(object), "{\"%.*s\":1}",
			    (int)line->extra[0].name.len, line->extra[0].name.at);
			if (json_check((struct slice){ object, (size_t)len }, &kind) != PARSE_OK)
				fail_msg("%s is no JSON", object);
		}
	}
	arena_fini(&arena);
	free(line);
	agent_words_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_encodings),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_torn_objects),
		cmocka_unit_test(test_long_names_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
