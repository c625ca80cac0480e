/* Types of a configured parser: a field's text as a JSON value. */
#ifndef PARSER_VALUE_H
#define PARSER_VALUE_H

#include "parser.h"

/**
 * parser_value_type(name):
 * The type that is called ${name}, or -1.
 */
int parser_value_type(struct slice name);

/**
 * parser_value(type, arena, f):
 * Make the text of ${f} a value of ${type}.  A text of another form, or
 * without room in ${arena}, stays text.
 */
void parser_value(enum parser_type type, struct arena *arena, struct field *f);

#endif
