/* A journal, and its readers: each has a place in it, and cursors. */
#ifndef WALKER_H
#define WALKER_H

#include "headers.h"
#include "units.h"
#include "voice.h"

/* A place in a journal: so many entries are before it, the last one is this. */
struct mark {
	uint64_t position;
	bool any; /* false: no entry is before it */
	struct entry_name at;
};

/* Entries that are gone: behind number `from`, up to `to`. */
struct gap {
	struct identity of; /* whose numbers */
	uint64_t from, to;
};

struct journal;

/*
 * Invariant: each position that the cursor can take (the end of a range, hence of a batch)
 * has a mark: it is `done`, one of `ends`, or `here`.
 */
struct walker {
	struct journal *journal;
	struct tail_reader to;
	sd_journal *j; /* NULL: to be opened at `due` */
	int fd;
	int64_t due, looked; /* mono ns; looked: next() was asked last */
	struct cursor cursor[SIDES];
	struct mark here;         /* behind the last entry that was taken */
	struct mark done;         /* behind the last entry that is delivered */
	struct entry_name posted; /* `done` in the state */
	struct mark *ends;        /* of the batches between them, the oldest first */
	size_t nends;
	uint64_t batch;   /* that has the last entry */
	uint64_t mapped;  /* bytes read since it was opened, about */
	uint64_t skipped; /* entries of another journal passed while seeking */
	uint64_t gone;    /* unread entries of files that this look finds gone, at most … */
	struct gap where; /* … all between */
	struct gap said;  /* that was counted last */
	unsigned flags;
};

enum {
	WALKER_SEEKING = 1, /* the entry `here` is before the next one, or gone */
	WALKER_PENDING = 2, /* the current entry was not taken: no room */
	WALKER_AT_END = 4,
	WALKER_FROM_TAIL = 8, /* the first start, with Read_From_Tail */
	WALKER_HEAD = 16,     /* no entry is before `done`, which is to be stored */
};

struct journal {
	const struct journal_conf *conf;
	struct tail_conf shown; /* the input, as stages behind see it */
	char *directory;        /* as it is read; may change without Path */
	char *name;             /* in messages and status */
	struct state *state;
	struct units units;
	struct journal_files files;
	struct entry entry;
	struct walker *walkers;
	unsigned nwalkers;
	int epoll;
	uint64_t posted; /* how far it is counted, as the state was told */
	int64_t looked;  /* mono ns, of files */
	struct said said, said_lost;
};

/**
 * walker_turn(w, room, now):
 * Take note of changes; with ${room} read on from where it stands, at most
 * Max_Entries.  True: there is more.
 *
 * walker_close(w):
 * It is opened again at its next turn.
 *
 * walker_advance(w):
 * Move `done` to where the cursor stands; false when it stood there.
 */
bool walker_turn(struct walker *w, bool room, int64_t now);
void walker_close(struct walker *w);
bool walker_advance(struct walker *w);

/**
 * walker_lost(w, n, deleted):
 * ${n} entries, at most, are gone unread (UINT64_MAX: nobody knows how many).  With
 * ${deleted} it is said; else their file was.
 */
void walker_lost(struct walker *w, uint64_t n, bool deleted);

/**
 * walker_gone(w, of, from, to):
 * A file is gone with the unread entries behind number ${from}, up to ${to}, of ${of}.
 *
 * walker_missing(w, n):
 * ${n} entries, at most, were deleted behind the place where ${w} stands (UINT64_MAX: nobody
 * knows how many): those that were not said to be lost are, and those of files that are gone.
 */
void walker_gone(struct walker *w, const struct identity *of, uint64_t from, uint64_t to);
void walker_missing(struct walker *w, uint64_t n);

/* The journal's files have changed, or may have (${dropped}: sd-journal has let one go). */
void journal_look(struct journal *journal, bool dropped);

#endif
