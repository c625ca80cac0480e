/* What conf_read's parts share: the configuration as it is being read. */
#ifndef READ_H
#define READ_H

#include "conf.h"
#include "pool.h"

/* A parser that is there but cannot be used, and where. */
struct unbuilt {
	const char *name, *file;
	unsigned line;
	bool multiline;
};

struct reading {
	struct pool *pool;
	const struct registry *registry;
	struct findings *findings;
	struct conf *conf;
	struct unbuilt *unbuilt;
	size_t nunbuilt;
	/* By kind: a section could not be taken, so that what seems missing may be there. */
	bool incomplete[SECTION_KINDS];
};

/**
 * check_sections(r):
 * What only shows between sections: names that must be defined, tags that
 * nobody takes, files that two inputs read.  Adds findings.
 */
void check_sections(struct reading *r);

/**
 * overlap_check(r):
 * check_sections' part about files.
 */
void overlap_check(struct reading *r);

/**
 * parser_section_unbuilt(section):
 * The format of a [PARSER] when it is known but not built; else NULL.
 */
const char *parser_section_unbuilt(const struct section *section);

#endif
