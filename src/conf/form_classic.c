/* Sections written in the classic form, which has one line for a value. */
#include <string.h>
#include <strings.h>

#include "conf.h"

static void
entries_print(const struct conf_block *b, struct findings *findings, FILE *to)
{
	char shown[FINDINGS_NAME];
	size_t width = 0;

	for (size_t i = 0; i < b->n; i++)
		width = strlen(b->entries[i].key) > width ? strlen(b->entries[i].key) : width;
	width = least(width, 24);
	for (size_t i = 0; i < b->n; i++) {
		const struct conf_entry *e = &b->entries[i];

		if (strchr(e->value, '\n') != NULL || strchr("[#@", e->key[0]) != NULL)
			findings_add(findings, FINDING_ERROR, b->file, e->line,
			    "%s: the classic form has one line for a value: put its lines into a "
			    "file that it names",
			    findings_name(slice_of(e->key), shown));
		else
			fprintf(to, "    %-*s %s\n", (int)width, e->key, e->value);
	}
}

static void
block_print(const struct conf_block *b, struct findings *findings, FILE *to)
{
	if (strcmp(b->name, "@SET") != 0) {
		fprintf(to, "\n[%s]\n", b->name);
		entries_print(b, findings, to);
	} else if (b->n > 0) {
		fprintf(to, "@SET %s=%s\n", b->entries[0].key, b->entries[0].value);
	}
}

/* A @SET stands in front of all that names its variable: so early filters stand as late as they may. */
void
conf_form_classic(const struct conf_blocks *blocks, struct findings *findings, FILE *to)
{
	size_t i = blocks->early;

	for (; i < blocks->n && strcasecmp(blocks->at[i].name, "FILTER") != 0; i++)
		block_print(&blocks->at[i], findings, to);
	for (size_t k = 0; k < blocks->early; k++)
		block_print(&blocks->at[k], findings, to);
	for (; i < blocks->n; i++)
		block_print(&blocks->at[i], findings, to);
}
