/*
 * A content is known by its first line, as it was when it was named, and by the
 * bytes before the farthest offset that a reader took.  Lines without a time may
 * come again as they were: a file of such lines, when it goes on unlike all
 * contents that began alike, is a generation of its own, as is a file that appears
 * at a live name while we run.
 */
#include "naming.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "alike.h"
#include "clock.h"
#include "content.h"
#include "files.h"
#include "framing_rules.h"
#include "gunzip.h"
#include "identity.h"
#include "log.h"
#include "lost.h"
#include "place.h"
#include "feed.h"
#include "spans.h"

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

/* By this the place is known until more was read of it. */
static void
head_note(struct place *p, const struct head *h)
{
	p->head.at = fingerprint_span(h->size);
	p->head.hash = fingerprint_hash((struct slice){ h->all.at, (size_t)p->head.at });
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
	const struct rules *present = framing_rules_of(t, &log->stream);
	struct span_state next = last->is;
	struct cursors at[SIDES];
	struct reader *r;
	uint64_t from;

	if (log->checked || content_place(last->content) == NULL)
		return;
	log->checked = true;
	if (last->is.rules == present->name || last->is.seal != SEAL_NONE)
		return;
	content_measure(last->content);
	from = last->is.base + last->content->size;
	for (unsigned i = 0; i < t->nships; i++) {
		state_cursors(t->state, &log->stream.log, t->ships[i].number, at);
		for (int side = 0; side < SIDES; side++) {
			from = at[side].counted > from ? at[side].counted : from;
			from = at[side].shipped > from ? at[side].shipped : from;
		}
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
	READERS_FOREACH (r, log) {
		if (r->at >= span_start(both[1]))
			r->mark = log->mark;
	}
}

/* The place of the pending `c` has the content `known`, which its log may not have had yet. */
static void
take(struct tail *t, struct content *c, struct content *known, const struct head *h)
{
	struct place *p = content_place(c);
	bool first = content_place(known) == NULL;
	bool home = p->live || (first && p->packed != NULL); /* another plain file may be a copy */

	TAILQ_REMOVE(&c->log->pending, c, in_pending);
	head_note(p, h);
	content_move(t, known, p);
	content_free(t, c);
	known->hour = h->hour;
	known->mark = utf16_mark(h->all);
	known->gone = false;
	known->lost = 0;
	if (first)
		known->grown = t->now;
	if (home) {
		known->is.dev = p->dev;
		known->is.ino = p->ino;
	}
	if (known->spans == 0)
		return;
	if (first) {
		state_opened(t->state, &known->id, known->log->stream.path);
		feed_known(known->log, known);
		if (known->late != NULL)
			feed_known(known->late, known);
	}
	if (home)
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
	uint64_t shipped = spans_content_shipped(c), kept;
	uint64_t seen = over && p->size > c->size ? p->size : c->size;
	const struct span *s = TAILQ_FIRST(&c->log->spans);

	while (s->content != c)
		s = TAILQ_NEXT(s, in_log);
	if (to < s->is.from)
		to = s->is.from; /* else the span goes, and the content with it */
	kept = over || shipped > to ? shipped : to;
	if (seen > kept)
		lost_count(
		    t, c, NULL, has_lost_power(t, p) ? LOST_POWERCUT : LOST_TRUNCATED, seen - kept);
	c->taken = (struct fingerprint){ 0 };
	c->size = c->read_to = c->is.size = to;
	state_size(t->state, &c->id, to);
	log_cut(t, c->log, s->is.base + to, over);
	if (over && fingerprint_of(p, to, &c->taken)) /* it is known by these at the next start */
		state_checkpoint(t->state, &c->id, &(struct checkpoint){ to, c->taken.hash });
	say_info("tail", "%s is not what it was: reading on from %llu", p->name,
	    (unsigned long long)(over || shipped > to ? to : shipped));
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

	identity_home(log->stream.conf->source_id, log->name, log->stream.pod, &is.home);
	for (;;) {
		identity_of(log->stream.conf->source_id, log->name, log->stream.pod, is.generation,
		    h->line, &id);
		if (content_find(t, &id) == NULL && !state_find(t->state, &id, &known))
			break;
		if (getrandom(&is.generation, sizeof(is.generation), 0) < 0)
			is.generation = (uint64_t)clock_wall();
	}
	content_name(t, c, &id, &is);
	head_note(p, h);
	c->hour = h->hour;
	c->mark = utf16_mark(h->all);
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
		return h->all.len > 0 && t->now - c->grown > CUT_WAIT * wait && !files_has_plain(p);
	return h->all.len > 0 &&
	       (t->finishing || (!p->live && (files_is_left(t, p) || t->now - c->grown > wait)));
}

static void
head_read(struct tail *t, const struct place *p, struct head *h)
{
	frame_forget(&t->frame);
	head_of(h, t->frame.bytes, place_read(p, t->frame.bytes, FIRST_LINE, 0));
}

bool
naming_try(struct tail *t, struct content *c)
{
	struct place *p = content_place(c);
	struct alike found;
	struct head h = { 0 };
	uint64_t end;
	bool power;

	if (!identity_ready(c->log->stream.conf->source_id, c->log->stream.pod))
		return false;
	place_measure(p);
	c->size = p->size; /* it may have been truncated since it was found */
	head_read(t, p, &h);
	alike_look(t, c->log, p, h.all, &found);
	end =
	    found.shrunk ? place_line_start(p, p->size, (enum utf16)c->log->stream.conf->utf16) : 0;
	if (files_failed(t))
		return false;
	power = has_lost_power(t, p) && (h.timed || found.to > 0);
	if (found.shrunk)
		go_back(t, found.same, p, end, false);
	if (found.same != NULL || found.shorter != NULL) {
		take(t, c, found.same != NULL ? found.same : found.shorter, &h);
	} else if (found.later) {
		return false;
	} else if (found.part != NULL && (h.timed || power)) {
		bool over = power && spans_content_shipped(found.part) > 0;

		go_back(t, found.part, p, over ? p->size : found.to, over);
		take(t, c, found.part, &h);
	} else if (h.whole || is_over(t, c, p, &h)) {
		begin(t, c, p, &h);
	} else {
		return false;
	}
	return true;
}

struct slice
naming_head(struct tail *t, const char *path, int fd)
{
	ssize_t got;

	frame_forget(&t->frame);
	got = slice_ends(slice_of(path), SLICE(".gz")) ? gunzip_head(fd, t->frame.bytes, FIRST_LINE)
						       : pread(fd, t->frame.bytes, FIRST_LINE, 0);
	if (got < 0)
		files_unseen(t, path, errno);
	return (struct slice){ t->frame.bytes, got > 0 ? (size_t)got : 0 };
}

bool
naming_is_known(struct tail *t, const struct tail_conf *conf, const char *path, const char *name,
    struct slice head)
{
	struct pod *pod = pod_of(name, path);
	bool ready = identity_ready(conf->source_id, pod);
	struct identity home;

	identity_home(conf->source_id, name, pod, &home);
	pod_unref(pod);
	return ready && alike_any(t, &home, head);
}
