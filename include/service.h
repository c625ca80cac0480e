/*
 * The sections without a plugin: [SERVICE], the settings of the process, and
 * [PARSER], the definition of a named parser.
 */
#ifndef SERVICE_H
#define SERVICE_H

#include <stdint.h>

#include "conf.h"
#include "parser.h"
#include "voice.h"

extern const struct plugin service_plugin, parser_section_plugin, multiline_section_plugin;

struct service {
	int64_t flush;  /* ns: a batch is sealed at this age */
	int64_t grace;  /* ns to drain at the end; negative: for ever */
	int log_level;  /* index of the configured word; service_voice() is the level */
	int log_format; /* 1: JSON */
	char *log_file; /* NULL: standard error */
	bool daemon;    /* without effect, as a warning says */
	struct list parsers_file;
	int unbuilt_inputs, unbuilt_outputs; /* 1: skipped */
	bool http_server;
	char *http_listen;
	int64_t http_port;     /* 0: any free one */
	char *http_web_config; /* NULL: plain HTTP for everybody */
	char *state_path;
	bool landlock, core_dump;
	char *agent_events; /* NULL: agent-events.conf where conf_find finds it */
	struct list agent_pods, agent_exclude_pods, agent_exclude_containers; /* globs */
	struct list agent_labels; /* of pods, on the series of agents */
	int agent_gauges;         /* enum agent_side */
	struct list agents, agent_ports, agent_containers, agent_selector;
	int64_t agent_poll_interval, agent_poll_timeout, agent_poll_failures;
	uint64_t agent_answer_limit; /* bytes */
	char *cgroup_path;           /* NULL: control groups are not read */
	int64_t cgroup_interval;     /* ns */
	int64_t batches;
	uint64_t batch_size;    /* bytes */
	uint64_t filter_memory; /* bytes */
	bool per_pipeline;
	int64_t max_series, max_task_capacity, max_connections;   /* 0: not stated */
	int64_t heartbeat_timeout, duration_window, task_timeout; /* ns */
	int64_t failure_memory;                                   /* ns */
	int64_t max_failures;
	struct list task_buckets, request_buckets, quantiles; /* service_buckets() reads them */
};

/**
 * service_of(conf):
 * The configuration's [SERVICE]; all defaults when it has none.  Never NULL
 * for what conf_read returned.
 */
const struct service *service_of(const struct conf *conf);

/**
 * service_is_agent(s, pod, container), service_excludes(s, pod, container):
 * True when ${container} of ${pod}, by their names, is an agent: Agent_Pods less
 * Agent_Exclude_Pods and Agent_Exclude_Containers; true when one of the latter
 * two names it.
 */
bool service_excludes(const struct service *s, const char *pod, const char *container);
bool service_is_agent(const struct service *s, const char *pod, const char *container);

/**
 * service_buckets(words, at):
 * Read the bounds of a histogram's buckets to ${at}; return their number, or -1
 * when they are none, too many, no positive numbers or not ascending.
 */
#define SERVICE_BUCKETS_MAX 20
int service_buckets(const struct list *words, double at[SERVICE_BUCKETS_MAX]);

/**
 * service_voice(s):
 * Log_Level as towline's own log has it: trace is debug, off is error.
 */
enum voice service_voice(const struct service *s);

/* The options of a [PARSER] section. */
struct parser_conf {
	char *name;
	int format; /* enum parser_format */
	char *regex;
	char *time_key, *time_format;
	char *time_offset; /* +hhmm */
	char *time_zone;
	bool time_system_timezone, time_keep;
	bool skip_empty_values, no_bare_keys;
	struct list decoders; /* Decode_Field and Decode_Field_As, in their order */
	char *types;          /* k:type k:type */
};

/**
 * parser_section_new(section, error, size):
 * Make ready the parser of a [PARSER] section.  As parser_new.
 */
struct parser *parser_section_new(const struct section *section, char *error, size_t size);

/* The options of a [MULTILINE_PARSER] section. */
struct multiline_conf {
	char *name;
	int type;
	bool negate;
	char *match_string, *parser;
	struct list rules;
	int64_t flush; /* ms; 0: not given */
};

/**
 * multiline_section_rules(section, to, error, size):
 * Append the rules of a [MULTILINE_PARSER] section to ${to} (multiline.h).  False,
 * with the reason in ${error} (${size} bytes), when they are none.
 */
bool multiline_section_rules(
    const struct section *section, struct buffer *to, char *error, size_t size);

#endif
