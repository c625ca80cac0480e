/*
 * Processors of an input are filters that only its records pass, before all others: each
 * becomes a [FILTER] in front, which takes that input's tags.  Those of the only output
 * become one at the end.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "grammar_section.h"
#include "memory.h"

/* In front of all others, behind those that stand there already. */
static void
block_add_early(struct yaml *y, struct conf_block b)
{
	struct conf_blocks *all = y->blocks;
	size_t at = y->g->nearly++;

	grammar_section_add(y, b);
	memmove(&all->at[at + 1], &all->at[at], (all->n - 1 - at) * sizeof(*all->at));
	all->at[at] = b;
}

/* The tags that an input's records may have, as a Match; NULL after a finding. */
static char *
input_tags(struct yaml *y, const struct yaml_node *input, const struct yaml_node *inputs,
    const struct yaml_node *at)
{
	const struct yaml_node *tag = grammar_section_find(input, "tag"), *other = inputs->first;
	bool alone = other != NULL && other->next == NULL;
	char *match, *open, *close;

	if (tag == NULL || tag->kind != YAML_DOC_SCALAR) {
		if (alone)
			return pool_text(y->g->pool, SLICE("*"));
		WRONG_AT(y, at, "processors of one input of several need a tag: of it");
		return NULL;
	}
	for (; other != NULL; other = other->next) {
		const struct yaml_node *its =
		    other != input ? grammar_section_find(other, "tag") : NULL;

		if (its != NULL && its->kind == YAML_DOC_SCALAR &&
		    strcmp(its->text, tag->text) == 0) {
			WRONG_AT(y, at,
			    "the input in line %u has this tag as well, and its records would pass "
			    "these processors: give each a tag of its own",
			    other->line);
			return NULL;
		}
	}
	match = pool_text(y->g->pool, slice_of(tag->text));
	/* Tag_Regex: <name> becomes a part of the path. */
	while ((open = strchr(match, '<')) != NULL && (close = strchr(open, '>')) != NULL) {
		*open = '*';
		memmove(open + 1, close + 1, strlen(close));
	}
	return match;
}

/* Behind all others, when they are known. */
static void
block_add_late(struct yaml *y, struct conf_block b)
{
	struct grammar *g = y->g;

	g->late = pool_grow(g->pool, g->late, g->nlate, sizeof(*g->late));
	g->late[g->nlate++] = b;
}

/* A mapping's text ${key}, or ${other} where it has none. */
static const char *
text_of(const struct yaml_node *map, const char *key, const char *other)
{
	const struct yaml_node *n = grammar_section_find(map, key);

	return n != NULL && n->kind == YAML_DOC_SCALAR ? n->text : other;
}

/* content_modifier: one action, which is a rule of [FILTER] modify.  False after a finding. */
static bool
modifier_take(struct yaml *y, const struct yaml_node *n, struct conf_block *b)
{
	static const char *const actions[][2] = { { "insert", "Add" }, { "upsert", "Set" },
		{ "delete", "Remove" }, { "rename", "Hard_rename" } };
	const char *action = text_of(n, "action", ""), *key = text_of(n, "key", "");
	const char *value = text_of(n, "value", ""), *quote = strchr(key, ' ') ? "\"" : "";
	char *rule;

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		if (strcmp(action, actions[i][0]) != 0)
			continue;
		if (strcmp(text_of(n, "context", "body"), "body") != 0)
			break;
		rule = xprintf("%s%s%s %s", quote, key, quote, value);
		grammar_entry_add(y->g, y->p, b, SLICE("Name"), SLICE("modify"));
		grammar_entry_add(y->g, y->p, b, slice_of(actions[i][1]), slice_of(rule));
		free(rule);
		return true;
	}
	WRONG_AT(y, n,
	    "of the processor content_modifier insert, upsert, delete and rename are built, in the "
	    "context body; [FILTER] modify, parser and lua do more");
	return false;
}

/* Processors that are no filters. */
static const char *
missing(const char *name)
{
	static const char *const names[] = { "sql", "labels", "metrics_selector", "sampling", "tda",
		"opentelemetry_envelope", "cumulative_to_delta", "topk" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return names[i];
	return NULL;
}

static void
processor_take(struct yaml *y, const struct yaml_node *n, const char *match, enum section_kind kind)
{
	struct conf_block b = grammar_section_new(y, SECTION_FILTER, n);
	const struct yaml_node *e = grammar_section_entries(y, n, YAML_DOC_MAP, IS_NO_MAP);
	const char *name = e != NULL ? text_of(n, "name", "") : "";

	y->p->line = n->line;
	if (missing(name) != NULL) {
		WRONG_AT(y, n, "the processor %s is not built; filters are processors here, too",
		    missing(name));
		return;
	}
	if (strcmp(name, "content_modifier") == 0 && !modifier_take(y, n, &b))
		return;
	for (; e != NULL; e = e->next) {
		if (strcasecmp(e->key, "condition") == 0)
			WRONG_AT(y, e,
			    "a processor's condition is not built; a filter grep or "
			    "rewrite_tag chooses records");
		else if (strcasecmp(e->key, "match") != 0 && strcmp(name, "content_modifier") != 0)
			grammar_section_entry(y, &b, e);
	}
	y->p->line = n->line;
	grammar_entry_add(y->g, y->p, &b, SLICE("Match"), slice_of(match));
	if (kind == SECTION_INPUT)
		block_add_early(y, b);
	else
		block_add_late(y, b);
}

static void
logs_take(struct yaml *y, const struct yaml_node *logs, const char *match, enum section_kind kind)
{
	for (const struct yaml_node *n =
		 grammar_section_entries(y, logs, YAML_DOC_LIST, IS_NO_LIST);
	     n != NULL; n = n->next)
		processor_take(y, n, match, kind);
}

void
grammar_processor_take(struct yaml *y, const struct yaml_node *n, const struct yaml_node *owner,
    const struct yaml_node *owners, enum section_kind kind)
{
	const struct yaml_node *e = grammar_section_entries(y, n, YAML_DOC_MAP, IS_NO_MAP);
	char shown[FINDINGS_NAME];
	const char *match;

	for (; e != NULL; e = e->next) {
		if (strcmp(e->key, "metrics") == 0 || strcmp(e->key, "traces") == 0 ||
		    strcmp(e->key, "profiles") == 0) {
			findings_add(y->g->findings, FINDING_NOTE, y->p->file, e->line,
			    "processors of %s have no effect here: all records are logs", e->key);
		} else if (strcmp(e->key, "logs") != 0) {
			WRONG_AT(y, e, "no processors of '%s'; of logs there are some",
			    findings_name(slice_of(e->key), shown));
		} else {
			match = kind == SECTION_OUTPUT ? text_of(owner, "match", "*")
						       : input_tags(y, owner, owners, e);
			if (match != NULL)
				logs_take(y, e, match, kind);
		}
	}
}
