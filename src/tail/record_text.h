/* Reading a record's lines once more, when it ends. */
#ifndef RECORD_TEXT_H
#define RECORD_TEXT_H

#include "model.h"

/* Findings besides the text, which is in fr->whole. */
struct record_text {
	size_t lines; /* that were found */
	bool newline; /* the next line begins a new one in the text */
	bool cut;     /* a line was too long; its record knows */
	enum side side;
	const struct rules *rules;
	int64_t time; /* the first line's … */
	char time_text[40];
	size_t time_len;
	uint32_t hash; /* … and of it */
	bool full;     /* the cap cut it */
};

/**
 * record_text_read(fr, log, side, o, out):
 * Read the lines of ${o}, a record of ${side}, from the read buffer when it has
 * them, else from the places of its spans.  False: bytes of it are gone, or have
 * changed.
 */
bool record_text_read(struct frame *fr, const struct log *log, enum side side,
    const struct open_record *o, struct record_text *out);

/* The 32 bits of a record's id that tell two contents of one place apart. */
uint32_t record_text_hash(struct slice line);

#endif
