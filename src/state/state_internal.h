/* Inside the state: its tables in memory, under one lock, and the store behind them. */
#ifndef STATE_INTERNAL_H
#define STATE_INTERNAL_H

#include <sqlite3.h>
#include <sys/queue.h>

#include "locked.h"
#include "map.h"
#include "state.h"

/* What several contents may have in common: their home, the file where they were seen last. */
enum { TWINS_HOME, TWINS_FILE, TWINS };

/* A content. */
struct known {
	struct identity id;
	struct content_state is;
	char *path; /* NULL: unknown */
	struct checkpoint checks[CHECKPOINTS];
	unsigned nchecks;
	int64_t touched; /* wall ns when it was last opened, or ended */
	int64_t used;    /* … or found: it may be opened, and is not forgotten just now */
	bool open;       /* a file has it */
	bool had_file;   /* … when the process before ended; it has not been looked for yet */
	bool is_dirty;
	struct known *dirty;        /* the next content that is to be written */
	struct known *twins[TWINS]; /* the next one that has it in common, used longer ago */
	TAILQ_ENTRY(known) by_use;  /* all, those used longest ago first */
	struct known_span *spans;   /* in the order of `from` */
};

struct known_span {
	struct known *content;
	struct known_log *log;
	struct span_state is;
	struct known_span *next; /* of the content */
};

/* Positions at which records ended because time said so, ascending. */
struct breaks {
	uint64_t *at;
	size_t n;
};

#define ABSENT UINT64_MAX /* in the place of a cursor */

struct mark {
	uint64_t now, stored;
};

/* Of a log's marks the first is the cursor of counting, the others are of readers that ship. */
enum { MARK_COUNT, MARK_READERS };

struct known_log {
	struct identity id;
	struct known_span **spans; /* in the order of their positions */
	size_t nspans;
	struct breaks breaks[SIDES];
	struct mark (*marks)[SIDES];
	unsigned nmarks;
	bool is_dirty;
	struct known_log *dirty; /* the next log that is to be written */
};

/* The logs that wait for outputs: to be written, or, after state_look(), as the store has them. */
struct holds {
	struct state_hold *at;
	size_t n;
	bool changed;
};

struct tables {
	struct map *contents;     /* identity: struct known */
	struct map *twins[TWINS]; /* the struct known of it that was used last */
	struct map *logs;         /* identity: struct known_log */
	struct map *rules;        /* name: text, never freed while we live: few */
	struct map *counters;     /* key: text, as the store had it */
	struct map *counted;      /* key: text ("": gone) that is to be written */
	struct map *metadata;     /* key: text, as the store had it; NULL: handed on */
	char *readers[STATE_READERS];
	unsigned nreaders;
	struct known *dirty; /* the first that are to be written */
	struct known_log *dirty_logs;
	TAILQ_HEAD(, known) by_use;
	size_t most;          /* contents that are remembered; 0: any number */
	uint64_t crowded_out; /* contents forgotten as there were more */
	int64_t forgotten_to; /* wall ns: the newest that was forgotten was last used then */
	struct holds holds;
};

/* The changes that were posted, and those that are on disk. */
struct tickets {
	pthread_cond_t changed; /* for the store thread */
	state_ticket posted, durable;
	bool urgent;             /* somebody waits for a ticket */
	int wake;                /* eventfd; -1: none */
	int64_t failing, failed; /* mono ns of the first and the last failure in a row; 0: none */
	char why[256];           /* … and the reason of the last */
};

/* Statements, each with its arguments. */
struct transaction {
	struct arg *args;
	size_t nargs, size;
	char *bytes; /* those of all args */
	size_t nbytes, room;
};

struct state {
	char *dir;    /* NULL: nothing is kept on disk */
	int dir_lock; /* held while we live */
	bool set_aside, rebooted, stops;
	char boot[64];           /* this start of the machine: /proc/sys/kernel/random/boot_id */
	struct staging *staging; /* the reader thread's */
	pthread_mutex_t lock;    /* over all below, but for db */
	struct tables *tables;
	struct tickets *tickets;
	struct transaction next; /* written by the next commit, and the dirty tables with it */
	struct store *store;     /* NULL: no thread writes */
	sqlite3 *db;             /* that thread's, once it runs */
};

/* ---- transaction.c */

struct arg {
	enum { ARG_STATEMENT, ARG_NULL, ARG_NUMBER, ARG_TEXT, ARG_BLOB } kind;
	int64_t number;    /* of text and blob: where they are kept */
	const void *bytes; /* … until then; the statement */
	size_t len;
};

#define NOTHING ((struct arg){ ARG_NULL, 0, NULL, 0 })
#define NUMBER(n) ((struct arg){ ARG_NUMBER, (int64_t)(n), NULL, 0 })
#define TEXT(slice) ((struct arg){ ARG_TEXT, 0, (slice).at, (slice).len })
#define BLOB(from, size) ((struct arg){ ARG_BLOB, 0, (from), (size) })
#define ID(id) BLOB((id)->at, sizeof((id)->at))

/**
 * transaction_add(s, sql, ...):
 * Under the lock: one statement more (a literal) for the next commit, and its
 * arguments.  Without a directory it does nothing.
 *
 * transaction_write(t, db, prepared), transaction_clear(t):
 * Run all of ${t} in one transaction, without the lock; ${prepared} keeps the
 * statements that were prepared.  Return -1 when that failed: it is to be
 * rolled back.  Empty it, and free its memory.
 */
#define STATEMENTS 32 /* more than there are */
struct prepared {
	const char *sql;
	sqlite3_stmt *statement;
};
#define ARGS(...) ((const struct arg[]){ __VA_ARGS__ })
#define transaction_add(s, sql, ...)                                                               \
	transaction_put(s, sql, ARGS(__VA_ARGS__), sizeof(ARGS(__VA_ARGS__)) / sizeof(struct arg))
void transaction_put(struct state *s, const char *sql, const struct arg *args, size_t n);
int transaction_write(const struct transaction *t, sqlite3 *db, struct prepared *prepared);
void transaction_clear(struct transaction *t);

/* ---- the tables in memory; all under the lock */

/* One change more.  ${urgent}: somebody waits for the ticket. */
state_ticket tickets_post(struct state *s, bool urgent);

/**
 * contents_of(s, id), contents_change(s, id):
 * Return the content ${id}, made when it is not known; and note that it changes.
 *
 * contents_dirty(s, k), contents_gather(s):
 * Mark ${k} for the next commit; add the marked ones to the transaction.
 *
 * contents_judged(s):
 * A content that had a file when the process before ended, and has none, has lost it.
 *
 * contents_link(s, k), contents_unlink(s, k):
 * Put ${k} into the lists of its home, of its file and of all, as used last; take it out.
 */
struct known *contents_of(struct state *s, const struct identity *id);
struct known *contents_change(struct state *s, const struct identity *id);
void contents_dirty(struct state *s, struct known *k);
void contents_gather(struct state *s);
void contents_judged(struct state *s);
void contents_link(struct state *s, struct known *k);
void contents_unlink(struct state *s, struct known *k);
void contents_free(struct known *k);
struct slice contents_key(const struct identity *id); /* of the maps; of logs as well */

/**
 * logs_of(s, id), logs_change(s, id):
 * As those of contents, but a change is posted by the caller.
 *
 * logs_mark(l, which, side):
 * The cursor of a reader, made (ABSENT) when there is none.
 *
 * logs_span(s, log, k, is), logs_save(s, span), logs_drop(s, span):
 * Put a span of ${k}, in the place of one of the same log and first byte; have it
 * written; delete it.
 *
 * logs_forget(s, k):
 * Delete the spans of ${k}, and the logs that had no other span.
 */
struct known_log *logs_of(struct state *s, const struct identity *id);
struct known_log *logs_change(struct state *s, const struct identity *id);
struct mark *logs_mark(struct known_log *l, unsigned which, enum side side);
struct known_span *logs_span(
    struct state *s, const struct identity *log, struct known *k, const struct span_state *is);
void logs_save(struct state *s, const struct known_span *span);
void logs_drop(struct state *s, struct known_span *span);
void logs_forget(struct state *s, struct known *k);
void logs_free(struct known_log *l);

/**
 * breaks_add(b, position), breaks_cut(b, position), breaks_pass(b, position):
 * Add a break; drop those behind ${position}; drop those up to it (false: there
 * were none).
 */
void breaks_add(struct breaks *b, uint64_t position);
void breaks_cut(struct breaks *b, uint64_t position);
bool breaks_pass(struct breaks *b, uint64_t position);

/**
 * readers_mark(t, name):
 * The cursor of the reader ${name}, or of "count"; ABSENT when there are too many.
 *
 * readers_gather(s):
 * Add the cursors that have moved to the transaction.
 */
uint64_t readers_mark(struct tables *t, const char *name);
void readers_gather(struct state *s);

/**
 * texts_put(all, key, value), texts_each(all, each, arg), texts_free(all):
 * Maps of texts: set one; call ${each} for all; free it with them (NULL is harmless).
 *
 * texts_rules(t, name, text):
 * Keep framing rules; false when they are there.
 */
void texts_put(struct map *all, struct slice key, struct slice value);
void texts_each(const struct map *all,
    void (*each)(void *arg, struct slice key, struct slice value), void *arg);
void texts_free(struct map *all);
bool texts_rules(struct tables *t, uint64_t name, struct slice text);

/**
 * staging_see(g, log, out), staging_cut(g, log, position):
 * The reader thread's: write cursors of counting of ${log} that are not posted yet
 * to ${out}; take them back to ${position}.
 *
 * staging_gather(s):
 * Add the counters that have changed to the transaction.
 */
struct staging *staging_new(void);
void staging_free(struct staging *g);
void staging_see(const struct staging *g, const struct identity *log, struct cursors out[SIDES]);
void staging_cut(struct staging *g, const struct identity *log, uint64_t position);
void staging_gather(struct state *s);

/**
 * forget_old(s):
 * Forget contents that have had no file for STATE_AGE_DAYS, or that are more
 * than are to be remembered, at most FORGET_MOST of them; return how many.
 *
 * forget_start(s):
 * At a start no file has a content yet: note that, and forget the old ones. In the
 * store they keep their files until state_judged().
 */
#define FORGET_MOST 1000
size_t forget_old(struct state *s);
void forget_start(struct state *s);

/* ---- the store; each returns -1 when it cannot, the first two after saying why */

/**
 * holds_add(h, hold), holds_free(h), holds_gather(s):
 * Add a hold; drop all; under the lock: add the table to the next transaction,
 * when it has changed.
 */
void holds_add(struct holds *h, const struct state_hold *hold);
void holds_free(struct holds *h);
void holds_gather(struct state *s);

/**
 * schema_open(s, look):
 * Open the store of s->dir and read it into memory.  It is made when absent,
 * and set aside when it is corrupt; ${look}: nothing is changed.
 *
 * store_start(s), store_stop(s):
 * Start the thread that writes; write pending changes and end it.
 *
 * load_store(s):
 * Read all tables of s->db into memory.
 */
int schema_open(struct state *s, bool look);
int store_start(struct state *s);
void store_stop(struct state *s);
int load_store(struct state *s);

#endif
