/* towline version: the version of this program. */
#include "cmd.h"
#include "gzip.h"

static int version_run(int argc, char **argv);

const struct command cmd_version = {
	.name = "version",
	.run = version_run,
	.help = "Print the version, and the library that packs request bodies.",
};

static int
version_run(int argc, char **argv)
{
	const char *values[CMD_OPTIONS];

	if (cmd_options(&cmd_version, argc, argv, values) < 0)
		return EXIT_USAGE;
	printf("towline %s, gzip by %s\n", TOWLINE_VERSION, gzip_name());
	return EXIT_DONE;
}
