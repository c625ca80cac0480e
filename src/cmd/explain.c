/* The result of each step of the chain for a record, in words: for `parse --explain`. */
#include "explain.h"

#include <inttypes.h>
#include <stdlib.h>

#include "memory.h"
#include "shown.h"
#include "timestamp.h"

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

static void
explain_frame(const struct framed *f, FILE *to)
{
	static const char *const sides[] = { "stdout", "stderr" };

	fprintf(to, "  %-8s bytes %" PRIu64 " to %" PRIu64 ", %s%s%s\n", "lines", f->start, f->end,
	    sides[f->side], f->partial ? ", begins with a partial line" : "",
	    f->truncated ? ", cut at Buffer_Max_Size" : "");
	if (f->time_text.len > 0)
		print_field(to, "cri", "time", f->time_text);
	else
		fprintf(to, "  %-8s not the runtime's format: the whole line is the log\n", "cri");
}

static void
explain_measure(FILE *to, const char *name, const struct measure *m)
{
	if (m->present)
		print_field(to, "agent", name, m->decimal);
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
		{ "version", l->build.version.value },
		{ "commit", l->build.commit.value },
		{ "build_timestamp", l->build.timestamp.value },
	};

	fprintf(to, "  %-8s read as %s\n", "agent", l->encoding);
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		print_field(to, "agent", fields[i].name, fields[i].value);
	explain_measure(to, "execution_time", &l->execution_time);
	explain_measure(to, "duration", &l->duration);
	explain_measure(to, "open_sessions", &l->open_sessions);
	explain_measure(to, "active_requests", &l->active_requests);
	explain_measure(to, "active_tasks", &l->active_tasks);
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
explain(const struct framed *f, const struct chain *chain, const struct record *r, FILE *to)
{
	const struct agent_line *l = chain_line(chain);
	unsigned failures = chain_failures(chain);
	char time[TIMESTAMP_MAX];

	explain_frame(f, to);
	if (l != NULL)
		explain_agent(l, to);
	for (unsigned i = 0; i < FAILURES; i++) {
		if (failures & 1u << i)
			fprintf(to, "  %-8s counted as towline_parse_failures_total{kind=\"%s\"}\n",
			    "failed", agent_failure_names[i]);
	}
	print_field(
	    to, "time", "@timestamp", (struct slice){ time, timestamp_write(r->time, 9, time) });
	if (f->stream->pod != NULL)
		explain_pod(f->stream->pod, to);
	if (chain_dropped_by(chain) != NULL)
		fprintf(to, "  %-8s dropped it: it is not shipped\n", "filter");
	if (f->stream->agent && l != NULL)
		explain_metrics(l, to);
	else
		fprintf(to, "  %-8s none: not an agent's container (Agent_Pods, Agent_Exclude_*)\n",
		    "metrics");
}
