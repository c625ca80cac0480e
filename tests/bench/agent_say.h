/*
 * How the generated agent says something: values into templates, a stack trace
 * as the JVM prints it, logback text or logstash JSON, all in a runtime's CRI
 * lines.  What it says, and when, is agent_life.h.
 */
#ifndef BENCH_AGENT_SAY_H
#define BENCH_AGENT_SAY_H

#include <stdbool.h>
#include <time.h>

#include "text.h"
#include "truth.h"
#include "words.h"

#define TASKS_AT_ONCE 20
#define TRACE_LINES 64 /* no record has more lines */

struct agent {
	uint64_t random;
	int64_t now;  /* ns since the epoch; moves on with each line */
	bool json;    /* logstash encoder, else logback text */
	bool started; /* the banner has been printed */
	struct {
		uint64_t id[2];
		unsigned pipeline;
	} tasks[TASKS_AT_ONCE];
	unsigned active, sessions;
	int64_t second; /* that ${date} shows */
	char date[20];  /* 2026-11-22T08:00:00 */
	char *scratch;  /* RECORD_ROOM, may be shared with other agents */
	struct text *out;
	struct truth *truth;
};

/* One thing said: a line, its fields, its stack trace. */
struct saying {
	const char *level;
	enum logger logger;
	const char *event;  /* or NULL */
	const char *says;   /* template */
	const char *fields; /* "key=%x key=%n": text as it is, JSON as members; or NULL */
	int exception;      /* of the stack trace; -1: none */
	unsigned task;      /* that %u and %p speak of */
	uint64_t eighths;   /* that %x says */
};

/* splitmix64 */
static inline uint64_t
agent_random(struct agent *a)
{
	uint64_t z = (a->random += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static inline unsigned
agent_pick(struct agent *a, unsigned below)
{
	return (unsigned)((agent_random(a) >> 32) * below >> 32);
}

static inline void
put_uuid(struct text *t, const uint64_t id[2])
{
	static const char hex[] = "0123456789abcdef";

	for (int i = 0; i < 32; i++) {
		if (i == 8 || i == 12 || i == 16 || i == 20)
			put_char(t, '-');
		put_char(t, hex[id[i / 16] >> (4 * (i % 16)) & 15]);
	}
}

/* ---- CRI lines */

static inline void
stamp(struct agent *a)
{
	time_t second = (time_t)(a->now / 1000000000);
	struct tm tm;

	if (second != a->second) {
		a->second = second;
		gmtime_r(&second, &tm);
		strftime(a->date, sizeof(a->date), "%Y-%m-%dT%H:%M:%S", &tm);
	}
}

static inline void
line_begin(struct agent *a, const char *side)
{
	a->now += 1000 + agent_pick(a, 20000);
	stamp(a);
	put(a->out, a->date, 19);
	put_char(a->out, '.');
	put_number(a->out, (uint64_t)(a->now % 1000000000), 9);
	put_literal(a->out, "Z ");
	put_string(a->out, side);
	put_literal(a->out, " F ");
	a->truth->lines++;
}

static inline void
line_end(struct agent *a)
{
	put_char(a->out, '\n');
}

/* A line that is a record by itself. */
static inline void
plain_line(struct agent *a, const char *side, const char *says)
{
	line_begin(a, side);
	put_string(a->out, says);
	line_end(a);
	a->truth->records++;
}

/* ---- values */

static inline void
put_pipeline(struct text *t, const char *name)
{
	const char *quote = strchr(name, ' ') != NULL ? "\"" : "";

	put_string(t, quote);
	put_string(t, name);
	put_string(t, quote);
}

static inline void
put_value(struct agent *a, struct text *t, char what, const struct saying *s)
{
#define ANY(array) array[agent_pick(a, COUNT(array))]
	switch (what) {
	case 'n':
		put_number(t, agent_pick(a, 500000), 1);
		break;
	case 'i':
		put_number(t, 1 + agent_pick(a, 40), 1);
		break;
	case 'm':
		put_number(t, 2 + agent_pick(a, 9000), 1);
		break;
	case 't':
		put_string(t, ANY(tables));
		break;
	case 'c':
		put_string(t, ANY(connectors));
		break;
	case 'h':
		put_string(t, ANY(hosts));
		break;
	case 's':
		put_string(t, ANY(users));
		break;
	case 'f':
		put_literal(t, "/data/stage/export-");
		put_number(t, agent_pick(a, 100000), 5);
		put_literal(t, ".csv.gz");
		break;
	case 'o':
		put_number(t, a->sessions, 1);
		break;
	case 'a':
		put_number(t, a->active, 1);
		break;
	case 'p':
		put_pipeline(t, pipelines[a->tasks[s->task].pipeline]);
		break;
	case 'u':
		put_uuid(t, a->tasks[s->task].id);
		break;
	case 'x':
		put_eighths(t, s->eighths);
		break;
	}
}

static inline void
put_template(struct agent *a, struct text *t, const char *template, const struct saying *s)
{
	for (const char *value; (value = strchr(template, '%')) != NULL; template = value + 2) {
		put(t, template, (size_t)(value - template));
		put_value(a, t, value[1], s);
	}
	put_string(t, template);
}

/* ---- stack traces */

static inline void
trace_frames(struct agent *a, struct text *t, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		put_literal(t, "\n\tat ");
		put_string(t, ANY(frames));
	}
#undef ANY
}

/* The trace of ${s} as the JVM prints it, its lines parted by \n; says what it was. */
static inline void
put_trace(struct agent *a, struct text *t, const struct saying *s)
{
	int e = s->exception;

	a->truth->errors[e] += s->level[0] == 'E';
	put_string(t, exceptions[e].class);
	put_literal(t, ": ");
	put_template(a, t, exceptions[e].says, s);
	trace_frames(a, t, 5 + agent_pick(a, 9));
	if (exceptions[e].cause < 0)
		return;
	while ((e = exceptions[e].cause) >= 0) {
		put_literal(t, "\nCaused by: ");
		put_string(t, exceptions[e].class);
		put_literal(t, ": ");
		put_template(a, t, exceptions[e].says, s);
		trace_frames(a, t, 2 + agent_pick(a, 4));
		put_literal(t, "\n\t... ");
		put_number(t, 4 + agent_pick(a, 30), 1);
		put_literal(t, " common frames omitted");
		if (exceptions[e].cause < 0)
			a->truth->root_errors[e] += s->level[0] == 'E';
	}
}

/* The trace as CRI lines; now and then the JVM's other side speaks in its midst. */
static inline void
trace_lines(struct agent *a, const struct saying *s)
{
	struct text trace = { a->scratch, 0 };
	unsigned interrupted = agent_pick(a, 60);
	const char *line, *end;

	put_trace(a, &trace, s);
	put_char(&trace, '\n');
	for (line = trace.at; line < trace.at + trace.len; line = end + 1) {
		end = memchr(line, '\n', (size_t)(trace.at + trace.len - line));
		line_begin(a, "stdout");
		put(a->out, line, (size_t)(end - line));
		line_end(a);
		if (interrupted-- == 0)
			plain_line(a, "stderr",
			    "SLF4J: Defaulting to no-operation MDCAdapter implementation");
	}
}

/* ---- the two encodings */

static inline void
put_said(struct agent *a, struct text *t, const struct saying *s)
{
	if (s->event != NULL)
		put_string(t, s->event);
	if (s->event != NULL && s->says[0] != '\0')
		put_char(t, ' ');
	put_template(a, t, s->says, s);
}

static inline void
say_text(struct agent *a, const struct saying *s)
{
	struct text *t = a->out;

	line_begin(a, "stdout");
	put(t, a->date, 10);
	put_char(t, ' ');
	put(t, a->date + 11, 8);
	put_char(t, '.');
	put_number(t, (uint64_t)(a->now % 1000000000 / 1000000), 3);
	put_char(t, ' ');
	put_string(t, s->level);
	put(t, "  ", (size_t)(6 - strlen(s->level)));
	put_char(t, '[');
	put_string(t, loggers[s->logger].thread);
	put_number(t, 1 + agent_pick(a, loggers[s->logger].threads), 1);
	put_literal(t, "] ");
	put_string(t, loggers[s->logger].brief);
	put_literal(t, " - ");
	put_said(a, t, s);
	if (s->fields != NULL) {
		put_char(t, ' ');
		put_template(a, t, s->fields, s);
	}
	line_end(a);
	if (s->exception >= 0)
		trace_lines(a, s);
}

/* "key=%n key=%u" as members of an object: numbers bare, all else as strings. */
static inline void
put_members(struct agent *a, struct text *t, const struct saying *s)
{
	const char *p = s->fields;

	while (p != NULL && *p != '\0') {
		size_t key = strcspn(p, "="), value = strcspn(p + key + 1, " ");
		char what = p[key + 1] == '%' ? p[key + 2] : 's';
		const char *quote = strchr("nimoax", what) != NULL ? "" : "\"";

		put_literal(t, ",\"");
		put(t, p, key);
		put_literal(t, "\":");
		put_string(t, quote);
		if (what == 'p')
			put_string(t, pipelines[a->tasks[s->task].pipeline]);
		else if (p[key + 1] == '%')
			put_value(a, t, what, s);
		else
			put(t, p + key + 1, value);
		put_string(t, quote);
		p += key + 1 + value;
		p += *p == ' ';
	}
}

static inline void
say_json(struct agent *a, const struct saying *s)
{
	struct text *t = a->out;
	struct text message = { a->scratch, 0 };

	line_begin(a, "stdout");
	put_literal(t, "{\"@timestamp\":\"");
	put(t, a->date, 19);
	put_char(t, '.');
	put_number(t, (uint64_t)(a->now % 1000000000 / 1000000), 3);
	put_literal(t, "Z\",\"@version\":\"1\",\"message\":\"");
	put_said(a, &message, s);
	put_escaped(t, message.at, message.len);
	put_literal(t, "\",\"logger_name\":\"");
	put_string(t, loggers[s->logger].full);
	put_literal(t, "\",\"thread_name\":\"");
	put_string(t, loggers[s->logger].thread);
	put_number(t, 1 + agent_pick(a, loggers[s->logger].threads), 1);
	put_literal(t, "\",\"level\":\"");
	put_string(t, s->level);
	put_char(t, '"');
	put_members(a, t, s);
	if (s->exception >= 0) {
		message.len = 0;
		put_trace(a, &message, s);
		put_literal(t, ",\"stack_trace\":\"");
		put_escaped(t, message.at, message.len);
		put_literal(t, "\\n\"");
	}
	put_char(t, '}');
	line_end(a);
}

static inline void
say(struct agent *a, const struct saying *s)
{
	a->truth->records++;
	a->truth->error_records += s->level[0] == 'E';
	a->truth->traces += s->exception >= 0;
	if (a->json)
		say_json(a, s);
	else
		say_text(a, s);
}

#endif
