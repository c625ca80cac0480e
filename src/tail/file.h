/* Inside tail: files, what framing keeps of them, and who calls whom. */
#ifndef FILE_H
#define FILE_H

#include <sys/queue.h>
#include <sys/types.h>

#include "clock.h"
#include "cri.h"
#include "memory.h"
#include "tail.h"
#include "trace.h"
#include "voice.h"

struct roots;
struct rules;

/* A record that is not complete yet: where it lies, and what it waits for; no bytes. */
struct open_record {
	bool any;
	bool cri, chain;   /* its lines are the runtime's; a partial chain has not ended */
	bool partial, cut; /* the first line's tag was P; it is beyond the cap */
	trace_state trace;
	char first, last;    /* bytes of its content */
	uint64_t start, end; /* of its lines in the file */
	bool holds;          /* its last line is empty, and belongs only if the next one says so; */
	uint64_t held;       /* that line begins here, */
	uint32_t held_hash;
	bool held_before; /* in the file before a rotation */
	int64_t time, last_time;
	uint64_t lines, bytes; /* physical lines of its side; content */
	uint32_t hash;
	state_ticket broken;       /* its end is a break, stored under this ticket; 0: not */
	state_ticket handed;       /* … as is its end in the file before a rotation */
	uint64_t generation;       /* of the read buffer that `line` points into */
	struct cri line;           /* the first one, while the buffer holds it */
	const struct rules *rules; /* by which it began */
	/* It began in the file before a rotation: its first part lies there. */
	struct file *before;
	uint64_t before_start, before_end;
};

/* The record of a side that time ended last, and the ticket of its break; 0: a line came since. */
struct past {
	state_ticket after;
	trace_state trace;
	bool chain;
};

struct file {
	LIST_ENTRY(file) in_files;
	TAILQ_ENTRY(file) in_awake;
	LIST_ENTRY(file) in_watched;
	struct file *older; /* had the same target before */
	struct file *after; /* the one before a rotation: read first */
	unsigned followers; /* whose `after` it is */
	const struct tail_conf *conf;
	int fd, wd;
	dev_t dev;
	ino_t ino;
	char *path, *target;   /* as found; behind all links */
	struct stream *stream; /* NULL: its first line is not complete yet */
	struct packed *packed; /* it is a .gz (content.c) */
	uint64_t offset;       /* of the first line that is not taken */
	uint64_t size, was;    /* as seen last, and before */
	int64_t written;       /* wall ns of the last write, as of the last look */
	uint64_t before_at;    /* what stands before this offset … */
	uint64_t before;       /* … has this hash (same.c) */
	uint64_t head;         /* … and so many bytes of its first line this one */
	size_t head_size;
	uint64_t noted, checked; /* size and cursor that the state was told of last */
	state_ticket begun; /* what its records wait for, its stream's being stored; 0: nothing */
	state_ticket waits; /* not read before this is durable, as the state fails; 0: nothing */
	const struct rules *present; /* as the configuration has them now */
	const struct rules *rules;   /* those in force at `offset` … */
	uint64_t sealed;             /* … for records that begin below; UINT64_MAX: for all */
	enum ruling_open settled;    /* what of what is open there */
	uint64_t stop;               /* the next break of before; UINT64_MAX: none */
	uint64_t resume[SIDES];      /* lines that begin below are done */
	uint64_t fresh_from;         /* records that begin below may have been sent before */
	int64_t grown;               /* mono ns when it last had more */
	uint64_t read_to;            /* bytes that were read at least once */
	int64_t due;                 /* mono ns when it has a turn without an event */
	bool awake;                  /* a turn looks at it */
	bool ready;                  /* may have unread bytes */
	bool hot;                    /* grows all the time: read by the clock, not watched */
	bool parked;                 /* the server holds what it feeds, or it waits: not read */
	bool found;                  /* a path led to it at the last look */
	bool stray;                  /* put behind what has lost its name: it may be older */
	bool leaving;                /* rotated or deleted: closed when it is read to its end */
	bool left;                   /* no process can write to it any more */
	int64_t asked;               /* mono ns when it was last asked whether a writer has it */
	bool ended;                  /* nothing will come any more, and nothing is open */
	bool let_go;                 /* deleted, and its disk given back unread (held.c) */
	char *name;                  /* closed for want of descriptors, fd is -1: its name then */
	bool duplicate;              /* its content is another file's: not read */
	bool changed;  /* not what was read any more: truncated, and not begun anew yet */
	bool from_end; /* First_Start end */
	bool early;    /* it was there at the start */
	/* Records of the next file that began here: in the place that ships [0], that counts [1]. */
	unsigned away[2][SIDES];
	struct file *from;      /* it handed open records over to this file; NULL: none did */
	unsigned heirs;         /* whose `from` it is */
	uint64_t joined[SIDES]; /* such a record ended here */
	struct open_record open[SIDES];
	struct past past[SIDES];
	struct ahead *ahead; /* where it is counted, ahead of this (ahead.c); NULL: it is not */
	bool news;           /* something may have come since it was counted there */
};

#define HOT_GAP (100 * NS_PER_MS) /* how often a file is read that grows all the time: hot */
#define HOT_END (200 * NS_PER_MS) /* a file that has not grown for so long is not hot */

/* What framing needs of the reader. */
struct frame {
	struct state *state;
	struct rules *rules; /* all that were met */
	tail_record *record;
	void *arg;
	bool counts; /* records are counted, not shipped (ahead.c) */
	struct cri_memo memo;
	state_ticket
	    breaks; /* of the last one that was stored; those of before are durable with it */
	state_ticket begun;    /* the same of streams, what they begin with and their rules */
	state_ticket durable;  /* what is known to be on disk */
	uint64_t generation;   /* of the read buffer; never 0 */
	const char *bytes;     /* what it holds, … */
	uint64_t from, to;     /* … of which offsets … */
	const struct file *of; /* … of which file */
	char *again;           /* lines that are read once more */
	size_t again_size;
	struct buffer text;  /* records of several lines */
	struct buffer plain; /* the content of the line at hand, when its form has escapes */
	int64_t newest;      /* runtime time of the newest record */
};

void frame_init(struct frame *fr, size_t again_size);
void frame_room(struct frame *fr, size_t again_size); /* another size */
void frame_fini(struct frame *fr);

/**
 * frame_line(fr, f, start, end, line, cut):
 * Take the line of ${f} that lies from ${start} to ${end} (its newline
 * included); ${cut}: ${line} is only its beginning.  Return false when a
 * record was refused: nothing is lost, the same line must be offered again.
 * So it is when the line is a late one, whose side's last record is still open
 * in the next file; ${f} has ended for now then.
 */
bool frame_line(
    struct frame *fr, struct file *f, uint64_t start, uint64_t end, struct slice line, bool cut);

/**
 * frame_seek(fr, f), frame_seek_stop(fr, f):
 * ${f} is read from f->offset on, where nothing is open: by which rules, and
 * where the next break is.  That alone: there may be another one.
 */
void frame_seek(struct frame *fr, struct file *f);
void frame_seek_stop(struct frame *fr, struct file *f);

/**
 * frame_stop(fr, f):
 * f->stop was reached: end what ended there before.  Return false when a
 * record was refused.
 */
bool frame_stop(struct frame *fr, struct file *f);

/**
 * frame_offer(fr, f, side, o, after):
 * Offer ${o}, which has ended, to the caller, to be sent when ${after} is on
 * disk.  Return false when it was refused, or f->changed: its lines are not there
 * any more.
 */
bool frame_offer(struct frame *fr, struct file *f, enum side side, const struct open_record *o,
    state_ticket after);

/**
 * frame_end_side(fr, f, side, after):
 * End what is open on a side: it, and then an empty line that nothing joined;
 * sent when ${after} is on disk.  Return false when one was refused.
 */
bool frame_end_side(struct frame *fr, struct file *f, enum side side, state_ticket after);

/**
 * frame_flush(fr, f):
 * End the records that are open in ${f} by a break each.  Return false when
 * one was refused.
 */
bool frame_flush(struct frame *fr, struct file *f);

/**
 * frame_open(f):
 * Is a record open in ${f}?
 */
bool frame_open(const struct file *f);

/**
 * frame_drop(o, side, counts), file_lend(f, side, counts, n), file_lends(f):
 * Forget an open record of the place that ships or ${counts}; ${n} records more
 * that began in ${f} are open in the next file.  Is any?
 */
void frame_drop(struct open_record *o, enum side side, bool counts);
void file_lend(struct file *f, enum side side, bool counts, int n);
bool file_lends(const struct file *f);

/**
 * frame_hand_over(fr, f, next), frame_start(fr, f):
 * ${f} has ended by a rotation: its open records go on in ${next}, of which
 * nothing has been read, now or in another life.  ${f} is about to be read from
 * its first byte: what comes to the file before later does not go on in it.
 */
void frame_hand_over(struct frame *fr, struct file *f, struct file *next);
void frame_start(struct frame *fr, struct file *f);

/**
 * file_stop(t, f):
 * f->stop was reached: end what ended there before, or hand it over as it was.
 * The read buffer may hold something else then.  Return false when a record
 * was refused.
 */
bool file_stop(struct tail *t, struct file *f);

/* The whole of tail. */
struct tail {
	const struct tail_conf *const *confs;
	size_t nconfs;
	struct state *state;
	struct range_book *book;
	tail_stream *on_stream;
	tail_record *count; /* what is read ahead of shipping goes there */
	TAILQ_HEAD(aheads, ahead) aheads;
	struct file *heir; /* of the file that is being read ahead: what is open goes on there */
	bool stands;       /* no batch is free: nothing was shipped in this turn */
	bool fails;        /* the state cannot be written */
	struct frame frame;
	LIST_HEAD(, file) files;       /* the newest first */
	TAILQ_HEAD(awake, file) awake; /* whose turn is first: no file waits for ever */
	struct map *by_inode, *by_target, *by_identity;
	size_t nfiles, max_files;
	struct roots *roots; /* below which files are read */
	struct watch *watch;
	bool told; /* the watch has something to say */
	char *buffer;
	size_t buffer_size;
	struct gunzip *gunzip;       /* made when there is a .gz to read */
	struct file *unpacking;      /* the one .gz that is being read */
	unsigned npacked;            /* open */
	int64_t now;                 /* mono ns of this turn */
	int64_t looked;              /* … of the last look for files */
	int64_t look_gap;            /* the least until the next one */
	int64_t refresh;             /* the most */
	bool look;                   /* something says that there are other files */
	struct takeover **takeovers; /* of each conf; NULL: there was a state, or it has none */
	int64_t started;             /* mono ns */
	bool settled;                /* what was lost before the start is counted */
	bool first_look;             /* files that it finds were there at the start */
	bool finishing;
	bool refused;     /* a record was refused in this turn */
	bool closed;      /* a writer has closed a file since the last turn */
	int64_t due;      /* mono ns when something is due without an event */
	uint64_t unparks; /* of the book, when it was last asked */
	bool stirred;     /* a file had a turn since the figures were taken */
	struct tail_figures figures;
	struct said said, said_starved, said_full;
	uint64_t held;   /* bytes of disk that deleted files keep */
	int64_t held_at; /* mono ns when they were summed */
	bool starved;    /* descriptors ran out since the last look */
};

/* When the hot files are read next: all in one turn. */
static inline int64_t
hot_due(const struct tail *t)
{
	return t->now - t->now % HOT_GAP + HOT_GAP;
}

/**
 * file_open(t, conf, path), file_close(t, f):
 * Open what ${path} leads to, when that is not open already, and note that it
 * was found (false: it leads nowhere); let a file go, and its stream.
 */
bool file_open(struct tail *t, const struct tail_conf *conf, const char *path);
void file_close(struct tail *t, struct file *f);

/**
 * file_swap(t, f, other):
 * ${f} is read on from what ${other} has open, which is its .gz.
 */
void file_swap(struct tail *t, struct file *f, struct file *other);

/**
 * file_doze(t, f), file_undoze(t, f, fd):
 * Close ${f}'s descriptor but keep it; it has ${fd} now, when that is the same
 * file, else it has been left.
 */
void file_doze(struct tail *t, struct file *f);
void file_undoze(struct tail *t, struct file *f, int fd);

/**
 * file_wake(t, f), file_stay(t, f), file_sleep(t, f):
 * ${f} may have unread bytes: it has a turn; turns look at it, behind all
 * others; they do not until it is woken.
 */
void file_wake(struct tail *t, struct file *f);
void files_wake(struct tail *t); /* each of them */
void file_stay(struct tail *t, struct file *f);
void file_sleep(struct tail *t, struct file *f);

/**
 * file_follow(f, after), file_is_behind(f, other):
 * ${f} is read when ${after} (NULL: no file; none that is read behind ${f}) has
 * ended.  Is ${f} read behind ${other}, whatever comes between, or that itself?
 */
void file_follow(struct file *f, struct file *after);
bool file_is_behind(const struct file *f, const struct file *other);

/**
 * file_inherit(f, from):
 * ${from} (NULL: no file) has handed open records over to ${f}.
 */
void file_inherit(struct file *f, struct file *from);

/**
 * stream_find(t, f), stream_end(t, f):
 * Begin ${f}'s stream once its first line is complete (false: it is not yet,
 * or the file is another's duplicate); end it, when there is one.
 */
bool stream_find(struct tail *t, struct file *f);
struct slice identity_key(const struct identity *id); /* in t->by_identity */
void stream_end(struct tail *t, struct file *f);

/**
 * stream_is_known(t, conf, path, target, fd):
 * True when the state has a stream that begins as ${fd} does, of this very name.
 */
bool stream_is_known(
    struct tail *t, const struct tail_conf *conf, const char *path, const char *target, int fd);

/**
 * file_known(t, path):
 * The open file that lies at ${path} itself, or NULL.
 */
struct file *file_known(const struct tail *t, const char *path);

/**
 * file_turn(t, f):
 * Read what is unread of ${f}, at most a budget.  Return true when there is
 * more.
 */
bool file_turn(struct tail *t, struct file *f);

/**
 * file_read_on(t, f):
 * The same for a file that has a stream and is not parked: its lines, its end.
 */
bool file_read_on(struct tail *t, struct file *f);

/**
 * successor_of(t, f):
 * The file in which what is open at the end of ${f} goes on; NULL: it is not
 * there, or has no line yet.
 */
struct file *successor_of(struct tail *t, const struct file *f);

/**
 * file_is_left(t, f):
 * Is it known that no process will write to ${f} any more?  Asked of the
 * system now and then; between, it is not known.
 */
bool file_is_left(struct tail *t, struct file *f);

/**
 * file_cursors_follow(t, f):
 * Nothing is open in ${f}, which was read to f->offset: so far its sides are
 * done, as soon as nothing is in flight.
 */
void file_cursors_follow(struct tail *t, struct file *f);

/**
 * watch_new(), watch_none(), watch_free(w):
 * The inotify instance; one that tells nothing, when there is none.
 */
struct watch *watch_new(void);
struct watch *watch_none(void);
void watch_free(struct watch *w);
int watch_fd(const struct watch *w);

/**
 * watch_directory(w, path, fd), watch_file(w, f):
 * Tell of files that come, go and are closed in the directory ${fd}, which was
 * found at ${path}; tell once when ${f} is written to.
 */
void watch_directory(struct watch *w, const char *path, int fd);
void watch_file(struct watch *w, struct file *f);
void watch_forget(struct watch *w, struct file *f);

/**
 * watch_read(w, t), watch_event(w, t, e):
 * Take the events that are there, or this one: files wake or were closed, and
 * t->look is set when names have changed.
 */
void watch_read(struct watch *w, struct tail *t);
struct inotify_event;
void watch_event(struct watch *w, struct tail *t, const struct inotify_event *e);

/**
 * pod_of(target, path):
 * Whose log the file is that ${path} leads to, by the path ${target} behind
 * all links, or, as Docker keeps logs in a directory of its own, by the link
 * that ${path} is.  NULL: not a pod's; else the caller unrefs it.
 */
struct pod *pod_of(const char *target, const char *path);

/**
 * identity_of(conf, target, pod, generation, first, out):
 * The identity of the stream whose first line is ${first} (design.md).
 */
void identity_of(const struct tail_conf *conf, const char *target, const struct pod *pod,
    uint64_t generation, struct slice first, struct identity *out);

#endif
