/*
 * A [PARSER] of the configuration, made ready: bytes to fields, by a regular
 * expression, JSON, CRI, logfmt or LTSV.  The agent's own grammar is in agent.h.
 */
#ifndef PARSER_H
#define PARSER_H

#include <stdint.h>

#include "memory.h"
#include "parse.h"
#include "record.h"

enum parser_format {
	PARSER_REGEX,
	PARSER_JSON,
	PARSER_CRI,
	PARSER_LOGFMT,
	PARSER_LTSV,
	PARSER_TSKV /* LTSV with `=` */
};

/* How a field's text becomes JSON (Types of Fluent Bit). */
enum parser_type { TYPE_STRING, TYPE_INTEGER, TYPE_FLOAT, TYPE_BOOL, TYPE_HEX };

struct parser;
struct zone;

/* The settings of a [PARSER] section; strings belong to the caller. */
struct parser_rules {
	const char *name;
	enum parser_format format;
	const char *regex;       /* Ruby's syntax */
	const char *time_key;    /* NULL: none */
	const char *time_format; /* NULL: RFC 3339 */
	struct zone *zone;       /* where the text has none; NULL: UTC */
	bool time_keep;
	bool skip_empty_values;    /* of Format regex */
	bool no_bare_keys;         /* of logfmt: a key without `=` does not fit */
	const struct slice *types; /* pairs: field name, type name */
	size_t ntypes;
	const char *const *decoders; /* Decode_Field(_As) DECODER KEY ACTION, in their order */
	size_t ndecoders;
};

/**
 * parser_new(rules, error, size):
 * Compile.  Return NULL with the reason in ${error} (${size} bytes), which
 * names the mistake in the expression and its place.  Not shared between
 * threads.  The zone of ${rules} is freed with it, or at once when there is none.
 */
struct parser *parser_new(const struct parser_rules *rules, char *error, size_t size);
void parser_free(struct parser *p);
const char *parser_name(const struct parser *p);

/* The form of a runtime's lines that a parser takes apart, whatever its name. */
enum parser_form { FORM_OTHER, FORM_CRI, FORM_DOCKER };

/**
 * parser_form(p):
 * FORM_CRI: ${p} gives the side and the whole text of a line of CRI, and does not do so for
 * any other words, unless it calls the second one `stream`; FORM_DOCKER: those, and the time,
 * of a line of json-file.  Found by reading one of each.
 */
enum parser_form parser_form(struct parser *p);

/**
 * parser_run(p, text, arena, fields, max, time):
 * Read ${text} into at most ${max} ${fields} (slices of ${text}, of ${arena}
 * or of ${p}) and *${time}, which is left alone when the text has none.  A time
 * without a year is of the year that brings it nearest to *${time} as it was, and
 * stays a field when that is 0.  ${time} is NULL where the record has another time: the
 * text's is a field then.
 * A time whose text does not fit is a field; of the first one it is said.
 * Return the number of fields, or -1 when the text does not fit (a limit of
 * the regex engine included: it is then counted as unparsed).
 */
int parser_run(struct parser *p, struct slice text, struct arena *arena, struct field *fields,
    int max, int64_t *time);

#endif
