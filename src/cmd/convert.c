/* towline convert: a configuration in its other form, classic or YAML. */
#include "cmd.h"

#include <string.h>

static int convert_run(int argc, char **argv);

const struct command cmd_convert = {
	.name = "convert",
	.run = convert_run,
	.operands = "FILE",
	.help = "Print a configuration in its other form: classic as YAML, YAML as classic.",
	.more =
	    "A ConfigMap of Kubernetes and the values of the fluent-bit chart become YAML.  -: standard\n"
	    "input.  Included files are put in their places, parsers' files stay named; values are as\n"
	    "they were typed, ${VAR} too.  Comments are not carried over.\n"
	    "Exit code 1: there is a mistake, or something that the other form has not.",
};

static int
convert_run(int argc, char **argv)
{
	const char *values[CMD_OPTIONS], *path;
	int at = cmd_options(&cmd_convert, argc, argv, values);
	struct findings *findings;
	struct conf_blocks *blocks;
	size_t errors;

	if (at < 0)
		return EXIT_USAGE;
	if (argc - at != 1) {
		cmd_usage(&cmd_convert, stderr);
		return EXIT_USAGE;
	}
	path = strcmp(argv[at], "-") == 0 ? "/dev/stdin" : argv[at];
	findings = findings_new();
	blocks = conf_blocks_typed(path, findings);
	if (blocks != NULL && findings_count(findings, FINDING_ERROR) == 0) {
		puts("# By towline convert, which carries over no comments.");
		(blocks->yaml ? conf_form_classic : conf_form_yaml)(blocks, findings, stdout);
	}
	findings_print(findings, FINDING_NOTE, stderr);
	errors = findings_count(findings, FINDING_ERROR);
	conf_blocks_free(blocks);
	findings_free(findings);
	return errors > 0 ? EXIT_WRONG : EXIT_DONE;
}
