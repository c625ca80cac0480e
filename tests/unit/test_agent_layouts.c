/*
 * Logs in every layout with every level, message and logger: level, logger,
 * thread, event, and the counts of errors and tasks, are what was logged.
 *
 * A layout is a template: $D the date and time, $L the level, $6 the same in six
 * columns, $N its syslog number, $C the logger, $S its last part, $T the thread,
 * $M the message, $J the message as JSON.
 */
#include "agent_try.h"

struct layout {
	const char *template, *date;
	bool logger, thread; /* the line names it */
	bool simple;         /* the logger is the last part of a name */
};

#define ISO "2026-11-22 08:00:00.001"
#define ISO_T "2026-11-22T08:00:00.001Z"

static const struct layout layouts[] = {
	/* logback and log4j patterns */
	{ "$D $6 [$T] $C - $M", ISO, true, true, false },
	{ "$D [$T] $6 $C - $M", "08:00:00.001", true, true, false },
	{ "$D [$T] [$L] $C - $M", ISO, true, true, false },
	{ "[$D] [$T] [$6] $C - $M", ISO, true, true, false },
	{ "[$D] [$T] [$L] [$C] $M", ISO, true, true, false },
	{ "$D $L $C - $M", "2026-11-22 08:00:00,001", true, false, false },
	{ "$D $L [$T] $C: $M", ISO, true, true, false },
	{ "$D [$T] $L $C: $M", ISO, true, true, false },
	{ "$D $L $C: $M", "2026/11/22 08:00:00", true, false, false },
	{ "$D $L [$C] ($T) $M", "2026-11-22 08:00:00,001", true, true, false },
	{ "$D +0100 [$T] $L $C - $M", ISO, true, true, false },
	{ "$D UTC 4711 $L [$T] $C - $M", ISO, true, true, false },
	{ "$L [$D] $C: $M", "2026-11-22 08:00:00,001", true, false, false },
	{ "[$L] $D [$T] $C - $M", ISO, true, true, false },
	{ "$D $L [$T] $C - $M", "22-Nov-2026 08:00:00.001", true, true, false },
	{ "$D $L [$T] $C - $M", "22.11.2026 08:00:00,001", true, true, false },
	{ "\x1b[2m$D\x1b[0;39m \x1b[31m$6\x1b[0;39m [$T] \x1b[36m$C\x1b[0;39m - $M", ISO, true,
	    true, false },
	/* Spring Boot */
	{ "$D  $L 1 --- [agent] [$T] $C : $M", ISO_T, true, true, false },
	{ "$D  $L 1 --- [$T] $C   : $M", ISO_T, true, true, false },
	{ "$D task=x  $L 1 --- [agent] [$T] [0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331] $C : "
	  "$M",
	    ISO_T, true, true, false },
	/* Elasticsearch and Logstash */
	{ "[$D][$6][$C] $M", "2018-05-17T08:21:18,895", true, false, false },
	{ "[$D][$6][$C          ] [node-1] $M", "2018-05-17T08:21:18,895", true, false, false },
	{ "[$D][$T][$6][$C] $M", "2018-05-17T08:21:18,895", true, true, false },
	/* bars */
	{ "$D | $L | $C | $M", "2026-11-22 08:00:00", true, false, false },
	{ "$D | $T | $6 | $C | $M", ISO, true, true, false },
	{ "$D|$L|$T|$C|$M", ISO, true, true, false },
	{ "$D | $L | $M", ISO, false, false, false },
	/* Spark, HDFS */
	{ "$D $L $S: $M", "26/11/22 08:00:00", true, false, true },
	{ "$D $L $C: $M", "26/11/22 08:00:00", true, false, false },
	{ "$D 148 $L $C: $M", "261122 080000", true, false, false },
	/* Python */
	{ "$D - $S - $L - $M", "2026-11-22 08:00:00,001", true, false, true },
	{ "$D - $L - $M", "2026-11-22 08:00:00,001", false, false, false },
	/* without a date, without a header */
	{ "$L: $M", "", false, false, false },
	{ "$L [$T] $C - $M", "", true, true, false },
	/* JSON */
	{ "{\"@timestamp\":\"$D\",\"message\":\"$J\",\"logger_name\":\"$C\",\"thread_name\":\"$T\","
	  "\"level\":\"$L\",\"level_value\":20000}",
	    ISO_T, true, true, false },
	{ "{\"@timestamp\":\"$D\",\"log\":{\"level\":\"$L\",\"logger\":\"$C\"},\"process\":{\"pid\":1,"
	  "\"thread\":{\"name\":\"$T\"}},\"message\":\"$J\",\"ecs\":{\"version\":\"8.11\"}}",
	    ISO_T, true, true, false },
	{ "{\"@timestamp\":\"$D\",\"log.level\":\"$L\",\"log.logger\":\"$C\",\"process.thread.name\":"
	  "\"$T\",\"message\":\"$J\",\"ecs.version\":\"1.2.0\"}",
	    ISO_T, true, true, false },
	{ "{\"version\":\"1.1\",\"short_message\":\"$J\",\"timestamp\":1.5,\"level\":$N,"
	  "\"_level_name\":\"$L\",\"_process_thread_name\":\"$T\",\"host\":\"h\",\"_log_logger\":"
	  "\"$C\"}",
	    ISO_T, true, true, false },
	{ "{\"version\":\"1.1\",\"host\":\"h\",\"short_message\":\"$J\",\"level\":$N,\"_logger\":"
	  "\"$C\"}",
	    ISO_T, true, false, false },
	{ "{\"short_message\":\"$J\",\"level\":\"$N\"}", ISO_T, false, false, false },
	{ "{\"instant\":{\"epochSecond\":1,\"nanoOfSecond\":2},\"thread\":\"$T\",\"level\":\"$L\","
	  "\"loggerName\":\"$C\",\"message\":\"$J\",\"endOfBatch\":false}",
	    ISO_T, true, true, false },
	{ "{\"severity\":\"$L\",\"logger\":\"$C\",\"thread\":\"$T\",\"message\":\"$J\"}", ISO_T,
	    true, true, false },
	{ "{\"timestamp\":\"$D\",\"sequence\":1,\"loggerClassName\":\"org.jboss.logging.Logger\","
	  "\"loggerName\":\"$C\",\"level\":\"$L\",\"message\":\"$J\",\"threadName\":\"$T\","
	  "\"threadId\":1,\"mdc\":{},\"ndc\":\"\"}",
	    ISO_T, true, true, false },
	/* JSON that is not read as a whole */
	{ "{\"level\":\"$L\",\"logger\":\"$C\",\"message\":\"$J\",\"load\":NaN}", ISO_T, true,
	    false, false },
	{ "{\"deep\":[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]],\"message\":\"$J\",\"loggerName\":\"$C\","
	  "\"level\":\"$L\"}",
	    ISO_T, true, false, false },
	{ "{\"level\":\"$L\",\"thread_name\":\"$T\",\"message\":\"$J\",\"cut\":\"her", ISO_T, false,
	    true, false },
};

static const struct {
	const char *word, *number;
	enum level level;
} levels[] = {
	{ "TRACE", "7", LEVEL_TRACE },
	{ "DEBUG", "7", LEVEL_DEBUG },
	{ "INFO", "6", LEVEL_INFO },
	{ "WARN", "4", LEVEL_WARN },
	{ "WARNING", "4", LEVEL_WARN },
	{ "ERROR", "3", LEVEL_ERROR },
	{ "SEVERE", "3", LEVEL_ERROR },
	{ "FATAL", "2", LEVEL_FATAL },
	{ "CRITICAL", "2", LEVEL_FATAL },
};

static const char *const loggers[] = { "com.matillion.agent.task.TaskRunner", "c.m.a.Scheduler",
	"o.e.b.Bootstrap", "org.apache.spark.SparkContext", "dfs.DataNode$PacketResponder" };
static const char *const threads[] = { "main", "task-3", "http-nio-8080-exec-1", "scheduling-1" };

/* Messages, some with words that mean something elsewhere; ${json}: the same in a string. */
static const struct {
	const char *text, *json;
	enum event event;
} messages[] = {
	{ "opened 3 connections", NULL, EVENT_NONE },
	{ "Retrying after an ERROR of the server", NULL, EVENT_NONE },
	{ "Could not connect: refused", NULL, EVENT_NONE },
	{ "java.io.IOException: disk full", NULL, EVENT_NONE },
	{ "query was \"TASK_FAILED\" | x", "query was \\\"TASK_FAILED\\\" | x", EVENT_NONE },
	{ "TASK_STARTED task_id=t-1: queued", NULL, EVENT_TASK_STARTED },
	{ "TASK_COMPLETED task_id=t-1 execution_time=12.5!", NULL, EVENT_TASK_COMPLETED },
	{ "TASK_FAILED (task_id=t-1)", NULL, EVENT_TASK_FAILED },
	{ "[TASK_COMPLETED] [task_id: t-1]", NULL, EVENT_TASK_COMPLETED },
};

struct said {
	unsigned level, logger, thread, message;
};

static const char *
last_part(const char *logger)
{
	return strrchr(logger, '.') + 1;
}

static size_t
line_make(const struct layout *l, const struct said *s, char *to, size_t size)
{
	const char *json = messages[s->message].json;
	size_t n = 0;

	for (const char *t = l->template; *t != '\0'; t++) {
		const char *value = NULL;

		switch (*t == '$' ? *++t : '\0') {
		case 'D':
			value = l->date;
			break;
		case 'L':
		case '6':
			value = levels[s->level].word;
			break;
		case 'N':
			value = levels[s->level].number;
			break;
		case 'C':
			value = loggers[s->logger];
			break;
		case 'S':
			value = last_part(loggers[s->logger]);
			break;
		case 'T':
			value = threads[s->thread];
			break;
		case 'J':
			value = json != NULL ? json : messages[s->message].text;
			break;
		case 'M':
			value = messages[s->message].text;
		}
		if (value == NULL)
			n += (size_t)snprintf(to + n, size - n, "%c", *t);
		else
			n += (size_t)snprintf(to + n, size - n, *t == '6' ? "%-6s" : "%s", value);
		assert_in_range(n, 1, size - 1);
	}
	return n;
}

/* The level that a line says: GELF's number alone knows no TRACE. */
static enum level
level_said(const struct layout *l, const struct said *s)
{
	enum level level = levels[s->level].level;

	return level == LEVEL_TRACE && strstr(l->template, "$L") == NULL &&
		       strstr(l->template, "$6") == NULL
		   ? LEVEL_DEBUG
		   : level;
}

static void
assert_field(const char *line, const char *what, struct slice got, const char *want)
{
	if (!slice_eq(got, slice_of(want)))
		fail_msg("%s is '%.*s', not '%s': %s", what, (int)got.len, got.at, want, line);
}

struct counts {
	unsigned errors, tasks, failed;
};

static void
line_check(const struct layout *l, const struct said *s, const char *text,
    const struct agent_line *got, struct counts *truth, struct counts *found)
{
	enum level level = level_said(l, s);
	enum event event = messages[s->message].event;
	const char *logger = l->simple ? last_part(loggers[s->logger]) : loggers[s->logger];

	truth->errors += level >= LEVEL_ERROR || event == EVENT_TASK_FAILED;
	truth->tasks += event == EVENT_TASK_COMPLETED;
	truth->failed += event == EVENT_TASK_FAILED;
	found->errors += got->error.type.value.len > 0;
	found->tasks += got->event == EVENT_TASK_COMPLETED;
	found->failed += got->event == EVENT_TASK_FAILED;
	assert_field(text, "level", agent_level_names[got->level], agent_level_names[level].at);
	assert_field(text, "logger", got->logger.value, l->logger ? logger : "");
	assert_field(text, "thread", got->thread.value, l->thread ? threads[s->thread] : "");
	if (event != EVENT_NONE)
		assert_field(text, "task_id", got->task_id.value, "t-1");
	if (event != got->event)
		fail_msg("event %d, not %d: %s", got->event, event, text);
}

static void
test_every_layout_says_what_was_logged(void **state)
{
	struct agent_words *w = agent_words_new();
	struct agent_line *line = malloc(sizeof(*line));

	struct counts truth = { 0, 0, 0 }, found = { 0, 0, 0 };
	struct arena arena;
	char text[1024];

	(void)state;
	arena_init(&arena, 1 << 14);
	for (size_t i = 0; i < COUNT(layouts); i++) {
		const size_t all = COUNT(levels) * COUNT(messages) * COUNT(loggers);

		for (unsigned n = 0; n < all; n++) {
			const struct said s = { n % COUNT(levels),
				n / COUNT(levels) / COUNT(messages), n % COUNT(threads),
				n / COUNT(levels) % COUNT(messages) };
			size_t len = line_make(&layouts[i], &s, text, sizeof(text));
			struct slice copy = exact((struct slice){ text, len });

			arena_reset(&arena);
			agent_parse(w, copy, &arena, line);
			check_line(line);
			line_check(&layouts[i], &s, text, line, &truth, &found);
			exact_free(copy);
		}
	}
	assert_true(truth.errors > 0 && truth.tasks > 0 && truth.failed > 0);
	assert_int_equal(found.errors, truth.errors);
	assert_int_equal(found.tasks, truth.tasks);
	assert_int_equal(found.failed, truth.failed);
	arena_fini(&arena);

	free(line);
	agent_words_free(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_layout_says_what_was_logged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
