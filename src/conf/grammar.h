/*
 * The classic format's grammar: files of sections and entries.  Included
 * files, variables and comments are resolved here; the meaning of names and
 * values is not known here.
 */
#ifndef GRAMMAR_H
#define GRAMMAR_H

#include "conf.h"
#include "pool.h"

struct grammar;

/**
 * grammar_new(pool, main, findings), grammar_free(g):
 * A reader whose results live in ${pool}.  Relative @INCLUDEs are looked for
 * beside the file ${main}, after the current directory.
 */
struct grammar *grammar_new(struct pool *pool, const char *main, struct findings *findings);
void grammar_free(struct grammar *g);

/**
 * grammar_read(g, path, blocks):
 * Add the sections of the file ${path} to ${blocks}.  @SET holds for all that
 * ${g} reads after it.  Return 0, or -1 when the file could not be read (a
 * finding says why); bad lines are findings and are passed over.
 */
int grammar_read(struct grammar *g, const char *path, struct conf_blocks *blocks);

/**
 * grammar_missed(g):
 * True when a file could not be read, an included one perhaps: a section that
 * seems to be missing may stand there.
 */
bool grammar_missed(const struct grammar *g);

/**
 * grammar_inside(g), grammar_has(g, path):
 * The object that the main file stands in (a ConfigMap, the values of a chart), or NULL; true
 * when a file called so stands beside it there.
 */
const char *grammar_inside(const struct grammar *g);
bool grammar_has(const struct grammar *g, const char *path);

#endif
