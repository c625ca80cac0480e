/*
 * All that the tests of tailing know of the inside: of tail's files, of what a
 * record carries beside id, side and text, of the book of ranges, of what is
 * counted, of the state in memory.  When one of these is built otherwise, this
 * file changes and the tests do not.
 */
#ifndef TAIL_ADAPTER_H
#define TAIL_ADAPTER_H

#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "../../src/flow.h"
#include "../../src/state/state_internal.h"
#include "../../src/tail/content.h"
#include "../../src/tail/framing_rules.h"
#include "../../src/tail/model.h"
#include "../../src/tail/tail_internal.h"
#include "../../src/tail/turns.h"
#include "../../src/tail/watch.h"

/* ---- a record */

static inline struct record_id
record_id(const struct framed *f)
{
	return f->id;
}

static inline bool
record_id_equal(const struct record_id *a, const struct record_id *b)
{
	return a->offset == b->offset && a->hash == b->hash &&
	       memcmp(&a->content, &b->content, sizeof(a->content)) == 0;
}

static inline struct identity
record_log(const struct framed *f)
{
	return f->stream->log;
}

/* Where its side goes on behind it: for delivered_to() alone. */
static inline uint64_t
record_end(const struct framed *f)
{
	return f->end;
}

/* The name by which its log was found. */
static inline const char *
record_path(const struct framed *f)
{
	return f->stream->path;
}

/* What must be on disk before the record is sent. */
static inline state_ticket
record_after(const struct framed *f)
{
	return f->after;
}

/* For a trace: where it lies and what it waits for; lives until the next call. */
static inline const char *
record_where(const struct framed *f)
{
	static char where[160];

	snprintf(where, sizeof(where), "log %02x %02x%02x+%llu %d %llu-%llu%s after %llu",
	    f->stream->log.at[0], f->id.content.at[0], f->id.content.at[1],
	    (unsigned long long)f->id.offset, f->side, (unsigned long long)f->start,
	    (unsigned long long)f->end, f->cursor == NULL ? " counted" : "",
	    (unsigned long long)f->after);
	return where;
}

/* … of a log. */
static inline const char *
stream_name(const struct stream *s)
{
	static char name[64];

	snprintf(name, sizeof(name), "log %02x%02x", s->log.at[0], s->log.at[1]);
	return name;
}

/* ---- records under way */

/* A record's part of a batch. */
struct flight {
	struct range *range;
};

/* True when `f` would be the first of its log and side in the batch: one flight more to seal. */
static inline bool
record_is_first(const struct framed *f, uint64_t batch)
{
	return f->cursor->open_batch != batch;
}

/*
 * Put a record into the batch with this number; `items` 0: it is filtered, and
 * nothing is to be settled.  False: there is no room in the book.
 */
static inline bool
record_send(struct range_book *book, const struct framed *f, uint64_t batch, unsigned items,
    struct flight *to)
{
	to->range = range_open(book, f->cursor, batch);
	if (to->range == NULL)
		return false;
	range_add(to->range, items, f->end);
	return true;
}

/* Its batch is complete: said of the first of each log and side. */
static inline void
record_seal(struct range_book *book, struct flight of)
{
	range_seal(book, of.range);
}

/* The server has it. */
static inline void
record_settle(struct range_book *book, struct flight of)
{
	range_settle(book, of.range, 1);
}

/* Its log was read again since. */
static inline bool
record_is_left(struct flight of)
{
	struct identity log;

	return !range_log(of.range, &log);
}

/* It is dropped from memory, and its log parked; all parked logs go on. */
static inline void
record_park(struct range_book *book, struct flight of)
{
	cursor_park(book, of.range);
}

static inline void
records_unpark(struct range_book *book)
{
	cursor_unpark_all(book);
}

/* ---- the counters: how far a log's records are in them */

struct tally {
	LIST_ENTRY(tally) in_all;
	struct stream *stream;
	uint64_t counted[SIDES];
};

static LIST_HEAD(, tally) tallies;

static inline void
tally_begins(struct state *state, struct stream *stream)
{
	struct tally *t = xcalloc(1, sizeof(*t));
	struct cursors known[SIDES];

	t->stream = stream;
	stream->user = t;
	state_cursors(state, &stream->log, stream->cursors[0].reader, known);
	for (int side = 0; side < SIDES; side++)
		t->counted[side] = known[side].counted;
	LIST_INSERT_HEAD(&tallies, t, in_all);
}

static inline void
tally_stage(struct state *state, struct range_book *book, struct tally *t)
{
	for (int side = 0; side < SIDES; side++) {
		uint64_t at = cursor_shipped(book, &t->stream->cursors[side]);

		at = at < t->stream->counted[side] ? t->stream->counted[side] : at;
		if (at > t->counted[side])
			t->counted[side] = at;
		state_counted(state, &t->stream->log, (enum side)side, t->counted[side]);
	}
}

/* A log is let go, in order or by a kill. */
static inline void
tally_ends(struct state *state, struct range_book *book, struct stream *stream, bool killed)
{
	struct tally *t = stream->user;

	if (!killed)
		tally_stage(state, book, t);
	LIST_REMOVE(t, in_all);
	free(t);
}

static inline state_ticket
tallies_post(struct state *state, struct range_book *book)
{
	struct tally *t;

	LIST_FOREACH (t, &tallies, in_all)
		tally_stage(state, book, t);
	return state_counts(state);
}

/* True when the record is to be counted; then it was. */
static inline bool
tally_take(const struct framed *f)
{
	struct tally *t = f->stream->user;

	if (t->counted[f->side] < f->stream->counted[f->side])
		t->counted[f->side] = f->stream->counted[f->side];
	if (f->start < t->counted[f->side])
		return false;
	t->counted[f->side] = f->end;
	return true;
}

/* ---- the same as the pipeline has it, for count.c */

static inline void
flow_begins(struct pipeline *p, struct stream *stream)
{
	struct flow *flow = xcalloc(1, sizeof(*flow));
	struct cursors known[SIDES];

	flow->stream = stream;
	flow->series = (void *)p; /* any: it is not looked into */
	state_cursors(p->state, &stream->log, stream->cursors[0].reader, known);
	for (int side = 0; side < SIDES; side++)
		flow->counted[side] = known[side].counted;
	LIST_INSERT_HEAD(&p->flows, flow, in_flows);
	stream->user = flow;
}

static inline void
flow_ends(struct pipeline *p, struct stream *stream)
{
	struct flow *flow = stream->user;

	count_stream_ends(p, flow);
	LIST_REMOVE(flow, in_flows);
	free(flow);
	stream->user = NULL;
}

static inline bool
flow_has(const struct framed *f)
{
	const struct flow *flow = f->stream->user;

	return f->start < flow->counted[f->side];
}

/* ---- the state */

/* A kill: what was posted stays, and on disk nothing is shipped beyond what is counted. */
static inline void
state_kill(struct state *state)
{
	struct known_log *l;
	size_t at = 0;

	staging_free(state->staging);
	state->staging = staging_new();
	while ((l = map_next(state->tables->logs, &at, NULL)) != NULL) {
		for (unsigned i = MARK_READERS; i < l->nmarks; i++) {
			for (int side = 0; side < SIDES; side++) {
				struct mark *shipped = &l->marks[i][side];
				const struct mark *is_counted = &l->marks[MARK_COUNT][side];
				uint64_t most = is_counted->now == ABSENT ? 0 : is_counted->now;

				if (shipped->now != ABSENT && shipped->now > most)
					shipped->now = most;
			}
		}
	}
}

/* The machine has started again since the last life, or has not. */
static inline void
state_reboot(struct state *state, bool rebooted)
{
	state->rebooted = rebooted;
}

/* A server has taken what of a log and side lies before `end`. */
static inline void
delivered_to(struct state *state, const struct identity *log, enum side side, uint64_t end)
{
	state_shipped(state, log, side, 0, end);
}

/* The rules by which all of a log is cut are these, as another version might have stored them. */
static inline void
span_copy(void *arg, const struct identity *id, const struct span_state *is)
{
	struct span_post *post = arg;

	post->id = *id;
	post->span = *is;
}

static inline void
rules_are(struct state *state, const struct identity *log, const char *text)
{
	struct span_post post = { .log = *log };

	state_log_spans(state, log, span_copy, &post);
	post.span =
	    (struct span_state){ .seal = SEAL_NONE, .rules = state_rules(state, slice_of(text)) };
	state_spans(state, &post, 1);
}

/* Ends of records that are kept, of all logs. */
static inline size_t
breaks_kept(struct state *state)
{
	const struct known_log *l;
	size_t at = 0, n = 0;

	pthread_mutex_lock(&state->lock);
	while ((l = map_next(state->tables->logs, &at, NULL)) != NULL)
		n += l->breaks[SIDE_STDOUT].n + l->breaks[SIDE_STDERR].n;
	pthread_mutex_unlock(&state->lock);
	return n;
}

/* ---- tail: what comes to it */

/* There are events to be read, as tail_wait would have found. */
static inline void
tail_told(struct tail *t)
{
	watch_told(t->watch, true);
}

/* The machine has started again since the state was written. */
static inline void
state_power_cut(struct state *s)
{
	s->rebooted = true;
}

/* The number of spans of the newest log. */
static inline unsigned
tail_spans(const struct tail *t)
{
	const struct span *s;
	unsigned n = 0;

	TAILQ_FOREACH (s, &LIST_FIRST(&t->logs->all)->spans, in_log)
		n++;
	return n;
}

/* The next turn looks for files. */
static inline void
tail_look(struct tail *t)
{
	t->look->wanted = true;
	t->look->at = 0;
	t->look->gap = 0;
}

/* Look for files that seldom, unless something says that there are others. */
static inline void
tail_refresh(struct tail *t, int64_t ns)
{
	t->look->refresh = ns;
}

static inline int
tail_events(struct tail *t)
{
	return watch_fd(t->watch);
}

/* As on a node that has no more inotify instances. */
static inline void
tail_no_events(struct tail *t)
{
	watch_free(t->watch);
	t->watch = watch_none();
}

/* Events were lost. */
static inline void
tail_overflow(struct tail *t, const struct inotify_event *overflow)
{
	watch_event(t->watch, t, overflow);
	assert_true(t->look->wanted);
}

/* Others have waited for the i-th output so long. */
static inline void
tail_waited(struct tail *t, unsigned i, int64_t ns)
{
	t->ships[i].held = ns;
}

/* ---- tail: where it stands */

/* The log that was found last. */
static inline struct log *
tail_newest(const struct tail *t)
{
	return LIST_FIRST(&t->logs->all);
}

static inline struct identity
tail_log(const struct tail *t)
{
	return tail_newest(t)->stream.log;
}

/* Its cursors have moved over what holds no record. */
static inline bool
tail_followed(const struct tail *t)
{
	return tail_newest(t)->stream.followed;
}

/* It was read to its end; without a line nothing of it is read. */
static inline bool
tail_is_read(const struct tail *t)
{
	const struct log *log = tail_newest(t);
	const struct span *s = log == NULL ? NULL : log_last(log);
	const struct content *c = log == NULL ? NULL
				  : s != NULL ? s->content
					      : TAILQ_FIRST(&log->pending);
	const struct place *p = c == NULL ? NULL : content_place(c);
	struct stat st;

	return p != NULL && fstat(p->fd, &st) == 0 &&
	       (s == NULL ? st.st_size == 0
			  : log_reader(log, 0)->at == s->is.base + (uint64_t)st.st_size);
}

/* A record is open in it whose Flush is less. */
static inline bool
tail_is_due(const struct tail *t, int64_t less)
{
	const struct reader *r = log_reader(tail_newest(t), 0);

	for (int side = 0; side < SIDES && r != NULL; side++) {
		if (r->open[side].rules != NULL &&
		    framing_rules_wait(r->open[side].rules, r->open[side].chain) < less)
			return true;
	}
	return false;
}

static inline size_t
tail_nfiles(const struct tail *t)
{
	return t->files->n;
}

/* Bytes of disk that deleted files keep. */
static inline uint64_t
tail_held(const struct tail *t)
{
	return t->quota->held;
}

/* Logs of which files were closed for want of descriptors. */
static inline unsigned
tail_closed_for_now(const struct tail *t)
{
	const struct log *log;
	unsigned n = 0;

	LIST_FOREACH (log, &t->logs->all, in_logs)
		n += log->list >= LIST_LATER;
	return n;
}

/* For a trace. */
static inline void
tail_print_content(const struct content *c)
{
	const struct place *p;

	fprintf(stderr, "    content %02x%02x%s%s size %llu read to %llu taken %llu spans %u\n",
	    c->id.at[0], c->id.at[1], c->named ? "" : " unnamed", c->gone ? " gone" : "",
	    (unsigned long long)c->size, (unsigned long long)c->read_to,
	    (unsigned long long)c->taken.at, c->spans);
	TAILQ_FOREACH (p, &c->places, in_content)
		fprintf(stderr, "      %s ino %lu size %llu%s%s\n", strrchr(p->name, '/'),
		    (unsigned long)p->ino, (unsigned long long)p->size, p->live ? " live" : "",
		    p->left ? " left" : "");
}

static inline void
tail_print_reader(const char *name, const struct reader *r)
{
	fprintf(stderr, "    %s at %llu resume %llu %llu stop %llu%s%s%s open %d %d feeds %x\n",
	    name, (unsigned long long)r->at, (unsigned long long)r->resume[0],
	    (unsigned long long)r->resume[1], (unsigned long long)r->stop,
	    r->parked ? " parked" : "", r->ended ? " ended" : "", r->stale ? " stale" : "",
	    r->open[0].rules != NULL, r->open[1].rules != NULL, r->feeds);
}

static inline void
tail_print(const struct tail *t)
{
	const struct log *log;
	const struct reader *r;
	const struct span *s;
	const struct content *c;

	LIST_FOREACH (log, &t->logs->all, in_logs) {
		fprintf(stderr, "  log %02x turn %d due %lld now %lld\n", log->stream.log.at[0],
		    log->turn, (long long)(log->due / NS_PER_MS), (long long)(t->now / NS_PER_MS));
		TAILQ_FOREACH (s, &log->spans, in_log) {
			fprintf(stderr, "   span base %llu from %llu seal %lld\n",
			    (unsigned long long)s->is.base, (unsigned long long)s->is.from,
			    (long long)s->is.seal);
			tail_print_content(s->content);
		}
		TAILQ_FOREACH (c, &log->pending, in_pending)
			tail_print_content(c);
		READERS_FOREACH (r, log)
			tail_print_reader("reader", r);
		if (log->count != NULL)
			tail_print_reader("count", log->count);
	}
}

/* A reader of one kind, as the pipeline has. */
static inline struct tail *
tail_make(const struct tail_conf *conf, struct state *state, struct range_book *book,
    tail_record *record, tail_record *count, tail_stream *stream, void *arg)
{
	return tail_new(&conf, 1, state,
	    &(struct tail_reader){ .name = "main", .book = book, .record = record }, 1, count,
	    stream, arg);
}

#endif
