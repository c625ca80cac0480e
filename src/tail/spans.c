/* Spans are in the order of their positions; marks are the log's, whoever reads it. */
#include "spans.h"

#include <stdlib.h>

#include "content.h"
#include "fault.h"
#include "feed.h"
#include "files.h"
#include "framing_rules.h"
#include "least.h"

/* ---- from the state */

struct row {
	struct identity id;
	struct span_state is;
};

struct rows {
	const struct identity *of;
	struct row *at;
	size_t n;
};

static void
row_add(void *arg, const struct identity *id, const struct span_state *is)
{
	struct rows *rows = arg;

	if (rows->of != NULL && memcmp(rows->of, id, sizeof(*id)) != 0)
		return;
	rows->at = xrealloc(rows->at, (rows->n + 1) * sizeof(*rows->at));
	rows->at[rows->n++] = (struct row){ *id, *is };
}

static struct content *
content_known(struct tail *t, struct log *log, const struct identity *id)
{
	struct content *c = content_find(t, id);
	struct checkpoint checks[CHECKPOINTS];
	struct content_state is = { 0 };

	if (c != NULL)
		return c;
	c = content_new(log);
	if (state_find(t->state, id, &is))
		c->size = is.size;
	content_name(t, c, id, &is);
	if (state_checkpoints(t->state, id, checks) > 0)
		c->taken = (struct fingerprint){ checks[0].offset, checks[0].hash };
	c->checked = c->taken.at;
	return c;
}

static bool
has_span(const struct log *log, const struct content *c, uint64_t from)
{
	const struct span *s;

	TAILQ_FOREACH (s, &log->spans, in_log) {
		if (s->content == c && (s->is.from == from || from == UINT64_MAX))
			return true;
	}
	return false;
}

void
spans_load(struct tail *t, struct log *log, const struct identity *of)
{
	struct rows rows = { .of = of };

	state_log_spans(t->state, &log->stream.log, row_add, &rows);
	for (size_t i = 0; i < rows.n; i++) {
		struct content *c = content_known(t, log, &rows.at[i].id);
		bool home = memcmp(&c->is.log, &log->stream.log, sizeof(c->is.log)) == 0;

		if (!home || c->log != log) /* the log of its late bytes may be there alone */
			c->late = home ? c->log : log;
		if (home)
			c->log = log;
		if (!has_span(log, c, rows.at[i].is.from))
			spans_add(t, log, c, &rows.at[i].is);
	}
	free(rows.at);
}

/* ---- in memory and to the state */

/* At one position an empty span comes first. */
static bool
is_behind(const struct span *s, const struct span *other)
{
	return span_start(s) > span_start(other) ||
	       (span_start(s) == span_start(other) && span_end(s) > span_end(other));
}

struct span *
spans_add(struct tail *t, struct log *log, struct content *c, const struct span_state *is)
{
	struct span *s = xcalloc(1, sizeof(*s)), *before = log_last(log);

	s->content = c;
	s->is = *is;
	s->rules = framing_rules_named(t, is->rules);
	if (s->rules == NULL)
		s->rules = framing_rules_of(t, &log->stream);
	if (c->spans++ == 0 && c->log == log)
		c->read_to = is->from; /* bytes before it are not read */
	while (before != NULL && is_behind(before, s))
		before = TAILQ_PREV(before, spans, in_log);
	if (before != NULL)
		TAILQ_INSERT_AFTER(&log->spans, before, s, in_log);
	else
		TAILQ_INSERT_HEAD(&log->spans, s, in_log);
	return s;
}

void
spans_store(struct tail *t, struct log *log, struct span *const *list, unsigned n)
{
	struct span_post *posts = xcalloc(n, sizeof(*posts));

	for (unsigned i = 0; i < n; i++)
		posts[i] = (struct span_post){ .log = log->stream.log,
			.id = list[i]->content->id,
			.content = &list[i]->content->is,
			.span = list[i]->is,
			.path = log->stream.path };
	log->mark = state_spans(t->state, posts, n);
	free(posts);
	FAULT("span-stored");
}

void
spans_drop(struct tail *t, struct log *log, struct span *s)
{
	struct content *c = s->content;

	TAILQ_REMOVE(&log->spans, s, in_log);
	free(s);
	if (!has_span(log, c, UINT64_MAX)) {
		if (c->log == log)
			c->log = c->late;
		if (c->late == c->log || c->late == log)
			c->late = NULL;
	}
	if (--c->spans > 0)
		return;
	state_ended(t->state, &c->id);
	content_free(t, c);
}

/* ---- asked */

uint64_t
spans_shipped(const struct log *log)
{
	uint64_t shipped = log->nfeeds == 0 ? 0 : UINT64_MAX;

	for (unsigned i = 0; i < log->nfeeds; i++)
		shipped = least(shipped, feed_shipped(&log->feeds[i]));
	return shipped;
}

uint64_t
spans_content_shipped(const struct content *c)
{
	uint64_t shipped = spans_shipped(c->log), most = 0;
	const struct span *s;

	TAILQ_FOREACH (s, &c->log->spans, in_log) {
		if (s->content == c && shipped > span_start(s))
			most = shipped - s->is.base;
		if (s->content == c && most > s->is.seal)
			most = s->is.seal;
	}
	return most;
}

bool
spans_is_passed(const struct log *log, const struct span *s, uint64_t shipped)
{
	const struct reader *r;

	if (span_end(s) > shipped ||
	    (log->count != NULL && (log->count->at < span_end(s) || log->count->span == s)))
		return false;
	READERS_FOREACH (r, log) {
		if (r->at < span_end(s) || r->span == s)
			return false;
	}
	return true;
}

/* ---- checkpoints */

/* The bytes before the cursor are read from the file, which must not have changed unseen. */
static bool
checkpoint_make(const struct content *c, uint64_t offset, struct fingerprint *out)
{
	const struct place *p = content_place(c);

	*out = c->taken;
	if (p == NULL || p->packed != NULL || offset > c->taken.at)
		return false;
	return offset == c->taken.at ||
	       (fingerprint_of(p, offset, out) && fingerprint_fits(p, &c->taken));
}

static void
span_checkpoint(struct tail *t, const struct span *s, uint64_t shipped)
{
	struct content *c = s->content;
	uint64_t offset = shipped - s->is.base;
	struct fingerprint is;

	if (c->size != c->is.size) {
		c->is.size = c->size;
		state_size(t->state, &c->id, c->size);
	}
	if (shipped <= span_start(s))
		return;
	offset = least(offset, s->is.seal);
	if (offset == c->checked)
		return;
	if (!checkpoint_make(c, offset, &is)) {
		t->stirred |= files_failed(t); /* it is tried again */
		return;
	}
	state_checkpoint(t->state, &c->id, &(struct checkpoint){ is.at, is.hash });
	c->checked = offset;
}

void
spans_checkpoint(struct tail *t, struct log *log)
{
	uint64_t shipped = 0;
	const struct span *s;

	for (unsigned i = 0; i < log->nfeeds; i++) {
		uint64_t its = feed_shipped(&log->feeds[i]);

		shipped = its > shipped ? its : shipped;
	}
	TAILQ_FOREACH (s, &log->spans, in_log)
		span_checkpoint(t, s, shipped);
}

void
spans_pass(struct tail *t, const struct span *s)
{
	struct content *c = s->content;

	if (s->is.seal != SEAL_NONE) /* its file is known by these bytes when it is opened again */
		span_checkpoint(t, s, span_end(s));
	if (!t->files->crowded || c->spans > 1)
		return;
	content_measure(c);
	if (c->size <= (s->is.seal != SEAL_NONE ? s->is.seal : c->read_to))
		content_pass(t, c);
}
