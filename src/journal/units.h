/* The streams of a journal: one for each tag, as * in Tag is the unit of an entry. */
#ifndef UNITS_H
#define UNITS_H

#include <sys/queue.h>

#include "entry.h"

struct unit {
	TAILQ_ENTRY(unit) in_units;
	struct stream stream;
};

TAILQ_HEAD(unit_list, unit);

struct units {
	struct unit_list all; /* the one used last stands first */
	size_t n;
	const struct journal_conf *conf;
	const struct tail_conf *shown; /* the input, as stages behind see it */
	const char *path;
	struct identity log;
	struct cursor *cursors; /* of the first reader */
	tail_stream *on_stream;
	void *arg;
	uint64_t counted;       /* entries below are counted */
	struct entry_name last; /* of them; its number is 0: not known */
};

/**
 * units_of(u, name):
 * The stream of entries of the unit ${name} (empty: none), begun when it is new.  When
 * there are Max_Units the one that was used longest ago ends.
 *
 * units_end(u):
 * All end.
 *
 * units_follow(u):
 * Each stream is counted as far as all of them are.
 */
struct stream *units_of(struct units *u, struct slice name);
void units_end(struct units *u);
void units_follow(struct units *u);

#endif
