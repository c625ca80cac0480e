/* Reading a record's lines once more, when it ends. */
#ifndef AGAIN_H
#define AGAIN_H

#include "file.h"
#include "rules.h"

/* What was found at the beginning of the range. */
struct again {
	enum side side;
	const struct rules *rules; /* of the lines */
	uint64_t cap;              /* of the text */
	bool any;                  /* a line was found */
	bool newline;              /* the next line begins a new one in the text */
	bool cut;                  /* a line was too long; its record knows */
	bool truncated;
	bool missing; /* not all of it is there */
	int64_t time;
	char time_text[40];
	size_t time_len;
	uint32_t hash;
};

/**
 * again_read(fr, f, from, to, a):
 * Append the text of ${a}'s side that lies in ${f} from ${from} to ${to} to
 * fr->text.  From the read buffer when it is there, else from the file.
 */
void again_read(
    struct frame *fr, const struct file *f, uint64_t from, uint64_t to, struct again *a);

/* The 32 bits of a record's id that tell two contents of one place apart. */
uint32_t line_hash(struct slice line);

#endif
