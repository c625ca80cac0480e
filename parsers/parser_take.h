/* The inside of a configured parser, which its formats share. */
#ifndef PARSER_TAKE_H
#define PARSER_TAKE_H

#include "cri.h"
#include "parser.h"

struct typed {
	struct slice name;
	enum parser_type type;
};

struct decoding;

struct parser {
	char *name;
	enum parser_format format;
	struct pattern *pattern;
	char *time_key, *time_format;
	struct zone *zone; /* of times whose text has none; NULL: UTC */
	bool time_keep, skip_empty_values, no_bare_keys;
	struct typed *types;
	size_t ntypes;
	struct decoding *decoding; /* NULL: none */
	struct cri_memo memo;
	unsigned
	    time_tried; /* 1: a time was read, or it was said that the first one does not fit */
};

/* The place of the fields, and of the time. */
struct take {
	struct parser *parser;
	struct arena *arena;
	struct field *fields;
	int n, max;
	int64_t *time; /* NULL: that of the text is a field */
};

/**
 * parser_put(t, f), parser_take(t, f):
 * Put a field: the last of several of one name counts, in the place of the first.
 * Take one as the format gives it: by Time_Key it is the time, by Types a value.
 */
void parser_put(struct take *t, const struct field *f);
void parser_take(struct take *t, struct field f);

/**
 * parser_name_mended(arena, name):
 * The name that json_name() makes of ${name}, the inside of a JSON string; an empty
 * slice where ${arena} has no room.
 */
struct slice parser_name_mended(struct arena *arena, struct slice name);

#endif
