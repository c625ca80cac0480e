/*
 * Tailing: files found, changes noticed, bytes cut into lines, lines joined to
 * records.  One reader thread owns all of it and never waits for a network.
 *
 *	tail_wait -> tail_turn: watch (inotify, rescan) -> lines (reads a file) ->
 *	frame (runtime's forms, partials, stack traces) -> the caller's function
 */
#ifndef TAIL_H
#define TAIL_H

#include <stdint.h>

#include "conf.h"
#include "cursor.h"
#include "pod.h"
#include "roots.h"
#include "state.h"
#include "stream.h"

/* [INPUT] tail; the options are in tail_plugin's table. */
extern const struct plugin tail_plugin;

struct field;
struct input_metrics;

/* The options of every input; first in each input's struct. */
struct input {
	char *tag;
	char *alias;
	char *mem_buf_limit, *log_level, *storage_type; /* accepted, idle */
	struct input_metrics *metrics; /* no option: its counters, which the pipeline names */
	bool routable;
};
extern const struct option tail_input_options[]; /* the common rows of [INPUT] */

struct encoding;
struct pattern;

/*
 * Rules of the configuration's own that join lines (multiline.h): of an input, or of
 * a [FILTER] multiline, which holds for the tags that it matches.  Made by joins.h.
 */
struct tail_join {
	char *text;
	const char *match; /* NULL: every tag */
	struct pattern *match_regex;
	int64_t flush; /* ms that a record of theirs waits for its next line; 0: Flush_ms */
};

struct tail_conf {
	struct input input;
	struct roots_of from;
	struct list exclude_path;
	struct list multiline;         /* built-in ones are only checked: they join in any case */
	const struct tail_join *joins; /* in their order; not an option */
	size_t njoins;
	char *tag_regex; /* names parts of the path for Tag; NULL: none */
	char *parser;
	bool multiline_on;      /* Multiline: a line that parser_firstline reads begins a record */
	int64_t multiline_wait; /* Multiline_Flush: ns; 0: not given */
	char *parser_firstline;
	struct list parsers_further; /* Parser_1 and further ones, in their order */
	bool docker_mode; /* with docker_firstline a line's text begins a record as it says */
	char *docker_firstline;
	bool skip_empty, exit_on_eof;
	bool docker_too; /* lines of json-file are told from those of `parser`; chain_new sets it */
	bool read_from_head;
	int first_start;                                            /* enum first_start */
	int64_t refresh_interval, rotate_wait, flush, ignore_older; /* 0: none is */
	uint64_t held_deleted_limit;
	int64_t max_files;        /* the inputs share the sum of theirs */
	uint64_t buffer_max_size; /* of a line, and of a joined record */
	char *path_key, *offset_key, *key;
	char *encoding_name;       /* generic.encoding; NULL: UTF-8 */
	int utf16;                 /* unicode.encoding: enum utf16 */
	struct encoding *encoding; /* made of it by chain_new */
	char *time_offset;         /* NULL: UTC */
	char *db;                  /* NULL: none */
	char *source_id;           /* NULL: the machine id */
	bool never_own_pod, keep_colors;
	bool
	    has_fields; /* no option: of an input beside tail, whose records are fields without text */
};

/* True when the input may have a runtime's lines (Parser cri, the default, docker, or docker_too). */
bool tail_reads_runtime(const struct tail_conf *conf);

/* The part of a file's ${path} that tags and documents show: all of it, but in a rehearsal. */
static inline const char *
tail_shown(const struct tail_conf *conf, const char *path)
{
	return path + (conf->from.below != NULL ? strlen(conf->from.below) : 0);
}

/* Where reading begins in files that have no state. */
enum first_start { START_HEAD, START_END };

/* One record as framing cut it. */
struct framed {
	struct stream *stream;
	struct record_id id;
	struct cursor *cursor; /* the reader's, of its side; NULL: it is only counted */
	enum side side;
	bool partial; /* the first line's tag was P */
	bool truncated;
	uint64_t lines;         /* of the file, of which it is made */
	bool fresh;             /* it was certainly never offered before */
	unsigned offered;       /* so often before this call, to other readers */
	int64_t time;           /* the first line's, ns; 0 when it has none */
	struct slice time_text; /* empty: a line without the runtime's head */
	struct slice text;      /* content, lines joined by \n; lives until the next call */
	/* Of an input whose records are fields (has_fields of its conf): in the place of text. */
	const struct field *fields;
	int nfields;
	uint64_t start, end; /* positions in the log: where it begins, where its side goes on */
	state_ticket after;  /* must be durable before it is sent; 0: nothing must */
};

/**
 * The caller's function for a record.  True: it is taken; false: there is no room
 * now: reading stops, and the same record is offered again in a later turn.  Readers that
 * keep pace get each record one after the other.
 */
typedef bool tail_record(void *arg, const struct framed *record);

/* Called once when a log is first seen (before its first record) and when it is let go. */
typedef void tail_stream(void *arg, struct stream *stream, bool begins);

/* A destination of records, with cursors of its own in each log. */
struct tail_reader {
	const char *name; /* names its cursors in the state */
	struct range_book *book;
	tail_record *record;
};

struct tail;

/**
 * tail_new(confs, n, state, readers, nreaders, count, stream, arg):
 * Watch the files of ${n} inputs.  The functions of ${readers} (at least one, at
 * most STATE_READERS; their cursors are numbered in this order) and ${stream} are called from tail_turn, ${count} (which must take
 * each record) and ${stream} from tail_count; all with ${arg}.
 */
struct tail *tail_new(const struct tail_conf *const *confs, size_t n, struct state *state,
    const struct tail_reader *readers, unsigned nreaders, tail_record *count, tail_stream *stream,
    void *arg);
void tail_free(struct tail *t);

/**
 * tail_wait(t, wake, ms):
 * Wait at most ${ms} (-1: as long as nothing is due) for a change, a due
 * timer, or the eventfd ${wake}, which is emptied.
 */
void tail_wait(struct tail *t, int wake, int ms);

/**
 * tail_turn(t, room):
 * Read the logs that have changed, at most a byte budget each, for each reader i
 * whose bit 1 << i is in ${room}, as it has a free batch.  With ${room} 0 only
 * watches, renames and deletions are looked after.  Return true when there is
 * more to read at once.
 */
bool tail_turn(struct tail *t, uint32_t room);

/**
 * tail_count(t):
 * After tail_turn: read logs whose records find no room, or are held by the
 * server, ahead of the first reader, at most a budget of bytes; each record
 * goes to the function that counts.  Return true when there is more at once.
 */
bool tail_count(struct tail *t);

/**
 * tail_go_on(t, stream):
 * The log ${stream} does not wait any more (stream.h): it has a turn.
 */
void tail_go_on(struct tail *t, const struct stream *stream);

/**
 * tail_at_end(t), tail_finish(t):
 * True when every file has been read to its end, and every open record ended.
 * From tail_finish on nothing more is expected in any file: a last line is taken
 * without its newline, and open records end at once (--exit-on-eof).
 */
bool tail_at_end(const struct tail *t);
void tail_finish(struct tail *t);

/* Figures for /metrics and status, as of the last turn. */
struct tail_figures {
	uint64_t files;                 /* open */
	uint64_t lag_bytes;             /* on disk, not yet shipped */
	uint64_t unread;                /* on disk, not yet read */
	int64_t newest;                 /* runtime time of the newest record read, ns */
	uint64_t lag_of[STATE_READERS]; /* on disk, not yet shipped by each reader */
	uint64_t apart[STATE_READERS];  /* logs that are read for it behind others */
};
void tail_figures(struct tail *t, struct tail_figures *out);

#endif
