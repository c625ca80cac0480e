/*
 * While no batch is free, or a log is parked, its shipping stands; the agents'
 * metrics must not.  When that is so for each of its readers, the log has one more,
 * whose records are counted and not shipped.  When another has come as far, it ends.
 */
#include "ahead.h"

#include "abreast.h"
#include "least.h"
#include "reader.h"
#include "turns.h"
#include "walk.h"

#define BUDGET (1u << 20) /* bytes of one call: then shipping has its turn */
#define BREAKS_MOST 1000  /* that are kept of a log: beyond, it is not read ahead */

void
ahead_drop_passed(struct tail *t, struct log *log)
{
	const struct reader *r;

	READERS_FOREACH (r, log) {
		if (log->count != NULL && reader_has_passed(r, log->count))
			reader_count_end(t, log);
	}
}

bool
ahead_is_wanted(const struct tail *t, const struct log *log)
{
	for (unsigned i = 0; i < t->nships; i++) {
		if (!t->ships[i].stands && (log->feeds == NULL || !log->feeds[i].reader->parked))
			return false;
	}
	return true;
}

static void
aheads_begin(struct tail *t)
{
	struct log *log, *next;

	for (log = TAILQ_FIRST(&t->logs->awake); log != NULL; log = next) {
		next = TAILQ_NEXT(log, in_awake);
		if (log->count != NULL || !ahead_is_wanted(t, log) ||
		    !(log->turn == READY || abreast_waits(log) || log->due <= t->now))
			continue;
		if (walk_begin(t, log))
			reader_count_begin(t, log);
	}
}

/* Bytes that are in no record are counted as far as they were read. */
static void
counted_note(struct log *log, const struct reader *r)
{
	for (int side = 0; side < SIDES; side++) {
		if (r->open[side].rules == NULL && r->at > log->stream.counted[side])
			log->stream.counted[side] = r->at;
	}
}

/* One log's turn.  Return how many bytes were read. */
static uint64_t
turn(struct tail *t, struct log *log)
{
	struct reader *r = log->count;
	uint64_t from = r->at;
	enum walk was;

	if (!ahead_is_wanted(t, log) || r->due > t->now ||
	    state_breaks(t->state, &log->stream.log) > BREAKS_MOST)
		return 0;
	walk_begin(t, log);
	if (log->count != r)
		return 1;
	was = walk_on(t, r);
	r = log->count;
	if (r == NULL)
		return 1;
	if (was == WALK_MORE)
		r->due = 0;
	if (was == WALK_END)
		counted_note(log, r);
	if (r->at > from) { /* these bytes are to be shipped, though no event tells of them */
		turns_stay(t, log);
		log->turn = READY;
	}
	t->due = earlier(t->due, r->due);
	return r->at > from ? r->at - from : was == WALK_MORE;
}

bool
tail_count(struct tail *t)
{
	struct log *log;
	uint64_t read = 0, took;
	size_t n = 0;
	bool more = false;

	aheads_begin(t);
	TAILQ_FOREACH (log, &t->logs->counting, in_counting)
		n++;
	for (; n > 0 && read < BUDGET && (log = TAILQ_FIRST(&t->logs->counting)) != NULL; n--) {
		TAILQ_REMOVE(&t->logs->counting, log, in_counting);
		TAILQ_INSERT_TAIL(&t->logs->counting, log, in_counting);
		took = turn(t, log);
		more |= took > 0;
		read += took;
	}
	return more;
}
