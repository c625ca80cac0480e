/* towline check: the mistakes of a configuration, and a summary of what it does. */
#include "cmd.h"

#include <string.h>

#include "agent_conf.h"
#include "differences.h"
#include "plugins.h"
#include "service.h"

static int check_run(int argc, char **argv);

enum { CONF, DIFF };

static const struct cmd_option check_options[] = {
	[CONF] = { 'c', "config", "FILE", "the configuration (" CMD_CONF_DEFAULT ")" },
	[DIFF] = { 0, "diff", NULL, "say what Fluent Bit would do otherwise with it" },
	{ 0 },
};

const struct command cmd_check = {
	.name = "check",
	.run = check_run,
	.operands = "[FILE]",
	.help = "Read and check a configuration.",
	.more =
	    "FILE may also be YAML that the configuration stands in: a ConfigMap of Kubernetes among\n"
	    "any objects, or the values of the fluent-bit chart.  -: standard input.\n"
	    "Every finding is a line FILE:LINE: what is wrong, and the nearest right name.\n"
	    "Exit code 0: right (there may be warnings and notes), 1: wrong.",
	.options = check_options,
};

/* "inputs: tail", "outputs: es, stdout": the plugins of one kind, in order. */
static void
kind_print(const struct conf *conf, enum section_kind kind, const char *before)
{
	size_t n = 0;

	for (size_t i = 0; i < conf->n; i++) {
		const struct plugin *p = conf->sections[i].plugin;

		if (p->kind == kind)
			printf("%s%s", n++ == 0 ? before : ", ", p->name);
	}
}

static int
check_run(int argc, char **argv)
{
	const char *values[CMD_OPTIONS], *path;
	struct findings *findings;
	struct conf *conf;
	size_t errors;
	int at = cmd_options(&cmd_check, argc, argv, values);

	if (at < 0)
		return EXIT_USAGE;
	path = at < argc ? argv[at] : values[CONF];
	if (argc - at > 1 || (at < argc && values[CONF] != NULL)) {
		cmd_wrong("towline check: one FILE is read");
		return EXIT_USAGE;
	}
	path = path == NULL ? CMD_CONF_DEFAULT : strcmp(path, "-") == 0 ? "/dev/stdin" : path;
	findings = findings_new();
	conf = conf_read(path, &plugins_registry, findings);
	agent_words_free(agent_conf_load(service_of(conf), path, findings));
	findings_print(findings, values[DIFF] ? FINDING_WARNING : FINDING_NOTE, stdout);
	if (values[DIFF] != NULL)
		differences_print(conf, stdout);
	errors = findings_count(findings, FINDING_ERROR);
	cmd_print(path, stdout);
	if (errors > 0) {
		printf(": %zu error%s\n", errors, errors == 1 ? "" : "s");
	} else {
		printf(": right%s%s%s", conf->inside ? " (" : "", conf->inside ? conf->inside : "",
		    conf->inside ? ")" : "");
		kind_print(conf, SECTION_INPUT, "; from ");
		kind_print(conf, SECTION_FILTER, " through ");
		kind_print(conf, SECTION_OUTPUT, " to ");
		putchar('\n');
	}
	conf_free(conf);
	findings_free(findings);
	return errors > 0 ? EXIT_WRONG : EXIT_DONE;
}
