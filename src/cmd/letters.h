/*
 * A file of dead letters, line by line, as it was when it was opened.  Lines
 * are hostile: towline wrote them, but others may have changed them since.
 */
#ifndef LETTERS_H
#define LETTERS_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"

/* The longest line that is read as a letter; longer ones can only be copied. */
#define LETTER_MAX (64u << 20)

struct letters {
	int fd;
	uint64_t end;      /* the size of the file at the start, where reading ends */
	uint64_t at;       /* offset of the buffer's first byte in the file */
	struct buffer buf; /* at most LETTER_MAX */
	size_t used;       /* bytes of the buffer that were returned as lines */
	uint64_t number;   /* of lines returned */
};

/* A line, as it lies in the file. */
struct line {
	uint64_t number;   /* from 1 */
	uint64_t at, len;  /* without its newline */
	struct slice text; /* valid until the next line; NULL: longer than LETTER_MAX */
};

/**
 * letters_open(l, path), letters_close(l):
 * Open the file; -1 with errno.  letters_close also after a failure.
 */
int letters_open(struct letters *l, const char *path);
void letters_close(struct letters *l);

/**
 * letters_more(l):
 * Read on, as far as the file has grown: true when it has.  The caller has locked it,
 * if it has to be exact.
 */
bool letters_more(struct letters *l);

/**
 * letters_next(l, line):
 * The next line.  Return 1, 0 at the end, -1 with errno when it cannot be read.
 */
int letters_next(struct letters *l, struct line *line);

/**
 * letters_copy(l, at, len, to):
 * Append a line of the file, and a newline, to the file ${to}.  -1 with errno.
 */
int letters_copy(const struct letters *l, uint64_t at, uint64_t len, int to);

/* The letter in a line.  Texts are the insides of JSON strings, not unescaped. */
struct letter {
	struct slice output, index, id;
	struct slice document; /* an object whose braces are closed; a server judges its content */
};

/**
 * letters_read(line, l):
 * Read the letter in ${line}.  Return NULL, or its mistake.
 */
const char *letters_read(struct slice line, struct letter *l);

#endif
