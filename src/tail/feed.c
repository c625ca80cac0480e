/*
 * A feed is given each record once, by whatever reader: those that begin below
 * `taken` it has.  So a reader may be behind its feeds, each by another length, and
 * two readers may become one; as bytes are cut alike wherever reading begins, the
 * records that follow are the same.
 */
#include "feed.h"

#include <stdlib.h>

#include "least.h"
#include "place.h"
#include "reader.h"

#define APART_MOST (1u << 20) /* bytes that are read twice for readers to become one */

static uint32_t
bit_of(const struct feed *f)
{
	return UINT32_C(1) << f->to->number;
}

static void
go_back(struct tail *t, struct feed *f)
{
	struct reader *r = f->reader;

	memcpy(f->taken, r->resume, sizeof(f->taken));
	reader_resume(t, r);
}

void
feed_begin(struct tail *t, struct feed *f, struct log *log, struct shipping *to)
{
	struct reader *r = xcalloc(1, sizeof(*r));
	uint64_t first = span_start(TAILQ_FIRST(&log->spans));
	const struct span *last = log_last(log);
	struct cursors at[SIDES];
	bool known = state_cursors(t->state, &log->stream.log, to->number, at);

	f->to = to;
	f->reader = r;
	*r = (struct reader){ .log = log, .feeds = bit_of(f), .mark = log->mark };
	for (int side = 0; side < SIDES; side++) {
		r->resume[side] = at[side].shipped > first ? at[side].shipped : first;
		if (!known) /* before another reader passes it */
			state_shipped(t->state, &log->stream.log, (enum side)side, to->number,
			    r->resume[side]);
		cursor_init(&f->cursor[side], &log->stream.log, (enum side)side, to->number,
		    r->resume[side]);
	}
	f->fresh_from = last->is.base + /* an earlier process' log: its file may have grown */
			(log->mark == 0 ? last->content->size : last->content->is.size);
	go_back(t, f);
}

/* A reader goes with its last feed. */
static void
leave(struct tail *t, struct reader *r, uint32_t feeds)
{
	r->feeds &= ~feeds;
	if (r->feeds != 0)
		return;
	place_turned(t, r, false);
	free(r);
}

void
feed_end(struct tail *t, struct feed *f)
{
	for (int side = 0; side < SIDES; side++)
		cursor_rewind(f->to->to.book, &f->cursor[side]);
	leave(t, f->reader, bit_of(f));
}

void
feed_known(struct log *log, const struct content *c)
{
	const struct span *s;

	TAILQ_FOREACH (s, &log->spans, in_log) {
		for (unsigned i = 0; i < log->nfeeds && s->content == c; i++) {
			if (log->feeds[i].fresh_from < s->is.base + c->size)
				log->feeds[i].fresh_from = s->is.base + c->size;
		}
	}
}

/* ---- readers are shared, and not */

void
feed_part(struct feed *f)
{
	struct reader *from = f->reader, *own;

	if (from->feeds == bit_of(f))
		return;
	own = xmalloc(sizeof(*own));
	*own = *from;
	own->feeds = bit_of(f);
	from->feeds &= ~own->feeds;
	f->reader = own;
}

bool
feed_join(struct tail *t, struct reader *r, struct reader *other)
{
	struct feed *f;

	if (!reader_has_passed(other, r) || other->at - r->at > APART_MOST)
		return false;
	FEEDS_FOREACH (f, other) {
		f->reader = r;
		for (int side = 0; side < SIDES; side++) {
			uint64_t at = reader_progress(other, (enum side)side);

			f->taken[side] = f->taken[side] > at ? f->taken[side] : at;
		}
	}
	if ((other->feeds & 1) != 0) /* its lines are counted */
		r->seen = other->seen;
	r->mark = r->mark > other->mark ? r->mark : other->mark;
	r->due = earlier(r->due, other->due);
	r->feeds |= other->feeds;
	leave(t, other, other->feeds);
	return true;
}

void
feed_rewind(struct tail *t, struct feed *f)
{
	struct range_book *book = f->to->to.book;
	struct reader *r;

	feed_part(f);
	r = f->reader;
	for (int side = 0; side < SIDES; side++) {
		if (f->fresh_from < f->taken[side])
			f->fresh_from = f->taken[side];
	}
	if (f->fresh_from < r->at)
		f->fresh_from = r->at;
	for (int side = 0; side < SIDES; side++) {
		cursor_rewind(book, &f->cursor[side]);
		r->resume[side] = cursor_shipped(book, &f->cursor[side]);
	}
	go_back(t, f);
}

/* ---- how far it is */

uint64_t
feed_untaken(struct feed *f)
{
	struct range_book *book = f->to->to.book;
	uint64_t at = UINT64_MAX;

	for (int side = 0; side < SIDES; side++) {
		uint64_t progress = reader_progress(f->reader, (enum side)side);

		at = least(at, progress > f->taken[side] ? progress : f->taken[side]);
		if (f->reader->parked || cursor_parked(book, &f->cursor[side]))
			at = least(at, cursor_shipped(book, &f->cursor[side]));
	}
	return at;
}

uint64_t
feed_shipped(struct feed *f)
{
	return least(cursor_shipped(f->to->to.book, &f->cursor[SIDE_STDOUT]),
	    cursor_shipped(f->to->to.book, &f->cursor[SIDE_STDERR]));
}

static void
side_follow(struct feed *f, enum side side, uint64_t at)
{
	struct stream *stream = &f->reader->log->stream;

	if (!cursor_follow(f->to->to.book, &f->cursor[side], at))
		return;
	stream->followed = true;
	if (at > stream->counted[side])
		stream->counted[side] = at;
}

void
feed_follow(struct reader *r)
{
	struct feed *f;

	FEEDS_FOREACH (f, r) {
		for (int side = 0; side < SIDES; side++) {
			if (r->open[side].rules == NULL)
				side_follow(f, (enum side)side, r->at);
		}
	}
}

bool
feed_idle(const struct reader *r)
{
	struct feed *f;

	FEEDS_FOREACH (f, r) {
		if (!cursor_idle(f->to->to.book, &f->cursor[SIDE_STDOUT]) ||
		    !cursor_idle(f->to->to.book, &f->cursor[SIDE_STDERR]))
			return false;
	}
	return true;
}
