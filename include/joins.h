/*
 * Rules of the configuration's own that join lines, given to the inputs that they hold
 * for: the [MULTILINE_PARSER]s that multiline.parser names, and the start of a record
 * that Parser_Firstline says.
 */
#ifndef JOINS_H
#define JOINS_H

#include "conf.h"

struct joins;

/**
 * joins_new(conf), joins_free(j):
 * Set `joins` of each [INPUT] tail of ${conf}.  They live as long as ${j}.  NULL,
 * after saying why: rules that check() refuses.  NULL is harmless to free.
 */
struct joins *joins_new(const struct conf *conf);
void joins_free(struct joins *j);

/**
 * joins_check(conf, findings):
 * Note a [FILTER] multiline that joins nothing, and a Parser_Firstline that is no
 * expression.
 */
void joins_check(const struct conf *conf, struct findings *findings);

#endif
