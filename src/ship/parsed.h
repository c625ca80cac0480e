/* The document's log_parsed.  Inside src/ship/ alone. */
#ifndef PARSED_H
#define PARSED_H

#include "agent.h"
#include "aside.h"
#include "json.h"

/* Append a literal; the length is the compiler's. */
#define PUT(to, literal) (memcpy((to), (literal), sizeof(literal) - 1), (to) + sizeof(literal) - 1)

static inline char *
put_slice(char *to, struct slice s)
{
	if (s.len > 0)
		memcpy(to, s.at, s.len);
	return to + s.len;
}

/* The most bytes that a text takes as JSON: by its length, or looked at byte by byte. */
size_t parsed_text_room(struct slice text);

static inline size_t
text_room(struct slice text, bool tight)
{
	return tight ? parsed_text_room(text) : JSON_WRITE_MAX(text.len);
}

/**
 * parsed_field_room(f, tight), parsed_field_write(to, f):
 * The most bytes that `,"name":value` takes; write it, return the end.
 */
size_t parsed_field_room(const struct field *f, bool tight);
char *parsed_field_write(char *to, const struct field *f);

/**
 * parsed_room(a, tight), parsed_write(to, a, aside):
 * The most bytes that the object takes, without the fields that are set aside (they
 * take what parsed_field_room() says, and one more); write it, return the end: ${to}
 * when there is nothing to write.  ${a} may be NULL.
 */
size_t parsed_room(const struct agent_line *a, bool tight);
char *parsed_write(char *to, const struct agent_line *a, const struct aside *aside);

/* True when parsed_write() has something to write, fields that are set aside left out. */
bool parsed_any(const struct agent_line *a);
bool parsed_merged_any(const struct record *r);

/**
 * parsed_merged_room(r, tight), parsed_merged_write(to, r, aside):
 * The same for the object under a Merge_Log_Key of the configuration: the members of
 * a JSON line, and beside them the grammar's that the line has not, without extra.
 * The record has been read by the grammar.
 */
size_t parsed_merged_room(const struct record *r, bool tight);
char *parsed_merged_write(char *to, const struct record *r, const struct aside *aside);

#endif
