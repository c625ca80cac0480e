/* Every plugin of this program, and the plugins of Fluent Bit that it does not have yet. */
#include "plugins.h"

#include "enrich.h"
#include "filter.h"
#include "joins.h"
#include "journal.h"
#include "polling.h"
#include "service.h"
#include "ship.h"
#include "tail.h"
#include "trial.h"
#include "web_conf.h"

/*
 * Plugins of Fluent Bit that are not built, and what there is in their place; NULL: nothing is.
 * One that only adds, measures or shows is SPARED: without it no log record is lost or changed.
 */
#define LATER(section, what, in_place, ...)                                                        \
	&(const struct plugin)                                                                     \
	{                                                                                          \
		.kind = section, .name = what, .help = "", .later = true, .instead = in_place,     \
		__VA_ARGS__                                                                        \
	}
#define SPARED .spared = true
#define INPUT(what, ...) LATER(SECTION_INPUT, what, __VA_ARGS__)
#define FILTER(what, ...) LATER(SECTION_FILTER, what, __VA_ARGS__)
#define OUTPUT(what, ...) LATER(SECTION_OUTPUT, what, __VA_ARGS__)

#define FILES "towline reads log files, with [INPUT] tail"
#define OWN "towline's own metrics are at /metrics"
#define NODE "a node exporter measures machines"
#define EVENTS "kubectl get events, or an exporter of them, gives these"
#define SERVERS "towline ships to [OUTPUT] es, opensearch and sqlite"
#define FIELDS                                                                                     \
	"[FILTER] kubernetes and parser add fields; an ingest pipeline (Pipeline of [OUTPUT] es) changes them"
#define SCRAPE "Prometheus scrapes /metrics, which [SERVICE] HTTP_Server serves"

static const struct plugin *const plugins[] = {
	&service_plugin,
	&tail_plugin,
	&journal_plugin,
	&trial_dummy_plugin,
	&trial_stdin_plugin,
	INPUT("blob", FILES),
	INPUT("collectd", NULL, SPARED),
	INPUT("cpu", NODE, SPARED),
	INPUT("disk", NODE, SPARED),
	INPUT("docker", NODE, SPARED),
	INPUT("docker_events", EVENTS, SPARED),
	INPUT("ebpf", NULL, SPARED),
	INPUT("elasticsearch", FILES),
	INPUT("etw", NULL),
	INPUT("exec", FILES),
	INPUT("exec_wasi", FILES),
	INPUT("fluentbit_logs", "towline's own log is its standard error, or Log_File", SPARED),
	INPUT("fluentbit_metrics", OWN, SPARED),
	INPUT("forward", FILES),
	INPUT("gpu_metrics", NODE, SPARED),
	INPUT("head", FILES),
	INPUT("health", "towline health asks /readyz", SPARED),
	INPUT("http", FILES),
	INPUT("kafka", FILES),
	INPUT("kmsg", "the kernel's messages are in the journal, or in a syslog daemon's files",
	    SPARED),
	INPUT("kubernetes_events", EVENTS, SPARED),
	INPUT("mem", NODE, SPARED),
	INPUT("mqtt", FILES),
	INPUT("netif", NODE, SPARED),
	INPUT("nginx_metrics", NULL, SPARED),
	INPUT("node_exporter_metrics", NODE, SPARED),
	INPUT("opentelemetry", FILES),
	INPUT("podman_metrics", NODE, SPARED),
	INPUT("proc", NODE, SPARED),
	INPUT("process_exporter_metrics", NODE, SPARED),
	INPUT("prometheus_remote_write", NULL, SPARED),
	INPUT("prometheus_scrape", NULL, SPARED),
	INPUT("prometheus_textfile", NODE, SPARED),
	INPUT("random", NULL, SPARED),
	INPUT("serial", NULL),
	INPUT("splunk", FILES),
	INPUT("statsd", NULL, SPARED),
	INPUT("syslog", "towline reads the files that a syslog daemon writes, with [INPUT] tail"),
	INPUT("tcp", FILES),
	INPUT("thermal", NODE, SPARED),
	INPUT("udp", FILES),
	INPUT("unix_socket", FILES),
	INPUT("windows_exporter_metrics", NULL, SPARED),
	INPUT("winevtlog", NULL),
	INPUT("winlog", NULL),
	INPUT("winstat", NULL, SPARED),
	&kubernetes_filter_plugin,
	&lua_filter_plugin,
	&parser_filter_plugin,
	&grep_filter_plugin,
	&modify_filter_plugin,
	&nest_filter_plugin,
	&record_modifier_filter_plugin,
	&multiline_filter_plugin,
	&rewrite_tag_filter_plugin,
	FILTER("alter_size", NULL),
	FILTER("aws", "the pod's node is in kubernetes.host", SPARED),
	FILTER("checklist", FIELDS),
	FILTER("ecs", FIELDS, SPARED),
	FILTER("expect", "towline parse --explain shows records", SPARED),
	FILTER("geoip2", FIELDS, SPARED),
	FILTER("log_to_metrics", "the agents' metrics are at /metrics", SPARED),
	FILTER("nightfall", NULL),
	FILTER("stdout", "towline parse shows records", SPARED),
	FILTER("sysinfo", NULL, SPARED),
	FILTER("tensorflow", NULL),
	FILTER("throttle", "towline reads no faster than its outputs take", SPARED),
	FILTER("throttle_size", "towline reads no faster than its outputs take", SPARED),
	FILTER("type_converter", "Types of a [PARSER] do"),
	FILTER("wasm", FIELDS),
	&es_plugin,
	&opensearch_plugin,
	&sqlite_plugin,
	&stdout_plugin,
	&null_plugin,
	&file_plugin,
	OUTPUT("azure", SERVERS),
	OUTPUT("azure_blob", SERVERS),
	OUTPUT("azure_kusto", SERVERS),
	OUTPUT("azure_logs_ingestion", SERVERS),
	OUTPUT("bigquery", SERVERS),
	OUTPUT("calyptia", SERVERS),
	OUTPUT("chronicle", SERVERS),
	OUTPUT("cloudwatch", SERVERS),
	OUTPUT("cloudwatch_logs", SERVERS),
	OUTPUT("counter", OWN, SPARED),
	OUTPUT("datadog", SERVERS),
	OUTPUT("exit", "run --exit-on-eof ends by itself"),
	OUTPUT("flowcounter", OWN, SPARED),
	OUTPUT("forward", SERVERS),
	OUTPUT("gelf", SERVERS),
	OUTPUT("http", SERVERS),
	OUTPUT("influxdb", SERVERS),
	OUTPUT("kafka", SERVERS),
	OUTPUT("kafka-rest", SERVERS),
	OUTPUT("kinesis_firehose", SERVERS),
	OUTPUT("kinesis_streams", SERVERS),
	OUTPUT("logdna", SERVERS),
	OUTPUT("loki", SERVERS),
	OUTPUT("nats", SERVERS),
	OUTPUT("nrlogs", SERVERS),
	OUTPUT("opentelemetry", SERVERS),
	OUTPUT("oracle_log_analytics", SERVERS),
	OUTPUT("pgsql", SERVERS),
	OUTPUT("plot", OWN, SPARED),
	OUTPUT("prometheus_exporter", SCRAPE, SPARED),
	OUTPUT("prometheus_remote_write", SCRAPE, SPARED),
	OUTPUT("s3", SERVERS),
	OUTPUT("skywalking", SERVERS),
	OUTPUT("slack", SERVERS),
	OUTPUT("splunk", SERVERS),
	OUTPUT("stackdriver", SERVERS),
	OUTPUT("syslog", SERVERS),
	OUTPUT("tcp", SERVERS),
	OUTPUT("td", SERVERS),
	OUTPUT("udp", SERVERS),
	OUTPUT("vivo_exporter", SERVERS),
	OUTPUT("websocket", SERVERS),
	&parser_section_plugin,
	&multiline_section_plugin,
	NULL,
};

static void
check(const struct conf *conf, struct findings *findings)
{
	ship_check(conf, findings);
	filter_check(conf, findings);
	trial_check(conf, findings);
	polling_check(conf, findings);
	joins_check(conf, findings);
	enrich_check(conf, findings);
	web_conf_free(web_conf_of(conf, findings));
}

const struct registry plugins_registry = { plugins, check };
