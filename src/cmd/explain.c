/* The result of each step of the chain for a record, in words: for `parse --explain`. */
#include "explain.h"

#include <inttypes.h>
#include <stdlib.h>

#include "memory.h"
#include "shown.h"
#include "timestamp.h"
#include "trace.h"

#define VALUE_SHOWN 160

/* Values come from log lines: they are escaped for the terminal, and cut behind a whole character. */
static void
print_value(FILE *to, struct slice s)
{
	struct slice shown = slice_cut(s, VALUE_SHOWN);

	while (
	    shown.len < s.len && shown.len > 0 && ((unsigned char)s.at[shown.len] & 0xc0) == 0x80)
		shown.len--;
	shown_print(shown, to);
	if (shown.len < s.len)
		fprintf(to, "… (%zu bytes)", s.len);
}

static void
print_field(FILE *to, const char *step, const char *name, struct slice value)
{
	if (value.len == 0)
		return;
	fprintf(to, "  %-8s %s = ", step, name);
	print_value(to, value);
	fputc('\n', to);
}

/* The number of lines of the text. */
static size_t
lines_of(struct slice text)
{
	size_t n = 1;

	for (const char *at = text.at; (at = memchr(at, '\n', (size_t)(text.at + text.len - at)));
	     at++)
		n++;
	return n;
}

/* Why these bytes are one record. */
static void
explain_frame(const struct framed *f, const char *parser, FILE *to)
{
	static const char *const sides[] = { "stdout", "stderr" };
	size_t lines = f->text.len > 0 ? lines_of(f->text) : 1;

	fprintf(to, "  %-8s bytes %" PRIu64 " to %" PRIu64 ", %s%s\n", "lines", f->start, f->end,
	    sides[f->side], f->truncated ? ", cut at Buffer_Max_Size" : "");
	if (f->partial)
		fprintf(to, "  %-8s parts of one line, which the runtime cut (tag P)\n", "joined");
	if (lines > 1)
		fprintf(to, "  %-8s %zu lines: each goes on with the first (%s)\n", "joined", lines,
		    f->stream->conf->njoins > 0 ? "by a rule, or as a stack trace"
						: "a stack trace");
	if (f->stream->conf->njoins > 0)
		fprintf(to,
		    "  %-8s by rules of the configuration, or as no rule took the next line\n",
		    "ended");
	else if (!tail_reads_runtime(f->stream->conf))
		fprintf(to, "  %-8s each line is a record with Parser '%s'\n", "ended", parser);
	else if (f->text.len > 0 && trace_closed(f->text.at[0], f->text.at[f->text.len - 1]))
		fprintf(to, "  %-8s a JSON object is complete\n", "ended");
	else
		fprintf(to, "  %-8s no line followed that goes on with it\n", "ended");
}

static void
explain_parser(const struct framed *f, const char *parser, bool matched, FILE *to)
{
	const char *runtime = f->stream->conf->parser != NULL ? f->stream->conf->parser : "cri";

	if (parser != NULL)
		fprintf(to, "  %-8s %s %s\n", "parser", parser,
		    matched ? "matched" : "did not match: the whole line is the log");
	else if (f->time_text.len > 0)
		print_field(to, runtime, "time", f->time_text);
	else
		fprintf(
		    to, "  %-8s not the runtime's format: the whole line is the log\n", runtime);
}

/* The members of the document that are beside the runtime's and log_parsed. */
static void
explain_fields(const struct record *r, FILE *to)
{
	for (int i = 0; i < r->nfields; i++) {
		fprintf(to, "  %-8s ", "field");
		print_value(to, r->fields[i].name);
		fputs(" = ", to);
		print_value(to, r->fields[i].value);
		fputc('\n', to);
	}
}

static void
explain_agent(const struct agent_line *l, FILE *to)
{
	const struct {
		const char *name;
		struct slice value;
	} fields[] = {
		{ "level", agent_level_names[l->level] },
		{ "logger", l->logger.value },
		{ "thread", l->thread.value },
		{ "timestamp", l->timestamp.value },
		{ "event", l->event_name },
		{ "task_id", l->task_id.value },
		{ "pipeline", l->pipeline.value },
		{ "execution_time_raw", l->execution_time_raw },
		{ "error_type", l->error.type.value },
		{ "root_error_type", l->error.root_type.value },
		{ "error_message", l->error.message.value },
		{ "stack_trace", l->stack_trace.value },
	};

	char fingerprint[AGENT_FINGERPRINT_LEN];

	fprintf(to, "  %-8s read as %s\n", "agent", l->encoding);
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		print_field(to, "agent", fields[i].name, fields[i].value);
	if (l->execution_time.present)
		print_field(to, "agent", "execution_time", l->execution_time.decimal);
	if (l->error.type.value.len > 0) {
		agent_fingerprint(fingerprint, l->error.fingerprint);
		fprintf(to, "  %-8s error_fingerprint = %.*s\n", "agent", (int)sizeof(fingerprint),
		    fingerprint);
	}
	for (int i = 0; i < l->nextra; i++) {
		fprintf(to, "  %-8s ", "extra");
		print_value(to, l->extra[i].name);
		fputs(" = ", to);
		print_value(to, l->extra[i].value);
		fputc('\n', to);
	}
}

static void
explain_metrics(const struct agent_line *l, FILE *to)
{
	static const char *const counted[EVENTS] = {
		[EVENT_TASK_STARTED] = "the task joins app_active_task_count",
		[EVENT_TASK_COMPLETED] = "app_completed_tasks_total + 1",
		[EVENT_TASK_FAILED] = "app_failed_tasks_total + 1",
		[EVENT_REQUEST_COMPLETED] = "app_request_duration_seconds takes its duration",
		[EVENT_HEARTBEAT] = "app_last_heartbeat_timestamp is its time",
	};

	if (counted[l->event] != NULL)
		fprintf(to, "  %-8s %s\n", "metrics", counted[l->event]);
	if (l->level >= LEVEL_ERROR)
		fprintf(to, "  %-8s app_task_errors_total + 1\n", "metrics");
}

static void
explain_pod(const struct pod *pod, FILE *to)
{
	char *json = xmalloc(pod_json_len(pod));

	print_field(to, "pod", "kubernetes",
	    (struct slice){ json, (size_t)(pod_json_write(json, pod) - json) });
	free(json);
}

void
explain(const struct framed *f, const struct chain *chain, const struct source *source,
    const struct record *r, FILE *to)
{
	const struct agent_line *l = chain_line(chain);
	bool dropped = chain_dropped_by(chain) != NULL;
	unsigned failures = chain_failures(chain);
	const char *parser = chain_parser(source);
	char time[TIMESTAMP_MAX];

	explain_frame(f, parser, to);
	explain_parser(f, parser, !(failures & 1u << FAILURE_PARSER), to);
	if (dropped)
		fprintf(to, "  %-8s dropped it: it is not shipped\n", "filter");
	if (!dropped) {
		explain_fields(r, to);
		if (r->parsed != NULL)
			explain_agent(r->parsed, to);
		print_field(to, "time", "@timestamp",
		    (struct slice){ time, timestamp_write(r->time, 9, time) });
		if (r->pod != NULL)
			explain_pod(r->pod, to);
	}
	for (unsigned i = 0; i < FAILURES; i++) {
		if (failures & 1u << i)
			fprintf(to, "  %-8s counted as towline_parse_failures_total{kind=\"%s\"}\n",
			    "failed", agent_failure_names[i]);
	}
	if (f->stream->agent && l != NULL)
		explain_metrics(l, to);
	else
		fprintf(to,
		    "  %-8s none: not an agent's (Agent_Pods, Agent_Exclude_*; elsewhere than in a pod: Agent of [FILTER] kubernetes)\n",
		    "metrics");
}
