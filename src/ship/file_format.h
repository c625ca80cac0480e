/* A document as a line of the file output.  Inside src/ship/ alone. */
#ifndef FILE_FORMAT_H
#define FILE_FORMAT_H

#include <stdint.h>

#include "memory.h"

enum file_form { FILE_OUT, FILE_PLAIN, FILE_CSV, FILE_LTSV, FILE_TEMPLATE };

struct file_format {
	enum file_form form;
	char delimiter[8], label_delimiter[8];
	const char *template;
};

/* What a line is made of. */
struct file_line {
	struct slice document; /* JSON, an object */
	struct slice tag;
	int64_t time; /* ns */
};

/**
 * file_format_delimiter(text, to):
 * Write the delimiter that is called ${text} (tab, space, comma, \t, or itself) to ${to}; false:
 * it is too long, or empty.
 */
bool file_format_delimiter(const char *text, char to[8]);

/**
 * file_format_write(f, line, to):
 * Append the line, with its newline, to ${to}.
 */
void file_format_write(
    const struct file_format *f, const struct file_line *line, struct buffer *to);

/**
 * file_format_name(tag, to):
 * The name of the file for the records of ${tag}, ended by a NUL: no bytes that lead to
 * another directory or that a terminal obeys, no dot at its beginning, at most
 * FILE_NAME - 1 bytes.
 */
#define FILE_NAME 201
void file_format_name(struct slice tag, char to[FILE_NAME]);

#endif
