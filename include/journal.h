/*
 * systemd's journal, read by libsystemd: entries to records, each with the
 * journal's own name of it as its id.
 *
 *	open -> seek to the stored cursor -> next -> entry (fields) -> the caller's function
 *
 * The reader thread owns all of it.  One journal is one log (stream.h) whose positions
 * count entries; the journal's cursor that belongs to a position is kept beside it in
 * the state, in the same transaction.
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include "conf.h"
#include "metrics.h"
#include "tail.h"

/* [INPUT] systemd; the options are in its table. */
extern const struct plugin journal_plugin;

enum journal_filter { JOURNAL_OR, JOURNAL_AND };

struct journal_conf {
	struct input input;
	char *path; /* NULL: the machine's own */
	struct list filter;
	int filter_type; /* enum journal_filter */
	int64_t max_entries, max_fields, max_units;
	uint64_t buffer_max_size; /* of an entry's values together */
	bool read_from_tail, strip_underscores, lowercase;
	char *db; /* NULL: none */
};

#define JOURNAL_PERSISTENT "/var/log/journal"
#define JOURNAL_VOLATILE "/run/log/journal"

/* The memory of one reader of one journal: pages that sd-journal maps, and the entry. */
#define JOURNAL_MAPPED (UINT64_C(64) << 20)

/* The functions and cursors of a reader, as tail's. */
struct journals;

/**
 * journal_new(confs, n, state, readers, nreaders, stream, arg):
 * Read ${n} journals; each of the ${nreaders} (at most 32) has cursors of its own.
 * The functions are called from journal_turn, as tail's are from tail_turn.
 *
 * journal_free(all):
 * Streams end; records in flight still arrive.
 */
struct journals *journal_new(const struct journal_conf *const *confs, size_t n, struct state *state,
    const struct tail_reader *readers, unsigned nreaders, tail_stream *stream, void *arg);
void journal_free(struct journals *all);

/**
 * journal_leave(confs, n, state):
 * A journal of the ${state} that is none of the ${n}, as its Path or Tag is another one now, is
 * read no more: nothing of it lags.
 */
void journal_leave(const struct journal_conf *const *confs, size_t n, struct state *state);

/**
 * journal_fd(all):
 * Readable when a journal has changed.
 *
 * journal_turn(all, room):
 * Read what has been added, at most Max_Entries of each journal, for each reader whose
 * bit is in ${room}.  A parked journal is not read; one that is let go on is read
 * again from its cursor.  Return true when there is more to read at once.
 *
 * journal_at_end(all):
 * True when all entries that were there have been taken.
 */
int journal_fd(const struct journals *all);
bool journal_turn(struct journals *all, uint32_t room);
bool journal_at_end(const struct journals *all);

/**
 * journal_post(all):
 * Hand the cursors of what is delivered to the state: before state_counts(), which
 * stores them with the counts.
 */
void journal_post(struct journals *all);

#endif
