/*
 * One turn of the reader thread: changes, new files, then each log that may have
 * more, one after the other.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "abreast.h"
#include "ahead.h"
#include "content.h"
#include "discover.h"
#include "feed.h"
#include "disk_quota.h"
#include "files.h"
#include "framing_rules.h"
#include "identity.h"
#include "least.h"
#include "log.h"
#include "lost.h"
#include "order.h"
#include "reader.h"
#include "roots.h"
#include "room.h"
#include "place.h"
#include "spans.h"
#include "takeover.h"
#include "turns.h"
#include "walk.h"
#include "watch.h"

#define COALESCE (20 * NS_PER_MS) /* wake-ups closer than this are one */

/* One descriptor a file: raise the limit as far as the system allows. */
static void
descriptors_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void
ships_init(struct tail *t, const struct tail_reader *readers, unsigned n)
{
	const char *names[STATE_READERS];

	assert(n > 0 && n <= STATE_READERS);
	t->nships = n;
	t->ships = xcalloc(n, sizeof(*t->ships));
	for (unsigned i = 0; i < n; i++) {
		t->ships[i].to = readers[i];
		t->ships[i].number = i;
		names[i] = readers[i].name;
	}
	state_readers(t->state, names, n);
}

static void
look_init(struct tail *t)
{
	t->look = xcalloc(1, sizeof(*t->look));
	t->look->refresh = INT64_MAX / 2; /* without an input; added to a time it is one */
	t->look->wanted = true;
	t->look->again = INT64_MAX;
	for (size_t i = 0; i < t->nconfs; i++)
		t->look->refresh = earlier(t->look->refresh, t->confs[i]->refresh_interval);
	if (!state_is_new(t->state))
		return;
	t->look->takeovers = xcalloc(t->nconfs, sizeof(*t->look->takeovers));
	for (size_t i = 0; i < t->nconfs; i++)
		t->look->takeovers[i] =
		    t->confs[i]->db != NULL ? takeover_open(t->confs[i]->db) : NULL;
}

struct tail *
tail_new(const struct tail_conf *const *confs, size_t n, struct state *state,
    const struct tail_reader *readers, unsigned nreaders, tail_record *count, tail_stream *stream,
    void *arg)
{
	struct tail *t = xcalloc(1, sizeof(*t));
	const char *unseen;
	size_t cap = 0;

	descriptors_raise();
	t->confs = memcpy(xcalloc(n, sizeof(*confs)), confs, n * sizeof(*confs));
	t->nconfs = n;
	t->state = state;
	t->started = t->now = clock_mono();
	ships_init(t, readers, nreaders);
	files_init(t);
	t->files->forgotten_to = state_forgotten_to(state);
	for (size_t i = 0; i < n; i++) {
		cap = confs[i]->buffer_max_size > cap ? confs[i]->buffer_max_size : cap;
		t->files->most += (size_t)confs[i]->max_files;
	}
	frame_init(&t->frame, cap + LINE_ROOM);
	t->frame.state = state;
	t->frame.count = count;
	t->frame.arg = arg;
	t->unpacking = xcalloc(1, sizeof(*t->unpacking));
	t->unpacking->most = t->frame.size;
	t->quota = xcalloc(1, sizeof(*t->quota));
	log_init(t, stream);
	look_init(t);
	t->watch = watch_new();
	t->roots = roots_new();
	for (size_t i = 0; i < n; i++)
		roots_add(t->roots, &confs[i]->from);
	if ((unseen = roots_look(t->roots)) != NULL)
		files_unseen(t, unseen, errno);
	return t;
}

void
tail_free(struct tail *t)
{
	if (t == NULL)
		return;
	log_fini(t);
	for (size_t i = 0; t->look->takeovers != NULL && i < t->nconfs; i++)
		takeover_free(t->look->takeovers[i]);
	free(t->look->takeovers);
	free(t->look);
	files_fini(t);
	watch_free(t->watch);
	roots_free(t->roots);
	framing_rules_free(t);
	frame_fini(&t->frame);
	free(t->unpacking);
	free(t->quota);
	free(t->ships);
	free((void *)(uintptr_t)t->confs);
	free(t);
}

void
tail_wait(struct tail *t, int wake, int ms)
{
	struct pollfd fds[2] = { { .fd = wake, .events = POLLIN },
		{ .fd = watch_fd(t->watch), .events = POLLIN } };
	int64_t now = clock_mono(), left = (t->due - now) / NS_PER_MS + 1;
	uint64_t value;

	if (ms < 0 || left < ms)
		ms = left > 0 ? (int)left : 0;
	if (poll(fds, 2, ms) > 0 && fds[1].revents != 0 && fds[0].revents == 0) {
		left = COALESCE - (clock_mono() - t->now);
		if (left > 0)
			poll(fds, 1, (int)(left / NS_PER_MS) + 1);
	}
	watch_told(t->watch, fds[1].revents != 0);
	if (fds[0].revents != 0 && read(wake, &value, sizeof(value)) < 0)
		return; /* somebody else has emptied it */
}

/* ---- a log's turn */

/* True: the reader must wait. */
static bool
is_parked(const struct tail *t, struct reader *r)
{
	const struct feed *f;
	bool parked = false;

	FEEDS_FOREACH (f, r)
		parked |= f->parked;
	if (r->stale && state_durable(t->state) >= r->mark)
		r->stale = false;
	return parked || r->stale || r->log->stream.waits;
}

/* One reader's part of a log's turn.  True: it has more at once. */
static bool
reader_turn(struct tail *t, struct log *log, unsigned i)
{
	struct reader *r = log->feeds[i].reader;
	enum walk was;

	r->parked = is_parked(t, r);
	if (r->parked) {
		place_turned(t, r, false);
		if (r->stale)
			r->due = t->now + LATE_GAP;
		else if (log->count != NULL || !frame_is_open(r) || !ahead_is_wanted(t, log))
			r->due = INT64_MAX; /* else a reader is to count its open record */
		return false;
	}
	was = walk_on(t, r);
	if (log->feeds == NULL)
		return true;
	r = log->feeds[i].reader;
	if (was == WALK_REFUSED && r->stale) { /* it alone waits for the state to be written */
		r->parked = true;
		r->due = t->now + LATE_GAP;
	}
	ahead_drop_passed(t, log);
	return was == WALK_MORE;
}

/* True: it has more at once. */
static bool
log_turn(struct tail *t, struct log *log)
{
	bool begun, more = false;
	const struct reader *r;

	log->turn = AWAKE;
	t->stirred = true;
	begun = walk_begin(t, log);
	log->due = log->unlisted == 0 ? order_due(t, log) : t->now + LATE_GAP;
	if (!begun)
		return false;
	abreast_part(t, log);
	for (unsigned i = 0; i < log->nfeeds; i++) {
		if (reader_first(log->feeds[i].reader) != i)
			continue;
		if (abreast_goes(log->feeds[i].reader))
			more |= reader_turn(t, log, i);
		if (i < log->nfeeds)
			abreast_note(log->feeds[i].reader);
	}
	abreast_join(t, log);
	log->due = earlier(log->due, order_release(t, log));
	READERS_FOREACH (r, log) {
		if (r->due != DUE_ROOM)
			log->due = earlier(log->due, r->due);
	}
	if (more || abreast_stand(t))
		log->turn = READY;
	return more;
}

/* Nothing of the log can be read or is in flight, and nothing will come. */
static bool
is_over(const struct tail *t, struct log *log)
{
	struct content *last = log_last(log) == NULL ? NULL : log_last(log)->content;
	const struct reader *r;

	if (!TAILQ_EMPTY(&log->pending) || log->count != NULL || log->awaited == t->look->at)
		return false;
	READERS_FOREACH (r, log) {
		if (r->parked || frame_is_open(r) || !feed_idle(r) || r->span != log_last(log) ||
		    (content_place(last) != NULL ? !r->ended : r->at != span_content_end(r->span)))
			return false;
	}
	if (abreast_waits(log))
		return false;
	if (last == NULL || content_place(last) == NULL)
		return true;
	content_measure(last);
	if (content_is_live(last) || last->size > last->read_to ||
	    (last->late == log && last->log != log))
		return false; /* a log of late bytes stays as long as the log that they came late for */
	return TAILQ_FIRST(&log->spans) == log_last(log);
}

static bool
has_turn(const struct tail *t, const struct log *log)
{
	return log->turn == READY || t->finishing || t->now >= log->due || abreast_ready(log) ||
	       (t->files->closed && (log->nfeeds == 0 || !content_is_live(log_last(log)->content)));
}

/* A log that waited for an output that was to have another's turn first. */
static bool
any_ready(const struct tail *t)
{
	const struct log *log;

	TAILQ_FOREACH (log, &t->logs->awake, in_awake) {
		if (abreast_ready(log))
			return true;
	}
	return false;
}

/*
 * Each log that is awake has its turn, until no reader takes records any more: the
 * log at which that happened is the first of the next turn.
 */
static bool
logs_turn(struct tail *t)
{
	struct log *last = TAILQ_LAST(&t->logs->awake, awake), *log;
	bool more = false, waits = false, end = last == NULL;

	while (!end && !abreast_stand(t)) {
		log = TAILQ_FIRST(&t->logs->awake);
		end = log == last;
		abreast_reach(t, log);
		if (has_turn(t, log))
			more |= log_turn(t, log);
		waits |= abreast_waits(log);
		abreast_held(log);
		t->due = earlier(t->due, log->due);
		if (abreast_stand(t))
			break;
		if (is_over(t, log)) {
			if (log_last(log) != NULL)
				spans_pass(t, log_last(log));
			log_free(t, log);
			continue;
		}
		if (log->turn == READY || log->due != INT64_MAX || abreast_waits(log) ||
		    t->finishing)
			turns_behind(t, log);
		else
			turns_sleep(t, log);
	}
	t->due = earlier(t->due, abreast_due(t));
	return more || abreast_stand(t) || (waits && any_ready(t));
}

/* Parked logs may go on: all wake, as one that was read to its end sleeps. */
static void
unparked_wake(struct tail *t)
{
	for (unsigned i = 0; i < t->nships; i++) {
		uint64_t unparks = range_book_unparks(t->ships[i].to.book);

		if (unparks == t->ships[i].unparks)
			continue;
		t->ships[i].unparks = unparks;
		turns_wake_all(t);
	}
}

static int64_t
look_due(const struct look *look)
{
	int64_t gap = look->wanted || look->gap > look->refresh ? look->gap : look->refresh;

	return earlier(look->at + gap, look->again);
}

bool
tail_turn(struct tail *t, uint32_t room)
{
	int64_t now = clock_mono();
	bool more = false;

	abreast_begin(t, room, now);
	t->now = now;
	t->fails = state_stale(t->state) != 0;
	watch_read(t->watch, t);
	if (t->now >= look_due(t->look) || t->look->number == 0)
		discover_files(t);
	t->due = look_due(t->look);
	disk_quota_turn(t);
	room_turn(t);
	unparked_wake(t);
	if (room != 0) {
		more = logs_turn(t);
		t->files->closed = false;
	}
	return more;
}

void
tail_go_on(struct tail *t, const struct stream *stream)
{
	struct log *log = map_get(t->logs->by_id, identity_key(&stream->log));

	if (log != NULL)
		turns_wake(t, log);
}

/* ---- the end */

/* Nothing of the log is unread or open, as far as is known. */
static bool
log_at_end(const struct log *log)
{
	const struct content *c;
	const struct reader *r;

	TAILQ_FOREACH (c, &log->pending, in_pending) {
		if (c->named || c->size > c->read_to)
			return false;
	}
	READERS_FOREACH (r, log) {
		if (r->parked || frame_is_open(r) || TAILQ_NEXT(r->span, in_log) != NULL ||
		    (!r->ended && r->span->content->size > r->span->content->read_to))
			return false;
	}
	return true;
}

bool
tail_at_end(const struct tail *t)
{
	const struct log *log;

	if (t->look->number == 0 || abreast_stand(t) || t->look->wanted)
		return false;
	TAILQ_FOREACH (log, &t->logs->awake, in_awake) {
		if (log->turn == READY || abreast_waits(log) || !log_at_end(log))
			return false;
	}
	return true;
}

void
tail_finish(struct tail *t)
{
	if (t->finishing)
		return;
	t->finishing = true;
	turns_wake_all(t);
}

/* ---- figures */

static void
log_figures(struct tail *t, struct log *log, struct tail_figures *out)
{
	const struct reader *first;
	const struct content *c;
	struct reader *r;
	uint64_t end;

	log->stream.lag = 0;
	TAILQ_FOREACH (c, &log->pending, in_pending) {
		log->stream.lag += c->size;
		out->unread += c->size - least(c->size, c->read_to);
	}
	for (unsigned i = 0; log->feeds == NULL && i < t->nships; i++)
		out->lag_of[i] += log->stream.lag;
	if (log->feeds == NULL)
		return;
	/* Records that were in flight at the last turn may have arrived since. */
	READERS_FOREACH (r, log)
		feed_follow(r);
	spans_checkpoint(t, log);
	c = log_last(log)->content;
	end = log_last(log)->is.base + c->size;
	first = reader_foremost(log);
	for (unsigned i = 0; i < log->nfeeds; i++) {
		out->lag_of[i] += log->stream.lag + end - least(end, feed_shipped(&log->feeds[i]));
		out->apart[i] += log->feeds[i].reader->at < first->at;
	}
	log->stream.lag += end - least(end, spans_shipped(log));
	out->unread +=
	    first->span != log_last(log) ? end - first->at : c->size - least(c->size, c->read_to);
}

void
tail_figures(struct tail *t, struct tail_figures *out)
{
	struct log *log;

	lost_settle(t);
	*out = t->figures;
	if (!t->stirred && out->lag_bytes == 0 && out->unread == 0 && out->files == t->files->n)
		return;
	t->stirred = false;
	*out = (struct tail_figures){ .files = t->files->n, .newest = t->frame.newest };
	LIST_FOREACH (log, &t->logs->all, in_logs) {
		log_figures(t, log, out);
		out->lag_bytes += log->stream.lag;
	}
	t->figures = *out;
}
