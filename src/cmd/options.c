/* Reading a command's options by its table, and printing them. */
#include "cmd.h"

#include <stdbool.h>
#include <string.h>

void
cmd_usage(const struct command *c, FILE *to)
{
	fprintf(to, "Usage: towline %s", c->name);
	if (c->options != NULL && c->options->name != NULL)
		fputs(" [options]", to);
	if (c->operands != NULL)
		fprintf(to, " %s", c->operands);
	fprintf(to, "\n\n%s\n", c->help);
	for (const struct cmd_option *o = c->options; o != NULL && o->name != NULL; o++) {
		char left[64];

		if (o == c->options)
			fputc('\n', to);
		snprintf(left, sizeof(left), "--%s%s%s", o->name, o->argument ? " " : "",
		    o->argument ? o->argument : "");
		fprintf(to, "  %c%c%c %-24s %s\n", o->letter ? '-' : ' ',
		    o->letter ? o->letter : ' ', o->letter ? ',' : ' ', left, o->help);
	}
	if (c->more != NULL)
		fprintf(to, "\n%s\n", c->more);
}

/* Which option `word` (-x, -xVALUE, --name or --name=VALUE) is; its value when it has one glued on. */
static int
option_find(const struct command *c, const char *word, const char **glued)
{
	*glued = NULL;
	for (int i = 0; c->options != NULL && c->options[i].name != NULL; i++) {
		const struct cmd_option *o = &c->options[i];
		size_t len = strlen(o->name);

		if (word[1] != '-') {
			if (o->letter == 0 || word[1] != o->letter)
				continue;
			*glued = word[2] != '\0' ? word + 2 : NULL;
			return i;
		}
		if (strncmp(word + 2, o->name, len) != 0)
			continue;
		if (word[2 + len] == '=')
			*glued = word + 2 + len + 1;
		else if (word[2 + len] != '\0')
			continue;
		return i;
	}
	return -1;
}

static int
usage_error(const struct command *c, const char *what, const char *word)
{
	fprintf(stderr, "towline %s: %s '%s'\n\n", c->name, what, word);
	cmd_usage(c, stderr);
	return -1;
}

int
cmd_options(const struct command *c, int argc, char **argv, const char *values[CMD_OPTIONS])
{
	int i;

	memset(values, 0, CMD_OPTIONS * sizeof(*values));
	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1] != '\0'; i++) {
		const char *word = argv[i], *glued;
		int which;

		if (strcmp(word, "--") == 0) {
			i++;
			break;
		}
		which = option_find(c, word, &glued);
		if (which < 0)
			return usage_error(c, "no such option:", word);
		if (c->options[which].argument == NULL) {
			if (glued != NULL)
				return usage_error(c, "this option takes no value:", word);
			values[which] = "";
		} else if (glued != NULL) {
			values[which] = glued;
		} else if (i + 1 < argc) {
			values[which] = argv[++i];
		} else {
			return usage_error(c, "this option needs a value:", word);
		}
	}
	if (i < argc && c->operands == NULL)
		return usage_error(c, "unexpected:", argv[i]);
	return i;
}
