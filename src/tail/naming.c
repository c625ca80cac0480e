/*
 * A content is known by its first line, as it was when it was named, and by the
 * bytes before the farthest offset that a reader took.  Lines without a time may
 * come again as they were: a file of such lines, when it goes on unlike all
 * contents that began alike, is a generation of its own, as is a file that appears
 * at a live name while we run.
 */
#include "naming.h"

#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "clock.h"
#include "content.h"
#include "files.h"
#include "framing_rules.h"
#include "identity.h"
#include "least.h"
#include "line_format.h"
#include "log.h"
#include "lost.h"
#include "place.h"
#include "reader.h"
#include "spans.h"

#define FIRST_LINE ((size_t)64 << 10) /* bytes of it that an identity takes */
#define ALIKE 64                      /* contents of one home that are asked, the newest first */
#define CUT_WAIT 10 /* times Rotate_Wait: so long a .gz that ends in its first line may grow */
#define HOUR (3600 * NS_PER_S)

/* ---- the first line */

struct head {
	struct slice all;  /* the file's first bytes, up to FIRST_LINE */
	struct slice line; /* the first line; its newline, when it is there, is behind it */
	size_t size;       /* of the line with its newline */
	bool whole;        /* a newline ended it, or it is too long for one */
	bool timed;        /* it has a runtime's time … */
	uint32_t hour;     /* … the hour of it, since the epoch; else 0 */
};

static void
head_of(struct head *h, const char *bytes, ssize_t n)
{
	struct cri_memo memo = { 0 };
	struct cri cri;
	const char *newline;

	*h = (struct head){ .all = { bytes, n > 0 ? (size_t)n : 0 } };
	h->line = h->all;
	newline = memchr(h->all.at, '\n', h->all.len);
	if (newline != NULL)
		h->line.len = (size_t)(newline - bytes);
	h->size = h->line.len + (newline != NULL);
	h->whole = newline != NULL || h->all.len == FIRST_LINE;
	h->timed = line_format_take(h->line, &memo, &cri);
	h->hour = h->timed ? (uint32_t)(cri.time / HOUR) : 0;
}

static bool
head_is(const struct head *h, const struct content_state *is)
{
	return is->head_size > 0 && is->head_size <= h->all.len &&
	       fingerprint_hash((struct slice){ h->all.at, is->head_size }) == is->head;
}

/* By this the place is known until more was read of it. */
static void
head_note(struct place *p, const struct head *h)
{
	p->head.at = fingerprint_span(h->size);
	p->head.hash = fingerprint_hash((struct slice){ h->all.at, (size_t)p->head.at });
}

/* ---- how far a file has the bytes that were read of a content */

enum fit { FIT_ALL, FIT_SHORT, FIT_PART };

static uint64_t
shipped_of(const struct content *c)
{
	uint64_t shipped = spans_shipped(c->log), most = 0;
	const struct span *s;

	TAILQ_FOREACH (s, &c->log->spans, in_log) {
		if (s->content == c && shipped > span_start(s))
			most = shipped - s->is.base;
		if (s->content == c && most > s->is.seal)
			most = s->is.seal;
	}
	return most;
}

/* A plain file that has it, and was not truncated unseen. */
static struct place *
plain_place(const struct content *c)
{
	struct place *p = content_longest(c);

	return p != NULL && p->size >= c->taken.at && fingerprint_fits(p, &c->taken) &&
		       fingerprint_fits(p, &p->head)
		   ? p
		   : NULL;
}

/* The newest checkpoint that fits; 0: none does. */
static uint64_t
fits_to(struct tail *t, const struct place *p, const struct content *c)
{
	struct checkpoint checks[CHECKPOINTS];
	unsigned n = state_checkpoints(t->state, &c->id, checks);

	for (unsigned i = 0; i < n; i++) {
		if (checks[i].offset <= p->size &&
		    fingerprint_fits(p, &(struct fingerprint){ checks[i].offset, checks[i].hash }))
			return checks[i].offset;
	}
	return 0;
}

/*
 * FIT_SHORT: it is what another place has, as far as it goes;
 * FIT_PART: only up to *to is it what was read.
 */
static enum fit
fit_of(struct tail *t, const struct place *p, const struct content *c, uint64_t *to)
{
	const struct place *other = plain_place(c);

	if (p->packed != NULL)
		return FIT_ALL;
	if (other != NULL) {
		if (!fingerprint_equal(p, other, least(other->size, p->size)))
			return FIT_PART;
		return p->size >= other->size ? FIT_ALL : FIT_SHORT;
	}
	if (c->taken.at <= p->size && shipped_of(c) <= p->size && fingerprint_fits(p, &c->taken))
		return FIT_ALL;
	*to = fits_to(t, p, c);
	return FIT_PART;
}

/* ---- a content that is known */

/*
 * Present options other than those of before take force where the last content
 * that was entered ended when we started, never below the counted records.
 */
static void
rules_check(struct tail *t, struct log *log)
{
	struct span *last = log_last(log), *both[2] = { last, last };
	const struct rules *present = framing_rules_of(t, log->stream.conf);
	struct span_state next = last->is;
	struct cursors at[SIDES];
	uint64_t from;

	if (log->checked || content_place(last->content) == NULL)
		return;
	log->checked = true;
	if (last->is.rules == present->name || last->is.seal != SEAL_NONE)
		return;
	content_measure(last->content);
	from = last->is.base + last->content->size;
	state_cursors(t->state, &log->stream.log, t->ships[0].number, at);
	for (int side = 0; side < SIDES; side++) {
		from = at[side].counted > from ? at[side].counted : from;
		from = at[side].shipped > from ? at[side].shipped : from;
	}
	next.rules = present->name;
	next.from = from - next.base;
	if (next.from > last->is.from) {
		last->is.seal = next.from;
		both[1] = spans_add(t, log, last->content, &next);
	} else {
		last->is.rules = next.rules;
		last->rules = present;
	}
	spans_store(t, log, both, both[1] == last ? 1 : 2);
}

/* The place of the pending `c` has the content `known`, which its log may not have had yet. */
static void
take(struct tail *t, struct content *c, struct content *known, const struct head *h)
{
	struct place *p = content_place(c);
	bool first = content_place(known) == NULL;

	TAILQ_REMOVE(&c->log->pending, c, in_pending);
	head_note(p, h);
	content_move(t, known, p);
	content_free(t, c);
	known->hour = h->hour;
	known->gone = false;
	if (first)
		known->grown = t->now;
	if (p->live) { /* the others are copies of it */
		known->is.dev = p->dev;
		known->is.ino = p->ino;
	}
	if (known->spans == 0)
		return;
	if (first) {
		state_opened(t->state, &known->id, known->log->stream.path);
		reader_known(known->log, known);
		if (known->late != NULL)
			reader_known(known->late, known);
	}
	if (first || p->live)
		state_file(t->state, &known->id, p->dev, p->ino);
	rules_check(t, known->log);
}

/* The machine has started again since: the file's end was not on disk yet when the power went. */
static bool
has_lost_power(const struct tail *t, const struct place *p)
{
	return p->first_look == 1 && state_rebooted(t->state);
}

/*
 * Only up to `to` has the file the bytes that were read of it, and reading goes
 * back to there.  `over`: after a power cut, none of what stands there is read.
 */
static void
go_back(struct tail *t, struct content *c, struct place *p, uint64_t to, bool over)
{
	uint64_t shipped = shipped_of(c), kept = over || shipped > to ? shipped : to;
	uint64_t seen = over && p->size > c->size ? p->size : c->size;
	const struct span *s;

	if (seen > kept)
		lost_count(c, has_lost_power(t, p) ? LOST_POWERCUT : LOST_TRUNCATED, seen - kept);
	TAILQ_FOREACH (s, &c->log->spans, in_log) {
		if (s->content == c)
			break;
	}
	c->taken = (struct fingerprint){ 0 };
	c->size = c->read_to = c->is.size = to;
	state_size(t->state, &c->id, to);
	log_cut(t, c->log, s->is.base + to, over);
	say_info("tail", "%s is not what it was: reading on from %llu", p->name,
	    (unsigned long long)(over || shipped > to ? to : shipped));
}

/* ---- the content that fits best */

struct found {
	struct content *same, *shorter, *part;
	uint64_t to; /* … of the part */
	bool later;  /* when the file that had the content before is named */
};

/* The content was in this file when it was seen last … */
static bool
was_home(const struct place *p, const struct content *c)
{
	return p->dev == c->is.dev && p->ino == c->is.ino;
}

/* … and can be in it still. */
static bool
is_home(const struct place *p, const struct content *c)
{
	return was_home(p, c) && p->size >= c->is.size;
}

/* ${p} is the .gz of a file that has the content. */
static bool
is_gz_of(const struct place *p, const struct place *other)
{
	size_t n = strlen(other->name);

	return p->packed != NULL && strncmp(p->name, other->name, n) == 0 &&
	       strcmp(p->name + n, ".gz") == 0;
}

/* How near: by its name, by its inode, by its size, by nothing. */
static int
nearness(const struct place *p, const struct content *c)
{
	const struct place *other;

	TAILQ_FOREACH (other, &c->places, in_content) {
		if (is_gz_of(p, other))
			return 3;
	}
	return is_home(p, c) ? 2 : p->packed != NULL && p->size == c->size;
}

/* Of two that it begins like, it is the nearer one, or of which more is known to be in it. */
static bool
is_better(const struct place *p, const struct content *c, const struct content *best)
{
	int near = nearness(p, c), nearest = best == NULL ? 0 : nearness(p, best);

	if (best == NULL || c->is.head_size != best->is.head_size)
		return best == NULL || c->is.head_size > best->is.head_size;
	return near != nearest ? near > nearest : c->taken.at > best->taken.at;
}

/*
 * A copy is made of the live file, and has another name: a live file that begins
 * like another live one, or one that was renamed, is another content, and so is any
 * that begins like one that was renamed and has another length.  Of two that are
 * met together nothing says which is the copy.
 */
static bool
is_another(const struct place *p, const struct content *c, enum fit fit)
{
	const struct place *other;

	if (p->live && fit == FIT_SHORT)
		return true;
	TAILQ_FOREACH (other, &c->places, in_content) {
		if (other->packed != NULL || is_gz_of(p, other))
			continue;
		if (p->live && other->live)
			return true;
		if (!other->live && c->spans > 0 && is_home(other, c) &&
		    (p->live || p->size != other->size))
			return true;
	}
	return false;
}

/* Files of several logs may begin alike; those of a container are told by their home. */
static bool
is_others(const struct log *log, const struct place *p, const struct content *c)
{
	return log->stream.pod == NULL && p->packed == NULL &&
	       strcmp(c->log->name, log->name) != 0 && !is_home(p, c);
}

/* A content that was named by a part of a first line may begin as many a file does. */
static bool
is_certain(const struct head *h, const struct place *p, const struct content *c)
{
	return h->all.at[c->is.head_size - 1] == '\n' || c->is.head_size == FIRST_LINE ||
	       c->taken.at > c->is.head_size || p->size == c->is.size ||
	       (!p->live && was_home(p, c));
}

/* No other content of its log lies behind it: the log may go back. */
static bool
is_last(const struct content *c)
{
	return c->spans > 0 && log_last(c->log)->content == c;
}

/* It has lost its end while we did not look. */
static bool
has_shrunk(const struct content *c, const struct place *p)
{
	return content_place(c) == NULL && was_home(p, c) && p->size < c->is.size && is_last(c);
}

/* A longer file that is not named yet had the content: this one may be a copy of it. */
static bool
is_elsewhere(const struct place *p, const struct content *c)
{
	const struct content *other;

	TAILQ_FOREACH (other, &p->content->log->pending, in_pending) {
		const struct place *at = content_place(other);

		if (!other->named && at != p && at->size > p->size && was_home(at, c))
			return true;
	}
	return false;
}

static void
consider(struct tail *t, const struct place *p, struct content *c, bool anew, struct found *out)
{
	uint64_t to = 0;
	enum fit fit = fit_of(t, p, c, &to);

	if (fit == FIT_PART) {
		if (content_place(c) == NULL && is_elsewhere(p, c))
			out->later = true;
		else if (content_place(c) == NULL && is_better(p, c, out->part) && is_last(c)) {
			out->part = c;
			out->to = to;
		}
	} else if (!anew && !is_another(p, c, fit)) {
		struct content **best = fit == FIT_ALL ? &out->same : &out->shorter;

		if (is_better(p, c, *best))
			*best = c;
	}
}

/* Loaded, with the log that it is in, when it is not in memory. */
static struct content *
known_of(struct tail *t, struct log *log, const struct identity *id, const struct content_state *is)
{
	if (content_find(t, id) == NULL)
		spans_load(t, log_part(t, log, &is->log), id);
	return content_find(t, id);
}

static void
look_up(
    struct tail *t, struct log *log, const struct place *p, const struct head *h, struct found *out)
{
	bool anew = p->live && p->first_look > log->began;
	struct identity home, alike[ALIKE];
	struct content_state is;
	struct content *c;
	unsigned n;

	identity_home(log->stream.conf, log->name, log->stream.pod, &home);
	n = state_home(t->state, &home, alike, ALIKE);
	for (unsigned i = 0; i < n; i++) {
		if (!state_find(t->state, &alike[i], &is) || !head_is(h, &is))
			continue;
		c = known_of(t, log, &alike[i], &is);
		if (c != NULL && is_certain(h, p, c) && !is_others(log, p, c))
			consider(t, p, c, anew, out);
	}
	TAILQ_FOREACH (c, &log->pending, in_pending) {
		if (c->named && head_is(h, &c->is) && is_certain(h, p, c))
			consider(t, p, c, anew, out);
	}
}

/* ---- a new content */

static void
begin(struct tail *t, struct content *c, struct place *p, const struct head *h)
{
	struct log *log = c->log;
	struct content_state is = {
		.log = log->stream.log,
		.head = fingerprint_hash((struct slice){ h->all.at, h->size }),
		.head_size = (uint32_t)h->size,
		.dev = p->dev,
		.ino = p->ino,
		.first_seen = clock_wall(),
	}, known;
	struct identity id;

	identity_home(log->stream.conf, log->name, log->stream.pod, &is.home);
	for (;;) {
		identity_of(
		    log->stream.conf, log->name, log->stream.pod, is.generation, h->line, &id);
		if (content_find(t, &id) == NULL && !state_find(t->state, &id, &known))
			break;
		if (getrandom(&is.generation, sizeof(is.generation), 0) < 0)
			is.generation = (uint64_t)clock_wall();
	}
	content_name(t, c, &id, &is);
	head_note(p, h);
	c->hour = h->hour;
	c->read_to = 0;
}

/* No more of the first line is expected: the part that is there names the content. */
static bool
is_over(struct tail *t, struct content *c, struct place *p, const struct head *h)
{
	int64_t wait = c->log->stream.conf->rotate_wait;

	if (h->all.len > c->read_to) {
		c->read_to = h->all.len;
		c->grown = t->now;
	}
	if (place_is_cut(p)) /* it may grow; other contents may begin like the part */
		return h->all.len > 0 && t->now - c->grown > CUT_WAIT * wait;
	return h->all.len > 0 &&
	       (t->finishing || (!p->live && (files_is_left(t, p) || t->now - c->grown > wait)));
}

static void
head_read(struct tail *t, const struct place *p, struct head *h)
{
	ssize_t n = place_read(p, t->frame.bytes, FIRST_LINE, 0);

	frame_forget(&t->frame);
	head_of(h, t->frame.bytes, n);
}

void
naming_try(struct tail *t, struct content *c)
{
	struct place *p = content_place(c);
	struct found found = { 0 };
	struct head h = { 0 };
	bool power;

	place_measure(p);
	head_read(t, p, &h);
	look_up(t, c->log, p, &h, &found);
	power = has_lost_power(t, p) && (h.timed || found.to > 0);
	if (found.same != NULL && has_shrunk(found.same, p))
		go_back(t, found.same, p, place_line_start(p, p->size), false);
	if (found.same != NULL || found.shorter != NULL) {
		take(t, c, found.same != NULL ? found.same : found.shorter, &h);
	} else if (found.later) {
		return;
	} else if (found.part != NULL && (h.timed || power)) {
		bool over = power && shipped_of(found.part) > 0;

		go_back(t, found.part, p, over ? p->size : found.to, over);
		take(t, c, found.part, &h);
	} else if (h.whole || is_over(t, c, p, &h)) {
		begin(t, c, p, &h);
	}
}

bool
naming_is_known(
    struct tail *t, const struct tail_conf *conf, const char *path, const char *name, int fd)
{
	struct pod *pod = identity_pod(name, path);
	struct identity home, alike[ALIKE];
	struct content_state is;
	struct head h = { 0 };
	bool known = false;
	ssize_t got;
	unsigned n;

	frame_forget(&t->frame);
	got = pread(fd, t->frame.bytes, FIRST_LINE, 0);
	head_of(&h, t->frame.bytes, got);
	identity_home(conf, name, pod, &home);
	pod_unref(pod);
	n = state_home(t->state, &home, alike, ALIKE);
	for (unsigned i = 0; i < n && !known; i++)
		known = state_find(t->state, &alike[i], &is) && head_is(&h, &is);
	return known;
}
