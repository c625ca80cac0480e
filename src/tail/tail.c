/*
 * One turn of the reader: what changed, which files there are, then each file
 * that may have more, in turns.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ahead.h"
#include "clock.h"
#include "content.h"
#include "file.h"
#include "held.h"
#include "look.h"
#include "lost.h"
#include "takeover.h"
#include "map.h"
#include "roots.h"
#include "rules.h"
#include "same.h"

#define COALESCE (20 * NS_PER_MS) /* wake-ups closer than this are one */
#define POLL_GAP (50 * NS_PER_MS) /* how often a file that ends is asked whether it has ended */
#define LATE_GAP NS_PER_S         /* … and read for late bytes when it has */

/* One descriptor a file: take what the system lets us have. */
static void
descriptors_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

struct tail *
tail_new(const struct tail_conf *const *confs, size_t n, struct state *state,
    struct range_book *book, tail_record *record, tail_record *count, tail_stream *stream,
    void *arg)
{
	struct tail *t = xcalloc(1, sizeof(*t));
	size_t cap = 0;

	descriptors_raise();
	t->confs = memcpy(xcalloc(n, sizeof(*confs)), confs, n * sizeof(*confs));
	t->nconfs = n;
	t->refresh = INT64_MAX;
	for (size_t i = 0; i < n; i++) {
		cap = confs[i]->buffer_max_size > cap ? confs[i]->buffer_max_size : cap;
		t->refresh = sooner(t->refresh, confs[i]->refresh_interval);
		t->max_files += (size_t)confs[i]->max_files;
	}
	if (state_is_new(state)) {
		t->takeovers = xcalloc(n, sizeof(*t->takeovers));
		for (size_t i = 0; i < n; i++)
			t->takeovers[i] = confs[i]->db != NULL ? takeover_open(confs[i]->db) : NULL;
	}
	t->state = state;
	t->book = book;
	t->on_stream = stream;
	t->started = clock_mono();
	t->count = count;
	t->buffer_size = cap + LINE_ROOM;
	t->buffer = xmalloc(t->buffer_size);
	frame_init(&t->frame, t->buffer_size);
	t->frame.state = state;
	t->frame.record = record;
	t->frame.arg = arg;
	LIST_INIT(&t->files);
	TAILQ_INIT(&t->awake);
	TAILQ_INIT(&t->aheads);
	t->by_inode = map_new();
	t->by_target = map_new();
	t->by_identity = map_new();
	t->watch = watch_new();
	t->roots = roots_new(t->confs, n);
	t->look = t->first_look = true;
	return t;
}

void
tail_free(struct tail *t)
{
	struct file *f;

	if (t == NULL)
		return;
	LIST_FOREACH (f, &t->files, in_files)
		ahead_drop(t, f); /* what is open there points to other files */
	while (!LIST_EMPTY(&t->files))
		file_close(t, LIST_FIRST(&t->files));
	for (size_t i = 0; t->takeovers != NULL && i < t->nconfs; i++)
		takeover_free(t->takeovers[i]);
	free(t->takeovers);
	map_free(t->by_inode);
	map_free(t->by_target);
	map_free(t->by_identity);
	watch_free(t->watch);
	roots_free(t->roots);
	frame_fini(&t->frame);
	free(t->buffer);
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
	t->told = fds[1].revents != 0;
	if (fds[0].revents != 0 && read(wake, &value, sizeof(value)) < 0)
		return; /* somebody else has emptied it */
}

/* When has the file its next turn, without an event? */
static int64_t
file_due(const struct tail *t, const struct file *f)
{
	int64_t due = INT64_MAX;

	if (f->after != NULL)
		return INT64_MAX;
	if (f->duplicate) /* of a live file what it is a copy of may be read to its end one day */
		return f->leaving ? INT64_MAX : t->now + LATE_GAP;
	if (f->leaving)
		due = t->now + (f->ended ? LATE_GAP : POLL_GAP);
	else if (f->hot)
		due = hot_due(t);
	if (frame_open(f))
		due = sooner(due, t->fails ? t->now + LATE_GAP : f->grown + f->rules->flush);
	return due;
}

/* Let files go that have ended and of which nothing is under way. */
static bool
file_is_over(struct tail *t, struct file *f)
{
	if (f->duplicate)
		return f->leaving;
	if (!f->leaving || !f->ended || file_lends(f) || !file_is_left(t, f))
		return false;
	if (f->stream == NULL)
		return true;
	if (f->fd >= 0)
		content_measure(f);
	if (f->size > f->offset) { /* its writer had more before it left */
		file_wake(t, f);
		return false;
	}
	file_cursors_follow(t, f);
	return cursor_idle(t->book, &f->stream->cursor[SIDE_STDOUT]) &&
	       cursor_idle(t->book, &f->stream->cursor[SIDE_STDERR]);
}

/* One file's part of the turn.  True: it has more at once. */
static bool
file_part(struct tail *t, struct file *f)
{
	bool more = false;

	if (f->after != NULL && f->after->ended) {
		file_follow(f, NULL);
		f->ready = true;
	}
	if (f->ready || t->finishing || t->now >= f->due || (t->closed && f->leaving)) {
		more = file_turn(t, f);
		if (f->waits != 0 && t->refused) { /* that one alone */
			t->refused = more = false;
			f->parked = true;
		}
		f->due = f->waits != 0 ? INT64_MAX : file_due(t, f);
		/* One whose open record was refused at its end is due, still. */
		f->ready = more || t->refused || f->parked || f->due <= t->now;
		t->stirred = true;
	}
	t->due = sooner(t->due, f->due);
	return more;
}

static bool
file_is_awake(const struct tail *t, const struct file *f)
{
	return f->ready || f->due != INT64_MAX || f->after != NULL || t->finishing;
}

/* Each file that is awake has its part, until a record is refused: that file is the first of the next turn. */
static bool
files_turn(struct tail *t)
{
	struct file *last = TAILQ_LAST(&t->awake, awake), *f;
	bool more = false, end = last == NULL;

	while (!end && !t->refused) {
		f = TAILQ_FIRST(&t->awake);
		end = f == last;
		more |= file_part(t, f);
		if (t->refused)
			break;
		file_sleep(t, f);
		if (file_is_over(t, f)) {
			file_close(t, f);
			continue;
		}
		if (file_is_awake(t, f))
			file_stay(t, f);
	}
	return more || t->refused;
}

/* Parked streams may go on: also those whose file has been read to its end. */
static void
unparked_wake(struct tail *t)
{
	uint64_t unparks = range_book_unparks(t->book);

	if (unparks == t->unparks)
		return;
	t->unparks = unparks;
	files_wake(t);
}

bool
tail_turn(struct tail *t, bool room)
{
	bool more = false;

	t->now = clock_mono();
	t->refused = false;
	t->fails = state_stale(t->state) != 0;
	if (t->told)
		watch_read(t->watch, t);
	t->told = false;
	if (t->now - t->looked >= (t->look ? t->look_gap : t->refresh))
		look(t);
	t->due = t->looked + (t->look ? t->look_gap : t->refresh);
	held_turn(t);
	unparked_wake(t);
	if (room) {
		more = files_turn(t);
		t->closed = false;
	}
	t->stands = !room || t->refused;
	return more;
}

void
tail_go_on(struct tail *t, const struct stream *stream)
{
	struct file *f = map_get(t->by_identity, identity_key(&stream->identity));

	if (f != NULL)
		file_wake(t, f);
}

bool
tail_at_end(const struct tail *t)
{
	const struct file *f;

	if (t->first_look || t->refused || t->look)
		return false;
	TAILQ_FOREACH (f, &t->awake, in_awake) {
		if (f->duplicate)
			continue;
		if (f->ready || f->after != NULL || f->parked || frame_open(f))
			return false;
		if (f->stream != NULL && f->size > (f->ended ? f->offset : f->read_to))
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
	files_wake(t);
}

void
tail_figures(struct tail *t, struct tail_figures *out)
{
	struct file *f;

	lost_settle(t);
	*out = t->figures;
	if (!t->stirred && out->lag_bytes == 0 && out->unread == 0 && out->files == t->nfiles)
		return;
	t->stirred = false;
	*out = (struct tail_figures){ .files = t->nfiles, .newest = t->frame.newest };
	LIST_FOREACH (f, &t->files, in_files) {
		uint64_t least = 0;

		if (f->duplicate)
			continue;
		/* What was in flight at its end may have arrived since. */
		if (f->stream != NULL && f->after == NULL && !f->changed && !f->parked)
			file_cursors_follow(t, f);
		if (f->stream != NULL)
			least = file_shipped(t, f);
		same_checkpoint(t, f);
		out->lag_bytes += f->size > least ? f->size - least : 0;
		out->unread += f->size > f->read_to ? f->size - f->read_to : 0;
	}
	t->figures = *out;
}
