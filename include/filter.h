/*
 * Filters: one file each; they change a record's fields or drop it.  Applied
 * in the order of the configuration to records whose tag matches.
 */
#ifndef FILTER_H
#define FILTER_H

#include "conf.h"
#include "memory.h"
#include "record.h"

/* The common options, the first member of each filter's struct. */
struct filter_common {
	char *match, *match_regex;
	char *alias;
	char *log_level;
};
extern const struct option filter_options[]; /* the common rows of [FILTER] */

extern const struct plugin kubernetes_filter_plugin, parser_filter_plugin, multiline_filter_plugin,
    grep_filter_plugin, modify_filter_plugin, nest_filter_plugin, record_modifier_filter_plugin,
    lua_filter_plugin, rewrite_tag_filter_plugin;

/* [FILTER] multiline: its options, which are the inputs' (joins.h). */
struct multiline_filter_conf {
	struct filter_common common;
	struct list parsers;
	int mode;      /* 1: partial_message */
	int64_t flush; /* ms; 0: not given */
};

/* [FILTER] kubernetes: its options, which others read, too. */
struct kubernetes_conf {
	struct filter_common common;
	bool merge_log;
	char *merge_log_key; /* the key that Merge_Log puts its fields under */
	bool merge_log_trim;
	char *merge_parser;
	bool keep_log;
	bool parser_annotations, exclude_annotations;
	bool labels, annotations;
	bool owner_references, namespace_labels, namespace_annotations, node_labels, keep_dots;
	char *agent; /* NAMESPACE/POD/CONTAINER of files that are no pod's; NULL: not configured */
	struct list agent_labels; /* KEY=VALUE */
	char *kube_url, *kube_ca_file, *kube_ca_path, *tls_vhost;
	char *kube_token_file, *kube_token_command, *kube_namespace_file, *kube_node_name;
	bool tls_verify;
	int64_t kube_token_ttl, namespace_ttl, pod_wait, api_wait; /* ns */
	int64_t max_pods;
};

struct filter;
struct parser;
struct agent_line;

/* The parsers that filters find by name, and more that is around them. */
struct filter_world {
	struct parser *(*parser)(void *arg, const char *name);
	void *arg;
	const char *main;   /* the configuration's file */
	unsigned *failures; /* of the record in hand: 1 << enum parse_failure */
};

/**
 * filter_check(conf, findings), filter_limit(conf):
 * Add what is wrong with the files that filters read; the most memory that filters
 * take beside the record's, in bytes.
 */
void filter_check(const struct conf *conf, struct findings *findings);
uint64_t filter_limit(const struct conf *conf);

/**
 * filter_new(section, world):
 * Make ready the filter of a [FILTER] section; NULL after saying why.
 */
struct filter *filter_new(const struct section *section, const struct filter_world *world);
void filter_free(struct filter *f);

/**
 * filter_matches(f, tag):
 * True when records of the tag ${tag} pass through ${f}.  Called once a
 * stream, not once a record.
 */
bool filter_matches(const struct filter *f, struct slice tag);

/**
 * filter_run(f, r, parsed, arena):
 * Apply ${f}.  ${parsed} is the result of the agent's grammar (NULL: not
 * read); kubernetes attaches it by Merge_Log.  Return false when the record is
 * dropped.
 */
bool filter_run(struct filter *f, struct record *r, const struct agent_line *parsed,
    const struct pod *pod, struct arena *arena);

/**
 * filter_reshapes(f):
 * True when ${f} reads or changes r->shape, which is there as it runs.
 */
bool filter_reshapes(const struct filter *f);

/**
 * filter_kubernetes(f):
 * The options of a [FILTER] kubernetes; NULL: ${f} is of another plugin.
 */
const struct kubernetes_conf *filter_kubernetes(const struct filter *f);

/**
 * filter_name(f), filter_plugin(f):
 * The plugin's name, or its Alias; the plugin.
 */
const char *filter_name(const struct filter *f);
const struct plugin *filter_plugin(const struct filter *f);

/**
 * filter_put(r, fields, n, arena):
 * Put the fields of a parser at the root of ${r}: a field replaces another of
 * its name, that of log_key becomes the record's text.  (A name that the document has of
 * its own is seen to when it is written: src/ship/aside.h.)  False when there are
 * more than a record holds.
 */
bool filter_put(struct record *r, const struct field *fields, int n, struct arena *arena);

#endif
