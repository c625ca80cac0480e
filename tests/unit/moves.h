/* What the parts of test_moves.c share: chance, kinds, what became of each line. */
#ifndef MOVES_H
#define MOVES_H

#include "chance.h"
#include "own_clock.h"
#include "kinds.h"
#include "tail_rig.h"

#define LINES 4000

static unsigned seed;
static bool tracing;
#define TRACE(...)                                                                                 \
	do {                                                                                       \
		if (tracing)                                                                       \
			print_message(__VA_ARGS__);                                                \
	} while (0)

/* ---- kinds of moves */

enum {
	COPY = 1 << 0,      /* copied and truncated */
	RENAME = 1 << 1,    /* renamed, and begun anew */
	PARK = 1 << 2,      /* the server lets items go from memory */
	HALF = 1 << 3,      /* a part of a line, whose rest comes later, or never */
	LATE = 1 << 4,      /* lines to renamed files at any time, over any number of kills */
	EARLY = 1 << 5,     /* a .gz is there while its file's writer is */
	SHORT = 1 << 6,     /* a .gz is written where it stays, and met before it is complete */
	HOLE = 1 << 7,      /* a writer without O_APPEND: NUL bytes where a truncated file was */
	STAYS = 1 << 8,     /* a renamed file's writer does not go, and says nothing */
	BANNER = 1 << 9,    /* contents that begin with the same lines, time and all */
	EQUAL = 1 << 10,    /* … of which some have nothing else */
	TAKEOVER = 1 << 11, /* a DB of Fluent Bit's is there at the first start */
	PATHS = 1 << 12,    /* plain files, and a Path that finds rotated names, too */
	NUMBERS = 1 << 13,  /* plain files x.1 x.2 x.3, each a log of its own */
	POWER = 1 << 14,    /* the power goes: the live file has lost its last bytes */
	FAILS = 1 << 15,    /* a read of a file fails, or gives a part */
	OWN = 1 << 16,      /* rules of the configuration's own join lines, others in each life */
	MIDST = 1 << 17,    /* names change while a directory is listed */
	CROWD = 1 << 18,    /* fewer files may be open than there are */
};

static unsigned kinds; /* of this seed */

/* ---- what became of each line */

struct fate {
	unsigned due, least;         /* how often it is to come; at the least, by a price */
	unsigned delivered, counted; /* how often it did */
	unsigned posted;             /* counted so far, in what a kill leaves */
	unsigned offered;            /* in the order of all records: first, last of each; 0: not */
};

static struct fate fates[LINES];
static unsigned nlines, noffered;

/* A line as it was written: the same one several times, when it is a banner's. */
struct writing {
	unsigned line, log, content;
	int side;
	uint64_t end; /* behind it in its content; UINT64_MAX: its rest never came */
	bool cut;     /* a further part of its line is to come */
	bool late;    /* all of it was not there when its content got a successor */
	bool
	    torn; /* its rest came to another content, or late, or there is something before it: it may lose its side */
};

static struct writing writings[2 * LINES];
static unsigned nwritings;

/* Call for each #NUMBER; of a text. */
static inline void
lines_in(struct slice text, void (*each)(struct fate *))
{
	for (const char *at = text.at, *end = text.at + text.len;
	     (at = memchr(at, '#', (size_t)(end - at))) != NULL; at++) {
		unsigned long n = 0;
		const char *digit = at + 1;

		while (digit < end && *digit >= '0' && *digit <= '9')
			n = n * 10 + (unsigned long)(*digit++ - '0');
		if (digit == end || *digit != ';') /* the power went within it */
			continue;
		assert_true(n < nlines);
		each(&fates[n]);
	}
}

static inline void
fate_delivered(struct fate *f)
{
	f->delivered++;
}

static inline void
fate_counted(struct fate *f)
{
	f->counted++;
}

static inline void
fate_offered(struct fate *f)
{
	if (f->offered == 0)
		f->offered = ++noffered;
}

static inline bool
all_posted(void)
{
	for (unsigned i = 0; i < nlines; i++) {
		if (fates[i].posted < fates[i].due)
			return false;
	}
	return nlines > 0;
}

static inline bool
all_came(void)
{
	for (unsigned i = 0; i < nlines; i++) {
		const struct fate *f = &fates[i];

		if (f->least == f->due && (f->delivered < f->due || f->counted < f->due))
			return false;
	}
	return true;
}

#endif
