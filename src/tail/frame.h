/* Framing: lines to records. */
#ifndef FRAME_H
#define FRAME_H

#include "cri.h"
#include "memory.h"
#include "multiline.h"
#include "tail.h"
#include "trace.h"

struct content;
struct log;
struct reader;
struct rules;

/* The last lines of an open record, which belong to it if a part of a trace follows. */
struct held_lines {
	uint64_t start; /* 0: there are none */
	uint64_t lines; /* the record before them has so many … */
	size_t text;    /* … and so many bytes, while the read buffer holds it */
	bool cut;
};

/* The kinds of lines that an open record may go on with. */
struct joining {
	trace_state trace;
	multiline_state own; /* of the configuration's rules; 0: they did not take it */
};

/* A record that is not complete yet: its positions, and how it may go on; no bytes. */
struct open_record {
	const struct rules *rules; /* by which it began; NULL: none is open */
	uint64_t start, end;       /* of its lines: positions */
	struct held_lines held;
	uint32_t hash; /* of its first line */
	int64_t time, last_time;
	uint64_t lines; /* of its side */
	struct joining join;
	char first, last;    /* bytes of its content */
	bool cut;            /* it is beyond the cap */
	bool chain;          /* a partial chain has not ended */
	state_ticket broken; /* its end is a break, stored under this ticket; 0: not */
	uint64_t generation; /* of the read buffer that holds all of its lines */
	struct cri line;     /* the first one; its slices while the buffer holds it */
};

/* The record of a side that a break ended last. */
struct past {
	uint64_t end; /* of the break; 0: a line of the side came since */
	int64_t last_time;
	const struct rules *rules;
	bool chain;
};

/* The reader thread's data for framing; shared by all logs. */
struct frame {
	struct state *state;
	tail_record *count;
	void *arg;
	struct map *rules; /* framing rules, by name (framing_rules.c) */
	struct cri_memo memo;
	state_ticket durable; /* the newest that is known to be on disk */
	uint64_t generation;  /* of the read buffer; never 0 */
	char *bytes;          /* the read buffer … */
	size_t size;
	uint64_t from, to;         /* … holds these offsets … */
	const struct content *of;  /* … of this content; NULL: of none */
	char *again;               /* lines that are read once more, as many */
	struct buffer text[SIDES]; /* of open records of several lines */
	struct buffer plain;       /* the content of the line at hand, when its form has escapes */
	struct buffer whole;       /* a record that was read once more, or its colours stripped */
	struct buffer utf8;        /* a record's text of another encoding */
	int64_t newest;            /* runtime time of the newest record */
	bool gone;                 /* lines of a record are not there any more */
};

void frame_init(struct frame *fr, size_t size);
void frame_fini(struct frame *fr);

/* Change the size of the read buffer; note that it holds other bytes now. */
void frame_room(struct frame *fr, size_t size);
void frame_forget(struct frame *fr);

/**
 * frame_line(fr, r, end, line, cut):
 * Take the line that lies from r->at to ${end} (its newline included);
 * ${cut}: ${line} is only its beginning.  Return false when a record was
 * refused: nothing is lost, the same line must be offered again.  When r->at goes
 * back, the lines from there come again.
 */
bool frame_line(struct frame *fr, struct reader *r, uint64_t end, struct slice line, bool cut);

/**
 * frame_end_side(fr, r, side):
 * End the open record of a side; r->at goes back to the lines that it held.
 * Return false when it was refused.
 */
bool frame_end_side(struct frame *fr, struct reader *r, enum side side);

/**
 * frame_cross(fr, r, start):
 * The content that begins at ${start} ends: records that began before it end,
 * too (r->at may go back).  Return false when one was refused.
 */
bool frame_cross(struct frame *fr, struct reader *r, uint64_t start);

bool frame_is_open(const struct reader *r);

/**
 * emit_record(fr, r, side, o):
 * Offer ${o}, which has ended, to the destination of ${r}.  Return false when it
 * was refused, or fr->gone: its lines are not there any more.
 */
bool emit_record(struct frame *fr, struct reader *r, enum side side, const struct open_record *o);

/**
 * breaks_seek(fr, r):
 * ${r} stands at another position: find the next break.
 *
 * breaks_stop(fr, r):
 * r->stop was reached: end the records that ended there before.  Return false when
 * one was refused.
 *
 * breaks_flush(fr, r, quiet), breaks_line(fr, r, end):
 * End the records that are open by a break each, as nothing has come for ${quiet} ns
 * (false: one was refused; r->at may go back).  A line without a newline ends at
 * ${end}, whatever is written behind it later.
 */
void breaks_seek(struct frame *fr, struct reader *r);
bool breaks_stop(struct frame *fr, struct reader *r);
bool breaks_flush(struct frame *fr, struct reader *r, int64_t quiet);
void breaks_line(struct frame *fr, struct reader *r, uint64_t end);

#endif
