/*
 * What must outlive the process: streams, cursors, breaks, counters.  In
 * memory for now; the interface is that of a store whose commits come later:
 * a change is posted and gets a ticket, and what depends on it waits until
 * state_durable() has reached the ticket.
 *
 * Any thread may call; no call blocks on a disk.
 */
#ifndef STATE_H
#define STATE_H

#include <stdint.h>

#include "cri.h"
#include "slice.h"

struct identity {
	unsigned char at[16]; /* xxh128; design.md, Streams, ids */
};

/* Cursors of one side of a stream; both are offsets into its bytes. */
struct cursors {
	uint64_t shipped; /* every record that begins below is done */
	uint64_t counted; /* every record that begins below is in the counters */
};

/* What is known of a stream. */
struct stream_state {
	struct cursors side[SIDES];
	uint64_t generation; /* 0 in Kubernetes' paths; else random, part of the identity */
	uint64_t sealed;     /* records that begin below are cut by the rules of before */
	uint64_t size;       /* last seen */
	int64_t first_seen;  /* ns, wall */
};

typedef uint64_t state_ticket;

struct state;

/**
 * state_open(dir), state_close(s):
 * Open the state directory ${dir} (made, 0700, when absent).  Return NULL
 * after saying why: it cannot be written (what to do), or another instance
 * has it (errno is EBUSY then: exit code 3).
 */
struct state *state_open(const char *dir);
void state_close(struct state *s);
const char *state_dir(const struct state *s);

/**
 * state_find(s, id, out):
 * Copy what is known of the stream ${id} to ${out}; false when nothing is.
 */
bool state_find(struct state *s, const struct identity *id, struct stream_state *out);

/**
 * state_stream(s, id, what):
 * Store a stream, before its first record is sent or counted.
 */
state_ticket state_stream(
    struct state *s, const struct identity *id, const struct stream_state *what);

/**
 * state_break(s, id, side, end), state_is_break(s, id, side, from, to):
 * Store that a record of ${side} ended at ${end} because time or the file's
 * end said so and not its text; the record waits for the ticket.  Asked on a
 * replay: the first break in (${from}, ${to}], or 0.
 */
state_ticket state_break(struct state *s, const struct identity *id, enum side side, uint64_t end);
uint64_t state_is_break(
    struct state *s, const struct identity *id, enum side side, uint64_t from, uint64_t to);

/**
 * state_shipped(s, id, side, offset), state_counted(s, id, side, offset),
 * state_size(s, id, size):
 * Move a cursor forward; note a size.  Nothing waits for these.
 */
void state_shipped(struct state *s, const struct identity *id, enum side side, uint64_t offset);
void state_counted(struct state *s, const struct identity *id, enum side side, uint64_t offset);
void state_size(struct state *s, const struct identity *id, uint64_t size);

/**
 * state_durable(s), state_wake(s, fd):
 * The last ticket whose change is on disk; have the eventfd ${fd} written
 * whenever it moves.
 */
state_ticket state_durable(struct state *s);
void state_wake(struct state *s, int fd);

#endif
