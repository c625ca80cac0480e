/* The table of commands.  Without a command's name the command is run, as Fluent Bit is called. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "libraries.h"

const struct command *const cmd_table[] = {
	&cmd_run,
	&cmd_check,
	&cmd_convert,
	&cmd_parse,
	&cmd_test,
	&cmd_report,
	&cmd_status,
	&cmd_replay,
	&cmd_export_db,
	&cmd_health,
	&cmd_setup,
	&cmd_version,
	&cmd_help,
	NULL,
};

static const struct command *
command_named(const char *name)
{
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		return &cmd_version;
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return &cmd_help;
	for (size_t i = 0; cmd_table[i] != NULL; i++) {
		if (strcmp(cmd_table[i]->name, name) == 0)
			return cmd_table[i];
	}
	return NULL;
}

/*
 * No file of ours may get the number of a standard descriptor that is closed:
 * documents or messages would be written into it.
 */
static void
standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* What a command has printed must have arrived: on a full disk it has not done its work. */
static int
printed(int code)
{
	bool all = fflush(stdout) == 0 && !ferror(stdout);

	if (all || code != EXIT_DONE)
		return code;
	fputs("towline: standard output could not be written\n", stderr);
	return EXIT_WRONG;
}

int
main(int argc, char **argv)
{
	const struct command *c;

	standard_descriptors();
	libraries_begin();
	if (argc < 2)
		return cmd_run.run(argc, argv);
	c = command_named(argv[1]);
	if (c != NULL && argc == 3 && argv[2][0] == '-' && command_named(argv[2]) == &cmd_help) {
		cmd_usage(c, stdout);
		return EXIT_DONE;
	}
	if (c != NULL)
		return printed(c->run(argc - 1, argv + 1));
	if (argv[1][0] == '-')
		return cmd_run.run(argc, argv);
	fprintf(stderr, "towline: no command '%s'; `towline help` lists them\n", argv[1]);
	return EXIT_USAGE;
}
