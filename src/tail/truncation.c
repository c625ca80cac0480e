/*
 * Truncated, a file begins anew.  Who truncates may have made a copy first
 * (logrotate's copytruncate): the copy is a place of the content, and is found
 * by its identity among the rotated files beside the log.
 */
#include "truncation.h"

#include <inttypes.h>

#include "content.h"
#include "files.h"
#include "log.h"
#include "lost.h"
#include "order.h"
#include "reader.h"
#include "rotation.h"
#include "place.h"
#include "spans.h"

/* The place has another content now, which is new. */
static void
become_another(struct tail *t, struct place *p)
{
	struct content *was = p->content;
	struct log *log = log_get(t, was->log->stream.conf, was->log->stream.path, was->log->name);
	struct identity id = was->id;

	TAILQ_REMOVE(&was->places, p, in_content);
	p->first_look = t->look->number + 1;
	files_head(t, p);
	order_add(t, log, p);
	rotation_open(t, log);
	order_name(t, log);
	was = content_find(t, &id);
	if (was != NULL && content_place(was) != NULL) {
		was->size = was->read_to; /* what it was seen to grow to may be of the other one */
		content_measure(was);
	} else if (was != NULL && was->spans == 0) { /* else its reader seeks it (walk.c) */
		lost_content(t, was, LOST_TRUNCATED);
	}
	frame_forget(&t->frame);
}

void
truncation_found(struct tail *t, struct place *p)
{
	if (files_failed(t))
		return;
	place_measure(p);
	say_info("tail", "%s was truncated: it has %" PRIu64 " bytes, %" PRIu64 " were read of it",
	    p->name, p->size, p->content->read_to);
	become_another(t, p);
}

/* The place is no longer what was read of its content. */
static bool
is_changed(struct place *p)
{
	place_measure(p);
	return p->packed == NULL &&
	       (p->size < p->content->taken.at || !fingerprint_fits(p, &p->content->taken));
}

/* Bytes are lost to each that has not taken them. */
static void
lose(struct tail *t, struct reader *r, uint64_t from, uint64_t to)
{
	struct feed *f;

	FEEDS_FOREACH (f, r)
		lost_untaken(t, r->span->content, f, LOST_TRUNCATED, from, to);
	if (r->feeds == 0)
		lost_count(t, r->span->content, NULL, LOST_TRUNCATED, to - from);
	reader_skip(t, r, from, to);
}

bool
truncation_look(struct tail *t, struct reader *r)
{
	struct log *log = r->log;
	uint64_t from = r->at, to = r->at;
	struct content *c;

	for (int side = 0; side < SIDES; side++) {
		const struct open_record *o = &r->open[side];

		if (o->rules == NULL)
			continue;
		from = o->start < from ? o->start : from;
		to = o->end > to ? o->end : to;
	}
	for (struct span *s = log_span(log, from); s != NULL && span_start(s) < to;
	     s = TAILQ_NEXT(s, in_log)) {
		c = s->content;
		if (content_place(c) == NULL) {
			if (!lost_seek(t, c))
				return false;
			lost_content(t, c, LOST_TRUNCATED);
			return true;
		}
		if (is_changed(content_place(c))) {
			truncation_found(t, content_place(c));
			return true;
		}
	}
	/* It has changed back, or is a .gz that cannot be read: go on without these bytes. */
	lose(t, r, from, to);
	return true;
}

void
truncation_pending(struct tail *t, struct log *log)
{
	struct content *c = TAILQ_FIRST(&log->pending), *next;

	for (; c != NULL; c = next) {
		struct place *p = content_place(c);

		next = TAILQ_NEXT(c, in_pending);
		if (p->packed != NULL)
			continue;
		place_measure(p);
		if (p->size >= p->head.at && fingerprint_fits(p, &p->head))
			continue;
		if (c->named) {
			truncation_found(t, p);
		} else if (!files_failed(t)) {
			p->first_look = t->look->number + 1;
			files_head(t, p);
			rotation_open(t, log);
		}
		next = TAILQ_FIRST(&log->pending); /* the list may be another one now */
	}
}

/* ---- places that were one content, and have grown apart */

/* Copies are made of the live file: it is shorter when it was truncated since. */
static bool
is_shorter(struct place *p, const struct place *copy)
{
	if (!p->live || p->size >= copy->size)
		return false;
	place_measure(p); /* it may have grown while the copy was measured */
	return p->size < copy->size;
}

/* A place that has not what the others have, as far as both go; NULL: there is none. */
static struct place *
grown_apart(const struct content *c)
{
	struct place *p = content_place(c), *most = p;

	if (p != NULL && TAILQ_NEXT(p, in_content) != NULL)
		most = content_longest(c);
	TAILQ_FOREACH (p, &c->places, in_content) {
		if (p == most || p->packed != NULL)
			continue;
		if (is_shorter(p, most))
			return p;
		if (!fingerprint_equal(p, most, p->size))
			return content_fits(c, most) ? p : most;
	}
	return NULL;
}

void
truncation_places(struct tail *t, struct log *log)
{
	const struct content *c = TAILQ_FIRST(&log->pending);
	const struct span *s = TAILQ_FIRST(&log->spans);
	struct place *p = NULL;

	for (; p == NULL && s != NULL; s = TAILQ_NEXT(s, in_log))
		p = grown_apart(s->content);
	for (; p == NULL && c != NULL; c = TAILQ_NEXT(c, in_pending))
		p = grown_apart(c);
	if (p != NULL && !files_failed(t))
		become_another(t, p);
}
