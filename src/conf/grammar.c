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
#include "grammar.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "memory.h"
#include "source.h"
#include "variables.h"
#include "voice.h"

#define FILES_MAX 256
#define DEPTH_MAX 8
#define ENTRIES_MAX 20000
#define KEY_MAX 256

struct grammar {
	struct pool *pool;
	struct findings *findings;
	const char *main;
	struct variables *variables;
	unsigned files, entries;
	bool too_much; /* a cap was met, and the finding is added */
	bool missed;   /* a file could not be read */
};

#define NO_BLOCK SIZE_MAX

#define YAML                                                                                       \
	"this is YAML, which is not read yet: write it in Fluent Bit's classic form, [SECTION] "   \
	"and indented `Key value` lines"

/* The place in one file. */
struct place {
	const char *file;
	unsigned line;
	unsigned depth;
	const struct place *from; /* the place that includes it; NULL: the main file */
	struct source_id id;
	size_t block; /* the section that entries belong to, an index into the blocks */
	bool orphans; /* the finding about entries without a section is added */
};

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

bool
grammar_missed(const struct grammar *g)
{
	return g->missed;
}

#define WRONG(g, p, ...)                                                                           \
	findings_add((g)->findings, FINDING_ERROR, (p)->file, (p)->line, __VA_ARGS__)

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

/* The value with its variables replaced, in the pool; NULL after a finding. */
static char *
value_expand(struct grammar *g, const struct place *p, struct slice raw)
{
	char why[256];
	char *text = variables_expand(g->variables, raw, why, sizeof(why));
	char *kept;

	if (text == NULL) {
		WRONG(g, p, "%s", why);
		return NULL;
	}
	kept = pool_text(g->pool, slice_trim(slice_of(text)));
	free(text);
	return kept;
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
	struct conf_block *b = p->block == NO_BLOCK ? NULL : &blocks->at[p->block];
	struct slice rest = line, key = word_take(&rest);
	struct conf_entry e = { .line = p->line };
	char shown[FINDINGS_NAME];

	if (b == NULL) {
		if (!p->orphans)
			WRONG(g, p, "'%s' stands before any [SECTION]", findings_name(key, shown));
		p->orphans = true;
		return;
	}
	if (key.len > KEY_MAX) {
		WRONG(g, p, "a key of %zu bytes; is this a configuration?", key.len);
		return;
	}
	if (rest.len == 0) {
		WRONG(g, p, "'%s' has no value", findings_name(key, shown));
		return;
	}
	if (g->entries++ >= ENTRIES_MAX) {
		if (!g->too_much)
			WRONG(g, p, "more than %d entries", ENTRIES_MAX);
		g->too_much = true;
		return;
	}
	e.key = pool_text(g->pool, key);
	e.value = value_expand(g, p, rest);
	if (e.value == NULL)
		e.value = pool_text(g->pool, (struct slice){ "", 0 });
	b->entries = pool_grow(g->pool, b->entries, b->n, sizeof(*b->entries));
	b->entries[b->n++] = e;
}

static void
set_variable(struct grammar *g, struct place *p, struct slice rest)
{
	const char *equals = memchr(rest.at, '=', rest.len);
	char shown[FINDINGS_NAME];
	struct slice name;
	char *value;

	if (equals == NULL || equals == rest.at) {
		WRONG(g, p, "@SET needs NAME=VALUE");
		return;
	}
	name = slice_trim((struct slice){ rest.at, (size_t)(equals - rest.at) });
	value = value_expand(g, p, slice_from(rest, (size_t)(equals - rest.at) + 1));
	if (value != NULL && !variables_set(g->variables, name, value))
		WRONG(g, p, "'%s' cannot be a variable's name", findings_name(name, shown));
}

/* ---- included files */

static int file_read(struct grammar *g, const struct place *from, const char *path, unsigned depth,
    struct conf_blocks *blocks);

static void
include(struct grammar *g, struct place *p, struct slice rest, struct conf_blocks *blocks)
{
	glob_t found = { 0 };
	char *pattern;

	if (rest.len == 0) {
		WRONG(g, p, "@INCLUDE needs a path");
		return;
	}
	pattern = value_expand(g, p, rest);
	if (pattern == NULL)
		return;
	if (p->depth + 1 > DEPTH_MAX) {
		if (!g->too_much)
			WRONG(g, p, "@INCLUDE '%s' is nested deeper than %d", pattern, DEPTH_MAX);
		g->too_much = true;
		return;
	}
	if (source_find(g->main, pattern, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			file_read(g, p, found.gl_pathv[i], p->depth + 1, blocks);
	} else if (strpbrk(pattern, "*?[") != NULL) {
		findings_add(g->findings, FINDING_WARNING, p->file, p->line,
		    "@INCLUDE '%s' matches no file", pattern);
	} else {
		WRONG(g, p, "@INCLUDE '%s': no such file, here or beside the main file", pattern);
		g->missed = true;
	}
	globfree(&found);
}

static void
directive(struct grammar *g, struct place *p, struct slice line, struct conf_blocks *blocks)
{
	static const char *const names[] = { "@INCLUDE", "@SET" };
	struct slice rest = line, word = word_take(&rest);
	char name[FINDINGS_NAME];
	const char *meant;

	if (word_is(word, "@INCLUDE")) {
		include(g, p, rest, blocks);
	} else if (word_is(word, "@SET")) {
		set_variable(g, p, rest);
	} else {
		meant = findings_nearest(findings_name(word, name), names, 2);
		WRONG(g, p, "no directive '%s'%s%s%s", name, meant ? "; did you mean '" : "",
		    meant ? meant : "", meant ? "'?" : "");
	}
}

static void
line_read(struct grammar *g, struct place *p, struct slice line, struct conf_blocks *blocks)
{
	bool indented = line.len > 0 && slice_is_blank(line.at[0]);
	struct slice text = slice_trim(line);
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
	} else if (text.at[0] == '@' && !indented) {
		directive(g, p, text, blocks);
	} else if (!indented) {
		WRONG(g, p, "'%s' begins in column 1; the entries of a section are indented",
		    findings_name(word_take(&text), shown));
	} else {
		entry_add(g, p, text, blocks);
	}
}

/* ---- files */

/* True when the file of ${p} includes itself, directly or through others. */
static bool
is_circle(const struct place *p)
{
	for (const struct place *q = p->from; q != NULL; q = q->from)
		if (q->file != NULL && q->id.device == p->id.device && q->id.inode == p->id.inode)
			return true;
	return false;
}

/* A line that is neither blank nor a comment; its number is counted in *${line}. */
static struct slice
line_first(struct slice text, unsigned *line)
{
	while (text.len > 0) {
		const char *end = memchr(text.at, '\n', text.len);
		size_t len = end ? (size_t)(end - text.at) : text.len;
		struct slice first = slice_trim_end((struct slice){ text.at, len });

		++*line;
		if (slice_trim(first).len > 0 && slice_trim(first).at[0] != '#')
			return first;
		text = slice_from(text, end ? len + 1 : len);
	}
	return text;
}

/*
 * True when the text is YAML, Fluent Bit's other form: a mapping or a document
 * begins in column 1, or the file's name says so and no section comes first.
 */
static bool
is_yaml(const char *path, struct slice text, unsigned *line)
{
	struct slice first = line_first(text, line), name = slice_of(path);
	size_t n = 0;

	if (first.len > 0 && (first.at[0] == '[' || first.at[0] == '@'))
		return false;
	if (slice_ends(name, SLICE(".yaml")) || slice_ends(name, SLICE(".yml")))
		return true;
	while (n < first.len && (first.at[n] == '_' || (first.at[n] >= 'a' && first.at[n] <= 'z')))
		n++;
	return (n > 0 && n < first.len && first.at[n] == ':' &&
		   (n + 1 == first.len || slice_is_blank(first.at[n + 1]))) ||
	       slice_eq(first, SLICE("---")) || slice_starts(first, SLICE("%YAML"));
}

static void
lines_read(struct grammar *g, struct place *p, struct slice text, struct conf_blocks *blocks)
{
	while (text.len > 0) {
		const char *end = memchr(text.at, '\n', text.len);
		size_t len = end ? (size_t)(end - text.at) : text.len;

		p->line++;
		line_read(g, p, (struct slice){ text.at, len }, blocks);
		text = slice_from(text, end ? len + 1 : len);
	}
}

static int
file_read(struct grammar *g, const struct place *from, const char *path, unsigned depth,
    struct conf_blocks *blocks)
{
	struct place p = {
		.file = pool_text(g->pool, slice_of(path)),
		.depth = depth,
		.from = from,
		.block = NO_BLOCK,
	};
	static const struct slice mark = { "\xef\xbb\xbf", 3 }; /* some editors write it */
	struct slice text;
	bool missed;
	char why[512];
	struct buffer b;
	int result = -1;

	if (g->files++ >= FILES_MAX) {
		if (!g->too_much)
			WRONG(g, from, "more than %d files", FILES_MAX);
		g->too_much = true;
		return -1;
	}
	missed = g->missed;
	g->missed = true; /* until it has been read */
	if (!source_read(path, &p.id, &b, why, sizeof(why))) {
		WRONG(g, from, "%s", why);
	} else if (is_circle(&p)) {
		WRONG(g, from, "%s includes itself", path);
	} else {
		text = buffer_slice(&b);
		if (slice_starts(text, mark))
			text = slice_from(text, mark.len);
		if (is_yaml(path, text, &p.line)) {
			WRONG(g, &p, YAML);
		} else {
			p.line = 0;
			g->missed = missed;
			lines_read(g, &p, text, blocks);
			result = 0;
		}
	}
	buffer_fini(&b);
	return result;
}

int
grammar_read(struct grammar *g, const char *path, struct conf_blocks *blocks)
{
	struct place outside = { 0 };

	return file_read(g, &outside, path, 0, blocks);
}

/* ---- the grammar alone */

struct blocks_owned {
	struct conf_blocks blocks;
	struct pool *pool;
};

struct conf_blocks *
conf_blocks_read(const char *path, struct findings *findings)
{
	struct pool *pool = pool_new();
	struct blocks_owned *o = pool_take(pool, sizeof(*o));
	struct grammar *g = grammar_new(pool, path, findings);
	int result;

	o->pool = pool;
	o->blocks.file = pool_text(pool, slice_of(path));
	result = grammar_read(g, path, &o->blocks);
	grammar_free(g);
	if (result == 0)
		return &o->blocks;
	pool_free(pool);
	return NULL;
}

void
conf_blocks_free(struct conf_blocks *blocks)
{
	/* The blocks are the first member of the struct that owns them. */
	if (blocks != NULL)
		pool_free(((struct blocks_owned *)(void *)blocks)->pool);
}
