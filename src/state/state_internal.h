/* Inside the state: what is known, under one lock, and the store behind it. */
#ifndef STATE_INTERNAL_H
#define STATE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>

#include "holds.h"
#include "map.h"
#include "state.h"

/* A record that ended because time said so. */
struct brk {
	enum side side;
	uint64_t end;
	bool goes_on; /* in the stream … */
	struct identity next;
};

struct known {
	struct identity id;
	struct stream_state stream;
	char *path;
	struct brk *breaks;      /* those that a replay may meet, in the order of their making */
	size_t nbreaks, nstored; /* … the first of which are in the store */
	struct checkpoint checks[CHECKPOINTS];
	unsigned nchecks;
	int64_t touched; /* wall ns when it was last used */
	bool open;       /* its file is */
	bool passed;     /* breaks are stored that a replay does not meet any more */
	bool anew;       /* all of its breaks are to be stored anew */
	bool is_dirty;
	struct known *dirty; /* the next one */
	struct known *twin;  /* the next generation of the same base */
};

/* Counters as a text. */
struct text {
	char *value; /* NULL: gone, to be deleted */
	bool is_dirty;
};

/* Framing rules, never freed while we live: few. */
struct rules_text {
	uint64_t name;
	char *text;
};

/* What the reader has counted and not posted yet: its alone. */
struct staged {
	struct identity id;
	enum side side;
	uint64_t counted;
};

struct staged_text {
	char *key, *value;
};

struct state {
	char *dir;
	int dir_lock; /* held while we live; -1: nothing is kept on disk */
	bool set_aside, rebooted;

	struct staged *staged;
	size_t nstaged;
	struct staged_text *staged_texts;
	size_t nstaged_texts;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct map *streams;  /* identity: struct known */
	struct map *bases;    /* base: the newest struct known of a generation of it */
	struct map *texts;    /* key: struct text */
	struct map *metadata; /* key: char *, that is to be written; empty: deleted */
	struct map *loaded;   /* key: char *, as the store had it; NULL: handed on */
	struct holds_table
	    holds; /* to be written; of a state that is looked at: as the store has it */
	struct rules_text *rules;
	size_t nrules, nrules_stored; /* the first of which are in the store */
	struct known *dirty;
	bool texts_dirty;
	state_ticket posted, durable;
	bool urgent; /* somebody waits for a ticket */
	bool stop;
	int64_t forget_at; /* mono ns when it is looked again for what is to be forgotten */
	struct identity *forgotten; /* streams that are to be deleted from the store */
	size_t nforgotten;
	size_t most;             /* streams that are remembered; 0: any number */
	uint64_t crowded_out;    /* streams forgotten as there were more */
	int64_t forgotten_to;    /* wall ns: the newest that was forgotten was last used then */
	int wake;                /* eventfd; -1: none */
	int64_t failing, failed; /* mono ns of the first and the last failure in a row; 0: none */
	char why[256];           /* … and what it was */

	/* the store thread's */
	pthread_t thread;
	bool running;
	sqlite3 *db;
	sqlite3_stmt *statements[12];
};

/**
 * known_of(s, id):
 * Under the lock: return the stream ${id}, made when it is not known.
 *
 * known_take(s, id), known_put(s, k, urgent):
 * Take the lock and return the stream ${id}; mark it for the next commit and
 * give the lock back.  ${urgent}: somebody waits for the ticket returned.
 *
 * known_dirty(s, k), known_link(s, k):
 * Under the lock: mark ${k} for the next commit; put it among the generations
 * of its base.
 */
struct known *known_of(struct state *s, const struct identity *id);
struct known *known_take(struct state *s, const struct identity *id);
state_ticket known_put(struct state *s, struct known *k, bool urgent);
void known_dirty(struct state *s, struct known *k);
void known_link(struct state *s, struct known *k);
void known_free(struct known *k);
struct slice known_key(const struct identity *id); /* of the maps */

/* rules.c, under the lock */
void rules_keep(struct state *s, uint64_t name, const char *text);
void rules_back(struct stream_state *is, uint64_t to);

/**
 * rules_prune(s):
 * After the store was read: drop rules that no stream has.
 */
void rules_prune(struct state *s);

/* One change more: wake the store when it is the first, or the first that somebody waits for. */
void state_posted(struct state *s, bool urgent);

/* staging.c: forget what was kept aside. */
void staging_clear(struct state *s);

/* staging.c: what was counted of a stream and is not posted yet */
void staging_see(const struct state *s, const struct identity *id, struct stream_state *out);
void staging_back(struct state *s, const struct identity *id, enum side side, uint64_t to);

/**
 * forget_old(s):
 * The store thread's, under the lock: forget streams that have had no file for
 * STATE_AGE_DAYS, or that are more than are to be remembered, at most
 * FORGET_MOST of them, and say when to look again.
 */
#define FORGET_MOST 1000
void forget_old(struct state *s);

/**
 * forget_soon(s):
 * Under the lock: when there are more than are to be remembered, look within a second.
 */
void forget_soon(struct state *s);

/* metadata.c: a map of texts, with them. */
void metadata_free(struct map *all);

/**
 * schema_open(s):
 * Open the store of s->dir, made when absent, and read it into memory; one
 * that is corrupt is set aside.  Return -1 after saying why.
 */
int schema_open(struct state *s);

/**
 * schema_look(s):
 * Read the store of s->dir into memory and change nothing.  Return -1 after
 * saying why.
 */
int schema_look(struct state *s);

/**
 * load_store(s):
 * Read all tables of s->db into memory.  Return -1 when SQLite cannot.
 */
int load_store(struct state *s);

/**
 * store_start(s), store_stop(s):
 * Start the thread that writes (-1 after saying why not); write what is left
 * and end it.
 */
int store_start(struct state *s);
void store_stop(struct state *s);

#endif
