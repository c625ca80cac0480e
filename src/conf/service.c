/* [SERVICE]: the settings of the process. */
#include "service.h"

#include <fnmatch.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "own_file.h"

static const char *const levels[] = { "error", "warn", "info", "debug", "trace", "warning", "off",
	NULL };

static const char *const gauges[] = { "log", "poll", "off", NULL };

static const char *const formats[] = { "text", "json", NULL };

static const char *const unbuilt[] = { "error", "skip", NULL };

static const char own_backoff[] = "retries wait longer each time by themselves";
static const char own_buffer[] = "the log files on disk are the buffer";
static const char own_health[] = "/healthz and /readyz are always there";

#define AT(member) offsetof(struct service, member)

static const struct option service_options[] = {
	OPTION("Flush", OPT_TIME, "1", AT(flush), "ship a batch at this age, full or not",
	    .min = NS_PER_MS, .max = 3600 * NS_PER_S),
	OPTION("Grace", OPT_TIME, "5", AT(grace),
	    "time to deliver what was read, at the end; -1: for ever", .min = -NS_PER_S,
	    .max = 86400 * NS_PER_S),
	OPTION("Log_Level", OPT_ENUM, "info", AT(log_level), "what towline itself says",
	    .choices = levels),
	OPTION("Log_Format", OPT_ENUM, "text", AT(log_format),
	    "how it says that: lines of text or of JSON", .choices = formats),
	OPTION("Log_File", OPT_STRING, NULL, AT(log_file),
	    "file that it is written to, instead of standard error; run -l FILE goes before it"),
	OPTION(
	    "Daemon", OPT_BOOL, "off", AT(daemon), "without effect: the service manager runs us"),
	OPTION("Parsers_File", OPT_LIST, NULL, AT(parsers_file),
	    "files of [PARSER] sections: beside this one, or installed", .flags = OPT_FILE),
	OPTION("Unbuilt_Outputs", OPT_ENUM, "error", AT(unbuilt_outputs),
	    "an [OUTPUT] that Fluent Bit has and towline has not (loki, kafka, …) is an error; skip: the rest runs, and towline_output_unbuilt names it",
	    .choices = unbuilt),
	OPTION("Unbuilt_Inputs", OPT_ENUM, "error", AT(unbuilt_inputs),
	    "the same of an [INPUT] that would receive logs (forward, http, …); one that only measures is skipped in any case",
	    .choices = unbuilt),
	OPTION("HTTP_Server", OPT_BOOL, "on", AT(http_server), "serve /metrics, /healthz, /readyz"),
	OPTION("HTTP_Listen", OPT_STRING, "0.0.0.0", AT(http_listen), "address to serve at"),
	OPTION("HTTP_Port", OPT_INT, "8000", AT(http_port), "port to serve at; 0: any free one",
	    .max = 65535),
	OPTION("HTTP_Web_Config", OPT_STRING, NULL, AT(http_web_config),
	    "file of TLS, users and headers of that, in the form of Prometheus' exporters, beside this one or installed: docs/monitoring.md",
	    .flags = OPT_FILE),
	OPTION("State_Path", OPT_STRING, "/var/lib/towline", AT(state_path),
	    "directory of what must outlive the process"),
	OPTION("Landlock", OPT_BOOL, "on", AT(landlock),
	    "give up, at the start, to open files that the configuration does not name, and to run programs"),
	OPTION("Core_Dump", OPT_BOOL, "off", AT(core_dump),
	    "let a fault leave a core dump, which has the passwords in it, and let a debugger attach"),
	OPTION("Agent_Events", OPT_STRING, NULL, AT(agent_events),
	    "file of the agents' words; agent-events.conf, beside this one or installed",
	    .flags = OPT_FILE),
	OPTION("Agent_Pods", OPT_LIST, "matillion-agent*, *matillion-runner*", AT(agent_pods),
	    "pods that are agents (globs): their lines make the app_ metrics"),
	OPTION("Agent_Exclude_Pods", OPT_LIST, "*-script-runner*", AT(agent_exclude_pods),
	    "pods of these that are not: they run users' scripts"),
	OPTION("Agent_Exclude_Containers", OPT_LIST, "metrics-exporter",
	    AT(agent_exclude_containers), "containers of these pods that are not"),
	OPTION("Agent_Labels", OPT_LIST, NULL, AT(agent_labels),
	    "labels of their pods that the app_ metrics have, too: matillion.com/business-unit"),
	OPTION("Agent_Gauges", OPT_ENUM, "log", AT(agent_gauges),
	    "app_active_task_count, app_active_request_count, app_open_sessions and app_agent_status are told by the agents' logs, by polling the agents, or are off, as Prometheus scrapes the agents itself",
	    .choices = gauges),
	OPTION("Agent_Containers", OPT_LIST, "matillion-agent*, *matillion-runner*",
	    AT(agent_containers), "containers of Agent_Pods that are polled (globs)"),
	OPTION("Agent_Selector", OPT_LIST, "app=*matillion-runner-pods, app=matillion-agent*",
	    AT(agent_selector),
	    "labels (KEY=GLOB) of a pod of Agent_Pods whose first container is polled, whatever its name"),
	OPTION("Agents", OPT_LIST, NULL, AT(agents),
	    "agents elsewhere that are polled: [NAMESPACE/POD/CONTAINER=]HOST[:PORT]; PORT in the place of those in Agent_Ports; without labels it is the pod default/HOST[:PORT]"),
	OPTION("Agent_Ports", OPT_LIST,
	    "9464/metrics, 8080/actuator/prometheus, 8080/actuator/info", AT(agent_ports),
	    "ports of an agent, each with its path, in the order in which they are tried"),
	OPTION("Agent_Poll_Interval", OPT_TIME, "15s", AT(agent_poll_interval),
	    "time between two polls of an agent", .min = NS_PER_S, .max = 3600 * NS_PER_S),
	OPTION("Agent_Poll_Timeout", OPT_TIME, "9s", AT(agent_poll_timeout),
	    "time for a poll; each of Agent_Ports has its part", .min = 100 * NS_PER_MS,
	    .max = 600 * NS_PER_S),
	OPTION("Agent_Poll_Failures", OPT_INT, "3", AT(agent_poll_failures),
	    "failed polls in a row that make app_agent_status 0", .min = 1, .max = 1000),
	OPTION("Agent_Answer_Limit", OPT_SIZE, "1M", AT(agent_answer_limit),
	    "bytes of an agent's answer; a larger one is refused", .min = 1000, .max = 64000000),
	OPTION("Cgroup_Path", OPT_STRING, NULL, AT(cgroup_path),
	    "where control groups are mounted (/sys/fs/cgroup), for the memory and the CPU time of the agents' containers; in a pod, the node's"),
	OPTION("Cgroup_Interval", OPT_TIME, "15s", AT(cgroup_interval),
	    "time between two readings of them", .min = NS_PER_S, .max = 3600 * NS_PER_S),
	OPTION("Batches", OPT_INT, "6", AT(batches),
	    "batches in memory for each output but stdout and null", .min = 2, .max = 64),
	OPTION("Batch_Size", OPT_SIZE, "1M", AT(batch_size), "bytes of a batch", .min = 64000,
	    .max = 64000000),
	OPTION("Filter_Memory", OPT_SIZE, "1M", AT(filter_memory),
	    "for the fields of one record while filters change them (grep, modify, nest, ...); a record that needs more goes on unchanged, which is counted",
	    .min = 64000, .max = 64000000),
	OPTION("Per_Pipeline", OPT_BOOL, "off", AT(per_pipeline),
	    "app_task_execution_seconds by pipeline, too"),
	OPTION("Max_Series", OPT_INT, "100", AT(max_series),
	    "error types an agent has as series; the rest is `other`", .min = 1, .max = 100000),
	OPTION("Max_Task_Capacity", OPT_INT, "20", AT(max_task_capacity),
	    "app_max_task_capacity: tasks that an agent runs at once"),
	OPTION("Max_Connections", OPT_INT, "0", AT(max_connections),
	    "app_max_connections; 0: it is not shown"),
	OPTION("Heartbeat_Timeout", OPT_TIME, "90s", AT(heartbeat_timeout),
	    "app_agent_status is 0 when the last heartbeat is older", .min = NS_PER_S,
	    .max = 86400 * NS_PER_S),
	OPTION("Duration_Window", OPT_TIME, "5m", AT(duration_window),
	    "app_task_duration_seconds is the mean of this time", .min = NS_PER_S,
	    .max = 86400 * NS_PER_S),
	OPTION("Task_Timeout", OPT_TIME, "24h", AT(task_timeout),
	    "a task without an end is active for so long, then in app_task_timeouts_total",
	    .min = NS_PER_S, .max = 365 * 86400 * NS_PER_S),
	OPTION("Task_Buckets", OPT_LIST, "0.1, 0.5, 1, 5, 15, 60, 300, 600, 1800, 3600, 10800",
	    AT(task_buckets), "bounds of app_task_execution_seconds, ascending; at most 20"),
	OPTION("Request_Buckets", OPT_LIST, "0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60",
	    AT(request_buckets), "bounds of app_request_duration_seconds"),
	OPTION("Quantiles", OPT_LIST, NULL, AT(quantiles),
	    "0.5, 0.95, say: these quantiles of tasks and requests over Duration_Window, by the buckets, as the gauges app_task_duration_quantile_seconds and app_request_duration_quantile_seconds: for CloudWatch, which takes no histogram"),
	OPTION("Failure_Memory", OPT_TIME, "30d", AT(failure_memory),
	    "app_new_failures_total counts a failure that nobody has logged for so long",
	    .min = NS_PER_S, .max = 3650 * 86400 * NS_PER_S),
	OPTION("Max_Failures", OPT_INT, "4096", AT(max_failures),
	    "failures that are remembered for it; beyond, those seen longest ago go", .min = 64,
	    .max = 1000000),
	OPTION_IDLE("Coro_Stack_Size", "there are no coroutines"),
	OPTION_IDLE("Hot_Reload", "SIGHUP reads the configuration again in any case"),
	OPTION_IDLE("Health_Check", own_health),
	OPTION_IDLE("HC_Errors_Count", own_health),
	OPTION_IDLE("HC_Retry_Failure_Count", own_health),
	OPTION_IDLE("HC_Period", own_health),
	OPTION_IDLE("scheduler.base", own_backoff),
	OPTION_IDLE("scheduler.cap", own_backoff),
	OPTION_IDLE("storage.*", own_buffer),
	OPTION_IDLE("dns.*", "names are looked up by the system's resolver"),
	OPTION_IDLE("Plugins_File", "all plugins are built in; of others there is none"),
	OPTION_LATER("Streams_File",
	    "streams are not processed; filters (grep, modify, nest, lua) choose and change records"),
	OPTIONS_END,
};

int
service_buckets(const struct list *words, double at[SERVICE_BUCKETS_MAX])
{
	if (words->n == 0 || words->n > SERVICE_BUCKETS_MAX)
		return -1;
	for (size_t i = 0; i < words->n; i++) {
		char *end;

		at[i] = strtod(words->at[i], &end);
		if (end == words->at[i] || *end != '\0' || !isfinite(at[i]) ||
		    at[i] <= (i > 0 ? at[i - 1] : 0))
			return -1;
	}
	return (int)words->n;
}

static void
buckets_check(const struct section *section, const char *option, const struct list *words,
    struct findings *findings)
{
	double at[SERVICE_BUCKETS_MAX];

	if (service_buckets(words, at) < 0)
		findings_add(findings, FINDING_ERROR, section->file, conf_given(section, option),
		    "%s: seconds, each larger than the one before, at most %d: 0.5, 1, 5, 60",
		    option, SERVICE_BUCKETS_MAX);
}

static void
quantiles_check(const struct section *section, const struct list *words, struct findings *findings)
{
	double at[SERVICE_BUCKETS_MAX];
	int n = service_buckets(words, at);

	if (words->n > 0 && (n < 0 || at[n - 1] >= 1))
		findings_add(findings, FINDING_ERROR, section->file,
		    conf_given(section, "Quantiles"),
		    "Quantiles: between 0 and 1, each larger than the one before, at most %d: 0.5, 0.95",
		    SERVICE_BUCKETS_MAX);
}

/* As Prometheus has it: letters, digits and _. */
static char
plain(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') ? c : '_';
}

static bool
plain_same(const char *a, const char *b)
{
	while (*a != '\0' && *b != '\0' && plain(*a) == plain(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

/* The label of a series that ${list}[${i}] would be a second time; NULL: none. */
static const char *
label_taken(const struct list *list, size_t i)
{
	static const char *const own[] = { "namespace", "pod", "container", "error_type",
		"pipeline", "le", "quantile", "state", "version", "commit", "build_timestamp",
		"instance", "job" };

	for (size_t j = 0; j < sizeof(own) / sizeof(own[0]); j++) {
		if (plain_same(list->at[i], own[j]))
			return own[j];
	}
	for (size_t j = 0; j < i; j++) {
		if (plain_same(list->at[i], list->at[j]))
			return list->at[j];
	}
	return NULL;
}

#define LABELS_MOST 10
#define LABEL_LONGEST 317 /* a prefix of 253 bytes, a slash, a name of 63 */

static void
labels_check(const struct section *section, const struct list *list, struct findings *findings)
{
	static const char letters[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/";

	if (list->n > LABELS_MOST)
		findings_add(findings, FINDING_ERROR, section->file,
		    conf_given(section, "Agent_Labels"),
		    "Agent_Labels: %zu labels; each makes every series longer, and at most %d are "
		    "taken",
		    list->n, LABELS_MOST);
	for (size_t i = 0; i < list->n; i++) {
		const char *name = list->at[i], *taken = label_taken(list, i);
		unsigned line = list_line(list, i);
		size_t len = strlen(name);

		if (len > LABEL_LONGEST || strspn(name, letters) < len)
			findings_add(findings, FINDING_ERROR, section->file, line,
			    "Agent_Labels: '%s' is no name of a label", name);
		else if (taken != NULL)
			findings_add(findings, FINDING_ERROR, section->file, line,
			    "Agent_Labels: series have '%s' already, as which '%s' would be exposed",
			    taken, name);
	}
}

/* What `run` refuses, as far as it can be known here: a note, which the commands that need no such place do not print. */
static void
place_check(const struct section *section, const char *option, const char *instead,
    const char *fault, struct findings *findings)
{
	if (fault != NULL && conf_given(section, option) != 0)
		findings_add(findings, FINDING_NOTE, section->file, conf_given(section, option),
		    "%s '%s' cannot be used here: %s; run does not start with it, unless %s names "
		    "another",
		    option, *(char *const *)conf_value(section, option), fault, instead);
}

static void
service_check(const struct section *section, struct findings *findings)
{
	static const char address[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_%";
	const struct service *s = section->values;

	if (s->daemon)
		findings_add(findings, FINDING_WARNING, section->file,
		    conf_given(section, "Daemon"),
		    "Daemon: towline stays in the foreground, as systemd and containers want it");
	if (s->http_listen[strspn(s->http_listen, address)] != '\0')
		findings_add(findings, FINDING_ERROR, section->file,
		    conf_given(section, "HTTP_Listen"),
		    "HTTP_Listen: '%s' is no address; 0.0.0.0 is all of this machine",
		    s->http_listen);
	place_check(section, "State_Path", "--state", own_file_dir_fault(s->state_path), findings);
	if (s->log_file != NULL && strncmp(s->log_file, "/dev/", 5) != 0)
		place_check(section, "Log_File", "-l", own_file_fault(s->log_file), findings);
	labels_check(section, &s->agent_labels, findings);
	buckets_check(section, "Task_Buckets", &s->task_buckets, findings);
	buckets_check(section, "Request_Buckets", &s->request_buckets, findings);
	quantiles_check(section, &s->quantiles, findings);
}

const struct plugin service_plugin = {
	.kind = SECTION_SERVICE,
	.help = "how the process runs",
	.options = service_options,
	.size = sizeof(struct service),
	.check = service_check,
};

const struct service *
service_of(const struct conf *conf)
{
	for (size_t i = 0; i < conf->n; i++)
		if (conf->sections[i].plugin->kind == SECTION_SERVICE)
			return conf->sections[i].values;
	return NULL;
}

enum voice
service_voice(const struct service *s)
{
	static const enum voice voices[] = { VOICE_ERROR, VOICE_WARN, VOICE_INFO, VOICE_DEBUG,
		VOICE_DEBUG, VOICE_WARN, VOICE_ERROR };

	return voices[s->log_level];
}

static bool
globs_match(const struct list *globs, const char *name)
{
	for (size_t i = 0; i < globs->n; i++)
		if (fnmatch(globs->at[i], name, 0) == 0)
			return true;
	return false;
}

bool
service_excludes(const struct service *s, const char *pod, const char *container)
{
	return globs_match(&s->agent_exclude_pods, pod) ||
	       globs_match(&s->agent_exclude_containers, container);
}

bool
service_is_agent(const struct service *s, const char *pod, const char *container)
{
	return globs_match(&s->agent_pods, pod) && !service_excludes(s, pod, container);
}
