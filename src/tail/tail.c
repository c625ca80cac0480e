/*
 * One turn of the reader: what changed, which files there are, then each file
 * that may have more, in turns.
 */
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "look.h"

#define COALESCE (20 * NS_PER_MS) /* wake-ups closer than this are one */
#define LOOK_GAP (50 * NS_PER_MS) /* a burst of new names is one look */
#define POLL_GAP (50 * NS_PER_MS) /* how often a file that ends is asked whether it has ended */

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

struct tail *
tail_new(const struct tail_conf *const *confs, size_t n, struct state *state,
    struct range_book *book, tail_record *record, tail_stream *stream, void *arg)
{
	struct tail *t = xcalloc(1, sizeof(*t));
	size_t cap = 0;

	descriptors_raise();
	t->confs = memcpy(xcalloc(n, sizeof(*confs)), confs, n * sizeof(*confs));
	t->nconfs = n;
	for (size_t i = 0; i < n; i++)
		cap = confs[i]->buffer_max_size > cap ? confs[i]->buffer_max_size : cap;
	t->state = state;
	t->book = book;
	t->on_stream = stream;
	t->buffer_size = cap + (256u << 10);
	t->buffer = xmalloc(t->buffer_size);
	frame_init(&t->frame, cap + (64u << 10));
	t->frame.state = state;
	t->frame.record = record;
	t->frame.arg = arg;
	t->watch = watch_new();
	t->look = t->first_look = true;
	return t;
}

void
tail_free(struct tail *t)
{
	if (t == NULL)
		return;
	while (t->files != NULL)
		file_close(t, t->files);
	watch_free(t->watch);
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
	if (fds[0].revents != 0 && read(wake, &value, sizeof(value)) < 0)
		return; /* somebody else has emptied it */
}

static int64_t
sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When is something due in the file, without an event? */
static int64_t
file_due(const struct file *f)
{
	if (f->leaving && !f->duplicate)
		return f->turned + (f->ended ? NS_PER_S : POLL_GAP);
	if (frame_open(f))
		return f->grown + f->conf->flush * NS_PER_MS;
	return INT64_MAX;
}

/* Let files go that have ended and of which nothing is under way. */
static bool
file_is_over(struct tail *t, struct file *f)
{
	if (f->duplicate)
		return f->leaving;
	if (!f->leaving || !f->ended || f->users > 0 || !file_is_left(t, f))
		return false;
	if (f->stream == NULL)
		return true;
	return cursor_idle(t->book, &f->stream->cursor[SIDE_STDOUT]) &&
	       cursor_idle(t->book, &f->stream->cursor[SIDE_STDERR]);
}

/* One file's part of the turn.  True: it has more at once. */
static bool
file_part(struct tail *t, struct file *f)
{
	bool more = false;

	if (f->ready || t->finishing || file_due(f) <= t->now) {
		f->turned = t->now;
		more = file_turn(t, f);
		f->ready = more || t->refused || f->parked || f->after != NULL;
		if (!more && frame_open(f) && f->grown + f->conf->flush * NS_PER_MS <= t->now)
			f->ready = true; /* its end was refused */
	}
	t->due = sooner(t->due, file_due(f));
	return more;
}

bool
tail_turn(struct tail *t, bool room)
{
	bool more = false;
	struct file *f;

	t->now = clock_mono();
	t->refused = false;
	watch_read(t->watch, t);
	if ((t->look && t->now - t->looked >= (t->first_look ? 0 : LOOK_GAP)) ||
	    t->now - t->looked >= t->confs[0]->refresh_interval)
		look(t);
	t->due = t->looked + (t->look ? LOOK_GAP : t->confs[0]->refresh_interval);
	f = t->first != NULL ? t->first : t->files;
	for (size_t n = t->nfiles; room && n > 0 && !t->refused; n--) {
		struct file *next = f->next != NULL ? f->next : t->files;

		more |= file_part(t, f);
		if (!t->refused)
			t->first = next;
		if (file_is_over(t, f)) {
			t->first = next == f ? NULL : next;
			file_close(t, f);
			next = t->first != NULL ? t->first : t->files;
		}
		f = next;
	}
	return more || t->refused;
}

bool
tail_at_end(const struct tail *t)
{
	if (t->first_look || t->refused || t->look)
		return false;
	for (const struct file *f = t->files; f != NULL; f = f->next) {
		if (f->duplicate)
			continue;
		if (f->ready || f->after != NULL || f->parked || frame_open(f))
			return false;
		if (f->stream != NULL && f->size > f->read_to)
			return false;
	}
	return true;
}

void
tail_finish(struct tail *t)
{
	t->finishing = true;
}

void
tail_figures(const struct tail *t, struct tail_figures *out)
{
	*out = (struct tail_figures){ .files = t->nfiles, .newest = t->frame.newest };
	for (struct file *f = t->files; f != NULL; f = f->next) {
		uint64_t least = 0;

		if (f->duplicate)
			continue;
		if (f->stream != NULL) {
			uint64_t a = cursor_shipped(t->book, &f->stream->cursor[SIDE_STDOUT]);
			uint64_t b = cursor_shipped(t->book, &f->stream->cursor[SIDE_STDERR]);

			least = a < b ? a : b;
		}
		out->lag_bytes += f->size > least ? f->size - least : 0;
		out->unread += f->size > f->read_to ? f->size - f->read_to : 0;
	}
}
