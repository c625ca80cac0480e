/* The record of an input with Multiline: a first line, and what the further ones add. */
#ifndef FIRSTLINE_H
#define FIRSTLINE_H

#include "parser.h"

/* Parser_Firstline, and Parser_1 and further ones in their order. */
struct firstline {
	struct parser *first, **further;
	size_t nfurther;
};

/**
 * firstline_run(f, text, arena, fields, time, whole):
 * Read the lines of ${text} into RECORD_FIELDS ${fields}: the first one by the first
 * parser, each further one by the first of the others that reads it; of two fields of one
 * name the last counts.  Lines that none reads are text of the field at the first line's
 * end; *${whole} is false when there is none.  Return the number of fields, or -1: the
 * first line does not fit.
 */
int firstline_run(const struct firstline *f, struct slice text, struct arena *arena,
    struct field *fields, int64_t *time, bool *whole);

#endif
