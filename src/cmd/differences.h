/* What Fluent Bit would do otherwise with a configuration: for `towline check --diff`. */
#ifndef DIFFERENCES_H
#define DIFFERENCES_H

#include "conf.h"

/**
 * differences_print(conf, to):
 * Print the rows of difference_table that concern a section of ${conf}, as a table for a
 * terminal, each with the lines of those sections.
 */
void differences_print(const struct conf *conf, FILE *to);

#endif
