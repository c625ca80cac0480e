/*
 * The order of a log's contents.  Pending ones stand in the order of their files'
 * present names, the live one last; a file that has lost its name keeps its
 * place.  A content that turns out to be older than the last one that was entered,
 * and bytes behind a seal, are logs of their own.
 */
#include "order.h"

#include <errno.h>
#include <stdlib.h>

#include "content.h"
#include "files.h"
#include "framing_rules.h"
#include "identity.h"
#include "log.h"
#include "naming.h"
#include "feed.h"
#include "rotated.h"
#include "place.h"
#include "spans.h"
#include "takeover.h"

#define LATEST 10 /* times Rotate_Wait: the longest wait for a writer that never goes */

/* ---- names */

/*
 * The file whose name says the age: the live one's, or one that a rotation made of it.
 * The name of a deleted one may be another file's by now: the one that was seen last counts.
 */
static const struct place *
aged(const struct log *log, const struct content *c)
{
	const struct place *p, *best = NULL;

	TAILQ_FOREACH (p, &c->places, in_content) {
		if ((p->live || rotated_is(slice_of(p->name), slice_of(log->name))) &&
		    (best == NULL || p->last_look > best->last_look))
			best = p;
	}
	return best;
}

/* `x` is older than `y`, by their names. */
static bool
is_older(const struct log *log, const struct content *x, const struct content *y)
{
	const struct place *a = aged(log, x), *b = aged(log, y);

	if (b != NULL && b->live) /* all others were left for it, whatever they are called */
		return a == NULL || !a->live;
	return a != NULL && b != NULL && !a->live &&
	       rotated_order(slice_of(a->name), slice_of(b->name), slice_of(log->name)) < 0;
}

static void
insert(struct log *log, struct content *c)
{
	struct content *other;

	TAILQ_FOREACH (other, &log->pending, in_pending) {
		if (is_older(log, c, other))
			break;
	}
	if (other != NULL)
		TAILQ_INSERT_BEFORE(other, c, in_pending);
	else
		TAILQ_INSERT_TAIL(&log->pending, c, in_pending);
}

/* False: it was entered, or no name says its age: it stays where it is. */
static bool
sort(struct content *c)
{
	if (c->spans > 0 || aged(c->log, c) == NULL)
		return false;
	TAILQ_REMOVE(&c->log->pending, c, in_pending);
	insert(c->log, c);
	return true;
}

void
order_add(struct tail *t, struct log *log, struct place *p)
{
	struct content *c = content_new(log);

	c->since = c->grown = t->now;
	c->behind = log->list == LIST_LACKS;
	if (p->live && log->began == 0)
		log->began = p->first_look;
	content_add(t, c, p);
	insert(log, c);
}

void
order_renamed(struct place *p, char *name, bool live)
{
	struct content *c = p->content;

	/* It had lost its name when files that found no room were compared with it. */
	c->behind |= c->log->list == LIST_LACKS && aged(c->log, c) == NULL;
	free(p->name);
	p->name = name;
	p->live = live;
	sort(c);
}

void
order_lacks(struct log *log, const char *path)
{
	const struct place *p;
	struct content *c;

	log->list = LIST_LACKS;
	TAILQ_FOREACH (c, &log->pending, in_pending) {
		p = aged(log, c);
		c->behind |= p != NULL && (p->live || rotated_order(slice_of(p->name),
							  slice_of(path), slice_of(log->name)) > 0);
	}
}

void
order_listed(struct log *log)
{
	struct content *c;

	TAILQ_FOREACH (c, &log->pending, in_pending)
		c->behind = false;
}

/* Its writer has gone; or it has written nothing for long, and others wait for room. */
static bool
is_let_go(struct tail *t, struct log *log, struct content *c)
{
	if (content_is_left(t, c))
		return true;
	if (t->files->waiting == 0 || t->now - c->grown <= log->stream.conf->rotate_wait)
		return false;
	if (log->list == LISTED)
		log->list = LIST_LATER; /* it is looked at again */
	return true;
}

/* A file that was rotated without a line, and whose writer has gone, is no content. */
static bool
is_empty(struct tail *t, struct log *log, struct place *p)
{
	if (p->live || !is_let_go(t, log, p->content))
		return false;
	place_measure(p);
	return p->size == 0;
}

/* True when one was named, or is a place of another one: others may have waited for it. */
static bool
name_each(struct tail *t, struct log *log)
{
	struct content *c = TAILQ_FIRST(&log->pending), *next;
	size_t named = 0, n = 0;

	for (; c != NULL; c = next) {
		struct place *p = content_place(c);

		next = TAILQ_NEXT(c, in_pending);
		if (c->named)
			continue;
		n++;
		if (is_empty(t, log, p)) {
			TAILQ_REMOVE(&log->pending, c, in_pending);
			content_pass(t, c);
			content_free(t, c);
		} else if (naming_try(t, c)) {
			named++;
			if (p->content != c && sort(p->content)) /* by its name */
				return true;
		}
	}
	return named > 0 && named < n;
}

void
order_name(struct tail *t, struct log *log)
{
	while (name_each(t, log))
		;
}

/* ---- entering */

/*
 * It may have been read before it was forgotten, and is not counted again then.
 * Once files have waited for room, one that was forgotten since is not opened again.
 */
static bool
is_forgotten(const struct tail *t, const struct place *p)
{
	int64_t to = t->files->room == 0 ? state_forgotten_to(t->state) : t->files->forgotten_to;

	return (p->first_look == 1 && state_was_set_aside(t->state)) || (to > 0 && p->written < to);
}

static struct span *
span_begin(struct tail *t, struct log *log, struct content *c, uint64_t from)
{
	const struct span *last = log_last(log);
	struct span_state is = {
		.base = last == NULL ? 0 : span_end(last) - from,
		.from = from,
		.seal = SEAL_NONE,
		.rules = framing_rules_of(t, &log->stream)->name,
	};

	if (c->log == log)
		c->is.log = log->stream.log;
	log->checked = true;
	return spans_add(t, log, c, &is);
}

/* Readers know of the span that was entered; some of its records may have been sent before. */
static void
span_begun(struct tail *t, struct log *log, const struct span *s)
{
	const struct place *p = content_place(s->content);
	bool forgotten = is_forgotten(t, p);
	uint64_t to = s->is.base + s->content->size;

	state_opened(t->state, &s->content->id, log->stream.path);
	if (log->feeds == NULL)
		log_begin(t, log);
	if (forgotten || p->first_look == 1 || p->packed != NULL)
		feed_known(log, s->content);
	for (int side = 0; side < SIDES && forgotten; side++)
		log->stream.counted[side] = to;
	log->stream.followed |= forgotten;
}

static void
seal(struct span *s)
{
	struct content *c = s->content;
	struct place *p;

	content_measure(c);
	for (p = content_place(c); p != NULL && p->packed != NULL; p = TAILQ_NEXT(p, in_content)) {
		if (place_is_cut(p) && place_claims(p) > c->size)
			c->size = place_claims(p);
	}
	s->is.seal = c->size > s->is.from ? c->size : s->is.from;
}

/* The log of its own for `c` from `from` on. */
static void
part_begin(struct tail *t, struct log *log, struct content *c, uint64_t from)
{
	struct log *part;
	struct identity id;
	struct span *s;

	identity_part(&c->id, from, &id);
	part = log_part(t, log, &id);
	if (log_last(part) != NULL)
		return; /* an earlier start, or earlier late bytes, have made it */
	if (c->spans == 0)
		c->log = part;
	else
		c->late = part;
	s = span_begin(t, part, c, from);
	spans_store(t, part, &s, 1);
	span_begun(t, part, s);
}

/*
 * Found after its successor was entered.  No name says so when no file is there of the last
 * content, nor of a newer one than this: then a rotated file of the start is taken to be older.
 */
static bool
is_orphan(const struct log *log, const struct content *c)
{
	const struct span *last = log_last(log), *s = last;
	const struct place *p = content_place(c);

	while (s != NULL && content_place(s->content) == NULL)
		s = TAILQ_PREV(s, spans, in_log);
	return (s != NULL && is_older(log, c, s->content)) ||
	       (s != last && p->first_look == 1 && !p->live && !c->behind);
}

/* A file without a line yet holds up the later ones, but a .gz may be a copy of any. */
static bool
holds_up(const struct place *p)
{
	return p->live || (p->size > 0 && p->packed == NULL);
}

void
order_part(struct tail *t, struct log *log)
{
	struct content *c = TAILQ_FIRST(&log->pending), *next;

	for (; c != NULL; c = next) {
		next = TAILQ_NEXT(c, in_pending);
		if (!c->named || !is_orphan(log, c))
			continue;
		TAILQ_REMOVE(&log->pending, c, in_pending);
		part_begin(t, log, c, 0);
	}
}

/* The next content: the first pending one, if it has a line, and no older one lacks room. */
static struct content *
next_of(const struct log *log)
{
	struct content *c;

	TAILQ_FOREACH (c, &log->pending, in_pending) {
		if (!is_orphan(log, c) && (c->named || holds_up(content_place(c))))
			return c->named && !c->behind ? c : NULL;
	}
	return NULL;
}

bool
order_waits(const struct log *log)
{
	return log->unlisted != 0 || next_of(log) != NULL;
}

/* The last content's writer has gone, or has written nothing for long. */
static bool
is_over(struct tail *t, struct log *log, struct content *c)
{
	int64_t wait = log->stream.conf->rotate_wait;

	if (content_place(c) == NULL || t->finishing)
		return true;
	if (content_is_live(c))
		return false;
	if (log->waited == 0)
		log->waited = t->now;
	return content_is_left(t, c) || t->now - c->grown > wait ||
	       t->now - log->waited > LATEST * wait;
}

/* ---- the first content */

/* The offset that Fluent Bit had read to; false, and 0: it is not known. */
static bool
has_offset(struct tail *t, const struct log *log, const struct content *c, uint64_t *offset)
{
	const struct place *p = content_place(c);
	int found = 0;

	*offset = 0;
	if (p->packed == NULL && p->first_look == 1)
		found =
		    takeover_find(taken_of(t, log->stream.conf), p->fd, p->ino, p->size, offset);
	if (found < 0)
		t->files->failed = (struct failed){ .why = errno, .of = p };
	*offset = found > 0 ? place_line_start(p, *offset, (enum utf16)log->stream.conf->utf16) : 0;
	return found > 0;
}

/* Files of this log that were there at the first start are read from their ends of then. */
static bool
starts_at_end(const struct tail *t, const struct log *log)
{
	const struct tail_conf *conf = log->stream.conf;

	return t->look->takeovers != NULL &&
	       content_place(TAILQ_FIRST(&log->pending))->first_look == 1 &&
	       (!conf->read_from_head || conf->first_start == START_END);
}

/*
 * Where each pending content begins: where Fluent Bit stopped, or what comes from
 * now on.  Fluent Bit's DB forgets a rotated file that it has read: a file that is
 * not in it, and is older than one that is, was read to its end.  False: all begin
 * at their heads.
 */
static bool
is_taken_over(struct tail *t, struct log *log)
{
	bool at_end = starts_at_end(t, log);
	struct content *c, *known = NULL;

	TAILQ_FOREACH (c, &log->pending, in_pending) {
		const struct place *p = content_place(c);

		if (has_offset(t, log, c, &c->read_to))
			known = known == NULL ? c : known;
		else if (at_end && p->first_look == 1)
			c->read_to =
			    place_line_start(p, p->opened, (enum utf16)log->stream.conf->utf16);
	}
	for (c = TAILQ_FIRST(&log->pending); known != NULL && c != known;
	     c = TAILQ_NEXT(c, in_pending))
		c->read_to = c->size;
	return known != NULL || at_end;
}

/* All pending contents are entered as one change. */
static void
take_over(struct tail *t, struct log *log)
{
	struct content *c, *next;
	struct span **list = NULL, *s;
	unsigned n = 0;

	for (c = TAILQ_FIRST(&log->pending); c != NULL; c = next) {
		next = TAILQ_NEXT(c, in_pending);
		if (!c->named)
			continue;
		if (n > 0)
			seal(list[n - 1]);
		TAILQ_REMOVE(&log->pending, c, in_pending);
		list = xrealloc(list, (n + 1) * sizeof(*list));
		list[n++] = span_begin(t, log, c, c->read_to);
	}
	spans_store(t, log, list, n);
	TAILQ_FOREACH (s, &log->spans, in_log)
		span_begun(t, log, s);
	free(list);
}

bool
order_may_enter(struct tail *t, struct log *log)
{
	const struct span *last = log_last(log);

	return log->unlisted == 0 && next_of(log) != NULL &&
	       (last == NULL || is_over(t, log, last->content));
}

bool
order_enter(struct tail *t, struct log *log)
{
	struct span *list[2] = { log_last(log) };
	unsigned n = list[0] != NULL;
	struct content *c;

	if (!order_may_enter(t, log))
		return false;
	c = next_of(log);
	if (n == 0 && is_taken_over(t, log)) {
		if (!files_failed(t))
			take_over(t, log);
		return log->feeds != NULL;
	}
	content_measure(c);
	if (n > 0 && list[0]->is.seal == SEAL_NONE)
		seal(list[0]);
	TAILQ_REMOVE(&log->pending, c, in_pending);
	list[n] = span_begin(t, log, c, 0);
	spans_store(t, log, list, n + 1);
	log->waited = 0;
	span_begun(t, log, list[n]);
	return true;
}

/* ---- waiting and letting go */

/* A file that waits for its first line alone is told by its watch. */
int64_t
order_due(const struct tail *t, const struct log *log)
{
	const struct content *c = TAILQ_FIRST(&log->pending);
	const struct place *p = c != NULL ? content_place(c) : NULL;

	if (p == NULL || (log_last(log) == NULL && TAILQ_NEXT(c, in_pending) == NULL && !c->named &&
			     p->live && p->packed == NULL && p->wd >= 0 && log->failed == 0))
		return INT64_MAX;
	return t->now + LATE_GAP;
}

int64_t
order_release(struct tail *t, struct log *log)
{
	struct span *s = TAILQ_FIRST(&log->spans), *next;
	uint64_t shipped = spans_shipped(log);
	int64_t due = INT64_MAX;

	for (; s != NULL && (next = TAILQ_NEXT(s, in_log)) != NULL; s = next) {
		struct content *c = s->content;
		bool left = next->content == c || content_place(c) == NULL || is_let_go(t, log, c);

		if (next->content != c && content_place(c) != NULL) {
			content_measure(c);
			if (c->size > s->is.seal && !c->gone && c->late == NULL)
				part_begin(t, log, c, s->is.seal);
		}
		if (left && spans_is_passed(log, s, shipped)) {
			spans_pass(t, s);
			spans_drop(t, log, s);
		} else if (!left)
			due = t->now + LATE_GAP;
	}
	return due;
}
