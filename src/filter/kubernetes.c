/*
 * [FILTER] kubernetes: attaches a record's pod, and by Merge_Log the fields
 * that the agent's grammar, or a Merge_Parser, found in its text.
 *
 * Fluent Bit takes the pod from the tag and asks the API server while the
 * record waits; here it comes with the stream.
 */
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent.h"
#include "clock.h"
#include "ops.h"
#include "parser.h"
#include "pod.h"
#include "voice.h"

#define AT(member) offsetof(struct kubernetes_conf, member)

static const char from_watch[] = "the API server is watched, which needs no rights on the kubelet";
static const char account[] = "/var/run/secrets/kubernetes.io/serviceaccount";

static const struct option kubernetes_options[] = {
	OPTION("Merge_Log", OPT_BOOL, "on", AT(merge_log),
	    "read the text (JSON, or as agents write it) into log_parsed"),
	OPTION("Merge_Log_Key", OPT_STRING, "log_parsed", AT(merge_log_key),
	    "the field that Merge_Log writes; under another name than log_parsed a JSON line's members stand directly, as Fluent Bit has them"),
	OPTION("Merge_Log_Trim", OPT_BOOL, "on", AT(merge_log_trim),
	    "blanks around merged values are taken off"),
	OPTION("Merge_Parser", OPT_STRING, NULL, AT(merge_parser),
	    "a [PARSER] that Merge_Log asks first; its fields go under log_parsed.extra"),
	OPTION("Keep_Log", OPT_BOOL, "on", AT(keep_log),
	    "off: without log, when it was JSON and Merge_Log has read it"),
	OPTION("K8S-Logging.Parser", OPT_BOOL, "off", AT(parser_annotations),
	    "let pods choose a parser by annotation: fluentbit.io/parser[_stdout|_stderr][-CONTAINER], or towline.io/"),
	OPTION("K8S-Logging.Exclude", OPT_BOOL, "off", AT(exclude_annotations),
	    "let pods exclude their logs: fluentbit.io/exclude[_stdout|_stderr][-CONTAINER]: \"true\", or towline.io/"),
	OPTION("Labels", OPT_BOOL, "on", AT(labels), "the pod's labels"),
	OPTION("Annotations", OPT_BOOL, "on", AT(annotations), "the pod's annotations"),
	OPTION("Agent", OPT_STRING, NULL, AT(agent),
	    "files that are no pod's are the log of the agent NAMESPACE/POD/CONTAINER, whatever Agent_Pods names; a POD of * is the file's name without .log"),
	OPTION("Agent_Labels", OPT_LIST, NULL, AT(agent_labels),
	    "labels of that agent, KEY=VALUE: documents have them, and the app_ metrics those that Agent_Labels in [SERVICE] names"),
	OPTION("Kube_URL", OPT_STRING, "https://kubernetes.default.svc", AT(kube_url),
	    "the API server"),
	OPTION("Kube_CA_File", OPT_STRING, "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
	    AT(kube_ca_file), "its certificate authority; no other is trusted", .flags = OPT_FILE),
	OPTION("Kube_Token_File", OPT_STRING, "/var/run/secrets/kubernetes.io/serviceaccount/token",
	    AT(kube_token_file), "the token to show it", .flags = OPT_FILE),
	OPTION_IDLE("Kube_Tag_Prefix", "the pod comes from the file's path, not from the tag"),
	OPTION("tls.verify", OPT_BOOL, "on", AT(tls_verify), "verify its certificate"),
	OPTION_IDLE("Buffer_Size", "what is kept of a pod has a bound of its own, 16 KiB"),
	OPTION("Owner_References", OPT_BOOL, "off", AT(owner_references),
	    "the pod's ownerReferences; names of what made it are added in any case"),
	OPTION("Namespace_Labels", OPT_BOOL, "off", AT(namespace_labels),
	    "the namespace's labels, in kubernetes_namespace; needs get on namespaces"),
	OPTION("Namespace_Annotations", OPT_BOOL, "off", AT(namespace_annotations),
	    "the namespace's annotations; needs the same"),
	OPTION("Node_Labels", OPT_BOOL, "off", AT(node_labels),
	    "the node's labels, in kubernetes.node_labels; needs get on nodes"),
	OPTION("Keep_Label_Dots", OPT_BOOL, "off", AT(keep_dots),
	    "keep dots in the keys of labels and annotations; else they become _, as `app` beside `app.x` breaks a mapping"),
	OPTION("Kube_CA_Path", OPT_STRING, NULL, AT(kube_ca_path), "a folder of such files",
	    .flags = OPT_FILE),
	OPTION("Kube_Token_Command", OPT_STRING, NULL, AT(kube_token_command),
	    "a command that prints the token and ends with 0, within 10 s, run by /bin/sh; instead of the file"),
	OPTION("Kube_Token_TTL", OPT_TIME, "10m", AT(kube_token_ttl),
	    "the command is run again after this time, and when the server refuses the token; the file is read each minute",
	    .min = NS_PER_S, .max = 86400 * NS_PER_S),
	OPTION("Kube_Namespace_File", OPT_STRING,
	    "/var/run/secrets/kubernetes.io/serviceaccount/namespace", AT(kube_namespace_file),
	    "towline's own namespace, where POD_NAMESPACE does not say it", .flags = OPT_FILE),
	OPTION("Kube_Node_Name", OPT_STRING, NULL, AT(kube_node_name),
	    "the node whose pods are asked for; else NODE_NAME says it, else towline's own pod"),
	OPTION("Kube_Meta_Namespace_Cache_TTL", OPT_TIME, "15m", AT(namespace_ttl),
	    "namespaces and the node are read again after this time", .min = NS_PER_S,
	    .max = 86400 * NS_PER_S),
	OPTION("Pod_Wait", OPT_TIME, "5s", AT(pod_wait),
	    "a file waits as long for its pod to be known; then its lines go without labels",
	    .max = 60 * NS_PER_S),
	OPTION("API_Wait", OPT_TIME, "30s", AT(api_wait),
	    "… and as long for the first answer of the API server after the start",
	    .max = 60 * NS_PER_S),
	OPTION("Max_Pods", OPT_INT, "512", AT(max_pods),
	    "pods that are known at a time, deleted ones among them whose files are not at their end; 16 KiB each at most",
	    .min = 1, .max = 100000),
	OPTION("tls.vhost", OPT_STRING, NULL, AT(tls_vhost),
	    "the name in the server's certificate, when Kube_URL has another"),
	OPTION_IDLE("tls.debug", "Log_Level debug says more"),
	OPTION_IDLE("Use_Kubelet", from_watch),
	OPTION_IDLE("Kubelet_Host", from_watch),
	OPTION_IDLE("Kubelet_Port", from_watch),
	OPTION_IDLE("Kube_Meta_Cache_TTL", "what is known of a pod follows its changes"),
	OPTION_IDLE("Use_Tag_For_Meta", "the pod comes from the file's path"),
	OPTION_IDLE("Regex_Parser", "the pod comes from the file's path"),
	OPTION_IDLE("Cache_Use_Docker_Id", "pods are told apart by their uid"),
	OPTION_IDLE("Kube_Meta_Preload_Cache_Dir", "the state keeps what is known of pods"),
	OPTION_IDLE("Namespace_Metadata_Only", "the pod's own metadata is added as well"),
	OPTION_IDLE("Dummy_Meta", "metadata is the pod's own"),
	OPTION_IDLE("Use_Journal", "the files are the container runtime's"),
	OPTION_IDLE("DNS_Retries", "what fails is tried again by itself"),
	OPTION_IDLE("DNS_Wait_Time", "what fails is tried again by itself"),
	OPTION_IDLE("aws_use_pod_association", "the pod's labels come from the API server alone"),
	OPTION_IDLE("aws_pod_service_map_*", "the pod's labels come from the API server alone"),
	OPTION_IDLE("tls.verify_hostname", "with tls.verify the server's name is verified, too"),
	OPTION_IDLE("aws_pod_association_*", "the pod's labels come from the API server alone"),
	OPTIONS_END,
};

static void
file_check(const struct section *section, const char *option, struct findings *findings)
{
	const char *path = *(char *const *)conf_value(section, option);
	unsigned line = conf_given(section, option);

	if (line != 0 && access(path, R_OK) != 0)
		findings_add(findings, FINDING_WARNING, section->file, line,
		    "%s '%s' cannot be read%s", option, path,
		    strncmp(path, account, sizeof(account) - 1) == 0
			? "; in a pod it is there when the service account's token is mounted"
			: "");
}

/* It stands in documents and queries without being escaped, beside names of their own. */
static void
key_check(const struct section *section, struct findings *findings)
{
	static const char *const own[] = { "", "@timestamp", "time", "stream", "logtag", "log",
		"log_truncated", "log_parsed_dropped", "kubernetes", "kubernetes_namespace" };
	const char *key = ((const struct kubernetes_conf *)section->values)->merge_log_key;
	bool wrong = strpbrk(key, "\"'\\") != NULL;

	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++)
		wrong |= strcmp(key, own[i]) == 0;
	if (wrong)
		findings_add(findings, FINDING_ERROR, section->file,
		    conf_given(section, "Merge_Log_Key"),
		    "Merge_Log_Key: '%s' cannot be the name of merged fields", key);
}

static void
agent_check(const struct section *section, struct findings *findings)
{
	const struct kubernetes_conf *conf = section->values;
	unsigned line = conf_given(section, "Agent_Labels");
	struct pod *pod = conf->agent == NULL ? NULL : pod_elsewhere(conf->agent, "", NULL, 0);

	if (conf->agent != NULL && pod == NULL)
		findings_add(findings, FINDING_ERROR, section->file, conf_given(section, "Agent"),
		    "Agent: '%s' is not NAMESPACE/POD/CONTAINER", conf->agent);
	if (conf->agent == NULL && line != 0)
		findings_add(findings, FINDING_ERROR, section->file, line,
		    "Agent_Labels are of no agent: Agent NAMESPACE/POD/CONTAINER says whose");
	for (size_t i = 0; i < conf->agent_labels.n; i++) {
		const char *label = conf->agent_labels.at[i], *equals = strchr(label, '=');

		if (equals == NULL || equals == label)
			findings_add(findings, FINDING_ERROR, section->file,
			    list_line(&conf->agent_labels, i),
			    "Agent_Labels: '%s' is not KEY=VALUE", label);
	}
	pod_unref(pod);
}

static void
kubernetes_check(const struct section *section, struct findings *findings)
{
	agent_check(section, findings);
	key_check(section, findings);
	file_check(section, "Kube_CA_File", findings);
	file_check(section, "Kube_Token_File", findings);
}

const struct plugin kubernetes_filter_plugin = {
	.kind = SECTION_FILTER,
	.name = "kubernetes",
	.help = "add what is known of the pod, and what its text says",
	.options = kubernetes_options,
	.common = filter_options,
	.size = sizeof(struct kubernetes_conf),
	.check = kubernetes_check,
};

struct kubernetes {
	struct filter filter;
	const struct kubernetes_conf *conf;
	struct filter_world world; /* has the parsers that annotations name */
	struct parser *merge;      /* Merge_Parser; NULL: none */
	struct said said;
	struct agent_line merged; /* the line of the last record, as Merge_Parser read it */
};

static int
kubernetes_init(struct filter *f, const struct filter_world *world)
{
	struct kubernetes *k = (struct kubernetes *)f;
	const char *name;

	k->conf = f->section->values;
	k->world = *world;
	name = k->conf->merge_parser;
	if (name == NULL)
		return 0;
	k->merge = world->parser(world->arg, name);
	if (k->merge == NULL) {
		say_error("filter", "%s:%u: no parser '%s'", f->section->file,
		    conf_given(f->section, "Merge_Parser"), name);
		return -1;
	}
	return 0;
}

/* Merge_Parser's fields replace the grammar's of the same name; the others stay. */
static const struct agent_line *
merge(struct kubernetes *k, struct parser *parser, struct record *r,
    const struct agent_line *parsed, struct arena *arena)
{
	struct agent_line *m = &k->merged;
	int n;

	memset(m, 0, sizeof(*m));
	n = parser_run(parser, r->log, arena, m->extra, RECORD_FIELDS, NULL);
	if (n < 0)
		return parsed;
	if (parsed != NULL) {
		struct field found[RECORD_FIELDS];

		memcpy(found, m->extra, (size_t)n * sizeof(*found));
		*m = *parsed;
		memcpy(m->extra, found, (size_t)n * sizeof(*found));
		for (int i = 0; i < parsed->nextra && n < RECORD_FIELDS; i++) {
			bool named = false;

			for (int j = 0; j < n && !named; j++)
				named = slice_eq(found[j].name, parsed->extra[i].name);
			if (!named)
				m->extra[n++] = parsed->extra[i];
		}
	}
	m->nextra = n;
	if (k->conf->merge_log_trim)
		for (int i = 0; i < n; i++)
			if (m->extra[i].kind == VALUE_TEXT)
				m->extra[i].value = slice_trim(m->extra[i].value);
	return m;
}

/*
 * True when fields hold the whole text, as of JSON: other text would be lost with log,
 * and so would the rest of a long value, which is cut as it is written.
 */
static bool
read_whole(const struct agent_line *parsed)
{
	static const char *const whole[] = { "json", "ecs", "gelf" };

	for (int i = 0; i < parsed->nextra; i++)
		if (parsed->extra[i].value.len > AGENT_TERM)
			return false;
	for (size_t i = 0; parsed->encoding != NULL && i < 3; i++)
		if (strcmp(parsed->encoding, whole[i]) == 0)
			return true;
	return false;
}

/* The parser that the pod's annotation names, else Merge_Parser; NULL: none. */
static struct parser *
parser_of(struct kubernetes *k, const struct pod *pod, enum side side)
{
	struct parser *parser = NULL;
	char name[256];

	if (!k->conf->parser_annotations || pod == NULL || pod->parser[side].len == 0)
		return k->merge;
	if (pod->parser[side].len < sizeof(name)) {
		memcpy(name, pod->parser[side].at, pod->parser[side].len);
		name[pod->parser[side].len] = '\0';
		parser = k->world.parser(k->world.arg, name);
	}
	if (parser == NULL && !said_lately(&k->said))
		say_warn("filter", "pod %.*s asks for a parser '%.*s', which no [PARSER] is",
		    SLICE_ARG(pod->pod_name), SLICE_ARG(pod->parser[side]));
	return parser == NULL ? k->merge : parser;
}

static bool
kubernetes_run(struct filter *f, struct record *r, const struct agent_line *parsed,
    const struct pod *pod, struct arena *arena)
{
	struct kubernetes *k = (struct kubernetes *)f;
	struct parser *parser;

	r->pod = pod;
	if (k->conf->exclude_annotations && pod != NULL && pod->exclude[r->side])
		return false;
	if (!k->conf->merge_log)
		return true;
	parser = parser_of(k, pod, r->side);
	r->parsed = parser != NULL ? merge(k, parser, r, parsed, arena) : parsed;
	if (!k->conf->keep_log && r->parsed != NULL && read_whole(r->parsed))
		r->has_log = false;
	return true;
}

const struct filter_ops kubernetes_ops = {
	.plugin = &kubernetes_filter_plugin,
	.size = sizeof(struct kubernetes),
	.init = kubernetes_init,
	.run = kubernetes_run,
};
