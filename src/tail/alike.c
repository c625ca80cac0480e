/*
 * Contents may begin alike: a banner, lines without a time.  Of those that begin
 * as a file does, it has the one of which most is known to be in it: by the bytes
 * before the farthest offset that a reader took, by its inode, its name, its size.
 */
#include "alike.h"

#include "content.h"
#include "identity.h"
#include "least.h"
#include "log.h"
#include "place.h"
#include "spans.h"

#define ALIKE 64 /* contents of one home that are asked, the newest first */

bool
alike_begins(struct slice head, const struct content_state *is)
{
	return is->head_size > 0 && is->head_size <= head.len &&
	       fingerprint_hash((struct slice){ head.at, is->head_size }) == is->head;
}

/* ---- how far a file has the bytes that were read of a content */

enum fit { FIT_ALL, FIT_SHORT, FIT_PART };

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
	const struct place *other = content_longest(c); /* all are measured, for is_another, too */

	if (p->packed != NULL)
		return FIT_ALL;
	if (other != NULL && content_fits(c, other)) { /* it was not truncated unseen */
		if (!fingerprint_equal(p, other, least(other->size, p->size)))
			return FIT_PART;
		return p->size >= other->size ? FIT_ALL : FIT_SHORT;
	}
	if (c->taken.at <= p->size && spans_content_shipped(c) <= p->size &&
	    fingerprint_fits(p, &c->taken))
		return FIT_ALL;
	*to = fits_to(t, p, c);
	return FIT_PART;
}

/* ---- the one that fits best */

/* The content was in this file when it was seen last … */
static bool
was_home(const struct place *p, const struct content_state *is)
{
	return p->dev == is->dev && p->ino == is->ino;
}

/* … and can be in it still. */
static bool
is_home(const struct place *p, const struct content_state *is)
{
	return was_home(p, is) && p->size >= is->size;
}

/* ${p} is the .gz of a file that has it: by its name, or, made before its last lines, by bytes. */
static bool
is_gz_of(const struct place *p, const struct place *other)
{
	size_t n = strlen(other->name);

	if (p->packed == NULL || other->packed != NULL)
		return false;
	return (strncmp(p->name, other->name, n) == 0 && strcmp(p->name + n, ".gz") == 0) ||
	       (p->size >= FINGERPRINT_ENDS && p->size < other->size &&
		   fingerprint_equal(p, other, p->size));
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
	return is_home(p, &c->is) ? 2 : p->packed != NULL && p->size == c->size;
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
		if (!other->live && c->spans > 0 && is_home(other, &c->is) &&
		    (p->live || p->size != other->size))
			return true;
	}
	return false;
}

/* It appeared at a live name while we looked, when the content was known. */
static bool
is_anew(const struct place *p, const struct content *c)
{
	const struct content *of = p->content;

	return p->live && p->first_look > of->log->began && c->since < of->since;
}

/* Files of several logs may begin alike; those of a container are told by their home. */
static bool
is_others(const struct log *log, const struct place *p, const struct content_state *is)
{
	return !pod_has_uid(log->stream.pod) && p->packed == NULL &&
	       memcmp(&is->log, &log->stream.log, sizeof(is->log)) != 0 && !is_home(p, is);
}

/* A content that was named by a part of a first line may begin as many a file does. */
static bool
is_certain(struct slice head, const struct place *p, const struct content *c)
{
	return head.at[c->is.head_size - 1] == '\n' || c->is.head_size == FIRST_LINE ||
	       c->taken.at > c->is.head_size || p->size == c->is.size ||
	       (p->packed != NULL && p->size == c->is.head_size) ||
	       (!p->live && was_home(p, &c->is));
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
	return content_place(c) == NULL && p->packed == NULL && was_home(p, &c->is) &&
	       p->size < c->is.size && is_last(c);
}

/* A longer file that begins so, and is not named yet, had the content: this one may be its copy. */
static bool
is_elsewhere(const struct place *p, const struct content *c)
{
	const struct content *other;

	TAILQ_FOREACH (other, &p->content->log->pending, in_pending) {
		const struct place *at = content_place(other);

		if (!other->named && at->size > p->size && was_home(at, &c->is) &&
		    at->head.at == p->head.at && at->head.hash == p->head.hash)
			return true;
	}
	return false;
}

static void
consider(struct tail *t, const struct place *p, struct content *c, struct alike *out)
{
	uint64_t to = 0;
	enum fit fit = fit_of(t, p, c, &to);

	if (p->content->behind && content_place(c) == NULL && !was_home(p, &c->is)) {
		out->later = true; /* an older file, which found no room, may have it */
	} else if (fit == FIT_PART) {
		if (content_place(c) != NULL)
			return;
		if (is_elsewhere(p, c)) {
			out->later = true;
		} else if (is_better(p, c, out->part) && is_last(c)) {
			out->part = c;
			out->to = to;
		}
	} else if (!is_anew(p, c) && !is_another(p, c, fit)) {
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

void
alike_look(
    struct tail *t, struct log *log, const struct place *p, struct slice head, struct alike *out)
{
	struct identity home, found[ALIKE];
	struct content_state is;
	struct content *c;
	unsigned n;

	*out = (struct alike){ 0 };
	identity_home(log->stream.conf->source_id, log->name, log->stream.pod, &home);
	n = state_home(t->state, &home, found, ALIKE);
	for (unsigned i = 0; i < n; i++) {
		if (!state_find(t->state, &found[i], &is) || !alike_begins(head, &is) ||
		    is_others(log, p, &is))
			continue;
		c = known_of(t, log, &found[i], &is);
		if (c != NULL && is_certain(head, p, c))
			consider(t, p, c, out);
	}
	TAILQ_FOREACH (c, &log->pending, in_pending) {
		if (c->named && alike_begins(head, &c->is) && is_certain(head, p, c))
			consider(t, p, c, out);
	}
	out->shrunk = out->same != NULL && has_shrunk(out->same, p);
}

bool
alike_any(struct tail *t, const struct identity *home, struct slice head)
{
	struct identity found[ALIKE];
	struct content_state is;
	unsigned n = state_home(t->state, home, found, ALIKE);

	for (unsigned i = 0; i < n; i++) {
		if (state_find(t->state, &found[i], &is) && alike_begins(head, &is))
			return true;
	}
	return false;
}
