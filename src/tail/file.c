/*
 * One open file: from its bytes to lines, its stream from the first line to
 * the end of all its records.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "metrics.h"
#include "resolve.h"
#include "voice.h"

#define READ_SIZE (256u << 10) /* one read */
#define BUDGET (1u << 20)      /* of one file in one turn: then it is another's */
#define FIRST_LINE (64u << 10) /* as much of it as an identity takes */
#define HOUR (3600 * NS_PER_S)

/* ---- the stream */

static char *
tag_of(const struct tail_conf *conf, const char *path)
{
	const char *star = strchr(conf->input.tag, '*');
	char *tag;

	if (star == NULL)
		return xstrdup(conf->input.tag);
	tag = xprintf("%.*s%s%s", (int)(star - conf->input.tag), conf->input.tag,
	    path[0] == '/' ? path + 1 : path, star + 1);
	for (char *at = tag + (star - conf->input.tag); *at != '\0'; at++) {
		if (*at == '/')
			*at = '.';
	}
	return tag;
}

static void
stream_resume(struct tail *t, struct file *f, struct stream *s)
{
	struct stream_state known;
	uint64_t least = UINT64_MAX;

	if (state_find(t->state, &s->identity, &known)) {
		for (int side = 0; side < SIDES; side++) {
			f->resume[side] = known.side[side].shipped;
			f->replayed[side] = known.side[side].counted;
			if (f->resume[side] < least)
				least = f->resume[side];
		}
	} else {
		known = (struct stream_state){ .first_seen = clock_wall() };
		least = f->from_end ? f->size : 0;
		for (int side = 0; side < SIDES; side++)
			known.side[side].shipped = known.side[side].counted = f->resume[side] =
			    least;
		state_stream(t->state, &s->identity, &known);
	}
	f->offset = least;
	if (f->read_to < least)
		f->read_to = least;
	for (int side = 0; side < SIDES; side++)
		cursor_init(&s->cursor[side], &s->identity, (enum side)side, f->resume[side]);
}

/* Two files of one content (a copy beside its original): only the first is read. */
static bool
stream_is_open(const struct tail *t, const struct identity *id)
{
	for (const struct file *f = t->files; f != NULL; f = f->next) {
		if (f->stream != NULL && memcmp(&f->stream->identity, id, sizeof(*id)) == 0)
			return true;
	}
	return false;
}

static void
stream_begin(struct tail *t, struct file *f, struct slice first)
{
	struct stream *s = xcalloc(1, sizeof(*s));
	struct cri_memo memo = { 0 };
	struct stream_state known;
	struct cri cri;

	s->pod = pod_from_path(slice_of(f->target), slice_of(f->path));
	identity_of(f->conf, f->target, s->pod, 0, first, &s->identity);
	if (state_find(t->state, &s->identity, &known) && known.side[SIDE_STDOUT].shipped > f->size)
		identity_of(
		    f->conf, f->target, s->pod, (uint64_t)clock_wall(), first, &s->identity);
	if (stream_is_open(t, &s->identity)) {
		say_debug("tail", "%s begins as another file that is read already: it is left out",
		    f->target);
		f->duplicate = true;
		pod_unref(s->pod);
		free(s);
		return;
	}
	if (cri_parse(first, &memo, &cri) == PARSE_OK)
		s->hour = (uint32_t)(cri.time / HOUR);
	s->conf = f->conf;
	s->path = xstrdup(f->path);
	s->tag = tag_of(f->conf, f->path);
	f->stream = s;
	stream_resume(t, f, s);
	t->on_stream(t->frame.arg, s, true);
}

static void
stream_end(struct tail *t, struct file *f)
{
	struct stream *s = f->stream;

	if (s == NULL)
		return;
	t->on_stream(t->frame.arg, s, false);
	pod_unref(s->pod);
	free(s->path);
	free(s->tag);
	free(s);
	f->stream = NULL;
}

/* Its first line, once it is complete, names the stream.  False: not yet. */
static bool
stream_find(struct tail *t, struct file *f)
{
	ssize_t n = pread(f->fd, t->buffer, FIRST_LINE, 0);
	const char *newline = n > 0 ? memchr(t->buffer, '\n', (size_t)n) : NULL;
	bool whole =
	    newline != NULL || n == (ssize_t)FIRST_LINE || (n > 0 && (t->finishing || f->leaving));

	t->frame.of = NULL; /* the buffer holds something else now */
	t->frame.generation++;
	if (whole)
		stream_begin(t, f,
		    (struct slice){
			t->buffer, newline != NULL ? (size_t)(newline - t->buffer) : (size_t)n });
	return f->stream != NULL;
}

/* ---- open and close */

static struct file *
file_of(const struct tail *t, const struct stat *st)
{
	for (struct file *f = t->files; f != NULL; f = f->next) {
		if (f->ino == st->st_ino && f->dev == st->st_dev)
			return f;
	}
	return NULL;
}

struct file *
file_known(const struct tail *t, const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? file_of(t, &st) : NULL;
}

/* The file that had this name before a rotation: it is read first.  The newest stands first in the list. */
static struct file *
predecessor_of(const struct tail *t, const char *target)
{
	for (struct file *f = t->files; f != NULL; f = f->next) {
		if (!f->ended && strcmp(f->target, target) == 0)
			return f;
	}
	return NULL;
}

static bool
is_own_pod(const struct tail_conf *conf, const char *target)
{
	const char *name = getenv("POD_NAME");
	struct pod *pod;
	bool own;

	if (!conf->never_own_pod || name == NULL)
		return false;
	pod = pod_from_path(slice_of(target), SLICE(""));
	own = pod != NULL && slice_eq(pod->pod_name, slice_of(name));
	pod_unref(pod);
	return own;
}

void
file_open(struct tail *t, const struct tail_conf *conf, const char *path)
{
	struct resolved there;
	struct stat st;
	struct file *f;
	const char *why;

	if (stat(path, &st) == 0 && (f = file_of(t, &st)) != NULL) {
		f->found = true;
		return;
	}
	if (resolve_open(conf, path, &there, &why) < 0) {
		if (why != NULL && !said_lately(&t->said))
			say_warn("tail", "cannot read %s: %s", path, why);
		return;
	}
	if (is_own_pod(conf, there.target) || fstat(there.fd, &st) < 0 ||
	    (f = file_of(t, &st)) != NULL) {
		close(there.fd);
		free(there.target);
		return;
	}
	f = xcalloc(1, sizeof(*f));
	f->conf = conf;
	f->fd = there.fd;
	f->wd = -1;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->path = xstrdup(path);
	f->target = there.target;
	f->size = (uint64_t)st.st_size;
	f->grown = t->now;
	f->ready = f->found = true;
	f->from_end = t->first_look && (!conf->read_from_head || conf->first_start == START_END);
	f->after = predecessor_of(t, f->target);
	f->next = t->files;
	t->files = f;
	t->nfiles++;
	say_debug("tail", "following %s (%s)", path, f->target);
}

void
file_close(struct tail *t, struct file *f)
{
	struct file **at = &t->files;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	for (struct file *other = t->files; other != NULL; other = other->next) {
		if (other->after == f)
			other->after = NULL;
	}
	t->nfiles--;
	watch_forget(t->watch, f);
	stream_end(t, f);
	close(f->fd);
	free(f->path);
	free(f->target);
	free(f);
}

/* ---- reading */

/* The server let the stream go on after it was parked: read again from what is shipped. */
static void
file_rewind(struct tail *t, struct file *f)
{
	uint64_t least = UINT64_MAX;

	for (int side = 0; side < SIDES; side++) {
		struct cursor *c = &f->stream->cursor[side];

		cursor_rewind(t->book, c);
		f->replayed[side] = f->offset;
		f->resume[side] = cursor_shipped(t->book, c);
		if (f->resume[side] < least)
			least = f->resume[side];
		f->open[side] = (struct open_record){ 0 };
	}
	f->offset = least;
	f->skipping = false;
	f->ready = true;
}

static bool
file_parked(struct tail *t, struct file *f)
{
	bool parked = false;

	for (int side = 0; side < SIDES; side++) {
		struct cursor *c = &f->stream->cursor[side];

		if (cursor_must_rewind(t->book, c)) {
			file_rewind(t, f);
			return false;
		}
		parked |= cursor_parked(t->book, c);
	}
	return parked;
}

/* Shorter than what was read of it: truncated in place.  It is read from its head again. */
static void
file_truncated(struct tail *t, struct file *f, uint64_t size)
{
	say_warn("tail", "%s was truncated from %llu to %llu bytes: reading it from its head",
	    f->target, (unsigned long long)f->offset, (unsigned long long)size);
	for (int side = 0; side < SIDES; side++) {
		if (f->stream != NULL)
			cursor_rewind(
			    t->book, &f->stream->cursor[side]); /* nothing points to it any more */
		f->open[side] = (struct open_record){ 0 };
		f->resume[side] = f->replayed[side] = 0;
	}
	stream_end(t, f);
	f->offset = 0;
	f->skipping = false;
	f->from_end = false;
}

/* Take the whole lines of the `n` bytes that lie in the buffer from f->offset on.  False: refused. */
static bool
lines_take(struct tail *t, struct file *f, size_t n)
{
	const char *at = t->buffer, *end = at + n, *newline;
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
	metrics_add(&metrics.lines, lines);
	return taken;
}

/*
 * The buffer is full and holds no newline: the line is cut at the cap, and
 * what follows of it is passed over.
 */
static bool
long_line_take(struct tail *t, struct file *f)
{
	uint64_t end = f->offset + f->conf->buffer_max_size;
	char *tail = t->buffer + f->conf->buffer_max_size;
	size_t room = t->buffer_size - f->conf->buffer_max_size;
	const char *newline = NULL;
	ssize_t n;

	while ((n = pread(f->fd, tail, room, (off_t)end)) > 0) {
		newline = memchr(tail, '\n', (size_t)n);
		end += newline != NULL ? (uint64_t)(newline - tail) + 1 : (uint64_t)n;
		if (newline != NULL)
			break;
	}
	t->frame.to = f->offset + f->conf->buffer_max_size;
	if (newline == NULL && !t->finishing && !f->leaving)
		return false; /* its end is not written yet */
	if (!frame_line(&t->frame, f, f->offset, end,
		(struct slice){ t->buffer, f->conf->buffer_max_size }, true)) {
		t->refused = true;
		return false;
	}
	metrics_add(&metrics.lines, 1);
	f->offset = end;
	return true;
}

/* Fill the buffer from f->offset on.  Return what it holds. */
static size_t
buffer_fill(struct tail *t, struct file *f, size_t want)
{
	ssize_t n = pread(f->fd, t->buffer, want, (off_t)f->offset);

	t->frame.generation++;
	t->frame.of = f;
	t->frame.bytes = t->buffer;
	t->frame.from = f->offset;
	t->frame.to = f->offset + (n > 0 ? (uint64_t)n : 0);
	if (n < 0 && !said_lately(&t->said))
		say_warn("tail", "cannot read %s: %m", f->target);
	return n > 0 ? (size_t)n : 0;
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
		size_t n = buffer_fill(t, f, want);

		bytes_count(t, f, from + n);
		if (n == 0)
			return false;
		if (!lines_take(t, f, n)) {
			t->refused = true;
			return true;
		}
		if (f->offset == from && n == want) { /* no newline in all of it */
			if (want < t->buffer_size) {
				want = t->buffer_size;
				continue;
			}
			if (!long_line_take(t, f))
				return t->refused;
			want = READ_SIZE;
			continue;
		}
		if (n < want)
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
	size_t n = buffer_fill(t, f, f->conf->buffer_max_size);

	if (n == 0)
		return true;
	if (!frame_line(
		&t->frame, f, f->offset, f->offset + n, (struct slice){ t->buffer, n }, false))
		return false;
	metrics_add(&metrics.lines, 1);
	f->offset += n;
	return true;
}

static struct file *
successor_of(const struct tail *t, const struct file *f)
{
	for (struct file *next = t->files; next != NULL; next = next->next) {
		if (next->after == f)
			return next;
	}
	return NULL;
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
	if (next != NULL && (next->stream != NULL || stream_find(t, next)) && next->offset == 0)
		frame_hand_over(f, next);
	if (!frame_flush(&t->frame, f))
		return false;
	f->ended = true;
	return true;
}

/* A side of which nothing is open or in flight has no reason to be read again. */
static void
cursors_follow(struct tail *t, struct file *f)
{
	for (int side = 0; side < SIDES && f->users == 0; side++) {
		if (!f->open[side].any)
			cursor_follow(t->book, &f->stream->cursor[side], f->offset);
	}
}

static void
file_at_end(struct tail *t, struct file *f)
{
	bool flush = t->finishing || t->now - f->grown >= f->conf->flush * NS_PER_MS;

	bool over = f->leaving && (file_is_left(t, f) || t->now - f->grown > f->conf->rotate_wait);

	if (over || t->finishing) {
		if (!f->ended && !file_finish(t, f))
			t->refused = true;
	} else if (f->stream != NULL && flush && frame_open(f) && !frame_flush(&t->frame, f)) {
		t->refused = true;
	}
	if (f->stream != NULL)
		cursors_follow(t, f);
}

bool
file_turn(struct tail *t, struct file *f)
{
	struct stat st;
	bool more;

	if (f->after != NULL && f->after->ended)
		f->after = NULL;
	if (f->duplicate || f->after != NULL || fstat(f->fd, &st) < 0)
		return false;
	f->size = (uint64_t)st.st_size;
	if (f->ended && f->size > f->offset)
		f->ended = f->left = false; /* its writer had more */
	if (!f->leaving)
		watch_file(t->watch, f); /* before the last read: what comes after it is told */
	if (f->size < f->offset)
		file_truncated(t, f, f->size);
	if (f->stream == NULL && !stream_find(t, f)) {
		if (f->leaving)
			file_at_end(t, f);
		return false;
	}
	f->parked = file_parked(t, f);
	if (f->parked)
		return false;
	more = file_read(t, f);
	if (!more && !t->refused)
		file_at_end(t, f);
	return more;
}
