/*
 * Texts made from the option tables: help for a terminal, and
 * docs/configuration.md.
 */
#include <ctype.h>
#include <string.h>

#include "memory.h"
#include "table.h"
#include "value.h"

/* The text for an option's default. */
static const char *
default_of(const struct option *o)
{
	if (o->flags & OPT_NEEDED)
		return "needed";
	return o->value ? o->value : "";
}

static void
choices_print(const struct option *o, const char *before, FILE *to)
{
	for (size_t i = 0; o->choices != NULL && o->choices[i] != NULL; i++)
		fprintf(to, "%s%s", i ? ", " : before, o->choices[i]);
}

void
conf_help(const struct plugin *plugin, FILE *to)
{
	char title[TABLE_TITLE];
	const struct option *o;

	fprintf(to, "%s: %s\n\n", table_title(plugin, title), plugin->help);
	if (plugin->later) {
		fputs("It is known, and not built yet.\n", to);
		return;
	}
	for (size_t i = 0; (o = table_row(plugin, i)) != NULL; i++) {
		if (o->flags & (OPT_LATER | OPT_IDLE))
			continue;
		fprintf(to, "  %-24s %-14s %s", o->name, value_type(o), o->help);
		choices_print(o, ": ", to);
		if (o->flags & OPT_NEEDED)
			fputs(" (needed)", to);
		else if (o->value != NULL)
			fprintf(to, " (%s)", o->value);
		fputc('\n', to);
	}
}

/* ---- docs/configuration.md */

/* A cell: a table's own bar is escaped; Markdown's < would be HTML. */
static void
cell_print(const char *text, FILE *to)
{
	for (; *text != '\0'; text++) {
		if (*text == '|')
			fputc('\\', to);
		if (*text == '<')
			fputs("&lt;", to);
		else
			fputc(*text, to);
	}
}

static void
rows_print(const struct option *o, FILE *to)
{
	for (; o != NULL && o->name != NULL; o++) {
		if (o->flags & (OPT_LATER | OPT_IDLE))
			continue;
		fprintf(to, "| `%s` | %s | ", o->name, value_type(o));
		if (o->value != NULL)
			fprintf(to, "`%s`", o->value);
		else
			fputs(default_of(o), to);
		fputs(" | ", to);
		cell_print(o->help, to);
		choices_print(o, ": ", to);
		fputs(" |\n", to);
	}
}

static void
rest_print(const struct plugin *p, unsigned flag, const char *before, FILE *to)
{
	const struct option *o;
	bool any = false;

	for (size_t i = 0; (o = table_row(p, i)) != NULL; i++) {
		if ((o->flags & flag) == 0)
			continue;
		fprintf(to, "%s`%s`", any ? ", " : before, o->name);
		if (flag == OPT_IDLE) {
			fputs(" (", to);
			cell_print(o->help, to);
			fputc(')', to);
		}
		any = true;
	}
	if (any)
		fputs(".\n", to);
}

static void
plugin_print(const struct plugin *p, FILE *to)
{
	char title[TABLE_TITLE];

	fprintf(to, "\n## %s\n\n", table_title(p, title));
	fputc(toupper((unsigned char)p->help[0]), to);
	cell_print(p->help + 1, to);
	if (p->also != NULL)
		fprintf(to, "; `%s` is another name of it", p->also);
	fputs(".\n\n| option | value | default | |\n|---|---|---|---|\n", to);
	rows_print(p->options, to);
	rows_print(p->common, to);
	rest_print(p, OPT_IDLE, "\nAccepted, without effect: ", to);
	rest_print(p, OPT_LATER, "\nKnown, not built yet: ", to);
}

void
conf_reference(const struct registry *registry, FILE *to)
{
	fputs(
	    "# Configuration\n\n"
	    "Made from the option tables by `make docs`. The format and how to come from Fluent\n"
	    "Bit: [fluent-bit.md](fluent-bit.md). `towline check -c FILE` says what is wrong with\n"
	    "a file, `towline help PLUGIN` prints one of these tables.\n\n"
	    "Values: *on/off* also takes true, false, yes, no. A *size* is bytes, or has K, M or\n"
	    "G behind it (powers of 1000). A *time* is seconds, with a fraction if need be, or has\n"
	    "ms, s, m, h or d behind it. A *list* has commas, or its key is repeated.\n",
	    to);
	for (int kind = 0; kind < SECTION_KINDS; kind++)
		for (size_t i = 0; registry->plugins[i] != NULL; i++)
			if ((int)registry->plugins[i]->kind == kind && !registry->plugins[i]->later)
				plugin_print(registry->plugins[i], to);
	fputs("\n## Plugins of Fluent Bit, not built yet\n\n"
	      "Those that only measure, add or show are *skipped* with a warning. Without another\n"
	      "log records would be lost or changed: an *error*, unless `[SERVICE]` has\n"
	      "`Unbuilt_Outputs skip` or `Unbuilt_Inputs skip`.\n\n"
	      "| plugin | it is | instead |\n|---|---|---|\n",
	    to);
	for (size_t i = 0; registry->plugins[i] != NULL; i++) {
		const struct plugin *p = registry->plugins[i];
		char title[TABLE_TITLE];

		if (!p->later)
			continue;
		fprintf(to, "| `%s` | %s | ", table_title(p, title),
		    p->spared ? "skipped" : "an error");
		cell_print(p->instead != NULL ? p->instead : "", to);
		fputs(" |\n", to);
	}
}
