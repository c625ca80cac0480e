/* Inside tail: the reader thread's data. */
#ifndef TAIL_INTERNAL_H
#define TAIL_INTERNAL_H

#include "model.h"
#include "map.h"
#include "memory.h"
#include "voice.h"

struct gunzip;
struct quiet;
struct roots;
struct takeover;
struct watch;

#define LATE_GAP NS_PER_S         /* how often a content that is over is asked for late bytes */
#define POLL_GAP (50 * NS_PER_MS) /* … and a rotated file for its last ones */
#define HOT_GAP (100 * NS_PER_MS) /* how often a log is read that grows all the time: hot */
#define HOT_END (200 * NS_PER_MS) /* a log that has not grown for so long is not hot */

/* A destination of records: one of tail_new's readers. */
struct shipping {
	struct tail_reader to;
	unsigned number;   /* of its cursors, in the state */
	uint64_t unparks;  /* of its book, when it was last asked */
	bool stands;       /* it has no room, or refused a record in this turn */
	bool holds;        /* it stands, and one that has room waits for it */
	int64_t held;      /* ns that others waited for it lately (abreast.c) */
	struct log *first; /* where it stood: its next turn begins there; NULL: at any log */
};

/* The open files (files.c). */
struct files {
	LIST_HEAD(, place) all; /* the newest first */
	struct map *by_inode;
	size_t n, most;
	struct quiet *quiet;  /* those that were closed for others (room.c) */
	size_t waiting;       /* found by the last look, and not open, with bytes to read; … */
	size_t idle;          /* … with none */
	int64_t room;         /* mono ns when room is made next */
	int64_t forgotten_to; /* as the state said at the start */
	bool crowded;         /* those without bytes to read are left closed */
	bool starved;         /* a file was not opened: look again when there is room */
	bool closed;          /* a writer has closed a file since the last turn */
	struct failed failed; /* the last read that did, and was not asked for yet */
	struct said said, said_full, said_starved;
};

/* The logs, and the contents that have a name (log.c, content.c). */
struct logs {
	tail_stream *on_stream;
	LIST_HEAD(, log) all;
	TAILQ_HEAD(awake, log) awake;    /* whose turn is first */
	TAILQ_HEAD(ahead, log) counting; /* those that are read ahead */
	struct map *by_id;
	struct map *contents; /* by identity */
};

/* Looking for files (discover.c). */
struct look {
	unsigned number;   /* of the last look; that of the first is 1 */
	bool wanted;       /* something says that there are other files */
	bool unseen;       /* a name or a directory could not be looked at */
	bool settled;      /* bytes lost before the start are counted (lost.c) */
	int64_t at;        /* mono ns of the last look */
	int64_t gap;       /* the least until the next look */
	int64_t refresh;   /* the most */
	int64_t again;     /* mono ns when there may be room for closed files; INT64_MAX: never */
	size_t older;      /* files of a Path that Ignore_Older leaves out; … */
	size_t older_said; /* … of the look that said so last */
	size_t links;      /* that lead to no file, of containers that are not known */
	unsigned failed;   /* so many looks in a row could not see all */
	struct takeover **takeovers; /* of each conf; NULL: there was a state */
};

/* The one .gz that is being read (place.c). */
struct unpacking {
	struct gunzip *gunzip; /* made when there is a .gz to read */
	size_t most;           /* bytes that are read at once */
	const struct reader *by;
	unsigned n; /* .gz that are open */
};

/* Disk that deleted files keep (disk_quota.c). */
struct disk_quota {
	uint64_t held; /* bytes */
	int64_t at;    /* mono ns when they were summed */
};

struct tail {
	const struct tail_conf *const *confs;
	size_t nconfs;
	struct state *state;
	struct shipping *ships;
	unsigned nships;
	struct frame frame;
	struct files *files;
	struct logs *logs;
	struct look *look;
	struct unpacking *unpacking;
	struct disk_quota *quota;
	struct roots *roots;
	struct watch *watch;
	struct tail_figures figures;
	bool stirred;    /* a log had a turn since the figures were taken */
	bool finishing;  /* nothing more is expected in any file */
	bool fails;      /* the state cannot be written */
	int64_t now;     /* mono ns of this turn */
	int64_t started; /* mono ns */
	int64_t due;     /* mono ns when something is due without an event */
};

/* Fluent Bit's DB of an input, at the first start; NULL: there is none. */
static inline const struct takeover *
taken_of(const struct tail *t, const struct tail_conf *conf)
{
	size_t i = 0;

	while (t->confs[i] != conf)
		i++;
	return t->look->takeovers != NULL ? t->look->takeovers[i] : NULL;
}

/* When the hot files are read next: all in one turn. */
static inline int64_t
hot_due(const struct tail *t)
{
	return t->now - t->now % HOT_GAP + HOT_GAP;
}

#endif
