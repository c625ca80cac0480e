/*
 * Bytes to lines: what is new in a file, in one buffer that all files share.
 * A line ends at its newline; where it stopped before (a break), whatever
 * stands behind it now; and with the file.
 */
#include "lines.h"

#include <stdlib.h>

#include "clock.h"
#include "content.h"
#include "metrics.h"
#include "rules.h"
#include "same.h"

#define READ_SIZE (256u << 10) /* one read */
#define BUDGET (1u << 20)      /* of one file in one turn: then it is another's */

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
 * The buffer is full and holds no newline: the line is too long, and what does
 * not fit is passed over.
 */
static bool
long_line_take(struct tail *t, struct file *f, struct slice line)
{
	size_t kept = t->buffer_size - LINE_LAST;
	char *last = t->buffer + kept;
	const char *newline = NULL;
	uint64_t end;
	ssize_t n;

	line.len = (size_t)(last - line.at);
	end = f->offset + line.len;
	while ((n = content_read(f, last, LINE_LAST, end)) > 0) {
		newline = memchr(last, '\n', (size_t)n);
		end += newline != NULL ? (uint64_t)(newline - last) + 1 : (uint64_t)n;
		if (newline != NULL)
			break;
	}
	t->frame.to = f->offset + line.len;
	if (end >= f->stop)
		end = f->stop;
	else if (newline == NULL && !t->finishing && !f->leaving)
		return false; /* its end is not written yet */
	if (!frame_line(&t->frame, f, f->offset, end, line, true)) {
		t->refused = !f->ended;
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
bytes_count(struct file *f, uint64_t to)
{
	if (to <= f->read_to)
		return;
	metrics_add(&metrics.read_bytes, to - f->read_to);
	f->read_to = to;
	f->grown = clock_mono(); /* the turn may have begun long before */
}

/* The same up to a break, where a line ends even without a newline. */
static bool
lines_take_to_stop(struct tail *t, struct file *f, struct slice bytes)
{
	uint64_t from = f->offset;

	bytes.len = (size_t)(f->stop - from);
	if (!lines_take(t, f, bytes))
		return false;
	bytes = slice_from(bytes, (size_t)(f->offset - from));
	if (bytes.len > 0 && !frame_line(&t->frame, f, f->offset, f->stop, bytes, false))
		return false;
	lines_count(t, bytes.len > 0);
	f->offset = f->stop;
	return true;
}

/* Lines that were read under a greater cap need its room to be cut as they were. */
static void
room_make(struct tail *t, const struct file *f)
{
	size_t need = f->rules->cap + LINE_ROOM;

	if (need <= t->buffer_size)
		return;
	content_free(t);
	t->buffer = xrealloc(t->buffer, need);
	t->buffer_size = need;
	frame_room(&t->frame, need);
}

bool
lines_read(struct tail *t, struct file *f)
{
	uint64_t until = f->offset + BUDGET;
	size_t want = READ_SIZE;

	while (f->offset < until) {
		uint64_t from = f->offset;
		struct slice new;
		bool full, stops, taken;

		if (f->stop <= from && !file_stop(t, f)) {
			t->refused = true;
			return true;
		}
		room_make(t, f);
		new = buffer_fill(t, f, want);
		full = t->frame.to - t->frame.from == want;
		stops = f->stop - from <= new.len;
		bytes_count(f, from + new.len);
		if (new.len == 0)
			return false;
		taken = stops ? lines_take_to_stop(t, f, new) : lines_take(t, f, new);
		if (f->offset != from)
			same_note(t, f);
		if (!taken) {
			t->refused = !f->ended;
			return t->refused;
		}
		if (stops)
			continue;
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

/* A line without a newline ends here whatever comes later; its side is not known yet. */
static void
line_end_store(struct tail *t, struct file *f, uint64_t end)
{
	struct frame *fr = &t->frame;

	for (int side = 0; side < SIDES; side++) {
		if (state_is_break(
			fr->state, &f->stream->identity, (enum side)side, end - 1, end) == 0)
			fr->breaks =
			    state_break(fr->state, &f->stream->identity, (enum side)side, end);
	}
	if (fr->begun < fr->breaks)
		fr->begun = fr->breaks;
	f->begun = fr->begun;
}

/* What was written since the end was seen is read; what then has no newline is a line. */
bool
lines_end(struct tail *t, struct file *f)
{
	struct slice line = buffer_fill(t, f, t->buffer_size);
	bool full = t->frame.to - t->frame.from == t->buffer_size;
	uint64_t from = f->offset;

	if (!lines_take(t, f, line))
		return false;
	line = slice_from(line, (size_t)(f->offset - from));
	if (line.len == 0 || full)
		return true;
	line_end_store(t, f, f->offset + line.len);
	if (!frame_line(&t->frame, f, f->offset, f->offset + line.len, line, false))
		return false;
	lines_count(t, 1);
	f->offset += line.len;
	same_note(t, f);
	return true;
}
