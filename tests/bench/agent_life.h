/*
 * A Matillion agent that exists only as its log: it starts (banner), runs
 * tasks, answers requests, beats, fails with stack traces, and talks.  Each
 * call of agent_says() appends one record as a container runtime would write
 * it (CRI lines) and counts in struct truth what a reader must find in it.
 *
 * Deterministic: the same seed gives the same bytes.  Times are multiples of
 * 0.125 s, so that sums of them are exact.
 */
#ifndef BENCH_AGENT_LIFE_H
#define BENCH_AGENT_LIFE_H

#include "agent_say.h"

static inline void
agent_banner(struct agent *a)
{
	plain_line(a, "stdout", "  :: Spring Boot ::                (v3.2.5)");
	say(a,
	    &(struct saying){ "INFO", MAIN, NULL, "Starting AgentApplication",
		"version=11.4.2 commit=4f2a9c1 build_timestamp=2026-11-02T09:14:07Z", -1, 0, 0 });
	a->started = true;
}

static inline void
agent_chats(struct agent *a)
{
	unsigned n = agent_pick(a, COUNT(chatter));

	/* The lines that set traps are rarer than the others. */
	if (n >= COUNT(chatter) - 3)
		n = agent_pick(a, COUNT(chatter));
	say(a, &(struct saying){
		   chatter[n].level, chatter[n].logger, NULL, chatter[n].says, NULL, -1, 0, 0 });
}

static inline void
agent_answers(struct agent *a)
{
	uint64_t eighths = agent_pick(a, 4) == 0 ? agent_pick(a, 80) : 1;

	a->truth->requests++;
	a->truth->request_eighths += eighths;
	say(a, &(struct saying){ "INFO", REQUESTS, "REQUEST_COMPLETED", "",
		   "method=POST path=/v1/tasks status=200 duration=%x", -1, 0, eighths });
}

static inline void
agent_beats(struct agent *a)
{
	a->truth->heartbeats++;
	say(a, &(struct saying){ "INFO", HEART, "HEARTBEAT", "sent",
		   "open_sessions=%o active_requests=%i active_tasks=%a", -1, 0, 0 });
}

static inline void
agent_session(struct agent *a)
{
	bool opens = a->sessions == 0 || (a->sessions < 50 && agent_pick(a, 2) == 0);

	a->sessions += opens ? 1 : -1u;
	say(a, &(struct saying){ "INFO", SESSIONS, NULL,
		   opens ? "Session of %s opened" : "Session of %s closed", "open_sessions=%o", -1,
		   0, 0 });
}

static inline void
agent_starts_task(struct agent *a)
{
	unsigned n = a->active++;

	a->tasks[n].id[0] = agent_random(a);
	a->tasks[n].id[1] = agent_random(a);
	a->tasks[n].pipeline = agent_pick(a, COUNT(pipelines));
	a->truth->started++;
	a->truth->active++;
	say(a, &(struct saying){ "INFO", RUNNER, "TASK_STARTED", "",
		   "task_id=%u pipeline=%p user=%s", -1, n, 0 });
}

/* A failure is one ERROR record, with a trace or with a name of its own. */
static inline void
agent_fails_task(struct agent *a, unsigned task, uint64_t eighths, bool trace)
{
	int exception = trace ? (int)agent_pick(a, COUNT(exceptions)) : -1;

	a->truth->failed[a->tasks[task].pipeline]++;
	a->truth->failed_eighths += eighths;
	a->truth->errors_named += !trace;
	say(a, &(struct saying){ "ERROR", RUNNER, "TASK_FAILED", "",
		   trace ? "task_id=%u pipeline=%p execution_time=%x"
			 : "task_id=%u pipeline=%p execution_time=%x error_type=" NAMED_ERROR,
		   exception, task, eighths });
}

static inline void
agent_ends_task(struct agent *a, bool trace)
{
	unsigned task = agent_pick(a, a->active);
	uint64_t eighths = 1 + (uint64_t)agent_pick(a, 60) * agent_pick(a, 60);

	if (agent_pick(a, 8) == 0) {
		agent_fails_task(a, task, eighths, trace && agent_pick(a, 3) > 0);
	} else {
		a->truth->completed[a->tasks[task].pipeline]++;
		a->truth->completed_eighths += eighths;
		say(a, &(struct saying){ "INFO", RUNNER, "TASK_COMPLETED", "",
			   "task_id=%u pipeline=%p execution_time=%x rows=%n", -1, task, eighths });
	}
	a->tasks[task] = a->tasks[--a->active];
	a->truth->active--;
}

/* Trouble that ends no task: an error with or without a class, a warning with a trace. */
static inline void
agent_stumbles(struct agent *a, bool trace)
{
	unsigned how = agent_pick(a, 3);
	int exception = trace ? (int)agent_pick(a, COUNT(exceptions)) : -1;

	if (how == 0 || !trace) {
		a->truth->errors_unknown++;
		say(a,
		    &(struct saying){ "ERROR", CONNECTIONS, NULL,
			"Connection pool %c exhausted after %m ms, %i waiting", NULL, -1, 0, 0 });
	} else {
		say(a, &(struct saying){ how == 1 ? "ERROR" : "WARN", SQL, NULL,
			   "Cannot read from %h", NULL, exception, 0, 0 });
	}
}

/**
 * agent_says(a, lines):
 * Append the agent's next record to a->out, which has RECORD_ROOM, and count
 * it.  At most ${lines} lines are written when that is less than TRACE_LINES.
 */
static inline void
agent_says(struct agent *a, uint64_t lines)
{
	bool trace = lines >= TRACE_LINES;
	unsigned what = agent_pick(a, 1000);
	size_t before = a->out->len;

	if (!a->started && lines >= 2)
		agent_banner(a);
	else if (what < 560)
		agent_chats(a);
	else if (what < 760)
		agent_answers(a);
	else if (what < 780)
		agent_beats(a);
	else if (what < 800)
		agent_session(a);
	else if (what < 808)
		agent_stumbles(a, trace);
	else if (a->active == 0 || (a->active < TASKS_AT_ONCE && what < 900))
		agent_starts_task(a);
	else
		agent_ends_task(a, trace);
	a->truth->bytes += a->out->len - before;
}

#endif
