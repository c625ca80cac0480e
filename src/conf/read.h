/* The configuration as it is being read, shared by the parts of conf_read(). */
#ifndef READ_H
#define READ_H

#include "conf.h"
#include "pool.h"

/* A defined parser that cannot be used, and its place. */
struct unbuilt {
	const char *name, *file;
	unsigned line;
	bool multiline;
};

struct grammar;

struct reading {
	struct pool *pool;
	const struct registry *registry;
	struct findings *findings;
	struct conf *conf;
	struct unbuilt *unbuilt;
	size_t nunbuilt;
	bool parsers_missing; /* a Parsers_File is not there: a parser may stand in it */
	/* By kind: a section could not be read, so that a name that seems missing may be its own. */
	bool incomplete[SECTION_KINDS];
};

/**
 * check_sections(r):
 * Add findings that show between sections: names that no section defines, tags
 * that no section takes, files that two inputs read.
 */
void check_sections(struct reading *r);

/**
 * skipped_add(r, plugin, block), skipped_check(r):
 * Put aside a section of ${plugin}, which is not built; once all are read, say of each
 * whether the rest runs without it, which makes it one of the configuration's skipped.
 */
void skipped_add(struct reading *r, const struct plugin *plugin, const struct conf_block *block);
void skipped_check(struct reading *r);

/* The value of the first entry ${key} of ${block}, its line in ${*line}; NULL: it has none. */
const char *read_value(const struct conf_block *block, const char *key, unsigned *line);

/**
 * parsers_files_read(r, g, blocks):
 * Add the sections of the files that Parsers_File names, each file's once, to ${blocks}.
 */
void parsers_files_read(struct reading *r, struct grammar *g, struct conf_blocks *blocks);

/**
 * routes_check(r):
 * The part of check_sections() about tags; an output without Match takes all where it
 * and the input are the only ones.
 */
void routes_check(struct reading *r);

/**
 * overlap_check(r):
 * The part of check_sections() about files.
 */
void overlap_check(struct reading *r);

/**
 * parser_section_runtimes(section):
 * True when a [PARSER] reads a runtime's lines, which are joined.
 */
bool parser_section_runtimes(const struct section *section);

#endif
