/* What the parts of test_lives.c share: chance, the clock, what was written and what arrived. */
#ifndef LIVES_H
#define LIVES_H

#include "unit.h"

#include <stdatomic.h>

#include "chance.h"
#include "clock.h"

#define LEAST_FLUSH 20    /* ms, of all lives */
#define LEAST_CHAIN 60000 /* ms that a cut line waits */
#define MOST_MARKS 8000

static inline bool
one_in(unsigned n)
{
	return any(n) == 0;
}

/* ---- kinds of moves, beside those of all seeds */

enum {
	HALF =
	    1 << 0, /* a part of a line in a file that is renamed meanwhile; often of its first */
	LATE =
	    1 << 1, /* lines to a renamed file until the next rotation, over any number of lives */
	EARLY = 1 << 2,  /* a file is compressed while its writer is there */
	SHORT = 1 << 3,  /* a .gz is written where it stays, and met before it is complete */
	STAYS = 1 << 4,  /* a renamed file's writer does not go, and says nothing */
	BANNER = 1 << 5, /* files that begin with the same line, time and all */
	OWN = 1 << 6,    /* rules of the configuration's own join lines, others in each life */
};

static unsigned kinds; /* of this seed */

/* ---- what the lives share with who writes the files and who judges */

struct shared {
	atomic_llong now;                  /* the clock of all */
	uint64_t records;                  /* counters, as the last life has shown them */
	unsigned char counted[MOST_MARKS]; /* how often; BEGINS more for each record it begins */
};

#define BEGINS 8

static struct shared *shared;

static inline void
time_passes(int64_t ns)
{
	atomic_fetch_add(&shared->now, ns);
}

static bool tracing; /* TRACE=1: say what happens */

__attribute__((format(printf, 1, 2))) static inline void
trace(const char *format, ...)
{
	va_list ap;

	if (!tracing)
		return;
	fprintf(stderr, "%9.3f ", (double)atomic_load(&shared->now) / NS_PER_MS);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* ---- what was written */

/* A line of the runtime's. */
struct unit {
	unsigned container, file; /* each content of a log file has a number, in their order */
	int side;
	char tag;
	unsigned mark;         /* 0: an empty line */
	int64_t time, written; /* its stamp; when it was, ns */
	unsigned order;        /* of all */
	char text[48];
	bool late;   /* in a renamed file, when there was more in the next one */
	bool banner; /* it has no mark */
	bool seen;   /* by the judge */
};

#define BANNER_TEXT "{\"banner\":1}"

struct source {
	unsigned restart; /* records end with it */
	bool truncated;   /* the one before was copied and truncated: they may */
};

static struct unit *units;
static unsigned nunits, nmarks;

#endif
