/* Entries and variables, as any form of the configuration has them. */
#include <stdlib.h>

#include "grammar_internal.h"
#include "memory.h"

#define ENTRIES_MAX 20000

char *
grammar_entry_expand(struct grammar *g, const struct place *p, struct slice raw)
{
	char why[256];
	char *text = variables_expand(g->variables, raw, why, sizeof(why));
	char *kept;

	if (text == NULL) {
		WRONG(g, p, "%s", why);
		findings_settle(g->findings, p->file, p->line);
		return NULL;
	}
	kept = pool_text(g->pool, slice_trim(slice_of(text)));
	free(text);
	return kept;
}

void
grammar_entry_add(struct grammar *g, const struct place *p, struct conf_block *b, struct slice key,
    struct slice raw)
{
	struct conf_entry e = { .line = p->line };

	if (key.len > GRAMMAR_KEY_MAX) {
		WRONG(g, p, "a key of %zu bytes; is this a configuration?", key.len);
		return;
	}
	if (g->entries++ >= ENTRIES_MAX) {
		if (!g->too_much)
			WRONG(g, p, "more than %d entries", ENTRIES_MAX);
		g->too_much = true;
		return;
	}
	e.key = pool_text(g->pool, key);
	e.value = g->typed ? pool_text(g->pool, slice_trim(raw)) : grammar_entry_expand(g, p, raw);
	if (e.value == NULL)
		e.value = pool_text(g->pool, (struct slice){ "", 0 });
	b->entries = pool_grow(g->pool, b->entries, b->n, sizeof(*b->entries));
	b->entries[b->n++] = e;
}

/* A variable of a file that is kept as it was typed may be one that is not set here. */
static char *
variable_value(struct grammar *g, const struct place *p, struct slice raw)
{
	char why[256], *text, *kept;

	if (!g->typed)
		return grammar_entry_expand(g, p, raw);
	text = variables_expand(g->variables, raw, why, sizeof(why));
	kept = pool_text(g->pool, text == NULL ? raw : slice_trim(slice_of(text)));
	free(text);
	return kept;
}

void
grammar_entry_set(struct grammar *g, const struct place *p, struct slice name, struct slice raw,
    struct conf_blocks *blocks)
{
	char *value = variable_value(g, p, raw);
	char shown[FINDINGS_NAME];

	if (value != NULL && !variables_set(g->variables, name, value))
		WRONG(g, p, "'%s' cannot be a variable's name", findings_name(name, shown));
	if (!g->typed || value == NULL)
		return;
	blocks->at = pool_grow(g->pool, blocks->at, blocks->n, sizeof(*blocks->at));
	blocks->at[blocks->n] = (struct conf_block){
		.name = pool_text(g->pool, SLICE("@SET")),
		.file = p->file,
		.line = p->line,
	};
	grammar_entry_add(g, p, &blocks->at[blocks->n++], name, raw);
}
