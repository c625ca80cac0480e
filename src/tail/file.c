/*
 * One open file: its turn, and its end, which is also that of all its records.
 * What is read of it in a turn is lines.c.
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
#include "lines.h"
#include "rules.h"
#include "same.h"
#include "voice.h"

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

static struct file *
follower_of(const struct tail *t, const struct file *f)
{
	struct file *next;

	if (f->followers == 0)
		return NULL;
	LIST_FOREACH (next, &t->files, in_files) {
		if (next->after == f && (!next->duplicate || next->followers > 0))
			return next;
	}
	return NULL;
}

/* Is it none of what comes after, but a copy of what was before, or that itself? */
static bool
is_older(const struct file *f)
{
	return f->duplicate || (f->stray && f->stream != NULL && f->offset > 0);
}

/* Was it rotated without a line? */
static bool
is_empty(struct tail *t, struct file *f)
{
	if (!f->leaving || f->stream != NULL || f->fd < 0 || !file_is_left(t, f))
		return false;
	content_measure(f);
	return f->size == 0;
}

struct file *
successor_of(struct tail *t, const struct file *f)
{
	const struct file *before = f;
	struct file *next = follower_of(t, f);

	while (next != NULL) {
		bool begun = next->stream != NULL || next->duplicate || stream_find(t, next);

		/* A copy has come between, or was found to be one, and what followed it moved. */
		if (next->after != before || (next->duplicate && next->followers == 0)) {
			next = follower_of(t, before);
			continue;
		}
		if (!is_older(next) && !is_empty(t, next))
			return begun ? next : NULL;
		before = next;
		next = follower_of(t, next);
	}
	return NULL;
}

/* Where what is open in `f` goes on; read ahead, that is known before. */
static struct file *
heir_of(struct tail *t, const struct file *f)
{
	return t->frame.counts ? t->heir : successor_of(t, f);
}

/* Nothing comes any more: what is open goes on in the next file, or ends here. */
static bool
file_finish(struct tail *t, struct file *f)
{
	struct file *next;

	if (f->stream == NULL && !stream_find(t, f)) {
		f->ended = true;
		return true;
	}
	if (!lines_end(t, f))
		return false;
	if (f->changed)
		return true;
	f->offset = content_end(f);
	next = frame_open(f) ? heir_of(t, f) : NULL;
	if (next != NULL && next->offset == 0)
		frame_hand_over(&t->frame, f, next);
	if (next != NULL && file_lends(f) && !t->frame.counts)
		ahead_drop(t, next); /* it may have begun without these */
	if (!frame_flush(&t->frame, f))
		return false;
	f->ended = true;
	return true;
}

/* A side of which nothing is open or in flight has no reason to be read again. */
void
file_cursors_follow(struct tail *t, struct file *f)
{
	for (int side = 0; side < SIDES && !file_lends(f) && !t->frame.counts; side++) {
		if (!f->open[side].any)
			f->stream->followed |=
			    cursor_follow(t->book, &f->stream->cursor[side], f->offset);
	}
}

static void
file_at_end(struct tail *t, struct file *f)
{
	/* Its end could not be stored while the state fails: the next line may end it by its text. */
	bool flush = t->finishing || (!t->fails && t->now - f->grown >= f->rules->flush);
	bool over = f->leaving && (file_is_left(t, f) || t->now - f->grown > f->conf->rotate_wait);

	/* What is open goes on in the successor, which may not be there yet or have no line. */
	if (over && !flush && frame_open(f) && heir_of(t, f) == NULL)
		return;

	if (over || t->finishing) {
		if (!f->ended && !file_finish(t, f))
			t->refused = !f->ended;
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
	if (f->offset == 0)
		frame_start(&t->frame, f);
	more = lines_read(t, f);
	content_turned(t, f, more);
	if (f->size < f->read_to)
		f->size = f->read_to;
	if (f->hot && f->read_to == to && !f->changed)
		file_measure(f);
	if (!more && !t->refused && !f->changed)
		file_at_end(t, f);
	return more;
}

/* Does it wait for the state, which cannot be written? */
static bool
file_waits(const struct tail *t, struct file *f)
{
	if (f->waits != 0 && state_durable(t->state) >= f->waits)
		f->waits = 0;
	return f->waits != 0;
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
	if (f->after != NULL) /* a copy that is to be read first */
		return false;
	f->parked = !f->changed && (file_parked(t, f) || file_waits(t, f) || f->stream->waits);
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
