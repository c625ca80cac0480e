/* A document of a record's tree (shape.h).  Inside src/ship/ alone. */
#ifndef SHAPED_H
#define SHAPED_H

#include "batch.h"
#include "shape.h"

/**
 * shaped_room(rules, r, parsed):
 * The most bytes that the members of r->shape take, with log_parsed if ${parsed}.
 */
size_t shaped_room(const struct document_rules *rules, const struct record *r, bool parsed);

/**
 * shaped_core_write(to, rules, r, next), shaped_rest_write(to, rules, next),
 * shaped_parsed_write(to, rules, r):
 * Write members, a comma before each: those in front that are of the core, so that *${next}
 * is the first that is not; all behind it but log_parsed; log_parsed.  Return the end.
 */
char *shaped_core_write(char *to, const struct document_rules *rules, const struct record *r,
    const struct shape_node **next);
char *shaped_rest_write(
    char *to, const struct document_rules *rules, const struct shape_node *next);
char *shaped_parsed_write(char *to, const struct document_rules *rules, const struct record *r);

#endif
