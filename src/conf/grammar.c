/*
 * The classic format, line by line:
 *
 *	@SET name=value			column 1
 *	@INCLUDE path			column 1; a glob is read in sorted order
 *	[SECTION]			column 1
 *	    Key  value of ${VAR}	indented by whatever blanks
 *	# a comment, and lines without text, mean nothing anywhere
 *
 * Where Fluent Bit passes over a line that it does not understand, towline
 * adds a finding and reads on, so that all mistakes are found in one go.
 */
#include "grammar_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"

struct grammar *
grammar_new(struct pool *pool, const char *main, struct findings *findings)
{
	struct grammar *g = xcalloc(1, sizeof(*g));

	g->pool = pool;
	g->main = main;
	g->findings = findings;
	g->variables = variables_new();
	return g;
}

void
grammar_free(struct grammar *g)
{
	if (g == NULL)
		return;
	variables_free(g->variables);
	free(g);
}

const char *
grammar_inside(const struct grammar *g)
{
	return g->manifest != NULL ? g->manifest->inside : NULL;
}

bool
grammar_has(const struct grammar *g, const char *path)
{
	return manifest_find(g->manifest, path, NULL) != NULL;
}

bool
grammar_missed(const struct grammar *g)
{
	return g->missed;
}

/* ---- text */

/* Split the first word off ${s}; both parts come out trimmed. */
static struct slice
word_take(struct slice *s)
{
	struct slice word = *s;

	for (word.len = 0; word.len < s->len && !slice_is_blank(s->at[word.len]);)
		word.len++;
	*s = slice_trim(slice_from(*s, word.len));
	return word;
}

static bool
word_is(struct slice word, const char *name)
{
	return word.len == strlen(name) && strncasecmp(word.at, name, word.len) == 0;
}

/* ---- lines */

static void
section_begin(struct grammar *g, struct place *p, struct slice line, struct conf_blocks *blocks)
{
	const char *close = memchr(line.at, ']', line.len);
	struct slice name = slice_trim(slice_from(line, 1)), rest = { line.at, 0 };
	char shown[FINDINGS_NAME], other[FINDINGS_NAME];

	if (close == NULL) {
		WRONG(g, p, "no ] behind '%s'", findings_name(line, shown));
	} else {
		name = slice_trim((struct slice){ line.at + 1, (size_t)(close - line.at - 1) });
		rest = slice_trim(slice_from(line, (size_t)(close - line.at) + 1));
	}
	if (rest.len > 0)
		WRONG(g, p, "'%s' behind [%s]: a section stands on a line of its own",
		    findings_name(rest, shown), findings_name(name, other));
	blocks->at = pool_grow(g->pool, blocks->at, blocks->n, sizeof(*blocks->at));
	p->block = blocks->n++;
	blocks->at[p->block] = (struct conf_block){
		.name = pool_text(g->pool, name),
		.file = p->file,
		.line = p->line,
	};
}

static void
entry_add(struct grammar *g, struct place *p, struct slice line, struct conf_blocks *blocks)
{
	struct slice rest = line, key = word_take(&rest);
	char shown[FINDINGS_NAME];

	if (p->block == NO_BLOCK) {
		if (!p->orphans)
			WRONG(g, p, "'%s' stands before any [SECTION]", findings_name(key, shown));
		p->orphans = true;
		return;
	}
	if (rest.len == 0 && key.len <= GRAMMAR_KEY_MAX)
		WRONG(g, p, "'%s' has no value", findings_name(key, shown));
	else
		grammar_entry_add(g, p, &blocks->at[p->block], key, rest);
}

static void
set_variable(struct grammar *g, struct place *p, struct slice rest, struct conf_blocks *blocks)
{
	const char *equals = memchr(rest.at, '=', rest.len);

	if (equals == NULL || equals == rest.at)
		WRONG(g, p, "@SET needs NAME=VALUE");
	else
		grammar_entry_set(g, p,
		    slice_trim((struct slice){ rest.at, (size_t)(equals - rest.at) }),
		    slice_from(rest, (size_t)(equals - rest.at) + 1), blocks);
}

static void
directive(struct grammar *g, struct place *p, struct slice line, struct conf_blocks *blocks)
{
	static const char *const names[] = { "@INCLUDE", "@SET" };
	struct slice rest = line, word = word_take(&rest);
	char name[FINDINGS_NAME];
	const char *meant;

	if (word_is(word, "@INCLUDE")) {
		grammar_file_include(g, p, "@INCLUDE", rest, blocks);
	} else if (word_is(word, "@SET")) {
		set_variable(g, p, rest, blocks);
	} else {
		meant = findings_nearest(findings_name(word, name), names, 2);
		WRONG(g, p, "no directive '%s'%s%s%s", name, meant ? "; did you mean '" : "",
		    meant ? meant : "", meant ? "'?" : "");
	}
}

static bool
is_directive(struct slice word)
{
	return word_is(word, "@INCLUDE") || word_is(word, "@SET");
}

static void
line_read(struct grammar *g, struct place *p, struct slice line, struct conf_blocks *blocks)
{
	bool indented = line.len > 0 && slice_is_blank(line.at[0]);
	struct slice text = slice_trim(line), rest = text, first = word_take(&rest);
	char shown[FINDINGS_NAME];

	if (text.len == 0 || text.at[0] == '#')
		return;
	if (memchr(text.at, '\0', text.len) != NULL) {
		WRONG(g, p, "a NUL byte; is this a text file?");
		return;
	}
	if (text.at[0] == '[') {
		if (indented)
			WRONG(g, p, "'%s' is indented; a section begins in column 1",
			    findings_name(text, shown));
		section_begin(g, p, text, blocks);
	} else if (text.at[0] == '@' && (!indented || is_directive(first))) {
		if (indented)
			WRONG(g, p, "'%s' is indented; a directive begins in column 1",
			    findings_name(first, shown));
		directive(g, p, text, blocks);
	} else if (!indented) {
		WRONG(g, p, "'%s' begins in column 1; the entries of a section are indented",
		    findings_name(first, shown));
	} else {
		entry_add(g, p, text, blocks);
	}
}

void
grammar_lines(struct grammar *g, struct place *p, struct slice text, struct conf_blocks *blocks)
{
	while (text.len > 0) {
		const char *end = memchr(text.at, '\n', text.len);
		size_t len = end ? (size_t)(end - text.at) : text.len;

		p->line++;
		line_read(g, p, (struct slice){ text.at, len }, blocks);
		text = slice_from(text, end ? len + 1 : len);
	}
}

/* A script that stands in the ConfigMap, or in the values, with the main file: its text, not its name. */
static void
script_inner(struct grammar *g, struct conf_block *b)
{
	static char code[] = "code";

	for (size_t i = 0; i < b->n; i++) {
		struct conf_entry *e = &b->entries[i];
		const struct inner *inner = strcasecmp(e->key, "script") == 0
						? manifest_find(g->manifest, e->value, NULL)
						: NULL;

		if (inner == NULL)
			continue;
		e->key = code;
		e->value = pool_text(g->pool, inner->text);
	}
}

int
grammar_read(struct grammar *g, const char *path, struct conf_blocks *blocks)
{
	struct place outside = { 0 };
	int result = grammar_file_read(g, &outside, path, 0, blocks);

	for (size_t i = 0; g->manifest != NULL && i < blocks->n; i++) {
		if (strcasecmp(blocks->at[i].name, "FILTER") == 0)
			script_inner(g, &blocks->at[i]);
	}
	return result;
}

/* ---- the grammar alone */

struct blocks_owned {
	struct conf_blocks blocks;
	struct pool *pool;
};

/* Parsers that no other file has: they stand in the ConfigMap, or in the values, with the main one. */
static void
parsers_inner(struct grammar *g, struct conf_blocks *blocks)
{
	for (size_t i = 0, n = blocks->n; i < n; i++) {
		struct conf_block *b = &blocks->at[i];

		for (size_t j = 0; strcasecmp(b->name, "SERVICE") == 0 && j < b->n;) {
			struct conf_entry e = b->entries[j];

			if (strcasecmp(e.key, "Parsers_File") != 0 || !grammar_has(g, e.value)) {
				j++;
				continue;
			}
			memmove(&b->entries[j], &b->entries[j + 1],
			    (b->n - j - 1) * sizeof(*b->entries));
			b->n--;
			grammar_read(g, e.value, blocks);
			b = &blocks->at[i];
		}
	}
}

static struct conf_blocks *
blocks_read(const char *path, bool typed, struct findings *findings)
{
	struct pool *pool = pool_new();
	struct blocks_owned *o = pool_take(pool, sizeof(*o));
	struct grammar *g = grammar_new(pool, path, findings);
	int result;

	o->pool = pool;
	o->blocks.file = pool_text(pool, slice_of(path));
	g->typed = typed;
	result = grammar_read(g, path, &o->blocks);
	if (typed && result == 0)
		parsers_inner(g, &o->blocks);
	o->blocks.early = g->nearly;
	grammar_free(g);
	if (result == 0)
		return &o->blocks;
	pool_free(pool);
	return NULL;
}

struct conf_blocks *
conf_blocks_read(const char *path, struct findings *findings)
{
	return blocks_read(path, false, findings);
}

struct conf_blocks *
conf_blocks_typed(const char *path, struct findings *findings)
{
	return blocks_read(path, true, findings);
}

void
conf_blocks_free(struct conf_blocks *blocks)
{
	/* The blocks are the first member of the struct that owns them. */
	if (blocks != NULL)
		pool_free(((struct blocks_owned *)(void *)blocks)->pool);
}
