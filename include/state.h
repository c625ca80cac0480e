/*
 * What must outlive the process: streams, cursors, breaks, counters.  All of
 * it is in memory; one thread writes what has changed to one SQLite file,
 * about once a second, in one transaction.  A change is posted and gets a
 * ticket, and what depends on it waits until state_durable() has reached the
 * ticket.
 *
 * Any thread may call, but for what is the reader's; no call waits for a disk.
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

/* What is open where a ruling begins; where the first one does: in the file before a rotation. */
enum ruling_open {
	RULING_WAITS,   /* is waited for: the ruling begins behind it */
	RULING_ENDS,    /* ends there */
	RULING_GOES_ON, /* goes on, cut by the rules by which it began */
};

/* By which framing rules the records are cut that begin at an offset or behind it. */
struct ruling {
	uint64_t from;
	uint64_t rules;   /* state_rules() */
	uint64_t settled; /* enum ruling_open */
};

#define RULINGS 8 /* of a stream that are in use */

/* What is known of a stream. */
struct stream_state {
	struct cursors side[SIDES];
	uint64_t generation;  /* 0, or random and part of the identity */
	struct identity base; /* … which without it would be this one */
	uint64_t size;        /* last seen */
	int64_t first_seen;   /* ns, wall */
	struct ruling rulings[RULINGS];
	unsigned nrulings; /* in their order; 0: a store of before, which had none */
};

/* What the bytes before an offset were: tells whether a file is still the same. */
struct checkpoint {
	uint64_t offset;
	uint64_t hash; /* xxh3 of the up to 256 bytes before it */
};

#define CHECKPOINTS 8 /* of a stream: one with the newest cursor, some older */

typedef uint64_t state_ticket;

struct state;

/**
 * state_open(dir), state_close(s):
 * Open the state directory ${dir} (made, 0700, when absent; NULL: keep nothing
 * on disk, every change is durable at once); state_close commits what is left.
 * A store that is corrupt is set aside and said loudly.  Return NULL after
 * saying why: it cannot be written, it has another schema than ours, or another
 * instance has it (errno is EBUSY then: exit code 3).
 */
struct state *state_open(const char *dir);
void state_close(struct state *s);
/**
 * state_look(dir), state_each(s, each, arg):
 * Read what the store of ${dir} holds as of its last commit, taking and
 * changing nothing; to be closed by state_close().  NULL after saying why.
 * Call ${each}, which must not call the state, for every stream, in no order: the name its file had last ("":
 * unknown), whether it is open.
 */
struct state *state_look(const char *dir);
typedef void state_seen(void *arg, const struct identity *id, const char *path, bool open,
    const struct stream_state *what);
void state_each(struct state *s, state_seen *each, void *arg);

const char *state_dir(const struct state *s);

/**
 * state_was_set_aside(s):
 * What was known is lost: files are read from their start, and the index
 * absorbs them by id, but counting starts at the ends they have now.
 */
bool state_was_set_aside(const struct state *s);

/**
 * state_is_new(s):
 * Is nothing known, because this is the first start?
 */
bool state_is_new(struct state *s);

/**
 * state_rebooted(s):
 * Has the machine started again since this store was opened last?
 */
bool state_rebooted(const struct state *s);

/**
 * state_ready(s, why, size), state_stale(s):
 * Can the store be written?  If not, say why.  For how long has it not been
 * written although there was something to write (ns; 0: it is)?
 */
bool state_ready(struct state *s, char *why, size_t size);
int64_t state_stale(struct state *s);

/**
 * state_find(s, id, out):
 * Copy what is known of the stream ${id} to ${out}, with what was counted and is
 * not posted yet: the reader's.  False when nothing is known.
 */
bool state_find(struct state *s, const struct identity *id, struct stream_state *out);

/**
 * state_stream(s, id, what):
 * Store a stream, before its first record is sent or counted.
 */
state_ticket state_stream(
    struct state *s, const struct identity *id, const struct stream_state *what);

/**
 * state_generations(s, base, out, max):
 * Copy the generations other than 0 that are known of ${base} to ${out}, at
 * most ${max} of them, and return how many.
 */
unsigned state_generations(
    struct state *s, const struct identity *base, uint64_t *out, unsigned max);

/**
 * state_rules(s, text), state_rules_text(s, rules):
 * Keep the framing rules that ${text} says, and return what rulings name them
 * by; the text that this names, which lives as long as ${s}, or NULL.
 */
uint64_t state_rules(struct state *s, struct slice text);
const char *state_rules_text(struct state *s, uint64_t rules);

/**
 * state_rulings(s, id, at, n):
 * Store the rulings of ${id}, at most RULINGS of them; records that begin
 * behind a new one wait for the ticket.
 */
state_ticket state_rulings(
    struct state *s, const struct identity *id, const struct ruling *at, unsigned n);

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
 * state_goes_over(s, id, side, end, next), state_goes_on(s, id, side, end, next):
 * Store a break at which the record goes on in the stream ${next}: what comes
 * behind ${end} later is not of it.  A break without a stream that is stored
 * there after it counts instead.  Asked: does it go on (in *${next})?
 */
state_ticket state_goes_over(struct state *s, const struct identity *id, enum side side,
    uint64_t end, const struct identity *next);
bool state_goes_on(struct state *s, const struct identity *id, enum side side, uint64_t end,
    struct identity *next);

/**
 * state_shipped(s, id, side, offset), state_size(s, id, size):
 * Move a cursor forward; note a size.  Nothing waits for these.  On disk
 * `shipped` never passes `counted`.
 */
void state_shipped(struct state *s, const struct identity *id, enum side side, uint64_t offset);
void state_size(struct state *s, const struct identity *id, uint64_t size);

/**
 * state_rewound(s, id, side, offset):
 * The stream's bytes behind ${offset} are not those that were read: its
 * cursors, breaks, rulings and checkpoints go back to it, and what was counted
 * and is not posted yet: the reader's.
 */
void state_rewound(struct state *s, const struct identity *id, enum side side, uint64_t offset);

/**
 * state_checkpoint(s, id, what), state_checkpoints(s, id, out):
 * Keep a checkpoint (of the oldest some are given up, so that those kept lie
 * ever farther apart); copy what is kept, the newest first, and return how many.
 */
void state_checkpoint(struct state *s, const struct identity *id, const struct checkpoint *what);
unsigned state_checkpoints(
    struct state *s, const struct identity *id, struct checkpoint out[CHECKPOINTS]);

/**
 * state_opened(s, id, path), state_ended(s, id):
 * The stream's file is open, and has this name; it is gone.  What is not open
 * for STATE_AGE_DAYS is forgotten, at a start and while running.
 */
#define STATE_AGE_DAYS 30
void state_opened(struct state *s, const struct identity *id, const char *path);
void state_ended(struct state *s, const struct identity *id);

/**
 * state_most(s, most), state_forgotten(s):
 * Remember at most ${most} streams from now on (0: any number): beyond, those
 * without a file are forgotten, what was used longest ago first.  How many were
 * forgotten for that since the start?
 *
 * state_forgotten_to(s):
 * What ended before (ns, wall) may have been forgotten, for its age or for want
 * of room; 0: nothing was.  A file that has not been written to since and is
 * not known is read again, which the index absorbs, and not counted again.
 */
void state_most(struct state *s, size_t most);
uint64_t state_forgotten(struct state *s);
int64_t state_forgotten_to(struct state *s);

/**
 * state_counted(s, id, side, offset), state_text(s, key, value), state_counts(s):
 * The reader's.  What was counted, and the counters as texts (empty: gone):
 * kept aside until state_counts() posts all of it as one change, so that
 * neither is ever on disk without the other.  Return 0 when there is none.
 */
void state_counted(struct state *s, const struct identity *id, enum side side, uint64_t offset);
void state_text(struct state *s, struct slice key, struct slice value);
state_ticket state_counts(struct state *s);

/**
 * state_texts(s, each, arg):
 * Call ${each} for every text, before any thread runs.
 */
void state_texts(
    struct state *s, void (*each)(void *arg, struct slice key, struct slice value), void *arg);

/* A stream that waits for an output. */
struct state_hold {
	struct identity stream;
	bool parked; /* not read on; else some of its records are in the output's hold */
	char output[64];
	char why[160];
};

/**
 * state_holds(s, at, n), state_holds_each(s, each, arg):
 * These ${n} are all that wait now: any thread; nothing waits for it.  Call
 * ${each} for those that the store had when state_look() read it: the parked
 * ones first, then by output and reason.
 */
void state_holds(struct state *s, const struct state_hold *at, size_t n);
void state_holds_each(
    struct state *s, void (*each)(void *arg, const struct state_hold *hold), void *arg);

/**
 * state_metadata(s, key, value), state_metadata_each(s, each, arg):
 * Keep ${value} (empty: no more) of what the API server said, by ${key}: any
 * thread; nothing waits for it.  Hand on what the store had at the start, once,
 * before any thread runs: it is not kept in memory (${each} NULL: nobody wants it).
 */
void state_metadata(struct state *s, struct slice key, struct slice value);
void state_metadata_each(
    struct state *s, void (*each)(void *arg, struct slice key, struct slice value), void *arg);

/**
 * state_durable(s), state_wake(s, fd):
 * The last ticket whose change is on disk; have the eventfd ${fd} written
 * whenever it moves.
 */
state_ticket state_durable(struct state *s);
void state_wake(struct state *s, int fd);

#endif
