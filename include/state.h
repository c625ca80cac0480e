/*
 * The data that must outlive the process: contents, their spans in logs,
 * cursors, breaks, counters.  All of it is in memory; one thread writes changes
 * to one SQLite file, about once a second, in one transaction.  A change is
 * posted and gets a ticket; records that depend on it wait until state_durable()
 * has reached the ticket.
 *
 * Any thread may call a function, but for those that are said to be the reader
 * thread's; no call waits for a disk.
 */
#ifndef STATE_H
#define STATE_H

#include <stdint.h>

#include "cri.h"
#include "slice.h"

/* Names a content, or a log: xxh128 (docs/architecture.md). */
struct identity {
	unsigned char at[16];
};

/* Cursors of one side of a log: positions. */
struct cursors {
	uint64_t shipped; /* every record that begins below is done, by the reader asked for */
	uint64_t counted; /* every record that begins below is in the counters */
};

#define SEAL_NONE UINT64_MAX /* of a span that may grow */

/* A run of one content's bytes, at its place in a log; offsets are the content's. */
struct span_state {
	uint64_t base;  /* position of the byte at offset 0 */
	uint64_t from;  /* offset of the span's first byte */
	uint64_t seal;  /* behind its last byte; state_cut() alone lifts it; or SEAL_NONE */
	uint64_t rules; /* state_rules(): those that cut the records that begin in it */
};

/* A content, as far as it is known. */
struct content_state {
	struct identity log;  /* of its first span */
	struct identity home; /* hash of the parts of its identity beside the first line */
	uint64_t generation;  /* 0, or random and part of the identity */
	uint64_t head;        /* xxh3 of its first line, as it was when it was named … */
	uint32_t head_size;   /* … which had so many bytes */
	uint64_t dev, ino;    /* of the file where it was seen last */
	uint64_t size;        /* last seen */
	int64_t first_seen;   /* ns, wall */
};

/* A hash of the bytes before an offset: tells whether a file is still the same. */
struct checkpoint {
	uint64_t offset;
	uint64_t hash; /* xxh3 of the up to 256 bytes before it */
};

#define CHECKPOINTS 8 /* of a content: one with the newest cursor, some older */

typedef uint64_t state_ticket;

struct state;

/**
 * state_open(dir), state_close(s):
 * Open the state directory ${dir} (made, 0700, when absent; NULL: keep nothing
 * on disk, every change is durable at once); state_close writes pending changes.
 * A store that is corrupt is set aside, with an error message.  Return NULL after
 * saying why: it cannot be written, it has another schema than ours, or another
 * instance has it (errno is EBUSY then: exit code 3).
 */
struct state *state_open(const char *dir);
void state_close(struct state *s);
/**
 * state_look(dir), state_each(s, each, arg):
 * Read the store of ${dir} as of its last commit, without its lock and without
 * a change to it; to be closed by state_close().  NULL after saying why.
 * Call ${each}, which must not call the state, for every content, in no order.
 */
struct state *state_look(const char *dir);
struct content_seen {
	const struct identity *id;
	const struct content_state *what;
	const char *path; /* the name its file had last; "": unknown */
	bool open;        /* a file has it */
	bool had_file;    /* one had it when the process before ended, and is not found yet */
	uint64_t shipped, counted; /* offsets: all records below are so, on both sides … */
	const uint64_t *by;        /* … shipped by each reader; `shipped` is the least */
	unsigned readers;
};
typedef void state_seen(void *arg, const struct content_seen *content);
void state_each(struct state *s, state_seen *each, void *arg);

/* The same for those that were in this file when they were seen last, used last first. */
void state_each_of(struct state *s, uint64_t dev, uint64_t ino, state_seen *each, void *arg);

const char *state_dir(const struct state *s);

/**
 * state_was_set_aside(s):
 * The store was corrupt, and its data is lost: files are read from their start,
 * and the index absorbs them by id, but counting starts at the files' ends.
 */
bool state_was_set_aside(const struct state *s);

/**
 * state_is_new(s):
 * Nothing is known, because this is the first start.
 */
bool state_is_new(struct state *s);

/**
 * state_rebooted(s), state_judged(s):
 * The machine has started again since files were judged last: their ends may have
 * been lost in a power cut.  They are judged now, and all that are there have been
 * opened: the next start need not know.
 */
bool state_rebooted(const struct state *s);
void state_judged(struct state *s);

/**
 * state_ready(s, why, size), state_stale(s):
 * True when the store can be written; otherwise ${why} says why not.  The time
 * for which it could not be written although there was something to write (ns;
 * 0: it can be).
 */
bool state_ready(struct state *s, char *why, size_t size);
int64_t state_stale(struct state *s);

/**
 * state_find(s, id, out):
 * Copy the data of the content ${id} to ${out}; false when there is none.
 *
 * state_home(s, home, out, max):
 * Copy the identities of the contents of ${home} to ${out}, at most ${max}: first
 * those that a file has, then the others; of either those used last first.
 * Return how many.
 */
bool state_find(struct state *s, const struct identity *id, struct content_state *out);
unsigned state_home(
    struct state *s, const struct identity *home, struct identity *out, unsigned max);

/* A span to be stored, and the content that it is of. */
struct span_post {
	struct identity log, id;
	const struct content_state *content; /* NULL: it is stored already */
	struct span_state span;
	const char *path; /* as for state_opened(); NULL: as it was */
};

/**
 * state_spans(s, posts, n):
 * Store ${n} spans and their contents as one change; a span that is there (same
 * log, content and from) is replaced.  No record in a span, or behind a seal, is
 * sent before the ticket.
 *
 * state_log_spans(s, log, each, arg):
 * Call ${each}, which must not call the state, for the spans of ${log} in the
 * order of their positions; of those that begin at one position the empty ones
 * come first, and one without a seal last.
 */
state_ticket state_spans(struct state *s, const struct span_post *posts, size_t n);
void state_log_spans(struct state *s, const struct identity *log,
    void (*each)(void *arg, const struct identity *id, const struct span_state *span), void *arg);

/**
 * state_rules(s, text), state_rules_text(s, rules):
 * Keep the framing rules that ${text} says, and return the number by which spans
 * name them; the text of this number, which lives as long as ${s}, or NULL.
 */
uint64_t state_rules(struct state *s, struct slice text);
const char *state_rules_text(struct state *s, uint64_t rules);

/**
 * state_break(s, log, side, end), state_unbreak(s, log, side, end):
 * Store that a record of ${side} ended at the position ${end} because time or
 * the end of the log said so and not its text; the record, and those that follow
 * it, wait for the ticket.  The break is needed no more: the next line would not
 * have joined the record.
 *
 * state_is_break(s, log, side, from, to), state_breaks(s, log):
 * For a replay: the first break in (${from}, ${to}], or 0; the number of breaks
 * of ${log} that are kept.
 */
state_ticket state_break(struct state *s, const struct identity *log, enum side side, uint64_t end);
void state_unbreak(struct state *s, const struct identity *log, enum side side, uint64_t end);
uint64_t state_is_break(
    struct state *s, const struct identity *log, enum side side, uint64_t from, uint64_t to);
size_t state_breaks(struct state *s, const struct identity *log);

/**
 * state_readers(s, names, n):
 * At a start, before any log is read: the ${n} shipping readers ${names}, each another
 * name, are numbered in this order.  Cursors of other readers are dropped, which is said.
 * A new one begins where the first of ${names} stands that the store has; where there
 * is none, at the least of the cursors that are dropped.
 *
 * state_reader(s, name), state_reader_name(s, reader):
 * The number by which the shipping reader ${name} has its cursors; the first
 * reader that is asked for, or that the store has, is 0; at most STATE_READERS.
 * Those that the store has are numbered in the order of their names until
 * state_readers().
 *
 * state_cursors(s, log, reader, out):
 * The reader thread's.  The cursors of ${log}: `shipped` is that of ${reader},
 * `counted` is there before it is posted.  False: ${reader} has no cursor there,
 * and `shipped` is the least of all other readers (0: there is none).
 *
 * state_shipped(s, log, side, reader, position):
 * Set a cursor.  Nothing waits for it.  On disk it never passes `counted`.
 * Cursors of a log without spans are kept in memory alone, its breaks until
 * the next start.
 */
#define STATE_READERS 32
void state_readers(struct state *s, const char *const *names, unsigned n);
unsigned state_reader(struct state *s, const char *name);
const char *state_reader_name(struct state *s, unsigned reader);
bool state_cursors(
    struct state *s, const struct identity *log, unsigned reader, struct cursors out[SIDES]);
void state_shipped(struct state *s, const struct identity *log, enum side side, unsigned reader,
    uint64_t position);

/**
 * state_cut(s, log, position):
 * The reader thread's.  The bytes of ${log} behind ${position} are not those that
 * were read: all its cursors (a `counted` that is not posted yet, too), its
 * breaks and the checkpoints of its contents go back to it; spans that begin
 * behind it (not at it) are gone, and the last span that is left has no seal.
 */
state_ticket state_cut(struct state *s, const struct identity *log, uint64_t position);

/**
 * state_size(s, id, size), state_file(s, id, dev, ino):
 * Note a content's size; the file where it is now.  Nothing waits for it.
 *
 * state_checkpoint(s, id, what), state_checkpoints(s, id, out):
 * Keep a checkpoint (of the oldest some are given up, so that those kept lie
 * ever farther apart); copy the kept ones, the newest first, and return how many.
 */
void state_size(struct state *s, const struct identity *id, uint64_t size);
void state_file(struct state *s, const struct identity *id, uint64_t dev, uint64_t ino);
void state_checkpoint(struct state *s, const struct identity *id, const struct checkpoint *what);
unsigned state_checkpoints(
    struct state *s, const struct identity *id, struct checkpoint out[CHECKPOINTS]);

/**
 * state_opened(s, id, path), state_ended(s, id):
 * A file at ${path} has the content; no file has it.  A content that has
 * no file for STATE_AGE_DAYS is forgotten, at a start and while running, with
 * its spans, and a log with its last span.
 */
#define STATE_AGE_DAYS 30
void state_opened(struct state *s, const struct identity *id, const char *path);
void state_ended(struct state *s, const struct identity *id);

/**
 * state_stops(s):
 * The process ends, and not the files that it closes from now on: in the store
 * contents keep them, at the next start, too, until state_judged().
 */
void state_stops(struct state *s);

/**
 * state_most(s, most), state_forgotten(s):
 * Remember at most ${most} contents from now on (0: any number): beyond, those
 * without a file are forgotten, the one used longest ago first.  The number of
 * those since the start.
 *
 * state_forgotten_to(s):
 * A content that was last used before (ns, wall) may have been forgotten, for its
 * age or for want of room; 0: none was.  A file that has not been written to since
 * and is not known is read again, which the index absorbs, and not counted again.
 */
void state_most(struct state *s, size_t most);
uint64_t state_forgotten(struct state *s);
int64_t state_forgotten_to(struct state *s);

/**
 * state_counted(s, log, side, position), state_text(s, key, value), state_counts(s):
 * The reader thread's.  Cursors of counting, and counters as texts (empty: gone):
 * kept aside until state_counts() posts all of them as one change, so that
 * neither is ever on disk without the other; it returns 0 when there are none.
 */
void state_counted(struct state *s, const struct identity *log, enum side side, uint64_t position);
void state_text(struct state *s, struct slice key, struct slice value);
state_ticket state_counts(struct state *s);

/**
 * state_texts(s, each, arg):
 * Call ${each} for every text, before any thread runs.
 */
void state_texts(
    struct state *s, void (*each)(void *arg, struct slice key, struct slice value), void *arg);

/* A log that waits for an output. */
struct state_hold {
	struct identity log;
	bool parked; /* not read on; else some of its records are in the output's hold */
	char output[64];
	char why[160];
};

/**
 * state_holds(s, at, n), state_holds_each(s, each, arg):
 * These ${n} logs are all that wait now: any thread; nothing waits for it.  Call
 * ${each} for those that the store had when state_look() read it: the parked
 * ones first, then by output and reason.
 */
void state_holds(struct state *s, const struct state_hold *at, size_t n);
void state_holds_each(
    struct state *s, void (*each)(void *arg, const struct state_hold *hold), void *arg);

/**
 * state_metadata(s, key, value), state_metadata_each(s, each, arg):
 * Keep ${value} (empty: drop it), the API server's data named ${key}: any thread;
 * nothing waits for it.  Call ${each} (NULL: nobody) for the data that the store
 * had at the start, once, before any thread runs: they are freed then.
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
