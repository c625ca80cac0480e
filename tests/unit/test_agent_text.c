/* The agent's text: layouts, events, keys. */
#include "agent_try.h"

#define LOGBACK "2026-11-22 08:00:00.001 INFO  [t-1] c.m.T - "
#define READ " timestamp=2026-11-22 08:00:00.001 logger=c.m.T thread=t-1"
#define INFO "logback INFO" READ
#define EVENT(shown, means) "logback INFO " shown "/" means READ
#define COMPLETED EVENT("TASK_COMPLETED", "task_completed")

static const struct agent_case layouts[] = {
	{ "2026-11-22 08:00:00.001 INFO  [task-3] c.m.agent.task.TaskRunner - TASK_COMPLETED "
	  "task_id=42 pipeline=load_orders execution_time=12.5 rows=100",
	    "logback INFO TASK_COMPLETED/task_completed timestamp=2026-11-22 08:00:00.001 "
	    "logger=c.m.agent.task.TaskRunner thread=task-3 task_id=42 pipeline=load_orders "
	    "execution_time=12.5 rows:100" },
	{ "08:00:00.001 [main] WARN  c.m.T - careful",
	    "logback WARN timestamp=08:00:00.001 logger=c.m.T thread=main" },
	{ "[2026-11-22T08:00:00,001] [DEBUG] [t-1] said",
	    "logback DEBUG timestamp=2026-11-22T08:00:00,001 thread=t-1" },
	{ "2026-11-22 08:00:00.001 INFO [] c.m.T - said",
	    "logback INFO timestamp=2026-11-22 08:00:00.001 logger=c.m.T" },
	{ "2026-11-22 08:00:00 SEVERE said",
	    "logback ERROR timestamp=2026-11-22 08:00:00 error_type=UNKNOWN error_message=said" },
	{ "2026-11-22T08:00:00.001Z  INFO 1 --- [agent] [task-3] c.m.a.TaskRunner : "
	  "[TASK_COMPLETED] [execution_time: 3.2]",
	    "spring INFO TASK_COMPLETED/task_completed timestamp=2026-11-22T08:00:00.001Z "
	    "logger=c.m.a.TaskRunner thread=task-3 execution_time=3.2" },
	{ "2026-11-22T08:00:00.001+01:00 ERROR 1 --- [           main] c.m.T                   "
	  "                 : no",
	    "spring ERROR timestamp=2026-11-22T08:00:00.001+01:00 logger=c.m.T thread=main "
	    "error_type=UNKNOWN error_message=no" },
	{ "2026-11-22T08:00:00.001Z  INFO 1 --- [app] [t-1] "
	  "[0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331] c.m.T : x",
	    "spring INFO timestamp=2026-11-22T08:00:00.001Z logger=c.m.T thread=t-1" },
	{ "2026-11-22T08:00:00.001Z user=x task_id=7  WARN 1 --- [t-1] c.m.T : x",
	    "spring WARN timestamp=2026-11-22T08:00:00.001Z logger=c.m.T thread=t-1 task_id=7 "
	    "user:x" },
	{ "2026-11-22T08:00:00.001Z maria  INFO 1 --- [t-1] c.m.T : x",
	    "spring INFO timestamp=2026-11-22T08:00:00.001Z logger=c.m.T thread=t-1" },
	{ "2026-11-22T08:00:00.001Z  INFO [app,1,2] 1 --- [t-1] c.m.T : x",
	    "spring INFO timestamp=2026-11-22T08:00:00.001Z logger=c.m.T thread=t-1" },
	{ "2026-11-22 08:00:00.001 [t-1] [task_id=9] INFO c.m.T - x", INFO " task_id=9" },
	{ "2026-11-22 08:00:00,001 - INFO - scrape took k=v",
	    "python INFO timestamp=2026-11-22 08:00:00,001 k:v" },
	{ "2026-11-22 08:00:00,001 - exporter - WARNING - x",
	    "python WARN timestamp=2026-11-22 08:00:00,001 logger=exporter" },
	{ "10.0.0.1 - - [22/Nov/2026:08:00:00 +0000] \"GET /metrics?a=1 HTTP/1.1\" 200 - b=2",
	    "python -" },
	/* fields in brackets, without blanks: the group behind the level's is the logger */
	{ "[2018-05-17T08:21:18,895][ERROR][o.e.b.Bootstrap          ] no",
	    "logback ERROR timestamp=2018-05-17T08:21:18,895 logger=o.e.b.Bootstrap "
	    "error_type=UNKNOWN error_message=no" },
	{ "[2018-05-17T08:21:18,895][INFO ][node] [node-1] started",
	    "logback INFO timestamp=2018-05-17T08:21:18,895 logger=node" },
	{ "[2018-05-17T08:21:18,895][t-1][WARN ][c.m.T] x",
	    "logback WARN timestamp=2018-05-17T08:21:18,895 logger=c.m.T thread=t-1" },
	{ "[2018-05-17T08:21:18,895][INFO][t-1][c.m.T] x",
	    "logback INFO timestamp=2018-05-17T08:21:18,895 logger=c.m.T thread=t-1" },
	{ "[2018-05-17T08:21:18,895][INFO][TASK_COMPLETED][execution_time: 3.2]",
	    "logback INFO TASK_COMPLETED/task_completed timestamp=2018-05-17T08:21:18,895 "
	    "execution_time=3.2" },
	{ "[2026-11-22 08:00:00.001] [t-1] [SEVERE ] c.m.T - no",
	    "logback ERROR timestamp=2026-11-22 08:00:00.001 logger=c.m.T thread=t-1 "
	    "error_type=UNKNOWN error_message=no" },
	{ "2026-11-22 08:00:00.001 INFO  [c.m.T] (t-1) x", INFO },
	{ "2026-11-22 08:00:00.001 INFO  [t-1] [c.m.T] - x", INFO },
	/* fields between bars */
	{ "2026-11-22 08:00:00.001 | INFO  | t-1 | c.m.T | task_id=1|pipeline=p",
	    INFO " task_id=1 pipeline=p" },
	{ "2026-11-22 08:00:00.001|t-1|INFO|c.m.T|x", INFO },
	{ "2026-11-22 08:00:00.001 [t-1] | INFO | c.m.T | x", INFO },
	{ "2026-11-22 08:00:00.001 | [t-1] | [INFO] | c.m.T - x", INFO },
	{ "2026-11-22 08:00:00 | FATAL | TASK_FAILED | x",
	    "logback FATAL TASK_FAILED/task_failed timestamp=2026-11-22 08:00:00 "
	    "error_type=UNKNOWN error_message=TASK_FAILED | x" },
	{ "2026-11-22 08:00:00 | task_id=7 | INFO | two words | x",
	    "logback INFO timestamp=2026-11-22 08:00:00 task_id=7" },
	{ "2026-11-22 08:00:00 | nothing | here", "text - timestamp=2026-11-22 08:00:00" },
	/* logger: message */
	{ "2026-11-22 08:00:00.001 INFO [t-1] c.m.T: x", INFO },
	{ "2026-11-22 08:00:00.001 [t-1] INFO c.m.T: x", INFO },
	{ "2026-11-22 08:00:00.001 INFO TaskRunner: x",
	    "logback INFO timestamp=2026-11-22 08:00:00.001 logger=TaskRunner" },
	{ "2026-11-22 08:00:00.001 INFO TASK_COMPLETED: x",
	    "logback INFO TASK_COMPLETED/task_completed timestamp=2026-11-22 08:00:00.001" },
	{ "2026-11-22 08:00:00.001 ERROR [t-1] java.io.IOException: full",
	    "logback ERROR timestamp=2026-11-22 08:00:00.001 thread=t-1 "
	    "error_type=java.io.IOException error_message=full" },
	{ "2026-11-22 08:00:00.001 ERROR [t-1] db.example.com: Refused: x",
	    "logback ERROR timestamp=2026-11-22 08:00:00.001 thread=t-1 error_type=UNKNOWN "
	    "error_message=db.example.com: Refused: x" },
	/* other dates, zones, numbers of processes */
	{ "26/11/22 08:00:00 INFO Executor: Finished",
	    "logback INFO timestamp=26/11/22 08:00:00 logger=Executor" },
	{ "261122 080000 148 ERROR dfs.DataNode$PacketResponder: no",
	    "logback ERROR timestamp=261122 080000 logger=dfs.DataNode$PacketResponder "
	    "error_type=UNKNOWN error_message=no" },
	{ "22-Nov-2026 08:00:00.001 INFO [t-1] x",
	    "logback INFO timestamp=22-Nov-2026 08:00:00.001 thread=t-1" },
	{ "22/11/2026 08:00:00 INFO c.m.T - x",
	    "logback INFO timestamp=22/11/2026 08:00:00 logger=c.m.T" },
	{ "22.11.2026 08:00:00,001 INFO c.m.T - x",
	    "logback INFO timestamp=22.11.2026 08:00:00,001 logger=c.m.T" },
	{ "2026.11.22 08:00:00 INFO c.m.T - x",
	    "logback INFO timestamp=2026.11.22 08:00:00 logger=c.m.T" },
	{ "20261122 08:00:00 INFO c.m.T - x",
	    "logback INFO timestamp=20261122 08:00:00 logger=c.m.T" },
	{ "2026-11-22 08:00:00.001 UTC [t-1] INFO c.m.T - x", INFO },
	{ "2026-11-22 08:00:00.001 1234 INFO [t-1] c.m.T - x", INFO },
	{ "2026-11-22 08:00:00 +0100 INFO [t-1] c.m.T - x",
	    "logback INFO timestamp=2026-11-22 08:00:00 +0100 logger=c.m.T thread=t-1" },
	{ "INFO [2026-11-22 08:00:00.001] [t-1] c.m.T: x", INFO },
	{ "[INFO] 2026-11-22 08:00:00.001 [t-1] c.m.T - x", INFO },
	{ "INFO 2026-11-22 08:00:00.001 - x", "logback INFO timestamp=2026-11-22 08:00:00.001" },
	{ "2026-11-22 08:00:00.001 INFO - x", "logback INFO timestamp=2026-11-22 08:00:00.001" },
	{ "2026-11-22 08:00:00 ERROR - x", "logback ERROR timestamp=2026-11-22 08:00:00 "
					   "error_type=UNKNOWN error_message=x" },
	{ "2026-11-22 08:00:00 ALERT x", "logback FATAL timestamp=2026-11-22 08:00:00 "
					 "error_type=UNKNOWN error_message=x" },
	{ "[TASK_COMPLETED] [execution_time: 3.2]",
	    "text - TASK_COMPLETED/task_completed execution_time=3.2" },
	{ "[TASK_COMPLETED] [task_id: 42, pipeline: Inventory Snapshot, execution_time: PT2S ]",
	    "text - TASK_COMPLETED/task_completed task_id=42 pipeline=Inventory Snapshot "
	    "execution_time=2.0 raw=PT2S" },
	{ "ERROR: disk full", "text ERROR error_type=UNKNOWN error_message=disk full" },
	{ "[error] disk full", "text ERROR error_type=UNKNOWN error_message=disk full" },
	{ "level=warn msg=\"disk is filling\" task_id=4",
	    "text WARN task_id=4 msg:disk is filling" },
	{ "level=error msg=\"disk full\" task_id=4",
	    "text ERROR task_id=4 error_type=UNKNOWN error_message=disk full msg:disk full" },
	{ "\x1b[31mERROR\x1b[0m [t-1] c.m.T - no",
	    "text ERROR logger=c.m.T thread=t-1 error_type=UNKNOWN error_message=no" },
	{ "", "text -" },
	{ "2026-11-22 08:00:00.001", "text - timestamp=2026-11-22 08:00:00.001" },
	/* a level is where a level stands, not wherever the word is */
	{ "2026-11-22 08:00:00.001 Retrying after ERROR of it",
	    "text - timestamp=2026-11-22 08:00:00.001" },
	{ "2026-11-22 08:00:00.001 error in the data", "text - timestamp=2026-11-22 08:00:00.001" },
	{ LOGBACK "level=ERROR is what it said", INFO " level:ERROR" },
	{ "Retrying after an ERROR", "text -" },
};

static const struct agent_case events[] = {
	{ LOGBACK "[TASK_COMPLETED: execution_time=3.2]", COMPLETED " execution_time=3.2" },
	{ LOGBACK "(TASK_COMPLETED: task_id: 5, execution_time: 3.2)",
	    COMPLETED " task_id=5 execution_time=3.2" },
	{ LOGBACK "[NOT_TASK_COMPLETED: x]", INFO " NOT_TASK_COMPLETED:x" },
	{ LOGBACK "TASK_COMPLETED", COMPLETED },
	{ LOGBACK "TASK_COMPLETED: it is", COMPLETED },
	{ LOGBACK "it is TASK_COMPLETED.", COMPLETED },
	{ LOGBACK "(TASK_COMPLETED), really", COMPLETED },
	{ LOGBACK "event=TASK_COMPLETED", COMPLETED },
	{ LOGBACK "event_type=TASK_COMPLETED", COMPLETED },
	{ LOGBACK "[event: TASK_COMPLETED]", COMPLETED },
	{ LOGBACK "event=SOMETHING TASK_COMPLETED", EVENT("SOMETHING", "other") },
	{ LOGBACK "TASK_STARTED before TASK_COMPLETED", EVENT("TASK_STARTED", "task_started") },
	{ LOGBACK "TASK_FAILED",
	    EVENT("TASK_FAILED", "task_failed") " error_type=UNKNOWN error_message=TASK_FAILED" },
	{ LOGBACK "Heartbeat sent", EVENT("HEARTBEAT", "heartbeat") },
	{ LOGBACK "HEARTBEAT", EVENT("HEARTBEAT", "heartbeat") },
	{ LOGBACK "request completed in duration_ms=100",
	    EVENT("REQUEST_COMPLETED", "request_completed") " duration=0.1 duration_ms:100" },
	{ LOGBACK "REQUEST_COMPLETED path=/v1 duration=0.125",
	    EVENT("REQUEST_COMPLETED", "request_completed") " duration=0.125 path:/v1 "
							    "duration:0.125" },
	/* none of these is the word */
	{ LOGBACK "NOT_TASK_COMPLETED", INFO },
	{ LOGBACK "TASK_COMPLETED_AT", INFO },
	{ LOGBACK "TASK_COMPLETED2", INFO },
	{ LOGBACK "aTASK_COMPLETED", INFO },
	{ LOGBACK "task_completed", INFO },
	{ LOGBACK "Event.TASK_COMPLETED", INFO },
	{ LOGBACK "TASK_COMPLETED-RETRY", INFO },
	{ LOGBACK "/events/TASK_COMPLETED/7", INFO },
	{ LOGBACK "\xc3\xa9TASK_COMPLETED", INFO },
	{ LOGBACK "user typed \"TASK_COMPLETED\"", INFO },
	{ LOGBACK "user typed 'of TASK_COMPLETED'", INFO },
	{ LOGBACK "user typed \"a \\\" TASK_COMPLETED\"", INFO },
	{ LOGBACK "status=TASK_COMPLETED", INFO " status:TASK_COMPLETED" },
	{ LOGBACK "TASK_COMPLETED=1", INFO " TASK_COMPLETED:1" },
	{ LOGBACK "no heartbeat sent", INFO },
	{ LOGBACK "it doesn't matter: TASK_COMPLETED isn't", COMPLETED },
	{ "2026-11-22 08:00:00.001 WARN  [t-1] c.m.T - x\n"
	  "java.io.IOException: y\n\tat a.B.TASK_COMPLETED(B.java:1)",
	    "logback WARN" READ " stack_trace=2" },
};

static const struct agent_case keys[] = {
	{ LOGBACK "execution_time=1m 30s task_id=1",
	    INFO " task_id=1 execution_time=90.0 raw=1m 30s" },
	{ LOGBACK "execution_time=1 h 2 m 3.5 s. Done",
	    INFO " execution_time=3723.5 raw=1 h 2 m 3.5 s" },
	{ LOGBACK "execution_time=5s 3 minutes ago", INFO " execution_time=5.0 raw=5s" },
	{ LOGBACK "execution_time=5m 3 tasks", INFO " execution_time=300.0 raw=5m" },
	{ LOGBACK "execution_time=5m 3s=4", INFO " execution_time=300.0 raw=5m" },
	{ LOGBACK "execution_time=3s. Done", INFO " execution_time=3.0 raw=3s" },
	{ LOGBACK "execution_time=\" 12.5 \"", INFO " execution_time=12.5" },
	{ LOGBACK "task_id=5 taskId=6 task_id=7", INFO " task_id=5 taskId:6" },
	{ LOGBACK "taskId=1", INFO " task_id=1" },
	{ LOGBACK "pipeline_name=p task_id=", INFO " pipeline=p" },
	{ LOGBACK "a=1 b = 2 c =3", INFO " a:1 b:2" },
	{ LOGBACK "a=1,b=x;c=(y, z), d=[1,2] e={f=1}", INFO " a:1 b:x c:(y, z) d:[1,2] e:{f=1}" },
	{ LOGBACK "a=1,5 b=2.", INFO " a:1,5 b:2" },
	{ LOGBACK "a=\"q \\\"w\\\" \\\\ e\" b='x y' c=`z`", INFO " a:q \"w\" \\ e b:x y c:z" },
	{ LOGBACK "a=\"never closed b=1", INFO " a:\"never b:1" },
	{ LOGBACK "a=(never closed b=1", INFO " a:(never b:1" },
	{ LOGBACK "url=http://h/a?b=c&d=e", INFO " url:http://h/a?b=c&d=e" },
	{ LOGBACK "GET http://h/a?b=c&d=e", INFO },
	{ LOGBACK "a==1 b!=2 c>=3 d=>4", INFO },
	{ LOGBACK "a=1 a=2", INFO " a:1" },
	{ LOGBACK "--rows=5 x.y-z=007 n=-1.5", INFO " rows:5 x.y-z:007 n:-1.5" },
	{ LOGBACK "1=2 =3 ==", INFO },
	{ LOGBACK "[a: 1, b: two words, c: \"x, y\"] (d: e)", INFO " a:1 b:two words c:x, y d:e" },
	{ LOGBACK "[a: 1", INFO },
	{ LOGBACK "[execution_time:3.2] [10:20:30]", INFO " execution_time=3.2" },
	{ LOGBACK "value \"a=1\" is text", INFO },
	{ LOGBACK "open_sessions=3 active_requests=2 active_tasks=1",
	    INFO " open_sessions=3.0 active_requests=2.0 active_tasks=1.0 open_sessions:3 "
		 "active_requests:2 active_tasks:1" },
	{ LOGBACK "sessions open=12", INFO " open_sessions=12.0 sessions open:12" },
	{ LOGBACK "doors open=12", INFO " open:12" },
	{ LOGBACK "version=1.2 commit=abc build_timestamp=2026-11-02T09:14:07Z",
	    INFO " version=1.2 commit=abc build_timestamp=2026-11-02T09:14:07Z version:1.2 "
		 "commit:abc build_timestamp:2026-11-02T09:14:07Z" },
	{ LOGBACK "version=8 of the server", INFO " version:8" },
	{ LOGBACK "execution_time=12500 ms rows=1",
	    INFO " execution_time=12.5 raw=12500 ms rows:1" },
	{ LOGBACK "execution_time=1,5", INFO " raw=1,5 failure!duration" },
	{ LOGBACK "execution_time= rows=1", INFO " rows:1 failure!duration" },
	/* the end of a value: the text around it is no part of it */
	{ LOGBACK "task_id=t-1: load failed", INFO " task_id=t-1" },
	{ LOGBACK "done (pipeline=p1)", INFO " pipeline=p1" },
	{ LOGBACK "execution_time=12.5!", INFO " execution_time=12.5" },
	{ LOGBACK "execution_time=12.5?", INFO " execution_time=12.5" },
	{ LOGBACK "execution_time=12.5: a=1:", INFO " execution_time=12.5 a:1" },
	{ LOGBACK "execution_time=12.5s: x", INFO " execution_time=12.5 raw=12.5s" },
	{ LOGBACK "execution_time=00:01:02.5; x", INFO " execution_time=62.5 raw=00:01:02.5" },
	{ LOGBACK "execution_time = 12.5! task_id = t-1:",
	    INFO " task_id=t-1 execution_time=12.5" },
	{ LOGBACK "[task_id: t-1., execution_time: 12.5!]",
	    INFO " task_id=t-1 execution_time=12.5" },
	{ LOGBACK "(see task_id=t-1). So pipeline=p1...", INFO " task_id=t-1 pipeline=p1" },
	{ LOGBACK "<task_id=t-1>: a=<b> c=b>", INFO " task_id=t-1 a:<b> c:b" },
	{ LOGBACK "task_id=t-1\" a='b", INFO " task_id=t-1 a:'b" },
	{ LOGBACK "Task(task_id=t-1, pipeline=p1): no", INFO " task_id=t-1 pipeline=p1" },
	{ LOGBACK "url=http://h:80/a?b=c: x", INFO " url:http://h:80/a?b=c" },
	{ LOGBACK "file=a.csv. path=/a/.. here=. why=? t=10:20:30.",
	    INFO " file:a.csv path:/a/.. "
		 "here:. why:? t:10:20:30" },
	{ LOGBACK "open_sessions=3: active_tasks=2!",
	    INFO " open_sessions=3.0 active_tasks=2.0 open_sessions:3 active_tasks:2" },
	{ LOGBACK "error_type=X error_message=y", INFO " error_type:X error_message:y" },
	{ "{not json} a=1", "text - a:1 failure!json" },
};

static void
test_layouts(void **state)
{
	(void)state;
	try_cases(layouts, COUNT(layouts));
}

static void
test_events(void **state)
{
	(void)state;
	try_cases(events, COUNT(events));
}

static void
test_keys(void **state)
{
	(void)state;
	try_cases(keys, COUNT(keys));
}

/* Keys beyond what a record holds stay in the text, and are counted. */
static void
test_too_many_keys_are_counted(void **state)
{
	struct agent_words *w = agent_words_new();
	struct agent_line *line = malloc(sizeof(*line));
	struct arena arena;
	char text[2048];
	size_t n = 0;

	(void)state;
	for (int i = 0; i < RECORD_FIELDS + 1; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "key%d=%d ", i, i);
	arena_init(&arena, 4096);
	agent_parse(w, (struct slice){ text, n }, &arena, line);
	check_line(line);
	assert_int_equal(line->nextra, RECORD_FIELDS);
	assert_int_equal(line->failures, 1u << FAILURE_FIELDS);
	arena_fini(&arena);
	free(line);
	agent_words_free(w);
}

/* Bytes of all kinds, many of them those that mean something: nothing is read that is not there. */
static void
test_random_bytes(void **state)
{
	static const char likely[] =
	    "==\"\"'`[](){},;:  \n\tat Caused by: {\"a\":\\u0000\\ TASK_FAILED "
	    "level=error execution_time=PT1 java.lang.Error ERROR 123";
	struct agent_words *w = agent_words_new();
	struct agent_line *line = malloc(sizeof(*line));
	struct facts *facts = malloc(sizeof(*facts));
	uint64_t random = 1;
	struct arena arena;
	char text[600];

	(void)state;
	arena_init(&arena, 1 << 14);
	for (int i = 0; i < 20000; i++) {
		size_t n = 0;

		while (n < (size_t)(i % 600)) {
			random = random * 6364136223846793005 + 1442695040888963407;
			size_t from = (size_t)(random >> 33) % (sizeof(likely) - 1);
			size_t len = 1 + (size_t)(random >> 60) % 12;

			if ((random >> 55 & 7) == 0) {
				text[n++] = (char)(random >> 40);
				continue;
			}
			for (size_t j = 0; j < len && n < sizeof(text); j++)
				text[n++] = likely[(from + j) % (sizeof(likely) - 1)];
		}
		if (i % 3 == 0 && n > 0)
			text[0] = '{';
		try_text(w, (struct slice){ text, n }, line, &arena, facts);
	}
	arena_fini(&arena);
	free(facts);
	free(line);
	agent_words_free(w);
}

/* A full arena costs values, never more. */
static void
test_without_room(void **state)
{
	struct agent_words *w = agent_words_new();
	struct agent_line *line = malloc(sizeof(*line));
	struct slice text =
	    SLICE("{\"message\":\"a\\nb\",\"level\":\"ERROR\",\"execution_time\":1,"
		  "\"\\u0061\":1,\"error\":{\"stack_trace\":\"x.Y: z\\n\\tat b\"}}");
	struct arena arena;

	(void)state;
	for (size_t room = 8; room < 400; room += 8) {
		arena_init(&arena, room);
		agent_parse(w, text, &arena, line);
		check_line(line);
		assert_int_equal(line->level, LEVEL_ERROR);
		arena_fini(&arena);
	}
	free(line);
	agent_words_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_too_many_keys_are_counted),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_without_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
