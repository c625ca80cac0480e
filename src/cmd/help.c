/* towline help: the options of a command or a plugin, from their tables. */
#include "cmd.h"

#include <string.h>
#include <strings.h>

#include "plugins.h"

static int help_run(int argc, char **argv);

enum { SCHEMA };

static const struct cmd_option options[] = {
	[SCHEMA] = { 0, "schema", NULL, "print the JSON schema of the YAML form, for editors" },
	{ 0 },
};

const struct command cmd_help = {
	.name = "help",
	.run = help_run,
	.operands = "[COMMAND|PLUGIN]",
	.help = "Say what a command does, or which options a plugin has.",
	.options = options,
};

#define NAMES_MAX 256

static void
overview(FILE *to)
{
	fputs("Usage: towline COMMAND [options]\n\n", to);
	for (size_t i = 0; cmd_table[i] != NULL; i++)
		fprintf(to, "  %-10s %s\n", cmd_table[i]->name, cmd_table[i]->help);
	fputs("\n`towline -c FILE` is `towline run -c FILE`.  `towline help COMMAND` says more;\n"
	      "`towline help PLUGIN` (service, tail, kubernetes, es, parser, …) lists options.\n",
	    to);
}

/* The name of a plugin; of a section without plugins, the section's own. */
static const char *
plugin_name(const struct plugin *p)
{
	if (p->name != NULL)
		return p->name;
	switch (p->kind) {
	case SECTION_SERVICE:
		return "service";
	case SECTION_MULTILINE_PARSER:
		return "multiline_parser";
	default:
		return "parser";
	}
}

/* Print all commands and plugins called ${word}; return their number. */
static size_t
word_help(const char *word)
{
	size_t n = 0;

	for (size_t i = 0; cmd_table[i] != NULL; i++) {
		if (strcasecmp(cmd_table[i]->name, word) == 0) {
			cmd_usage(cmd_table[i], stdout);
			n++;
		}
	}
	for (size_t i = 0; plugins_registry.plugins[i] != NULL; i++) {
		const struct plugin *p = plugins_registry.plugins[i];

		if (strcasecmp(plugin_name(p), word) != 0)
			continue;
		if (n++ > 0)
			putchar('\n');
		conf_help(p, stdout);
	}
	return n;
}

static int
help_run(int argc, char **argv)
{
	const char *values[CMD_OPTIONS], *names[NAMES_MAX], *meant;
	size_t n = 0;
	int at = cmd_options(&cmd_help, argc, argv, values);

	if (at < 0)
		return EXIT_USAGE;
	if (values[SCHEMA] != NULL) {
		conf_schema(&plugins_registry, stdout);
		return EXIT_DONE;
	}
	if (at == argc) {
		overview(stdout);
		return EXIT_DONE;
	}
	if (word_help(argv[at]) > 0)
		return EXIT_DONE;
	for (size_t i = 0; cmd_table[i] != NULL && n < NAMES_MAX; i++)
		names[n++] = cmd_table[i]->name;
	for (size_t i = 0; plugins_registry.plugins[i] != NULL && n < NAMES_MAX; i++)
		names[n++] = plugin_name(plugins_registry.plugins[i]);
	meant = findings_nearest(argv[at], names, n);
	fprintf(stderr, "towline help: no command or plugin '%s'%s%s%s\n", argv[at],
	    meant ? "; did you mean '" : "", meant ? meant : "", meant ? "'?" : "");
	return EXIT_USAGE;
}
