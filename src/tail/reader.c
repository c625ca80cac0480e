/* A reader's position, how far each side is done, its cursors. */
#include "reader.h"

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

static void
resume(struct tail *t, struct reader *r)
{
	r->at = least(r->resume[SIDE_STDOUT], r->resume[SIDE_STDERR]);
	seek(t, r);
}

void
reader_begin(struct tail *t, struct reader *r, struct log *log, const struct shipping *to)
{
	uint64_t first = span_start(TAILQ_FIRST(&log->spans));
	const struct span *last = log_last(log);
	struct cursors at[SIDES];
	bool known;

	*r = (struct reader){ .log = log, .to = to, .mark = log->mark };
	known = state_cursors(t->state, &log->stream.log, to->number, at);
	for (int side = 0; side < SIDES; side++) {
		r->resume[side] = at[side].shipped > first ? at[side].shipped : first;
		if (!known) /* before another reader passes it */
			state_shipped(t->state, &log->stream.log, (enum side)side, to->number,
			    r->resume[side]);
		cursor_init(&r->cursor[side], &log->stream.log, (enum side)side, to->number,
		    r->resume[side]);
	}
	r->fresh_from = last->is.base + last->content->is.size;
	resume(t, r);
}

void
reader_known(struct log *log, const struct content *c)
{
	const struct span *s;

	TAILQ_FOREACH (s, &log->spans, in_log) {
		for (unsigned i = 0; i < log->nreaders && s->content == c; i++) {
			if (log->readers[i].fresh_from < s->is.base + c->size)
				log->readers[i].fresh_from = s->is.base + c->size;
		}
	}
}

void
reader_rewind(struct tail *t, struct reader *r)
{
	if (r->fresh_from < r->at)
		r->fresh_from = r->at;
	for (int side = 0; side < SIDES; side++) {
		cursor_rewind(r->to->to.book, &r->cursor[side]);
		r->resume[side] = cursor_shipped(r->to->to.book, &r->cursor[side]);
	}
	resume(t, r);
}

uint64_t
reader_progress(const struct reader *r, enum side side)
{
	if (r->open[side].rules != NULL)
		return r->open[side].start;
	return r->resume[side] > r->at ? r->resume[side] : r->at;
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
	resume(t, r);
}

uint64_t
reader_untaken(struct reader *r)
{
	uint64_t at = UINT64_MAX;

	for (int side = 0; side < SIDES; side++) {
		at = least(at, reader_progress(r, (enum side)side));
		if (r->to != NULL && (r->parked || cursor_parked(r->to->to.book, &r->cursor[side])))
			at = least(at, cursor_shipped(r->to->to.book, &r->cursor[side]));
	}
	return at;
}

void
reader_follow(struct reader *r)
{
	struct stream *stream = &r->log->stream;

	for (int side = 0; side < SIDES && r->to != NULL; side++) {
		if (r->open[side].rules != NULL ||
		    !cursor_follow(r->to->to.book, &r->cursor[side], r->at))
			continue;
		stream->followed = true;
		if (r->at > stream->counted[side])
			stream->counted[side] = r->at;
	}
}

const struct reader *
reader_foremost(const struct log *log)
{
	const struct reader *most = &log->readers[0];

	for (unsigned i = 1; i < log->nreaders; i++) {
		if (log->readers[i].at > most->at)
			most = &log->readers[i];
	}
	return most;
}

bool
reader_idle(struct reader *r)
{
	return cursor_idle(r->to->to.book, &r->cursor[SIDE_STDOUT]) &&
	       cursor_idle(r->to->to.book, &r->cursor[SIDE_STDERR]);
}

/* ---- the reader that counts */

void
reader_count_begin(struct tail *t, struct log *log)
{
	struct cursors at[SIDES];
	struct reader *r;
	uint64_t from = UINT64_MAX;

	log->count = r = xcalloc(1, sizeof(*r));
	*r = *reader_foremost(log);
	r->to = NULL;
	r->parked = r->stale = false;
	r->due = 0;
	memset(r->cursor, 0, sizeof(r->cursor));
	TAILQ_INSERT_TAIL(&t->logs->counting, log, in_counting);
	state_cursors(t->state, &log->stream.log, log->readers[0].to->number, at);
	for (int side = 0; side < SIDES; side++)
		from = least(from, at[side].counted);
	if (from <= r->at)
		return;
	for (int side = 0; side < SIDES; side++)
		r->resume[side] = at[side].counted;
	resume(t, r);
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
