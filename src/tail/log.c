/* Logs by id: made, begun, cut, let go. */
#include "log.h"

#include <stdlib.h>

#include "abreast.h"
#include "content.h"
#include "feed.h"
#include "identity.h"
#include "least.h"
#include "place.h"
#include "reader.h"
#include "spans.h"
#include "tag.h"
#include "turns.h"

void
log_init(struct tail *t, tail_stream *on_stream)
{
	t->logs = xcalloc(1, sizeof(*t->logs));
	t->logs->on_stream = on_stream;
	LIST_INIT(&t->logs->all);
	TAILQ_INIT(&t->logs->awake);
	TAILQ_INIT(&t->logs->counting);
	t->logs->by_id = map_new();
	t->logs->contents = map_new();
}

void
log_fini(struct tail *t)
{
	while (!LIST_EMPTY(&t->logs->all))
		log_free(t, LIST_FIRST(&t->logs->all));
	map_free(t->logs->by_id);
	map_free(t->logs->contents);
	free(t->logs);
}

/* ---- made and found */

static struct log *
log_new(struct tail *t, const struct tail_conf *conf, const char *path, const char *name,
    const struct identity *id)
{
	struct log *log = xcalloc(1, sizeof(*log));

	log->stream.log = *id;
	log->stream.conf = conf;
	log->stream.path = xstrdup(path);
	log->stream.tag = tag_make(conf->input.tag, conf->tag_regex, tail_shown(conf, path));
	log->stream.pod = pod_of(name, path);
	log->name = xstrdup(name);
	log->due = INT64_MAX;
	TAILQ_INIT(&log->spans);
	TAILQ_INIT(&log->pending);
	LIST_INSERT_HEAD(&t->logs->all, log, in_logs);
	map_put(t->logs->by_id, identity_key(&log->stream.log), log);
	spans_load(t, log, NULL);
	if (log_last(log) != NULL)
		log_begin(t, log);
	turns_wake(t, log);
	return log;
}

struct log *
log_find(const struct tail *t, const char *name)
{
	struct identity id;

	identity_log(name, &id);
	return map_get(t->logs->by_id, identity_key(&id));
}

struct log *
log_get(struct tail *t, const struct tail_conf *conf, const char *path, const char *name)
{
	struct log *log = log_find(t, name);
	struct identity id;

	identity_log(name, &id);
	return log != NULL ? log : log_new(t, conf, path, name, &id);
}

struct log *
log_part(struct tail *t, struct log *main, const struct identity *id)
{
	struct log *log = map_get(t->logs->by_id, identity_key(id));

	return log != NULL ? log : log_new(t, main->stream.conf, main->stream.path, main->name, id);
}

static void
span_seen(void *arg, const struct identity *id, const struct span_state *is)
{
	(void)id;
	(void)is;
	*(bool *)arg = true;
}

bool
log_is_known(struct tail *t, const char *name)
{
	struct identity id;
	bool known = log_find(t, name) != NULL;

	identity_log(name, &id);
	if (!known)
		state_log_spans(t->state, &id, span_seen, &known);
	return known;
}

/* ---- begun and ended */

/* Bytes before the foremost reader were read before, by this process or another. */
static void
read_note(struct log *log)
{
	uint64_t at = reader_foremost(log)->at;
	struct span *s;

	TAILQ_FOREACH (s, &log->spans, in_log) {
		uint64_t end = least(at, span_end(s));

		if (s->content->log == log && end > s->is.base + s->content->read_to)
			s->content->read_to = end - s->is.base;
	}
}

void
log_begin(struct tail *t, struct log *log)
{
	log->nfeeds = t->nships;
	log->feeds = xcalloc(t->nships, sizeof(*log->feeds));
	for (unsigned i = 0; i < t->nships; i++)
		feed_begin(t, &log->feeds[i], log, &t->ships[i]);
	log->stream.cursors = log->feeds[0].cursor;
	read_note(log);
	abreast_join(t, log);
	memset(log->stream.counted, 0, sizeof(log->stream.counted));
	t->logs->on_stream(t->frame.arg, &log->stream, true);
	turns_wake(t, log);
}

/* Nothing points to the cursors any more; records in flight still arrive. */
static void
log_end(struct tail *t, struct log *log)
{
	if (log->feeds == NULL)
		return;
	t->logs->on_stream(t->frame.arg, &log->stream, false);
	reader_count_end(t, log);
	for (unsigned i = 0; i < log->nfeeds; i++)
		feed_end(t, &log->feeds[i]);
	free(log->feeds);
	log->feeds = NULL;
	log->nfeeds = 0;
}

void
log_cut(struct tail *t, struct log *log, uint64_t position, bool over)
{
	struct span *last;

	log_end(t, log);
	log->mark = state_cut(t->state, &log->stream.log, position);
	for (unsigned i = 0; over && i < t->nships; i++) {
		for (int side = 0; side < SIDES; side++)
			state_shipped(t->state, &log->stream.log, (enum side)side,
			    t->ships[i].number, position);
	}
	while ((last = log_last(log)) != TAILQ_FIRST(&log->spans) && span_start(last) > position)
		spans_drop(t, log, last);
	last->is.seal = SEAL_NONE;
	log_begin(t, log);
}

void
log_free(struct tail *t, struct log *log)
{
	struct content *c;

	spans_checkpoint(t, log);
	log_end(t, log);
	while (log_last(log) != NULL)
		spans_drop(t, log, log_last(log));
	while ((c = TAILQ_FIRST(&log->pending)) != NULL) {
		TAILQ_REMOVE(&log->pending, c, in_pending);
		content_free(t, c);
	}
	turns_sleep(t, log);
	LIST_REMOVE(log, in_logs);
	map_del(t->logs->by_id, identity_key(&log->stream.log));
	pod_unref(log->stream.pod);
	free(log->stream.path);
	free(log->stream.tag);
	free(log->name);
	free(log);
}
