/*
 * Losses, counted and said: bytes that were seen in a file and destroyed before
 * they were read.  While we run this is known at once; for the time before the
 * start it is told by contents without a file, whose size when it was last seen
 * lies behind their cursors.
 */
#include "lost.h"

#include <inttypes.h>
#include <stdlib.h>

#include "content.h"
#include "feed.h"
#include "reader.h"
#include "spans.h"

#define GRACE (10 * NS_PER_S)

static void
count(const struct stream *of, const char *name, const char *output, enum lost why, uint64_t bytes)
{
	static const char *const what[LOST_REASONS] = {
		[LOST_GZIP] = "is corrupt or cut off",
		[LOST_HELD] = "is deleted and keeps more than Held_Deleted_Limit: it was let go",
		[LOST_DELETED] = "was deleted",
		[LOST_TRUNCATED] = "was truncated",
		[LOST_POWERCUT] = "lost its end in a power cut",
	};
	struct pod *pod = of->pod != NULL ? pod_ref(of->pod) : pod_of(name, of->path);

	metrics_lost(pod != NULL ? pod->pod_name : pod_name_of_link(of->path), why, bytes);
	pod_unref(pod);
	say_warn("tail", "%s (%s) %s before it was read: %" PRIu64 " bytes are lost%s%s", of->path,
	    name, what[why], bytes, output != NULL ? " for the output " : "",
	    output != NULL ? output : "");
}

void
lost_count(const struct tail *t, const struct content *c, const struct shipping *to, enum lost why,
    uint64_t bytes)
{
	const struct place *p = content_place(c);
	const char *output = to != NULL && t->nships > 1 ? to->to.name : NULL;

	count(&c->log->stream, p != NULL ? p->name : c->log->name, output, why, bytes);
}

void
lost_untaken(const struct tail *t, const struct content *c, struct feed *f, enum lost why,
    uint64_t from, uint64_t to)
{
	uint64_t untaken = feed_untaken(f);

	untaken = untaken < from ? from : untaken;
	if (untaken < to)
		lost_count(t, c, f->to, why, to - untaken);
}

/* ---- a content */

/* Readers go on behind it; what each had not taken is lost for it. */
static void
log_lose(struct tail *t, struct log *log, const struct content *c, enum lost why)
{
	uint64_t from = UINT64_MAX, to = 0;
	struct reader *r;
	struct span *s;

	TAILQ_FOREACH (s, &log->spans, in_log) {
		if (s->content != c)
			continue;
		if (s->is.seal == SEAL_NONE) {
			s->is.seal = c->size > s->is.from ? c->size : s->is.from;
			spans_store(t, log, &s, 1);
		}
		from = span_start(s) < from ? span_start(s) : from;
		to = span_end(s);
	}
	if (from >= to || log->feeds == NULL)
		return;
	for (unsigned i = 0; i < log->nfeeds; i++)
		lost_untaken(t, c, &log->feeds[i], why, from, to);
	READERS_FOREACH (r, log)
		reader_skip(t, r, from, to);
	if (log->count != NULL)
		reader_skip(t, log->count, from, to);
}

void
lost_content(struct tail *t, struct content *c, enum lost why)
{
	if (c->gone)
		return;
	if (c->spans > 0) {
		c->gone = true;
		log_lose(t, c->log, c, why);
		if (c->late != NULL)
			log_lose(t, c->late, c, why);
		return;
	}
	if (c->size > 0)
		lost_count(t, c, NULL, why, c->size);
	TAILQ_REMOVE(&c->log->pending, c, in_pending);
	content_free(t, c);
}

bool
lost_is_certain(const struct tail *t, const struct content *c)
{
	const struct span *s;

	if (c->log->unlisted != 0 || c->log->list == LIST_LACKS)
		return false;
	if (c->log->failed != 0 && t->now - c->log->failed < 2 * LATE_GAP)
		return false; /* a file that could not be read may have it */
	if (t->now - t->started >= GRACE || !TAILQ_EMPTY(&c->log->pending))
		return true;
	TAILQ_FOREACH (s, &c->log->spans, in_log) {
		if (content_place(s->content) != NULL)
			return true;
	}
	return false;
}

bool
lost_seek(struct tail *t, struct content *c)
{
	struct look *look = t->look;

	if (c->missed == 0) {
		c->missed = t->now;
		look->wanted = true;
	}
	return t->finishing || t->now - c->missed >= GRACE ||
	       (look->at > c->missed && t->now > look->at && !look->wanted);
}

/* ---- after the start */

struct unread {
	struct identity id;
	char *path;
	unsigned reader;
	uint64_t shipped, bytes;
};

struct unreads {
	struct unread *at;
	size_t n;
};

static void
unread_add(void *arg, const struct content_seen *seen)
{
	struct unreads *all = arg;

	/* What is open is followed, or no file: a journal. */
	for (unsigned i = 0; i < (seen->open ? 0 : seen->readers); i++) {
		if (seen->what->size <= seen->by[i])
			continue;
		all->at = xrealloc(all->at, (all->n + 1) * sizeof(*all->at));
		all->at[all->n++] = (struct unread){ *seen->id, xstrdup(seen->path), i,
			seen->shipped, seen->what->size - seen->by[i] };
	}
}

static bool
has_log(const struct tail *t, const char *path)
{
	const struct log *log;

	LIST_FOREACH (log, &t->logs->all, in_logs) {
		if (strcmp(log->stream.path, path) == 0)
			return true;
	}
	return false;
}

/* Each log has named its files, as far as they have a first line. */
static bool
all_begun(const struct tail *t)
{
	const struct log *log;

	LIST_FOREACH (log, &t->logs->all, in_logs) {
		if (log->turn == READY && log->feeds == NULL)
			return false;
	}
	return !LIST_EMPTY(&t->files->all); /* none at all: perhaps their disk is not mounted yet */
}

void
lost_settle(struct tail *t)
{
	struct unreads all = { 0 };

	if (t->look->settled || t->now - t->started < GRACE || t->look->number == 0 ||
	    t->files->waiting > 0 || !all_begun(t))
		return;
	t->look->settled = true;
	state_each(t->state, unread_add, &all);
	for (size_t i = 0; i < all.n; i++) {
		struct unread *u = &all.at[i];

		if (content_find(t, &u->id) == NULL) {
			count(&(struct stream){ .path = u->path }, "no file has it any more",
			    t->nships > 1 ? t->ships[u->reader].to.name : NULL,
			    has_log(t, u->path) ? LOST_TRUNCATED : LOST_DELETED, u->bytes);
			state_size(t->state, &u->id, u->shipped);
		}
		free(u->path);
	}
	free(all.at);
	state_judged(t->state);
}
