/*
 * A reader walks its log from span to span: lines, the end of a content, missing
 * bytes.  The foremost reader finds the ends and makes the marks; the others meet
 * them.
 */
#include "walk.h"

#include "content.h"
#include "feed.h"
#include "files.h"
#include "framing_rules.h"
#include "lines.h"
#include "log.h"
#include "lost.h"
#include "order.h"
#include "reader.h"
#include "place.h"
#include "rotation.h"
#include "spans.h"
#include "truncation.h"
#include "watch.h"

/* It has a turn then, whatever is in between. */
static enum walk
due_in(struct reader *r, int64_t at)
{
	if (at < r->due)
		r->due = at;
	return WALK_END;
}

/* The disk failed: all is as it was, and is tried again. */
static enum walk
failed(struct tail *t, struct reader *r)
{
	t->frame.gone = false;
	return due_in(r, t->now + LATE_GAP);
}

/* A file is sought: asked again between two looks, when it is known whether names have changed since. */
static enum walk
sought(const struct tail *t, struct reader *r)
{
	return due_in(r, t->now + (t->look->at == t->now ? NS_PER_MS : POLL_GAP));
}

/* A record was refused, or its lines are gone. */
static enum walk
refused(struct tail *t, struct reader *r)
{
	if (!t->frame.gone)
		return WALK_REFUSED;
	if (files_failed(t))
		return failed(t, r);
	t->frame.gone = false;
	return truncation_look(t, r) ? WALK_MORE : sought(t, r);
}

/* How to go on after reading lines of `p`; WALK_END: it has no more of them. */
static enum walk
walked(struct tail *t, struct reader *r, struct place *p, enum lines was)
{
	if (was == LINES_CHANGED && t->frame.gone)
		return refused(t, r);
	if (was == LINES_CHANGED)
		truncation_found(t, p);
	return was == LINES_END ? WALK_END : was == LINES_REFUSED ? WALK_REFUSED : WALK_MORE;
}

/* ---- from a content to the next one */

/*
 * The directory is listed once more: what it has now is all that a file can have had
 * before the bytes by which the next content is named, or by which it lost this one.
 */
static void
list_again(struct tail *t, const struct log *of)
{
	struct log *log = log_get(t, of->stream.conf, of->stream.path, of->name);

	rotation_open(t, log);
	order_name(t, log);
}

/* False: nothing has changed; else the reader may be another one now. */
static bool
enter_next(struct tail *t, struct log *log)
{
	order_part(t, log);
	if (!order_may_enter(t, log))
		return false;
	list_again(t, log);
	order_enter(t, log); /* not while a directory is not listed */
	return true;
}

static const struct span *
first_of(const struct span *s)
{
	const struct span *before;

	while ((before = TAILQ_PREV(s, spans, in_log)) != NULL && before->content == s->content)
		s = before;
	return s;
}

/* The checksum of a .gz is behind its last byte. */
static void
gz_end(const struct tail *t, const struct reader *r)
{
	struct content *c = r->span->content;
	struct place *p = content_place(c);
	char none;

	if (p == NULL || p->packed == NULL || c->gone)
		return;
	place_read(p, &none, 1, r->at - r->span->is.base);
	c->gone = place_is_cut(p) && !files_has_plain(p);
	if (c->gone)
		lost_count(t, c, NULL, LOST_GZIP, 1);
}

/* `r` is at the seal of its content. */
static enum walk
cross(struct tail *t, struct reader *r)
{
	struct span *s = r->span, *next;

	while ((next = TAILQ_NEXT(s, in_log)) != NULL && next->content == s->content)
		s = next;
	if (next == NULL) {
		feed_follow(r);
		return enter_next(t, r->log) ? WALK_MORE : WALK_END;
	}
	gz_end(t, r);
	r->mark = r->log->mark;
	if (!frame_cross(&t->frame, r, span_start(first_of(s))))
		return refused(t, r);
	if (r->at < span_end(s))
		return WALK_MORE;
	r->span = next;
	r->before = FINGERPRINT_NONE;
	return WALK_MORE;
}

/* Bytes between r->at and `end` cannot be read any more: records that are open end before them. */
static enum walk
gap_pass(struct tail *t, struct reader *r, uint64_t end)
{
	uint64_t at = r->at;

	if (!breaks_flush(&t->frame, r, INT64_MAX))
		return refused(t, r);
	if (r->at < at)
		return WALK_MORE;
	r->at = end;
	reader_passes_none(r);
	for (int side = 0; side < SIDES; side++) {
		if (r->resume[side] < end)
			r->resume[side] = end;
	}
	r->before = FINGERPRINT_NONE;
	breaks_seek(&t->frame, r);
	return WALK_MORE;
}

/* Losing it moves the readers that are in it: `r` may be in another content then. */
static enum walk
without_place(struct tail *t, struct reader *r)
{
	struct content *c = r->span->content;

	if (c->gone)
		return gap_pass(t, r, span_content_end(r->span));
	if (t->files->crowded && r->at >= r->span->is.base + c->size && enter_next(t, r->log))
		return WALK_MORE; /* its file was read, and is closed for others */
	order_part(t, r->log);
	if (!lost_is_certain(t, c))
		return due_in(r, t->now + LATE_GAP);
	if (c->missed == 0) {
		list_again(t, r->log);
		if (content_place(c) != NULL || r->span->content != c)
			return WALK_MORE;
	}
	if (!lost_seek(t, c))
		return sought(t, r);
	lost_content(t, c, LIST_EMPTY(&t->files->all) ? LOST_DELETED : LOST_TRUNCATED);
	return WALK_MORE;
}

/* ---- at the end of a place */

static bool
is_quiet(const struct tail *t, const struct reader *r)
{
	return t->finishing || t->now - r->span->content->grown > r->log->stream.conf->rotate_wait;
}

/* Bytes before `end` cannot be read: lost once for each output; of one alone, for the first reader that finds it. */
static void
lose_rest(const struct tail *t, struct reader *r, const struct place *p, uint64_t end)
{
	struct content *c = r->span->content;
	enum lost why = p->packed != NULL ? LOST_GZIP : LOST_TRUNCATED;
	struct feed *f;

	if (t->nships == 1 && !c->gone)
		lost_count(t, c, NULL, why, end - r->at);
	FEEDS_FOREACH (f, r) {
		if (t->nships > 1 && (c->lost >> f->to->number & 1) == 0)
			lost_count(t, c, f->to, why, end - r->at);
		c->lost |= UINT32_C(1) << f->to->number;
	}
	c->gone = true;
}

/* The place does not reach the seal: another does, this one may grow, or the rest is lost. */
static enum walk
short_of_seal(struct tail *t, struct reader *r, struct place *p, uint64_t end)
{
	struct content *c = r->span->content;
	struct place *other;

	TAILQ_FOREACH (other, &c->places, in_content) {
		if (other->size > p->size) {
			TAILQ_REMOVE(&c->places, other, in_content);
			TAILQ_INSERT_HEAD(&c->places, other, in_content);
			return WALK_MORE;
		}
	}
	if (!files_is_left(t, p) && !is_quiet(t, r))
		return due_in(r, t->now + POLL_GAP);
	lose_rest(t, r, p, end);
	return gap_pass(t, r, end);
}

/* When the end of the log is looked at again. */
static void
end_due(const struct tail *t, struct reader *r, const struct content *c, bool live)
{
	const struct log *log = r->log;
	bool lately = t->now - c->grown <= log->stream.conf->rotate_wait;

	for (int side = 0; side < SIDES; side++) {
		if (r->open[side].rules != NULL)
			due_in(r, t->fails || t->look->wanted
				      ? t->now + POLL_GAP
				      : c->grown + framing_rules_wait(
						       r->span->rules, r->open[side].chain));
	}
	if (!live && !r->ended)
		due_in(r, t->now + (lately || !TAILQ_EMPTY(&log->pending) ? POLL_GAP : LATE_GAP));
	if (live && log->hot)
		due_in(r, hot_due(t));
}

/* The end of the log, as far as it is known. */
static enum walk
at_end(struct tail *t, struct reader *r, struct place *p)
{
	struct content *c = r->span->content;
	bool live = content_is_live(c), waits;
	/*
	 * No break while the state fails, as it could not be stored, nor while names have
	 * changed that were not looked at: the record may go on in the next file.
	 */
	bool flush = t->finishing ||
		     (!t->fails && !t->look->wanted && t->now - c->grown >= r->span->rules->flush);
	bool over = t->finishing ||
		    (!live && (content_is_left(t, c) ||
				  (is_quiet(t, r) && t->now - c->grown >= LINE_FORMAT_WAIT)));
	enum walk was = WALK_END;
	uint64_t at;

	if (enter_next(t, r->log))
		return WALK_MORE;
	waits = order_waits(r->log);
	/* The last line is taken, though its newline has not come. */
	if (flush && over && !waits && r->at < r->span->is.base + p->size) {
		enum lines last = lines_finish(t, r, p);

		was = files_failed(t) ? failed(t, r) : walked(t, r, p, last);
		if (was != WALK_END || r->due == t->now + LATE_GAP)
			return was;
	}
	at = r->at;
	if (flush && !waits &&
	    !breaks_flush(&t->frame, r, t->finishing ? INT64_MAX : t->now - c->grown))
		return refused(t, r);
	if (r->at < at)
		return WALK_MORE;
	feed_follow(r);
	r->ended = !frame_is_open(r) && r->at >= r->span->is.base + p->size && !waits &&
		   (t->finishing || (!live && content_is_left(t, c)));
	end_due(t, r, c, live);
	return WALK_END;
}

static enum walk
place_ended(struct tail *t, struct reader *r, struct place *p, uint64_t end)
{
	struct content *c = r->span->content;

	place_measure(p);
	if (p->size > c->size)
		c->size = p->size;
	if (p->size > c->read_to && !place_is_cut(p))
		return WALK_MORE;
	if (end != SEAL_NONE)
		return short_of_seal(t, r, p, end);
	if (place_is_cut(p) && !c->gone && is_quiet(t, r) && !files_has_plain(p)) {
		uint64_t claims = place_claims(p);

		lost_count(t, c, NULL, LOST_GZIP, claims > p->size ? claims - p->size : 1);
		c->gone = true;
	}
	return at_end(t, r, p);
}

/* ---- a step */

static enum walk
read_on(struct tail *t, struct reader *r, struct place *p, uint64_t end)
{
	enum lines was = lines_read(t, r, p, end);

	if (files_failed(t))
		return failed(t, r);
	if (p->packed != NULL && was == LINES_MORE)
		place_turned(t, r, true);
	if (was != LINES_END)
		return walked(t, r, p, was);
	return r->at == end ? WALK_MORE : place_ended(t, r, p, end);
}

/*
 * A log that is written to again and again is hot: it is read each HOT_GAP,
 * which takes several lines at once, without a watch and without events.  It
 * cools when nothing has come for HOT_END.  The watch is set before the last
 * read: it tells of all later writes.
 */
static void
watch_live(struct tail *t, struct log *log, struct content *c)
{
	bool lately = t->now - c->grown < HOT_END && c->read_to > 0;
	struct place *p;

	TAILQ_FOREACH (p, &c->places, in_content) {
		if (!p->live)
			continue;
		if (c->spans > 0)
			log->hot = lately && (log->hot || p->wd < 0);
		if (!log->hot || c->spans == 0)
			watch_place(t->watch, p);
	}
}

static void
watch_log(struct tail *t, struct log *log)
{
	struct content *c;

	if (log_last(log) != NULL)
		watch_live(t, log, log_last(log)->content);
	TAILQ_FOREACH (c, &log->pending, in_pending)
		watch_live(t, log, c);
}

bool
walk_begin(struct tail *t, struct log *log)
{
	if (log->unlisted != 0 && t->now - log->unlisted >= LATE_GAP)
		rotation_open(t, log);
	watch_log(t, log);
	truncation_places(t, log);
	truncation_pending(t, log);
	order_name(t, log);
	return log->feeds != NULL || order_enter(t, log);
}

enum walk
walk_on(struct tail *t, struct reader *r)
{
	uint64_t end = span_content_end(r->span);
	struct place *p;

	r->due = INT64_MAX;
	r->ended = false;
	place_turned(t, r, false); /* until it has read of a .gz again */
	if (r->at == end)
		return cross(t, r);
	p = content_source(r->span->content, r->at - r->span->is.base);
	if (p == NULL)
		return without_place(t, r);
	if (!place_turn(t, p, r))
		return due_in(r, t->now + POLL_GAP);
	return read_on(t, r, p, end);
}
