/*
 * The model of reading: logs, spans, contents, places, readers.
 *
 *	log       all that one container (one restart) wrote, or that was written
 *	          under one path; its bytes have positions
 *	  span    a run of one content's bytes, from `from` to `seal`, cut by one set
 *	          of rules; the end of a span and the start of the next are one position
 *	    content  the bytes of one file, under one identity (naming.c)
 *	    place    an open file that has a content: a descriptor and a name
 *	  reader  walks the log: a position, and there each side's open record
 *	    feed    an output's part of the log: its cursors, and the reader whose
 *	            records it is given; outputs that keep pace have one reader
 *
 * Always so:
 *   - A content is in its log's `pending` until it is entered, and then has a
 *     span; each that is not shipped has an open place, or its bytes are lost.
 *   - Spans are in the order of their positions.  All but the last have a seal.
 *   - A seal stands, unless its log goes back (log_cut).  Bytes behind it are a span
 *     of a log of their own (`late`), which begins there and waits for nobody.
 *   - A record is [start, end) in positions.  How bytes are cut is a function of
 *     bytes, seals, breaks and the rules of the span in which a record begins.
 *   - A reader's records wait for the last mark (span, seal, break) that it has
 *     made or passed: `mark`.
 */
#ifndef MODEL_H
#define MODEL_H

#include <sys/queue.h>
#include <sys/types.h>

#include "clock.h"
#include "fingerprint.h"
#include "frame.h"
#include "tail.h"
#include "utf16.h"

struct content;
struct place;
struct packed;
struct rules;

struct failed {
	int why; /* errno; 0: none failed */
	const struct place *of;
};

struct place {
	LIST_ENTRY(place) in_files;
	TAILQ_ENTRY(place) in_content;
	LIST_ENTRY(place) in_watched;
	struct content *content;
	int fd, wd;
	dev_t dev;
	ino_t ino;
	char *name;                     /* behind all links, as it was seen last */
	struct failed *failed;          /* takes note of reads that fail (files_failed) */
	struct packed *packed;          /* it is a .gz (place.c); NULL: a plain file */
	uint64_t size, opened;          /* of its content, as seen last; as it was opened */
	int64_t written;                /* ns, wall: of the last write, as of the last look */
	int64_t asked;                  /* mono ns when it was last asked whether a writer has it */
	struct fingerprint head;        /* of its first bytes as it was opened or named */
	unsigned first_look, last_look; /* numbers of the looks that found it */
	bool live;                      /* a Path leads to it; false: rotated or deleted */
	bool left;                      /* no process can write to it any more */
};
TAILQ_HEAD(places, place);

struct content {
	TAILQ_ENTRY(content) in_pending;
	struct places places; /* the first is read from */
	struct log *log;      /* of its first span, or by whose name it was found */
	struct log *late;     /* has the bytes behind the seal; NULL: there are none */
	struct identity id;   /* set when it is named */
	struct content_state is;
	unsigned spans;   /* 0: it is pending */
	uint32_t lost;    /* bits of the readers for which its missing end is counted */
	uint32_t hour;    /* of the first line */
	uint64_t size;    /* the largest that was seen */
	uint64_t read_to; /* all below was read at least once */
	int64_t since;    /* mono ns when a file of it was found first; 0: before the start */
	int64_t grown;    /* mono ns when it last had more */
	int64_t missed;   /* mono ns when it was found to have no place; 0: it has one */
	struct fingerprint taken; /* before the farthest offset that a reader took */
	uint64_t checked;         /* offset of the last checkpoint */
	enum utf16 mark;          /* the byte order mark at its head, once it is named */
	bool named;               /* its first line is complete */
	bool gone;                /* bytes of it cannot be read, and are counted as lost */
	bool behind;              /* pending, and an older file of its log found no room */
};
TAILQ_HEAD(contents, content);

struct span {
	TAILQ_ENTRY(span) in_log;
	struct content *content;
	struct span_state is;
	const struct rules *rules;
};
TAILQ_HEAD(spans, span);

#define DUE_ROOM INT64_MIN

struct reader {
	struct log *log;
	uint32_t feeds;         /* bits of those that it reads for; 0: it only counts */
	struct span *span;      /* in which `at` lies */
	uint64_t at;            /* of the first line that is not taken */
	uint64_t resume[SIDES]; /* lines that begin below are done */
	uint64_t seen;          /* lines that end below were counted */
	uint64_t stop;          /* the next break; UINT64_MAX: none */
	uint64_t passed; /* bytes at `at` that were found to have no newline: a long line … */
	enum passing { PASSING, PASSED } passing; /* … PASSED: that is all of it */
	uint64_t half;             /* a break at which a line without a newline ended; 0: none */
	state_ticket mark;         /* of the last mark that it has made or passed */
	struct fingerprint before; /* of the bytes before `at`, by offset in its content */
	struct open_record open[SIDES];
	struct past past[SIDES];
	int64_t due; /* mono ns when it has a turn without an event; DUE_ROOM: when it has room */
	bool parked; /* not read: an output has no room, or it waits */
	bool ended;  /* nothing will come any more, and nothing is open */
	bool stale;  /* a record waits for a mark while the state cannot be written */
};

struct feed {
	struct shipping *to;
	struct reader *reader;
	struct cursor cursor[SIDES];
	uint64_t taken[SIDES]; /* records that begin below were given to it */
	uint64_t fresh_from;   /* records that begin below may have been sent before */
	bool parked;           /* the output has no room for a record of it */
};

struct log {
	LIST_ENTRY(log) in_logs;
	TAILQ_ENTRY(log) in_awake;
	TAILQ_ENTRY(log) in_counting;
	struct stream stream;
	char *name; /* of its live file, behind all links */
	struct spans spans;
	struct contents pending; /* not entered, the oldest first */
	struct feed *feeds;      /* one for each of t->ships; NULL: no content was entered yet */
	unsigned nfeeds;
	struct reader *count; /* reads ahead of all others; NULL: none */
	state_ticket mark;    /* of the newest mark */
	unsigned began;       /* the look that found its live file first; 0: none did */
	int64_t due;          /* mono ns when it has a turn without an event */
	int64_t failed;       /* mono ns when a file of it could not be read; 0: never */
	int64_t unlisted;     /* mono ns when its directory could not be listed; 0: it was */
	int64_t awaited; /* mono ns of the look that found a link to its live file, not the file */
	int64_t listed;  /* wall ns: its directory's last change, as of its listing for a link */
	int64_t waited;  /* mono ns since when the next content waits; 0: it does not */
	enum wakeful {
		ASLEEP,
		AWAKE,
		READY
	} turn; /* AWAKE: turns look at it; READY: it may have unread bytes */
	enum listed {
		LISTED,
		LIST_NOW,   /* the rotated files beside it are looked for at the end of this look */
		LIST_AGAIN, /* … at the start of this one */
		LIST_LATER, /* … of the next one: some are closed, and may be written to */
		LIST_LACKS, /* … and some found no room: not all that it has is known */
	} list;
	bool hot;     /* grows all the time: read by the clock, not watched */
	bool checked; /* its rules were compared with the present ones */
};

/* The first of the feeds of a reader. */
static inline unsigned
reader_first(const struct reader *r)
{
	return (unsigned)__builtin_ctz(r->feeds);
}

/* The reader of the first feed from the i-th on that is the first of its reader's. */
static inline struct reader *
log_reader(const struct log *log, unsigned i)
{
	while (i < log->nfeeds && reader_first(log->feeds[i].reader) != i)
		i++;
	return i < log->nfeeds ? log->feeds[i].reader : NULL;
}

/* The readers that ship. */
#define READERS_FOREACH(r, log)                                                                    \
	for ((r) = log_reader((log), 0); (r) != NULL; (r) = log_reader((log), reader_first(r) + 1))

/* Of the feeds of which ${bits} are left the first. */
static inline struct feed *
log_feed(const struct log *log, uint32_t bits)
{
	return bits != 0 ? &log->feeds[__builtin_ctz(bits)] : NULL;
}

#define FEEDS_FOREACH(f, r)                                                                        \
	for (uint32_t left_ = (r)->feeds; ((f) = log_feed((r)->log, left_)) != NULL;               \
	     left_ &= left_ - 1)

static inline uint64_t
span_start(const struct span *s)
{
	return s->is.base + s->is.from;
}

/* The position behind its last byte; SEAL_NONE when it may grow. */
static inline uint64_t
span_end(const struct span *s)
{
	return s->is.seal == SEAL_NONE ? SEAL_NONE : s->is.base + s->is.seal;
}

/* The position where its content ends, behind further spans that other rules make of it. */
static inline uint64_t
span_content_end(const struct span *s)
{
	const struct span *next;

	while ((next = TAILQ_NEXT(s, in_log)) != NULL && next->content == s->content)
		s = next;
	return span_end(s);
}

static inline struct span *
log_last(const struct log *log)
{
	return TAILQ_LAST(&log->spans, spans);
}

/* The span in which `position` lies; the last one for all behind it. */
static inline struct span *
log_span(const struct log *log, uint64_t position)
{
	struct span *s = log_last(log), *before;

	while (span_start(s) > position && (before = TAILQ_PREV(s, spans, in_log)) != NULL)
		s = before;
	return s;
}

static inline struct place *
content_place(const struct content *c)
{
	return TAILQ_FIRST(&c->places);
}

#endif
