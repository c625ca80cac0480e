/* A reader's position, and how far each side is done. */
#include "reader.h"

#include <assert.h>
#include <stdlib.h>

#include "content.h"
#include "least.h"
#include "place.h"
#include "spans.h"

/* Nothing is open at r->at. */
static void
seek(struct tail *t, struct reader *r)
{
	struct place *p;
	uint64_t offset;

	r->span = log_span(r->log, r->at);
	r->before = FINGERPRINT_NONE;
	r->half = r->seen = 0;
	reader_passes_none(r);
	r->ended = false;
	memset(r->open, 0, sizeof(r->open));
	memset(r->past, 0, sizeof(r->past));
	breaks_seek(&t->frame, r);
	p = content_place(r->span->content);
	offset = r->at - r->span->is.base;
	if (p != NULL && p->packed == NULL && offset > 0 && offset <= r->span->content->taken.at &&
	    fingerprint_fits(p, &r->span->content->taken))
		fingerprint_of(p, offset, &r->before);
}

void
reader_resume(struct tail *t, struct reader *r)
{
	r->at = least(r->resume[SIDE_STDOUT], r->resume[SIDE_STDERR]);
	seek(t, r);
}

uint64_t
reader_progress(const struct reader *r, enum side side)
{
	if (r->open[side].rules != NULL)
		return r->open[side].start;
	return r->resume[side] > r->at ? r->resume[side] : r->at;
}

bool
reader_has_passed(const struct reader *r, const struct reader *other)
{
	for (int side = 0; side < SIDES; side++) {
		if (reader_progress(r, (enum side)side) < reader_progress(other, (enum side)side))
			return false;
	}
	return r->at >= other->at;
}

void
reader_skip(struct tail *t, struct reader *r, uint64_t from, uint64_t to)
{
	uint64_t at[SIDES];
	bool any = false;

	for (int side = 0; side < SIDES; side++) {
		at[side] = reader_progress(r, (enum side)side);
		if (at[side] < from || at[side] >= to)
			continue;
		at[side] = to;
		any = true;
	}
	if (!any)
		return;
	memcpy(r->resume, at, sizeof(r->resume));
	reader_resume(t, r);
}

const struct reader *
reader_foremost(const struct log *log)
{
	const struct reader *most = NULL, *r;

	READERS_FOREACH (r, log) {
		if (most == NULL || r->at > most->at)
			most = r;
	}
	return most;
}

/* ---- the reader that counts */

void
reader_count_begin(struct tail *t, struct log *log)
{
	const struct reader *foremost;
	struct cursors at[SIDES];
	struct reader *r;
	uint64_t from = UINT64_MAX;

	log->count = r = xcalloc(1, sizeof(*r));
	foremost = reader_foremost(log);
	assert(foremost != NULL); /* its feeds have readers */
	*r = *foremost;
	r->feeds = 0;
	r->parked = r->stale = false;
	r->due = 0;
	TAILQ_INSERT_TAIL(&t->logs->counting, log, in_counting);
	state_cursors(t->state, &log->stream.log, log->feeds[0].to->number, at);
	for (int side = 0; side < SIDES; side++)
		from = least(from, at[side].counted);
	if (from <= r->at)
		return;
	for (int side = 0; side < SIDES; side++)
		r->resume[side] = at[side].counted;
	reader_resume(t, r);
}

void
reader_count_end(struct tail *t, struct log *log)
{
	if (log->count == NULL)
		return;
	TAILQ_REMOVE(&t->logs->counting, log, in_counting);
	place_turned(t, log->count, false);
	free(log->count);
	log->count = NULL;
}
