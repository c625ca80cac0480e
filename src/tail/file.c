/*
 * Reading one open file: from its bytes to lines, to the end of all its
 * records.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ahead.h"
#include "back.h"
#include "clock.h"
#include "content.h"
#include "file.h"
#include "metrics.h"
#include "same.h"
#include "voice.h"

#define READ_SIZE (256u << 10)    /* one read */
#define BUDGET (1u << 20)         /* of one file in one turn: then it is another's */
#define HOT_END (200 * NS_PER_MS) /* a file that has not grown for so long is not hot */

/* Lines that are read ahead are read once more. */
static void
lines_count(const struct tail *t, uint64_t lines)
{
	if (!t->frame.counts)
		metrics_add(&metrics.lines, lines);
}

/* Take the whole lines of `bytes`, which lie at f->offset.  False: refused. */
static bool
lines_take(struct tail *t, struct file *f, struct slice bytes)
{
	const char *at = bytes.at, *end = at + bytes.len, *newline;
	uint64_t lines = 0;
	bool taken = true;

	while (at < end && (newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		uint64_t start = f->offset, next = start + (uint64_t)(newline - at) + 1;

		taken = frame_line(
		    &t->frame, f, start, next, (struct slice){ at, (size_t)(newline - at) }, false);
		if (!taken)
			break;
		f->offset = next;
		at = newline + 1;
		lines++;
	}
	lines_count(t, lines);
	return taken;
}

/*
 * The buffer is full and holds no newline: the line is cut at the cap, and
 * what follows of it is passed over.
 */
static bool
long_line_take(struct tail *t, struct file *f, struct slice line)
{
	uint64_t end = f->offset + f->conf->buffer_max_size;
	size_t head = (size_t)(line.at - t->buffer) + f->conf->buffer_max_size;
	char *tail = t->buffer + head;
	size_t room = t->buffer_size - head;
	const char *newline = NULL;
	ssize_t n;

	while ((n = content_read(f, tail, room, end)) > 0) {
		newline = memchr(tail, '\n', (size_t)n);
		end += newline != NULL ? (uint64_t)(newline - tail) + 1 : (uint64_t)n;
		if (newline != NULL)
			break;
	}
	t->frame.to = f->offset + f->conf->buffer_max_size;
	if (newline == NULL && !t->finishing && !f->leaving)
		return false; /* its end is not written yet */
	if (!frame_line(&t->frame, f, f->offset, end,
		(struct slice){ line.at, f->conf->buffer_max_size }, true)) {
		t->refused = true;
		return false;
	}
	lines_count(t, 1);
	f->offset = end;
	return true;
}

/*
 * Fill the buffer, of which `want` bytes are used: with what stands before
 * f->offset, which must be what stood there, and what follows.  Return that.
 */
static struct slice
buffer_fill(struct tail *t, struct file *f, size_t want)
{
	size_t back = same_span(f);
	ssize_t n = content_read(f, t->buffer, want, f->offset - back);

	t->frame.generation++;
	t->frame.of = f;
	t->frame.bytes = t->buffer;
	t->frame.from = f->offset - back;
	t->frame.to = t->frame.from + (n > 0 ? (uint64_t)n : 0);
	if (n < 0 && !said_lately(&t->said))
		say_warn("tail", "cannot read %s: %m", f->target);
	if (n < 0)
		return SLICE("");
	f->changed = (size_t)n < back || !same_is(f, (struct slice){ t->buffer, (size_t)n });
	if (f->changed)
		return SLICE("");
	return (struct slice){ t->buffer + back, (size_t)n - back };
}

static void
bytes_count(struct tail *t, struct file *f, uint64_t to)
{
	if (to <= f->read_to)
		return;
	metrics_add(&metrics.read_bytes, to - f->read_to);
	f->read_to = to;
	f->grown = t->now;
}

/* Read on from f->offset, at most the budget.  True: there is more. */
static bool
file_read(struct tail *t, struct file *f)
{
	uint64_t until = f->offset + BUDGET;
	size_t want = READ_SIZE;

	while (f->offset < until) {
		uint64_t from = f->offset;
		struct slice new = buffer_fill(t, f, want);
		bool full = t->frame.to - t->frame.from == want, taken;

		bytes_count(t, f, from + new.len);
		if (new.len == 0)
			return false;
		taken = lines_take(t, f, new);
		if (f->offset != from)
			same_note(t, f);
		if (!taken) {
			t->refused = true;
			return true;
		}
		if (f->offset == from && full) { /* no newline in all of it */
			if (want < t->buffer_size) {
				want = t->buffer_size;
				continue;
			}
			if (!long_line_take(t, f, new))
				return t->refused;
			same_note(t, f);
			want = READ_SIZE;
			continue;
		}
		if (!full)
			return false; /* a short read of a regular file: its end */
		want = READ_SIZE;
	}
	return true;
}

/* ---- at the end */

/* Can no process write to it any more?  A read lease is granted only then (fcntl(2)). */
bool
file_is_left(struct tail *t, struct file *f)
{
	struct stat st;

	if (f->left || t->now - f->asked < (f->ended ? NS_PER_S : 50 * NS_PER_MS))
		return f->left;
	f->asked = t->now;
	f->left = fcntl(f->fd, F_SETLEASE, F_RDLCK) == 0;
	if (f->left)
		fcntl(f->fd, F_SETLEASE, F_UNLCK);
	else if (errno != EAGAIN) /* no leases here: as long as it has a name */
		f->left = fstat(f->fd, &st) == 0 && st.st_nlink == 0;
	return f->left;
}

/* The last line, whose newline will not come. */
static bool
last_line_take(struct tail *t, struct file *f)
{
	struct slice line = buffer_fill(t, f, f->conf->buffer_max_size + same_span(f));

	if (line.len == 0)
		return true;
	if (!frame_line(&t->frame, f, f->offset, f->offset + line.len, line, false))
		return false;
	lines_count(t, 1);
	f->offset += line.len;
	same_note(t, f);
	return true;
}

struct file *
successor_of(const struct tail *t, const struct file *f)
{
	struct file *next;

	if (f->followers == 0)
		return NULL;
	LIST_FOREACH (next, &t->files, in_files) {
		if (next->after == f)
			return next;
	}
	return NULL;
}

/* Is there a successor, and has it a first line? */
static bool
successor_begins(struct tail *t, const struct file *f)
{
	struct file *next = successor_of(t, f);

	return next != NULL && (next->stream != NULL || stream_find(t, next));
}

/* Nothing comes any more: what is open goes on in the next file, or ends here. */
static bool
file_finish(struct tail *t, struct file *f)
{
	struct file *next = successor_of(t, f);

	if (f->stream == NULL && !stream_find(t, f)) {
		f->ended = true;
		return true;
	}
	if (!last_line_take(t, f))
		return false;
	if (f->changed)
		return true;
	f->offset = content_end(f);
	if (next != NULL && (next->stream != NULL || stream_find(t, next)) && next->offset == 0)
		frame_hand_over(&t->frame, f, next);
	if (!frame_flush(&t->frame, f))
		return false;
	f->ended = true;
	return true;
}

/* A side of which nothing is open or in flight has no reason to be read again. */
void
file_cursors_follow(struct tail *t, struct file *f)
{
	for (int side = 0; side < SIDES && f->users == 0 && !t->frame.counts; side++) {
		if (!f->open[side].any)
			cursor_follow(t->book, &f->stream->cursor[side], f->offset);
	}
}

static void
file_at_end(struct tail *t, struct file *f)
{
	bool flush = t->finishing || t->now - f->grown >= f->conf->flush * NS_PER_MS;
	bool over = f->leaving && (file_is_left(t, f) || t->now - f->grown > f->conf->rotate_wait);

	/* What is open goes on in the successor, which may not be there yet or have no line. */
	if (over && !flush && frame_open(f) && !successor_begins(t, f))
		return;

	if (over || t->finishing) {
		if (!f->ended && !file_finish(t, f))
			t->refused = true;
	} else if (f->stream != NULL && flush && frame_open(f) && !frame_flush(&t->frame, f)) {
		t->refused = true;
	}
	if (f->stream != NULL)
		file_cursors_follow(t, f);
}

/* ---- a turn */

/* How long it is now.  False: the system does not say. */
static bool
file_measure(struct file *f)
{
	struct stat st;

	if (fstat(f->fd, &st) < 0)
		return false;
	f->was = f->size;
	f->size = content_size(f, (uint64_t)st.st_size);
	if (f->ended && f->size > f->offset)
		f->ended = f->left = false; /* its writer had more */
	f->changed |= f->size < f->offset;
	return true;
}

/*
 * A file that is written to again and again is hot: it is read each HOT_GAP,
 * which takes several lines at once, without a watch and without events.  It
 * cools when nothing has come for HOT_END.
 */
static bool
file_begin(struct tail *t, struct file *f)
{
	bool lately = t->now - f->grown < HOT_END;

	if (f->hot && !lately)
		f->hot = false;
	else if (f->wd < 0 && lately && f->read_to > 0 && !f->leaving)
		f->hot = true;
	if (f->hot && f->size <= f->read_to)
		return true;
	/* The watch before the last read: what comes after it is told. */
	if (!f->hot && !f->leaving)
		watch_file(t->watch, f);
	return file_measure(f);
}

/* A copy of another file may become one of its own. */
static bool
duplicate_wakes(struct tail *t, struct file *f)
{
	uint64_t size = f->size;

	if (!f->leaving)
		watch_file(t->watch, f);
	content_measure(f);
	f->duplicate = f->leaving && f->size == size;
	return !f->duplicate;
}

bool
file_read_on(struct tail *t, struct file *f)
{
	uint64_t to = f->read_to;
	bool more;

	if (t->frame.counts && (!file_measure(f) || f->changed))
		return false;
	more = file_read(t, f);
	content_turned(t, f, more);
	if (f->size < f->read_to)
		f->size = f->read_to;
	if (f->hot && f->read_to == to && !f->changed)
		file_measure(f);
	if (!more && !t->refused && !f->changed)
		file_at_end(t, f);
	return more;
}

bool
file_turn(struct tail *t, struct file *f)
{
	bool more = false;

	if ((f->duplicate && !duplicate_wakes(t, f)) || f->after != NULL || !file_begin(t, f))
		return false;
	if (!content_turn(t, f))
		return true;
	if (f->stream == NULL && !stream_find(t, f)) {
		if (f->leaving)
			file_at_end(t, f);
		return false;
	}
	f->parked = !f->changed && file_parked(t, f);
	if (f->parked)
		content_turned(t, f, false);
	else if (!f->changed)
		more = file_read_on(t, f);
	if (ahead_passed(f))
		ahead_drop(t, f);
	if (!f->changed)
		return more;
	file_changed(t, f);
	return true;
}
