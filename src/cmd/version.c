/* towline version: what this binary is. */
#include "cmd.h"

static int version_run(int argc, char **argv);

const struct command cmd_version = {
	.name = "version",
	.run = version_run,
	.help = "Print the version.",
};

static int
version_run(int argc, char **argv)
{
	const char *values[CMD_OPTIONS];

	if (cmd_options(&cmd_version, argc, argv, values) < 0)
		return EXIT_USAGE;
	puts("towline " TOWLINE_VERSION);
	return EXIT_DONE;
}
