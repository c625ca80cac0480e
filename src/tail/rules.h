/* By which rules a file's bytes are cut into records; they are stored with its stream. */
#ifndef RULES_H
#define RULES_H

#include "file.h"
#include "form.h"

/* Which bytes are one record: raised whenever this code would cut the same bytes otherwise. */
#define FRAMING 1

/*
 * What a line may have beyond the cap and be taken whole (its head, the escapes
 * of its form); a longer one is cut at the cap.  The read buffer has room for
 * more: it sees that a line is longer whatever else is configured, and where
 * it ends with the last part of it.
 */
#define LINE_MORE (128u << 10)
#define LINE_LAST (64u << 10)
#define LINE_ROOM (256u << 10)

struct rules {
	struct rules *next;
	uint64_t name; /* in the state */
	bool understood;
	enum line_form form;
	int64_t flush; /* ns */
	uint64_t cap;  /* of a line's and of a record's text */
};

/**
 * rules_of(fr, conf), rules_free(fr):
 * The rules that ${conf} states, which live as long as ${fr}; free all.
 */
const struct rules *rules_of(struct frame *fr, const struct tail_conf *conf);
void rules_free(struct frame *fr);

/**
 * rules_line(rules, line, cut):
 * Cut ${line} when it is too long (*${cut}).
 */
static inline struct slice
rules_line(const struct rules *rules, struct slice line, bool *cut)
{
	if (line.len > rules->cap + LINE_MORE) {
		line.len = rules->cap;
		*cut = true;
	}
	return line;
}

/**
 * rules_begin(fr, f, is):
 * ${f}'s stream is known as ${is}: what was there before this start is cut by
 * the rules of before, what comes by those of now, and that is stored.
 */
void rules_begin(struct frame *fr, struct file *f, const struct stream_state *is);

/**
 * rules_seek(fr, f, offset):
 * ${f} is read from ${offset} on: set the rules in force there, and where they
 * may end.
 */
void rules_seek(struct frame *fr, struct file *f, uint64_t offset);

/**
 * rules_note(fr, f):
 * Who reads ${f} ahead may have settled where its rules change.
 */
void rules_note(struct frame *fr, struct file *f);

/**
 * rules_settle(fr, f, at):
 * Nothing that began below f->sealed is open at ${at}: the next rules are in
 * force from here on, which is stored before what ends here is sent.
 */
void rules_settle(struct frame *fr, struct file *f, uint64_t at);

#endif
