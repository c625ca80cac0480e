/* docs/metrics.md, made from the tables of families. */
#include "exposition.h"

static const char intro[] =
    "# Metrics\n"
    "\n"
    "`GET /metrics` answers in Prometheus' text format 0.0.4, or in OpenMetrics 1.0 when the\n"
    "`Accept` header prefers it; packed as gzip when `Accept-Encoding` takes that. This page is\n"
    "made from the tables in `src/metrics/`; a test compares the two\n"
    "(`UPDATE_DOCS=1 build/unit/test_exposition` writes the page anew).\n"
    "\n"
    "Bounds of buckets have a fraction in both formats (`le=\"1.0\"`), so that a series has one\n"
    "name in both. OpenMetrics also has, behind counters and histograms whose begin is known,\n"
    "`_created`: of agents that towline has seen begin (not of those whose history it found when it\n"
    "was first started), and of towline's own that begin with its process; and exemplars on\n"
    "`app_task_execution_seconds_bucket`: the `task_id` of the last task of each bucket, for the way\n"
    "from a slow task to its lines. Prometheus keeps exemplars with\n"
    "`--enable-feature=exemplar-storage`.\n"
    "\n"
    "`towline_delivery_seconds` has the buckets 0.1 0.5 1 5 15 60 300 600 1800 3600 seconds; those\n"
    "of tasks and requests are the options `Task_Buckets` and `Request_Buckets`. When they are\n"
    "changed, what was counted before stays, in the next larger bucket that there is.\n";

static const char own_intro[] =
    "\n"
    "## towline's own\n"
    "\n"
    "`output` is the Alias of the `[OUTPUT]`, else its name and number.\n"
    "\n";

static const char fluent_bit_intro[] =
    "\n"
    "## Under Fluent Bit's names\n"
    "\n"
    "`/api/v1/metrics/prometheus`, `/api/v2/metrics` and `/api/v2/metrics/prometheus` answer all of\n"
    "this page, and for dashboards and alerts made for Fluent Bit the following (those of inputs\n"
    "and outputs are in the JSON of `/api/v1/metrics`, too). `name` is the Alias of the section,\n"
    "else its name and number (`tail.0`). They begin at 0 with the process. `/metrics` has none of\n"
    "them. towline has no chunks: where Fluent Bit counts these, documents or requests are counted.\n"
    "There are none of filters, and none of `fluentbit_storage_*`: the log files are the buffer.\n"
    "\n";

static const char agent_intro[] =
    "\n"
    "## The agents'\n"
    "\n"
    "Each also has the labels `namespace`, `pod` and `container`, which are the agent's: scrape\n"
    "with `honor_labels: true`. They are counted from the agents' log lines, each record once,\n"
    "before any filter.\n"
    "\n"
    "An agent is a pod that `Agent_Pods` names (`matillion-agent*`, and `*matillion-runner*` as\n"
    "agents are called since May 2026), unless `Agent_Exclude_Pods` does, too\n"
    "(`*-script-runner*`: these run users' scripts), less its containers in\n"
    "`Agent_Exclude_Containers` (`metrics-exporter`). The lines of all others are shipped and\n"
    "not counted. Where there are no pods, on a machine or with Docker, `Agent` in [FILTER]\n"
    "kubernetes names the agent whose files it sees, and `Agent_Labels` there its labels\n"
    "(conf/elsewhere.conf).\n"
    "\n";

static const char rules[] =
    "\n"
    "## How the agents' series live\n"
    "\n"
    "- A series is known by its labels: a pod of the same name with a new uid continues the\n"
    "  counters and begins its gauges anew. So does a restarted container. Only the newest uid\n"
    "  and restart touch gauges.\n"
    "- The counters of an agent appear at 0 as soon as its log file is seen. A new agent or a\n"
    "  new value of `error_type` or `pipeline` stays at 0 until 30 seconds have passed and a\n"
    "  scrape has seen it (10 minutes at most), so that `increase()` and `rate()` see the first\n"
    "  event. What is in the files when towline starts is counted before `/metrics` answers\n"
    "  first (it answers 503 until then, at most 60 seconds), and begins at its value.\n"
    "- Gauges begin at 0, but for those of which 0 would be a lie: `app_task_duration_seconds`,\n"
    "  `app_oldest_task_start_timestamp`, `app_last_heartbeat_timestamp` and `app_build_info` are\n"
    "  absent until the log says them.\n"
    "- When the log files of an agent are gone its gauges vanish (within 3 seconds: a rotation\n"
    "  may leave that gap); its counters stay 15 minutes.\n"
    "- At most `Max_Series` agents, and as many values of one label for each of them: beyond,\n"
    "  agents that ended longest ago go first, then records count under `other`\n"
    "  (`towline_folded_records_total`).\n"
    "- `app_agent_status` goes by heartbeats. An agent that has not beaten since it started is\n"
    "  judged by its newest line, with the same timeout; while files have unread bytes, ages\n"
    "  are judged against the newest record read.\n"
    "- A task is active from its TASK_STARTED to its TASK_COMPLETED or TASK_FAILED, by task id;\n"
    "  a second start, or an end without a start, changes nothing. A task without an end is\n"
    "  dropped `Task_Timeout` (24 hours) after its start, and counted in\n"
    "  `app_task_timeouts_total`; an end that comes later still counts as completed or failed.\n"
    "  An agent that logs no starts but states `active_tasks=` is taken at its word.\n"
    "- `app_new_failures_total` goes by a table of fingerprints, one for all agents of a node, so\n"
    "  that the pods of a rollout do not begin anew; it is kept in the state. A failure counts\n"
    "  for the agent that logged it first, and again when nobody has logged it for\n"
    "  `Failure_Memory` (30 days), by the records' times. The table has room for `Max_Failures`\n"
    "  (4,096) in pages of 64, by hash: from about half of that on a page may be full, and the\n"
    "  failure in it that was seen longest ago goes (`towline_forgotten_failures_total`). A node\n"
    "  without a state knows no failure: those that its first agents log are all new, but for\n"
    "  those in the files when towline starts, which are history.\n"
    "- `Agent_Labels` (none by default) puts labels of the agents' pods on their series, as\n"
    "  `matillion_com_business_unit` for `matillion.com/business-unit`: by whose cost, say. They\n"
    "  are those that the pod had when its container was first seen, and stay for as long as the\n"
    "  series lives, over restarts of towline and over pods of the same name: a label that changes\n"
    "  would begin all counters anew. The series appear once the API server has told of the pod\n"
    "  ([FILTER] kubernetes with Labels On), or Pod_Wait is over; then they have none.\n"
    "  What is polled and measured of the agent has them, too; one that is polled while its log is\n"
    "  not read has none.\n"
    "- `app_log_lines_total` counts the lines of records as they are shipped: of a record that\n"
    "  was cut at Buffer_Max_Size, the lines that were kept.\n"
    "- `app_task_execution_seconds` and `app_task_duration_seconds` are of completed tasks\n"
    "  alone. By pipeline, each task counts in one series: tasks that name no pipeline have\n"
    "  none in the label.\n"
    "\n"
    "## Agents that are polled\n"
    "\n"
    "`Agent_Gauges` in `[SERVICE]` says who tells `app_active_task_count`,\n"
    "`app_active_request_count`, `app_open_sessions` and `app_agent_status`: `log` (the default)\n"
    "by the rules above; `poll`: the agents themselves; `off`: nobody, as Prometheus scrapes the\n"
    "agents itself and each name would be there twice.\n"
    "\n"
    "- Polled are the pods of this node that `Agent_Pods` names, as the API server tells them: of\n"
    "  each the container that `Agent_Containers` names, or, where a label of the pod fits\n"
    "  `Agent_Selector`, the first that is not excluded (labels are known while `Labels` of the\n"
    "  filter kubernetes is on). `Agents` names others, by address.\n"
    "- `Agent_Ports` are tried in their order until one answers with a metric of an agent; that\n"
    "  one is asked first from then on. They are read as Prometheus' text or as the JSON of\n"
    "  `/actuator/info`, with the names of each age: `matillion_agent_…_unit`, `app_…`,\n"
    "  `activeTaskCount`. Nothing else of an answer is kept, `target_info` least of all, which\n"
    "  has the JVM's command line with its secrets.\n"
    "- An agent that has answered has its gauges from its polls alone; `app_agent_state`,\n"
    "  `app_agent_connected` and `app_build_info` are what it says, and\n"
    "  `app_last_heartbeat_timestamp` is its last answer. One that says less has fewer gauges.\n"
    "- `app_agent_status` is 1 while it answers, draining or not, and 0 when it says that its\n"
    "  state is none. `Agent_Poll_Failures` polls in a row that fail (3) make it 0; then its\n"
    "  other gauges vanish, and no 0 is made up, but for the build and the last answer. Before\n"
    "  that they stay as they were. Of an agent that has never answered the log tells the\n"
    "  other gauges.\n"
    "- When its pod is deleted, or has ended, its gauges vanish; a `deletionTimestamp` ends\n"
    "  nothing, as agents drain for hours.\n"
    "- At most `Max_Series` agents are polled. An answer is bounded by `Agent_Answer_Limit` and\n"
    "  `Agent_Poll_Timeout`; none that is packed is unpacked, no redirect is followed and no proxy\n"
    "  asked. A pod is not polled at an address of a link (169.254.169.254), nor at one that is\n"
    "  not a single host's.\n"
    "\n"
    "## Memory and CPU time of the agents' containers\n"
    "\n"
    "With `Cgroup_Path` the control group of each agent's container is found by the container's\n"
    "id, whatever driver and runtime have called its folder, and read each `Cgroup_Interval`,\n"
    "version 1 or 2. `app_memory_usage_bytes` is what the kubelet calls the working set: the use\n"
    "less the inactive files. `app_cpu_usage_seconds_total` begins at 0 with each restart of the\n"
    "container. Both are absent while no such folder is there. In a pod, towline must see the\n"
    "node's control groups: its own mount has none of the agents'. Agents beyond `Max_Series`,\n"
    "which share one series, are not measured.\n";

static const char *const kinds[] = { "counter", "gauge", "histogram", "gauge, 1" };

static void
rows(struct buffer *to, const struct family *(*family)(size_t i))
{
	buffer_put(to, SLICE("| metric | type | meaning |\n|---|---|---|\n"));
	for (size_t i = 0; family(i) != NULL; i++) {
		const struct family *f = family(i);
		bool bare = f->labels[0] == '\0';

		buffer_printf(to, "| %s%s%s%s | %s | %s |\n", f->name, bare ? "" : "{", f->labels,
		    bare ? "" : "}", kinds[f->kind], f->help);
	}
}

void
metrics_reference(struct buffer *to)
{
	buffer_put(to, slice_of(intro));
	buffer_put(to, slice_of(own_intro));
	rows(to, self_metrics_family);
	buffer_put(to, slice_of(fluent_bit_intro));
	rows(to, fluent_bit_family);
	buffer_put(to, slice_of(agent_intro));
	rows(to, agent_write_family);
	buffer_put(to, slice_of(rules));
}
