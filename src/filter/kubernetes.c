/*
 * [FILTER] kubernetes: attaches the pod that a record's path tells of, and by
 * Merge_Log what the agent's grammar, or a Merge_Parser, found in its text.
 *
 * Fluent Bit takes the pod from the tag and asks the API server while the
 * record waits; here it comes with the stream.
 */
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent.h"
#include "ops.h"
#include "parser.h"
#include "voice.h"

#define AT(member) offsetof(struct kubernetes_conf, member)

static const char from_watch[] = "a pod's metadata does not come from the kubelet";
static const char account[] = "/var/run/secrets/kubernetes.io/serviceaccount";

static const struct option kubernetes_options[] = {
	OPTION("Merge_Log", OPT_BOOL, "on", AT(merge_log),
	    "read the text (JSON, or as agents write it) into log_parsed"),
	OPTION("Merge_Log_Key", OPT_STRING, "log_parsed", AT(merge_log_key),
	    "the field that Merge_Log writes"),
	OPTION("Merge_Log_Trim", OPT_BOOL, "on", AT(merge_log_trim),
	    "blanks around merged values are taken off"),
	OPTION("Merge_Parser", OPT_STRING, NULL, AT(merge_parser),
	    "a [PARSER] that Merge_Log asks first; its fields go under log_parsed.extra"),
	OPTION("Keep_Log", OPT_BOOL, "on", AT(keep_log),
	    "off: without log, when it was JSON and Merge_Log has read it"),
	OPTION("K8S-Logging.Parser", OPT_BOOL, "off", AT(parser_annotations),
	    "let pods choose a parser by annotation"),
	OPTION("K8S-Logging.Exclude", OPT_BOOL, "off", AT(exclude_annotations),
	    "let pods exclude their logs by annotation"),
	OPTION("Labels", OPT_BOOL, "on", AT(labels), "the pod's labels"),
	OPTION("Annotations", OPT_BOOL, "on", AT(annotations), "the pod's annotations"),
	OPTION("Kube_URL", OPT_STRING, "https://kubernetes.default.svc", AT(kube_url),
	    "the API server"),
	OPTION("Kube_CA_File", OPT_STRING, "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
	    AT(kube_ca_file), "its certificate authority"),
	OPTION("Kube_Token_File", OPT_STRING, "/var/run/secrets/kubernetes.io/serviceaccount/token",
	    AT(kube_token_file), "the token to show it"),
	OPTION("Kube_Tag_Prefix", OPT_STRING, "kube.var.log.containers.", AT(kube_tag_prefix),
	    "accepted; the pod comes from the file's path, not from the tag"),
	OPTION("tls.verify", OPT_BOOL, "on", AT(tls_verify), "verify its certificate"),
	OPTION("Buffer_Size", OPT_SIZE, "32K", AT(buffer_size),
	    "accepted; what is known of a pod has a bound of its own"),
	OPTION_IDLE("Use_Kubelet", from_watch),
	OPTION_IDLE("Kubelet_Host", from_watch),
	OPTION_IDLE("Kubelet_Port", from_watch),
	OPTION_IDLE("Kube_Meta_Cache_TTL", "what is known of a pod follows its changes"),
	OPTION_IDLE("Kube_Token_TTL", "the token's file is read again as it changes"),
	OPTION_IDLE("Use_Tag_For_Meta", "the pod comes from the file's path"),
	OPTION_IDLE("Regex_Parser", "the pod comes from the file's path"),
	OPTION_IDLE("Cache_Use_Docker_Id", "pods are told apart by their uid"),
	OPTION_LATER("Kube_Token_Command", "a command that prints the token"),
	OPTION_LATER("Namespace_Labels", "labels of the pod's namespace"),
	OPTION_LATER("Namespace_Annotations", "annotations of the pod's namespace"),
	OPTION_LATER("Owner_References", "the pod's owners"),
	OPTION_LATER("Kube_Meta_Preload_Cache_Dir", "metadata from files"),
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

static void
kubernetes_check(const struct section *section, struct findings *findings)
{
	file_check(section, "Kube_CA_File", findings);
	file_check(section, "Kube_Token_File", findings);
	findings_add(findings, FINDING_NOTE, section->file, section->line,
	    "[FILTER] kubernetes adds what the file's path tells of a pod; the API server is not "
	    "asked yet, so there are no labels and annotations");
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
	struct parser *merge;     /* Merge_Parser; NULL: none */
	struct agent_line merged; /* the last record's, when it was asked */
};

static int
kubernetes_init(struct filter *f, const struct filter_world *world)
{
	struct kubernetes *k = (struct kubernetes *)f;
	const char *name;

	k->conf = f->section->values;
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

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct slice
trimmed(struct slice s)
{
	while (s.len > 0 && is_blank(s.at[0]))
		s = slice_from(s, 1);
	while (s.len > 0 && is_blank(s.at[s.len - 1]))
		s.len--;
	return s;
}

/* Merge_Parser's fields in the place of the grammar's other ones; those it does not name stay. */
static const struct agent_line *
merge(struct kubernetes *k, struct record *r, const struct agent_line *parsed, struct arena *arena)
{
	struct agent_line *m = &k->merged;
	int64_t time = r->time;
	int n;

	memset(m, 0, sizeof(*m));
	n = parser_run(k->merge, r->log, arena, m->extra, RECORD_FIELDS, &time);
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
				m->extra[i].value = trimmed(m->extra[i].value);
	return m;
}

/* Only JSON gives all of itself up to fields: other text would be lost with log. */
static bool
read_whole(const struct agent_line *parsed)
{
	static const char *const whole[] = { "json", "ecs", "gelf" };

	for (size_t i = 0; parsed->encoding != NULL && i < 3; i++)
		if (strcmp(parsed->encoding, whole[i]) == 0)
			return true;
	return false;
}

static bool
kubernetes_run(struct filter *f, struct record *r, const struct agent_line *parsed,
    const struct pod *pod, struct arena *arena)
{
	struct kubernetes *k = (struct kubernetes *)f;

	r->pod = pod;
	if (!k->conf->merge_log)
		return true;
	r->parsed = k->merge ? merge(k, r, parsed, arena) : parsed;
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
