/* A text as a scalar of YAML. */
#ifndef FORM_TEXT_H
#define FORM_TEXT_H

#include <stdio.h>

#include "slice.h"

/**
 * form_text_print(text, at, to), form_text_key(text, to):
 * Write ${text} as a value and a newline, its further lines in the column ${at}; as a key.
 * False: YAML as this program reads it has no such text, and nothing is written.
 */
bool form_text_print(struct slice text, int at, FILE *to);
bool form_text_key(struct slice text, FILE *to);

#endif
