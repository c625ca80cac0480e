/*
 * A story of agents, told in seconds: what their lines say, and what is shown
 * then.  Time is always a parameter.
 */
#ifndef AGENT_STORY_H
#define AGENT_STORY_H

#include "unit.h"

#include "agent_metrics.h"
#include "clock.h"
#include "metrics.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#define T0 INT64_C(1795334400) /* the stories begin here, s */

static struct pod pod_a = { .namespace_name = { "ns", 2 },
	.pod_name = { "agent-0", 7 },
	.pod_id = { "uid-1", 5 },
	.container_name = { "agent", 5 } };

#define LABELS "{namespace=\"ns\",pod=\"agent-0\",container=\"agent\""
#define BASE LABELS "}"

static inline int64_t
at(double seconds)
{
	return T0 * NS_PER_S + (int64_t)(seconds * 1e9);
}

static const struct agent_metrics_options usual = { .max_series = 10,
	.max_task_capacity = 20,
	.heartbeat_timeout = 90 * NS_PER_S,
	.window = 300 * NS_PER_S };

static struct agent_series *a; /* of pod_a; NULL: before the story */

/* From the start: the history is still read, or over. */
static inline void
begin(const struct agent_metrics_options *o, bool history)
{
	if (a != NULL)
		agent_metrics_fini();
	agent_metrics_init(o);
	if (!history)
		agent_metrics_publish(at(0), false);
	a = agent_metrics_agent(&pod_a);
}

static inline struct measure
seconds(double value)
{
	return (struct measure){ .present = true, .value = value };
}

/* ---- events */

static inline void
event(struct agent_series *of, const struct pod *pod, enum event e, const char *task, double took,
    double when)
{
	struct agent_line line = {
		.event = e, .level = LEVEL_INFO, .task_id.value = slice_of(task)
	};

	if (took >= 0)
		line.execution_time = seconds(took);
	agent_metrics_count(of, pod, &line, at(when));
}

static inline void
failure(struct agent_series *of, const struct pod *pod, const char *type, double when)
{
	struct agent_line line = { .level = LEVEL_ERROR, .error.type.value = slice_of(type) };

	agent_metrics_count(of, pod, &line, at(when));
}

/* ---- what is shown */

static char *shown;

static inline const char *
write_shown(bool openmetrics)
{
	struct buffer b;

	free(shown);
	buffer_init(&b, 0);
	agent_metrics_write(&b, openmetrics);
	buffer_put(&b, (struct slice){ "", 1 });
	shown = b.at;
	return shown;
}

/* `behind`: a file has unread bytes. */
static inline const char *
publish(double when, bool behind)
{
	agent_metrics_publish(at(when), behind);
	return write_shown(false);
}

static inline const char *
show(double when)
{
	return publish(when, false);
}

/* The value of the sample that begins with `name`, -1 when there is none. */
static inline double
value(const char *name)
{
	char line[256];
	const char *found;

	snprintf(line, sizeof(line), "%s ", name);
	for (found = shown; (found = strstr(found, line)) != NULL; found++) {
		if (found == shown || found[-1] == '\n')
			return strtod(found + strlen(line), NULL);
	}
	return -1;
}

#define SHOWS(name, want) assert_true(value(name) == (want))

static inline int
setup(void **state)
{
	(void)state;
	begin(&usual, true);
	return 0;
}

static inline int
teardown(void **state)
{
	(void)state;
	agent_metrics_fini();
	a = NULL;
	free(shown);
	shown = NULL;
	return 0;
}

#endif
