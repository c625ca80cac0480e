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

/* The option that `word` (-x, -xVALUE, --name or --name=VALUE) names, and the value within `word`, if it has one. */
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

static bool
is_option(const char *word)
{
	return word[0] == '-' && word[1] != '\0';
}

/* Move the word at `i` to the end. */
static void
word_last(int argc, char **argv, int i)
{
	char *word = argv[i];

	memmove(&argv[i], &argv[i + 1], (size_t)(argc - i - 1) * sizeof(*argv));
	argv[argc - 1] = word;
}

int
cmd_options(const struct command *c, int argc, char **argv, const char *values[CMD_OPTIONS])
{
	int i = 1, end = argc; /* the operands met so far are those from `end` on */

	memset(values, 0, CMD_OPTIONS * sizeof(*values));
	while (i < end) {
		const char *word = argv[i], *glued;
		int which;

		if (!is_option(word)) {
			if (c->operands == NULL)
				return usage_error(c, "unexpected:", word);
			word_last(argc, argv, i);
			end--;
			continue;
		}
		i++;
		if (strcmp(word, "--") == 0)
			break;
		which = option_find(c, word, &glued);
		if (which < 0)
			return usage_error(c, "no such option:", word);
		if (c->options[which].argument == NULL) {
			if (glued != NULL)
				return usage_error(c, "this option takes no value:", word);
			values[which] = "";
		} else if (glued != NULL) {
			values[which] = glued;
		} else if (i < end) {
			values[which] = argv[i++];
		} else {
			return usage_error(c, "this option needs a value:", word);
		}
	}
	if (i < argc && c->operands == NULL)
		return usage_error(c, "unexpected:", argv[i]);
	return i;
}
