/*
 * The grammar's parts, shared: grammar.c has the classic lines, grammar_file.c files,
 * grammar_yaml.c and grammar_section.c YAML, grammar_entry.c the entries of both.
 */
#ifndef GRAMMAR_INTERNAL_H
#define GRAMMAR_INTERNAL_H

#include "grammar.h"
#include "manifest.h"
#include "source.h"
#include "variables.h"

#define GRAMMAR_KEY_MAX 256

struct grammar {
	struct pool *pool;
	struct findings *findings;
	const char *main;
	struct variables *variables;
	const struct manifest *manifest; /* the YAML file that the main one stands in; NULL: none */
	size_t nearly;           /* sections that stand before all others: processors of inputs */
	struct conf_block *late; /* those that stand behind all others: processors of an output */
	size_t nlate;
	unsigned files, entries;
	bool too_much; /* a cap was met, and the finding is added */
	bool missed;   /* a file could not be read */
	bool typed;    /* values are kept as typed, and @SET is a block */
};

#define NO_BLOCK SIZE_MAX

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

#define WRONG(g, p, ...)                                                                           \
	findings_add((g)->findings, FINDING_ERROR, (p)->file, (p)->line, __VA_ARGS__)

/**
 * grammar_lines(g, p, text, blocks):
 * Add the sections of ${text}, which is in the classic form.
 */
void grammar_lines(
    struct grammar *g, struct place *p, struct slice text, struct conf_blocks *blocks);

/**
 * grammar_entry_expand(g, p, raw):
 * Return ${raw} with its variables replaced, in the pool; NULL after a finding.
 */
char *grammar_entry_expand(struct grammar *g, const struct place *p, struct slice raw);

/**
 * grammar_entry_add(g, p, b, key, raw):
 * Add an entry at the line of ${p} to the section ${b}, unless there are too many.
 */
void grammar_entry_add(struct grammar *g, const struct place *p, struct conf_block *b,
    struct slice key, struct slice raw);

/**
 * grammar_entry_set(g, p, name, raw, blocks):
 * @SET, and env: in YAML.
 */
void grammar_entry_set(struct grammar *g, const struct place *p, struct slice name,
    struct slice raw, struct conf_blocks *blocks);

/**
 * grammar_file_read(g, from, path, depth, blocks), grammar_file_include(g, p, what, pattern, blocks):
 * Add the sections of a file, which ${from} names; of the files that ${pattern} names,
 * the value of ${what} (@INCLUDE).  Return -1 when the file could not be read.
 */
int grammar_file_read(struct grammar *g, const struct place *from, const char *path, unsigned depth,
    struct conf_blocks *blocks);
void grammar_file_include(struct grammar *g, struct place *p, const char *what, struct slice rest,
    struct conf_blocks *blocks);

/**
 * grammar_file_inner(g, from, inner, blocks):
 * Add the sections of a file that stands within the YAML file of ${from}.
 */
void grammar_file_inner(struct grammar *g, const struct place *from, const struct inner *inner,
    struct conf_blocks *blocks);

/**
 * grammar_yaml_read(g, p, text, blocks):
 * Add the sections of ${text}, which is in the YAML form.
 */
void grammar_yaml_read(
    struct grammar *g, struct place *p, struct slice text, struct conf_blocks *blocks);

#endif
