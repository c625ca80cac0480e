/* The formats of pairs: logfmt, ltsv. */
#ifndef PARSER_PAIRS_H
#define PARSER_PAIRS_H

#include "parser_take.h"

/**
 * parser_pairs_logfmt(t, text), parser_pairs_ltsv(t, text, separator):
 * Take the pairs of ${text}; return the number of fields, -1: it has none.
 *
 *	logfmt	KEY=VALUE KEY="TEXT" KEY …	blanks between them; a key alone, or
 *						without a value, is true
 *	ltsv	KEY:TEXT\tKEY:TEXT …		(tskv: =)
 */
int parser_pairs_logfmt(struct take *t, struct slice text);
int parser_pairs_ltsv(struct take *t, struct slice text, char separator);

#endif
