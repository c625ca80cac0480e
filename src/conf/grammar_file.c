/*
 * The files of a configuration, main and included, each read once in the form that it
 * has: the classic one line by line, YAML whole.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "grammar_internal.h"
#include "memory.h"

#define FILES_MAX 256
#define DEPTH_MAX 8

/* ---- included files */

/* As source_find(); YAML's includes are looked for beside their file first. */
static int
files_find(const struct grammar *g, const struct place *p, const char *what, const char *pattern,
    glob_t *found)
{
	int result = what[0] == '@' ? GLOB_NOMATCH : source_beside(p->file, pattern, found);

	if (result != GLOB_NOMATCH)
		return result;
	globfree(found);
	return source_find(g->main, pattern, found);
}

/* Sections that were put in front have moved the one that entries of ${p} belong to. */
static void
block_follow(const struct grammar *g, struct place *p, size_t nearly)
{
	if (p->block != NO_BLOCK)
		p->block += g->nearly - nearly;
}

/* As files of the same ConfigMap; a glob may name several, in the order that they stand in. */
static void
inner_include(
    struct grammar *g, const struct place *p, const char *pattern, struct conf_blocks *blocks)
{
	const struct inner *inner = NULL;

	while ((inner = manifest_find(g->manifest, pattern, inner)) != NULL)
		grammar_file_inner(g, p, inner, blocks);
}

void
grammar_file_include(struct grammar *g, struct place *p, const char *what, struct slice rest,
    struct conf_blocks *blocks)
{
	size_t nearly = g->nearly;
	glob_t found = { 0 };
	char *pattern;
	int result;

	if (rest.len == 0) {
		WRONG(g, p, "%s needs a path", what);
		return;
	}
	pattern = grammar_entry_expand(g, p, rest);
	if (pattern == NULL)
		return;
	if (p->depth + 1 > DEPTH_MAX) {
		if (!g->too_much)
			WRONG(g, p, "%s '%s' is nested deeper than %d", what, pattern, DEPTH_MAX);
		g->too_much = true;
		return;
	}
	if (grammar_has(g, pattern)) {
		inner_include(g, p, pattern, blocks);
		block_follow(g, p, nearly);
		return;
	}
	result = files_find(g, p, what, pattern, &found);
	if (result == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			grammar_file_read(g, p, found.gl_pathv[i], p->depth + 1, blocks);
	} else if (result == GLOB_ABORTED) {
		WRONG(g, p, "%s '%s': %s", what, pattern, strerror(errno));
		g->missed = true;
	} else if (strpbrk(pattern, "*?[") != NULL) {
		findings_add(g->findings, FINDING_WARNING, p->file, p->line,
		    "%s '%s' matches no file", what, pattern);
	} else {
		WRONG(g, p, "%s '%s': no such file, here or beside the main file", what, pattern);
		g->missed = true;
	}
	globfree(&found);
	block_follow(g, p, nearly);
}

/* True when the file of ${p} includes itself, directly or through others. */
static bool
is_circle(const struct place *p)
{
	for (const struct place *q = p->from; q != NULL; q = q->from)
		if (q->file != NULL && q->id.device == p->id.device && q->id.inode == p->id.inode)
			return true;
	return false;
}

/* ---- the form of a file */

/* A line that is neither blank nor a comment. */
static struct slice
line_first(struct slice text)
{
	while (text.len > 0) {
		const char *end = memchr(text.at, '\n', text.len);
		size_t len = end ? (size_t)(end - text.at) : text.len;
		struct slice first = slice_trim_end((struct slice){ text.at, len });

		if (slice_trim(first).len > 0 && slice_trim(first).at[0] != '#')
			return first;
		text = slice_from(text, end ? len + 1 : len);
	}
	return text;
}

static bool
is_of_key(char c)
{
	return c == '_' || c == '-' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/*
 * True when the text is YAML, Fluent Bit's other form: a mapping or a document
 * begins in column 1, or the file's name says so and no section comes first.
 */
static bool
is_yaml(const char *path, struct slice text)
{
	struct slice first = line_first(text), name = slice_of(path);
	size_t n = 0;

	if (first.len > 0 && (first.at[0] == '[' || first.at[0] == '@'))
		return false;
	if (slice_ends(name, SLICE(".yaml")) || slice_ends(name, SLICE(".yml")))
		return true;
	while (n < first.len && is_of_key(first.at[n]))
		n++;
	return (n > 0 && n < first.len && first.at[n] == ':' &&
		   (n + 1 == first.len || slice_is_blank(first.at[n + 1]))) ||
	       slice_eq(first, SLICE("---")) || slice_starts(first, SLICE("%YAML")) ||
	       slice_starts(first, SLICE("{"));
}

/* ---- reading */

static void
text_read(struct grammar *g, struct place *p, const char *name, struct slice text,
    struct conf_blocks *blocks)
{
	static const struct slice mark = { "\xef\xbb\xbf", 3 }; /* some editors write it */

	if (slice_starts(text, mark))
		text = slice_from(text, mark.len);
	if (is_yaml(name, text))
		grammar_yaml_read(g, p, text, blocks);
	else
		grammar_lines(g, p, text, blocks);
}

/* Count one more file; false: there are too many. */
static bool
files_count(struct grammar *g, const struct place *from)
{
	if (g->files++ < FILES_MAX)
		return true;
	if (!g->too_much)
		WRONG(g, from, "more than %d files", FILES_MAX);
	g->too_much = true;
	return false;
}

void
grammar_file_inner(struct grammar *g, const struct place *from, const struct inner *inner,
    struct conf_blocks *blocks)
{
	struct place p = {
		.file = inner->file,
		.line = inner->line,
		.depth = from->depth + 1,
		.from = from,
		.id = { (dev_t)-1, (ino_t)(inner - g->manifest->at) + 1 },
		.block = NO_BLOCK,
	};

	if (!files_count(g, from))
		return;
	if (is_circle(&p))
		WRONG(g, from, "%s includes itself", inner->name);
	else
		text_read(g, &p, inner->name, inner->text, blocks);
}

/*
 * With one output a processor of it is a filter behind all others; with several it would
 * change what the others get.
 */
static void
late_add(struct grammar *g, struct conf_blocks *blocks)
{
	size_t outputs = 0;

	for (size_t i = 0; i < blocks->n; i++)
		outputs += strcasecmp(blocks->at[i].name, "OUTPUT") == 0;
	for (size_t i = 0; i < g->nlate; i++) {
		if (outputs > 1) {
			findings_add(g->findings, FINDING_ERROR, g->late[i].file, g->late[i].line,
			    "a processor of one output of several would change what the others get: "
			    "write it under processors: of an input, or under filters:");
			continue;
		}
		blocks->at = pool_grow(g->pool, blocks->at, blocks->n, sizeof(*blocks->at));
		blocks->at[blocks->n++] = g->late[i];
	}
	g->nlate = 0;
}

int
grammar_file_read(struct grammar *g, const struct place *from, const char *path, unsigned depth,
    struct conf_blocks *blocks)
{
	const struct inner *inner = manifest_find(g->manifest, path, NULL);
	struct place p = {
		.file = pool_text(g->pool, slice_of(path)),
		.depth = depth,
		.from = from,
		.block = NO_BLOCK,
	};
	bool missed;
	char why[512];
	struct buffer b;
	int result = -1;

	if (inner != NULL) {
		grammar_file_inner(g, from, inner, blocks);
		return 0;
	}
	if (!files_count(g, from))
		return -1;
	missed = g->missed;
	g->missed = true; /* until it has been read */
	if (!source_read(path, &p.id, &b, why, sizeof(why))) {
		WRONG(g, from, "%s", why);
	} else if (is_circle(&p)) {
		WRONG(g, from, "%s includes itself", path);
	} else {
		g->missed = missed;
		text_read(g, &p, path, buffer_slice(&b), blocks);
		result = 0;
	}
	if (depth == 0)
		late_add(g, blocks);
	buffer_fini(&b);
	return result;
}
