/*
 * The values of the fluent-bit chart: config.service, inputs, filters and outputs are the
 * main file, one after the other; customParsers and extraFiles stand beside it.  A file
 * of values that lacks one of the four has the chart's own.
 */
#include "chart.h"

#include "memory.h"

/* The main file of the chart, and its parts where the values have none (chart 0.55). */
#define MAIN "fluent-bit.conf"

static const struct piece {
	const char *name, *text;
} pieces[] = {
	{ "service", "[SERVICE]\n    Flush 1\n    Log_Level info\n"
		     "    Parsers_File /fluent-bit/etc/parsers.conf\n"
		     "    Parsers_File /fluent-bit/etc/conf/custom_parsers.conf\n"
		     "    HTTP_Server On\n    HTTP_Listen 0.0.0.0\n    HTTP_Port 2020\n"
		     "    Health_Check On\n" },
	{ "inputs", "[INPUT]\n    Name tail\n    Path /var/log/containers/*.log\n"
		    "    multiline.parser docker, cri\n    Tag kube.*\n"
		    "    Mem_Buf_Limit 5MB\n    Skip_Long_Lines On\n"
		    "[INPUT]\n    Name systemd\n    Tag host.*\n"
		    "    Systemd_Filter _SYSTEMD_UNIT=kubelet.service\n    Read_From_Tail On\n" },
	{ "filters", "[FILTER]\n    Name kubernetes\n    Match kube.*\n    Merge_Log On\n"
		     "    Keep_Log Off\n    K8S-Logging.Parser On\n"
		     "    K8S-Logging.Exclude On\n" },
	{ "outputs", "[OUTPUT]\n    Name es\n    Match kube.*\n    Host elasticsearch-master\n"
		     "    Logstash_Format On\n    Retry_Limit False\n"
		     "[OUTPUT]\n    Name es\n    Match host.*\n    Host elasticsearch-master\n"
		     "    Logstash_Format On\n    Logstash_Prefix node\n"
		     "    Retry_Limit False\n" },
};

#define PIECES (sizeof(pieces) / sizeof(pieces[0]))
#define PARSERS "custom_parsers.conf"

static const char own_parsers[] = "[PARSER]\n    Name docker_no_time\n    Format json\n"
				  "    Time_Keep Off\n    Time_Key time\n"
				  "    Time_Format %Y-%m-%dT%H:%M:%S.%L\n";

static bool
is_config(const struct yaml_node *config)
{
	static const char *const others[] = { "customParsers", "extraFiles" };
	bool is = false;

	for (size_t i = 0; i < PIECES; i++)
		is |= yaml_doc_find(config, pieces[i].name) != NULL;
	for (size_t i = 0; i < 2; i++)
		is |= yaml_doc_find(config, others[i]) != NULL;
	return is;
}

static struct inner *
file_add(
    struct manifest *m, const struct yaml_node *values, const char *name, const struct yaml_node *n)
{
	struct inner *inner = manifest_add(m, name, n);

	inner->text = slice_of(chart_template(m, values, n));
	return inner;
}

static void
files_add(struct manifest *m, const struct yaml_node *values, const struct yaml_node *map)
{
	for (const struct yaml_node *n = map != NULL ? map->first : NULL;
	     n != NULL && map->kind == YAML_DOC_MAP; n = n->next)
		if (n->kind == YAML_DOC_SCALAR)
			file_add(m, values, n->key, n);
}

static void
main_add(struct manifest *m, const struct yaml_node *values, const struct yaml_node *config)
{
	for (size_t i = 0; i < PIECES; i++) {
		const struct yaml_node *n = yaml_doc_find(config, pieces[i].name);
		struct yaml_node own = { .text = pieces[i].text };

		if (n == NULL) {
			findings_add(m->findings, FINDING_NOTE, m->file, config->line,
			    "config has no %s: the fluent-bit chart's own are taken",
			    pieces[i].name);
			manifest_add(m, MAIN, &own)->file = "the fluent-bit chart";
		} else if (n->kind == YAML_DOC_SCALAR) {
			file_add(m, values, MAIN, n);
		} else {
			findings_add(m->findings, FINDING_ERROR, m->file, n->line,
			    "config.%s is no text: write it behind |", pieces[i].name);
		}
	}
	m->main = m->n;
}

/* The name behind --config= in the container's arguments; NULL: the chart's own. */
static const char *
main_name(const struct yaml_node *values)
{
	const struct yaml_node *args = yaml_doc_find(values, "args"), *n;
	const char *slash;

	for (n = args != NULL ? args->first : NULL; n != NULL; n = n->next) {
		if (n->kind != YAML_DOC_SCALAR || strncmp(n->text, "--config=", 9) != 0)
			continue;
		slash = strrchr(n->text, '/');
		return slash != NULL ? slash + 1 : n->text + 9;
	}
	return NULL;
}

static void
config_take(struct manifest *m, const struct yaml_node *values, const struct yaml_node *config)
{
	const struct yaml_node *extra = yaml_doc_find(config, "extraFiles");
	const struct yaml_node *parsers = yaml_doc_find(config, "customParsers");
	const struct yaml_node own = { .text = own_parsers };
	const char *name = main_name(values);
	const struct yaml_node *other = name != NULL ? yaml_doc_find(extra, name) : NULL;

	const struct yaml_node *options = yaml_doc_find(config, "options");

	m->inside = "values of the fluent-bit chart";
	if (options != NULL && options->first != NULL)
		findings_add(m->findings, FINDING_WARNING, m->file, options->line,
		    "config.options is not read here: check what `helm template` prints");
	if (other != NULL && other->kind == YAML_DOC_SCALAR) {
		file_add(m, values, name, other);
		m->main = m->n;
	} else {
		main_add(m, values, config);
	}
	if (parsers != NULL && parsers->kind == YAML_DOC_SCALAR)
		file_add(m, values, PARSERS, parsers);
	else
		manifest_add(m, PARSERS, &own)->file = "the fluent-bit chart";
	files_add(m, values, extra);
	files_add(m, values, yaml_doc_find(values, "luaScripts"));
	manifest_env(m, yaml_doc_find(values, "env"));
	manifest_env(m, yaml_doc_find(values, "extraEnv"));
}

void
chart_take(struct manifest *m, const struct yaml_node *values)
{
	const struct yaml_node *config = yaml_doc_find(values, "config");

	if (is_config(config)) {
		config_take(m, values, config);
		return;
	}
	for (const struct yaml_node *n = values->kind == YAML_DOC_MAP ? values->first : NULL;
	     n != NULL && m->inside == NULL; n = n->next) {
		config = yaml_doc_find(n, "config");
		if (is_config(config))
			config_take(m, n, config);
	}
}
