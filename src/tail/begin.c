/*
 * A file's stream: its first line names it, the state says how far it has
 * come, and it ends with the file or a truncation.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "beside.h"
#include "clock.h"
#include "content.h"
#include "file.h"
#include "form.h"
#include "lost.h"
#include "map.h"
#include "rules.h"
#include "same.h"
#include "takeover.h"
#include "voice.h"

#define FIRST_LINE (64u << 10) /* as much of it as an identity takes */
#define HOUR (3600 * NS_PER_S)

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

static const struct takeover *
takeover_of(const struct tail *t, const struct tail_conf *conf)
{
	size_t i = 0;

	while (t->confs[i] != conf)
		i++;
	return t->takeovers[i];
}

static uint64_t
known_there(const struct tail *t, const struct file *f)
{
	if (f->packed != NULL || f->fd < 0)
		return 0;
	return takeover_offset(takeover_of(t, f->conf), f->fd, f->ino, f->size);
}

/*
 * Where Fluent Bit stopped.  Its DB forgets a rotated file that it has read: one
 * that is not in it, and is followed by one that is, was read to its end.
 */
static uint64_t
taken_over(const struct tail *t, const struct file *f)
{
	uint64_t from = known_there(t, f);
	const struct file *next;

	if (from > 0 || f->followers == 0)
		return from;
	LIST_FOREACH (next, &t->files, in_files) {
		if (next != f && file_is_behind(next, f) && known_there(t, next) > 0)
			return f->size;
	}
	return 0;
}

/* ---- where it goes on */

/*
 * The bytes behind `to` are others now: the stream goes back to it, or, when
 * what came before is `over`, on from it.  Else what lies between its cursor
 * and `to` is there still: a kill leaves checkpoints that are newer.
 */
static void
stream_move(
    struct tail *t, const struct identity *id, struct stream_state *known, uint64_t to, bool over)
{
	for (int side = 0; side < SIDES; side++) {
		state_rewound(t->state, id, (enum side)side, to);
		if (over && known->side[side].shipped < to)
			state_shipped(t->state, id, (enum side)side, to);
	}
	state_find(t->state, id, known);
}

static uint64_t
least_of(const struct stream_state *known)
{
	uint64_t out = known->side[SIDE_STDOUT].shipped, err = known->side[SIDE_STDERR].shipped;

	return out < err ? out : err;
}

/*
 * Only up to `same` is the file what was read of it.  Truncated, it is read
 * again from there.  When the machine has started again since, and the file
 * still begins as it did, its end was not on disk yet when the power went: what
 * stands there now is not asked.
 */
static void
stream_changed(
    struct tail *t, struct file *f, struct stream *s, struct stream_state *known, uint64_t same)
{
	bool powercut = f->early && same > 0 && state_rebooted(t->state);
	uint64_t seen = powercut && f->size > known->size ? f->size : known->size;
	uint64_t shipped = least_of(known);

	if (!f->changed && seen > shipped)
		lost_count(
		    f->path, f->target, powercut ? LOST_POWERCUT : LOST_TRUNCATED, seen - shipped);
	stream_move(t, &s->identity, known, powercut ? f->size : same, powercut);
	say_info(
	    "tail", "%s is not what it was: reading on from %" PRIu64, f->target, least_of(known));
}

static void
stream_known(struct tail *t, struct file *f, struct stream *s, struct stream_state *known)
{
	uint64_t same = same_to(t, f, &s->identity, known);

	if (same != SAME_ALL)
		stream_changed(t, f, s, known, same);
	for (int side = 0; side < SIDES; side++)
		f->resume[side] = known->side[side].shipped;
	rules_begin(&t->frame, f, known);
}

/*
 * Was it counted before it was forgotten?  Then the state was lost, or it has
 * not been written to since the newest was used that the state forgot.
 */
static bool
is_forgotten(const struct tail *t, const struct file *f)
{
	int64_t to = state_forgotten_to(t->state);
	struct stat st;

	if (f->early && state_was_set_aside(t->state))
		return true;
	return to > 0 && fstat(f->fd, &st) == 0 &&
	       st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec < to;
}

/* True: it may have been read before. */
static bool
stream_new(struct tail *t, struct file *f, struct stream *s, struct stream_state *is)
{
	uint64_t from = f->from_end ? f->size : 0;
	bool forgotten = is_forgotten(t, f);

	is->first_seen = clock_wall();
	if (f->early && t->takeovers != NULL)
		from = taken_over(t, f);
	for (int side = 0; side < SIDES; side++) {
		is->side[side].shipped = f->resume[side] = from;
		is->side[side].counted = forgotten ? f->size : from;
	}
	is->rulings[0] = (struct ruling){ 0, f->present->name, RULING_GOES_ON };
	is->nrulings = 1;
	f->begun = t->frame.begun = state_stream(t->state, &s->identity, is);
	return forgotten;
}

static void
stream_resume(struct tail *t, struct file *f, struct stream *s, struct stream_state *is)
{
	struct stream_state known;
	bool was_read = state_find(t->state, &s->identity, &known);

	f->begun = t->frame.begun; /* what is known may not be on disk yet */
	if (was_read)
		stream_known(t, f, s, &known);
	else
		was_read = stream_new(t, f, s, is);
	f->fresh_from = was_read || f->early || f->packed != NULL ? f->size : 0;
	f->offset = f->resume[SIDE_STDOUT] < f->resume[SIDE_STDERR] ? f->resume[SIDE_STDOUT]
								    : f->resume[SIDE_STDERR];
	if (f->read_to < f->offset)
		f->read_to = f->offset;
	f->changed = false;
	frame_seek(&t->frame, f);
	same_note(t, f);
	for (int side = 0; side < SIDES; side++)
		cursor_init(&s->cursor[side], &s->identity, (enum side)side, f->resume[side]);
}

/* ---- which stream it is */

#define GENERATIONS 64 /* of one base that are tried, the newest first */

/* Is the file what was read of this stream, and nobody's yet? */
static bool
goes_on(struct tail *t, const struct file *f, const struct identity *id)
{
	struct stream_state known;

	return map_get(t->by_identity, identity_key(id)) == NULL &&
	       state_find(t->state, id, &known) && same_to(t, f, id, &known) == SAME_ALL;
}

/*
 * Lines without a time may come again as they were: a file of such that is not
 * what was read of any stream that began alike is a generation of its own.
 */
static void
generation_find(struct tail *t, struct file *f, const struct pod *pod, struct slice first,
    struct stream_state *is, struct identity *id)
{
	uint64_t known[GENERATIONS];
	unsigned n = state_generations(t->state, &is->base, known, GENERATIONS);
	struct stream_state any;

	if (goes_on(t, f, id))
		return;
	for (unsigned i = 0; i < n; i++) {
		is->generation = known[i];
		identity_of(f->conf, f->target, pod, known[i], first, id);
		if (goes_on(t, f, id))
			return;
	}
	is->generation = 0;
	*id = is->base;
	if (n == 0 && !state_find(t->state, id, &any))
		return;
	while (is->generation == 0) {
		if (getrandom(&is->generation, sizeof(is->generation), 0) < 0)
			is->generation = (uint64_t)clock_wall();
	}
	identity_of(f->conf, f->target, pod, is->generation, first, id);
}

/* Has all of it been read and shipped, and does the stream go on in `f`, of which it is a copy? */
static bool
gives_up(struct tail *t, struct file *other, const struct file *f)
{
	return other->leaving && other->ended && other->size < f->size && !file_lends(other) &&
	       cursor_idle(t->book, &other->stream->cursor[SIDE_STDOUT]) &&
	       cursor_idle(t->book, &other->stream->cursor[SIDE_STDERR]);
}

/* Is it a copy of the file that has this stream, as far as both go?  Of a .gz only the first line is asked. */
static bool
is_copy_of(struct tail *t, const struct file *f, const struct identity *id, bool timed)
{
	struct file *other = map_get(t->by_identity, identity_key(id));

	if (other == NULL ||
	    (!timed && f->packed == NULL && other->packed == NULL && !same_content(f, other)))
		return false;
	if (!gives_up(t, other, f))
		return true;
	stream_end(t, other);
	other->duplicate = true;
	return false;
}

static bool
is_copy(
    struct tail *t, const struct file *f, const struct stream *s, struct slice first, bool timed)
{
	uint64_t known[GENERATIONS];
	unsigned n = timed ? 0 : state_generations(t->state, &s->identity, known, GENERATIONS);
	bool copy = is_copy_of(t, f, &s->identity, timed);

	for (unsigned i = 0; i < n && !copy; i++) {
		struct identity id;

		identity_of(f->conf, f->target, s->pod, known[i], first, &id);
		copy = is_copy_of(t, f, &id, timed);
	}
	return copy;
}

/* What is read after `f`, which is a copy, is read after that of which it is one (a .gz beside it). */
static void
followers_move(struct tail *t, struct file *f, struct file *original)
{
	struct file *next;

	if (original == NULL || !original->leaving || original->ended || f->followers == 0)
		return;
	LIST_FOREACH (next, &t->files, in_files) {
		if (next->after == f && !file_is_behind(original, next))
			file_follow(next, original);
	}
}

bool
stream_is_known(
    struct tail *t, const struct tail_conf *conf, const char *path, const char *target, int fd)
{
	ssize_t n = pread(fd, t->buffer, FIRST_LINE, 0);
	struct slice first = { t->buffer, n > 0 ? (size_t)n : 0 };
	const char *newline = memchr(first.at, '\n', first.len);
	struct pod *pod = pod_of(target, path);
	struct stream_state known;
	struct identity id;
	uint64_t generation;

	t->frame.of = NULL; /* the buffer holds something else now */
	t->frame.generation++;
	if (newline != NULL)
		first.len = (size_t)(newline - first.at);
	identity_of(conf, target, pod, 0, first, &id);
	pod_unref(pod);
	return first.len > 0 && (state_find(t->state, &id, &known) ||
				    state_generations(t->state, &id, &generation, 1) > 0);
}

static void
stream_begin(struct tail *t, struct file *f, struct slice first)
{
	struct stream_state is = { 0 };
	struct stream *s = xcalloc(1, sizeof(*s));
	int64_t time;
	bool timed = form_time(first, &time);

	s->pod = pod_of(f->target, f->path);
	identity_of(f->conf, f->target, s->pod, 0, first, &s->identity);
	is.base = s->identity;
	/* Two files of one content (a copy beside its original): only the first is read. */
	f->duplicate = is_copy(t, f, s, first, timed);
	if (f->duplicate) {
		say_debug("tail", "%s begins as another file that is read already: it is left out",
		    f->target);
		followers_move(t, f, map_get(t->by_identity, identity_key(&s->identity)));
		pod_unref(s->pod);
		free(s);
		return;
	}
	if (timed)
		s->hour = (uint32_t)(time / HOUR);
	else
		generation_find(t, f, s->pod, first, &is, &s->identity);
	s->conf = f->conf;
	s->path = xstrdup(f->path);
	s->tag = tag_of(f->conf, f->path);
	f->stream = s;
	same_begin(f, first);
	map_put(t->by_identity, identity_key(&s->identity), f);
	stream_resume(t, f, s, &is);
	t->on_stream(t->frame.arg, s, true);
}

void
stream_end(struct tail *t, struct file *f)
{
	struct stream *s = f->stream;

	if (s == NULL)
		return;
	t->on_stream(t->frame.arg, s, false);
	map_del(t->by_identity, identity_key(&s->identity));
	pod_unref(s->pod);
	free(s->path);
	free(s->tag);
	free(s);
	f->stream = NULL;
}

/*
 * While it waited for what was before, it may have been copied and truncated:
 * of what it held then nobody knows but the copy, which is read first.
 */
static void
copies_between(struct tail *t, struct file *f)
{
	struct listing beside = { 0 };

	beside_open(t, &beside, f);
	listing_free(&beside);
}

bool
stream_find(struct tail *t, struct file *f)
{
	ssize_t n = content_read(f, t->buffer, FIRST_LINE, 0);
	struct slice there = { t->buffer, n > 0 ? (size_t)n : 0 };
	bool other = !same_head(f, there), anew = other || f->changed;
	const char *newline = n > 0 ? memchr(t->buffer, '\n', (size_t)n) : NULL;
	bool whole =
	    newline != NULL || n == (ssize_t)FIRST_LINE || (n > 0 && (t->finishing || f->leaving));

	t->frame.of = NULL; /* the buffer holds something else now */
	t->frame.generation++;
	if (whole)
		stream_begin(t, f,
		    (struct slice){
			t->buffer, newline != NULL ? (size_t)(newline - t->buffer) : (size_t)n });
	if (other && f->stream == NULL)
		same_begin(f, there);
	if (other || (anew && f->stream != NULL))
		copies_between(t, f);
	return f->stream != NULL;
}
