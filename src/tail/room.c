/*
 * Of the open files that have nothing to read those to which nothing was written for
 * the longest make room for as many that have something.  What was read of them
 * is in the state; looks pass over them until they are written to (quiet.c).
 */
#include "room.h"

#include <stdlib.h>

#include "content.h"
#include "feed.h"
#include "files.h"
#include "log.h"
#include "order.h"
#include "place.h"
#include "quiet.h"
#include "reader.h"
#include "spans.h"

#define GAP (250 * NS_PER_MS) /* how often room is made */
#define QUIET NS_PER_S        /* so long nothing was written to a file that makes room */

struct quiet_file {
	struct log *log;
	struct stat st;
};

/* Each reader has shipped all of the log's one content. */
static bool
is_shipped(struct log *log, const struct place *p)
{
	const struct span *s = log_last(log);
	uint64_t end = s->is.base + p->size;
	struct reader *r;

	if (!TAILQ_EMPTY(&log->pending) || log->count != NULL || s != TAILQ_FIRST(&log->spans) ||
	    s->is.seal != SEAL_NONE)
		return false;
	READERS_FOREACH (r, log) {
		if (r->parked || r->at != end || frame_is_open(r))
			return false;
		feed_follow(r);
		if (!feed_idle(r))
			return false;
	}
	return log->nfeeds > 0 && spans_shipped(log) >= end;
}

/* All of its one file was read, or it has no line yet. */
static bool
is_quiet(struct log *log, struct stat *st)
{
	struct content *c =
	    log_last(log) != NULL ? log_last(log)->content : TAILQ_FIRST(&log->pending);
	struct place *p = c != NULL ? content_place(c) : NULL;

	if (log->turn != ASLEEP || p == NULL || !(p->live || p->packed != NULL) ||
	    TAILQ_NEXT(p, in_content) != NULL || c->log != log || c->late != NULL ||
	    fstat(p->fd, st) < 0 || clock_wall() - files_written(st) < QUIET)
		return false;
	if (log_last(log) == NULL)
		return !c->named && TAILQ_NEXT(c, in_pending) == NULL &&
		       (uint64_t)st->st_size == p->size;
	place_measure(p);
	return is_shipped(log, p);
}

/* Its readers have come as far as they can: an older file than those that are open found no room. */
static bool
is_stuck(struct tail *t, struct log *log)
{
	struct reader *r;
	bool stuck = log->nfeeds > 0 || !order_may_enter(t, log);

	if (log->list != LIST_LACKS)
		return false;
	READERS_FOREACH (r, log) {
		struct content *c = r->span->content;

		feed_follow(r);
		content_measure(c);
		stuck &= !r->parked && feed_idle(r) && log->turn != READY &&
			 (content_place(c) == NULL ||
			     (!frame_is_open(r) && r->at - r->span->is.base >= c->size));
	}
	return stuck;
}

/* The next look opens its files again, the oldest that was not read first; late bytes with them. */
static void
begin_again(struct tail *t, struct log *log)
{
	const struct span *last = log_last(log), *s;

	TAILQ_FOREACH (s, &log->spans, in_log) {
		if (s->content->late != NULL)
			log_free(t, s->content->late);
	}
	if (last != NULL && spans_shipped(log) >= last->is.base + last->content->size &&
	    content_is_left(t, last->content))
		spans_pass(t, last);
	log_free(t, log);
}

static int
by_age(const void *one, const void *other)
{
	const struct quiet_file *a = one, *b = other;
	int64_t at = files_written(&a->st), bt = files_written(&b->st);

	return (at > bt) - (at < bt);
}

static void
room_make(struct tail *t)
{
	struct files *f = t->files;
	struct quiet_file *quiet = xcalloc(f->n, sizeof(*quiet));
	struct log *log, *next;
	size_t n = 0;

	for (log = LIST_FIRST(&t->logs->all); log != NULL; log = next) {
		next = LIST_NEXT(log, in_logs);
		if (is_stuck(t, log)) {
			begin_again(t, log);
			next = LIST_FIRST(&t->logs->all); /* others may have gone with it */
			n = 0;
		} else if (n < f->n && is_quiet(log, &quiet[n].st)) {
			quiet[n++].log = log;
		}
	}
	qsort(quiet, n, sizeof(*quiet), by_age);
	for (size_t i = 0; i < n && i < f->waiting; i++) {
		if (quiet[i].log->list != LIST_NOW)
			quiet_note(f->quiet, &quiet[i].st);
		log_free(t, quiet[i].log);
	}
	free(quiet);
}

void
room_turn(struct tail *t)
{
	struct files *f = t->files;

	if (f->waiting == 0 || t->look->wanted)
		return;
	if (t->now >= f->room) {
		f->room = t->now + GAP;
		room_make(t);
	}
	t->due = earlier(t->due, t->look->wanted ? t->look->at + t->look->gap : f->room);
}
