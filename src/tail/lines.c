/*
 * Bytes to lines: new bytes of a place, in one buffer that all logs share.  A line
 * ends at its newline; at a break, where it ended before, though more may follow
 * now; and at a seal.
 */
#include "lines.h"

#include <errno.h>
#include <unistd.h>

#include "clock.h"
#include "content.h"
#include "framing_rules.h"
#include "least.h"
#include "line_format.h"
#include "metrics.h"
#include "place.h"
#include "reader.h"
#include "units.h"

#define READ_SIZE (256u << 10) /* one read */
#define BUDGET (1u << 20)      /* bytes of one log in one turn: then it is another's */

static uint64_t
base_of(const struct reader *r)
{
	return r->span->is.base;
}

/* Of the line at r->at, which may be the first one of the next span of this content. */
static enum utf16
units_at(const struct reader *r)
{
	const struct span *s = r->span, *next;

	while (r->at >= span_end(s) && (next = TAILQ_NEXT(s, in_log)) != NULL &&
	       next->content == s->content)
		s = next;
	return units_of(s->rules, s->content);
}

/* Each reader reads each line; those of the first output are counted. */
static bool
is_counted(const struct reader *r)
{
	return (r->feeds & 1) != 0;
}

static void
lines_count(const struct reader *r, uint64_t lines)
{
	if (is_counted(r))
		metrics_add(&metrics.lines, lines);
}

static void
nuls_pass(struct reader *r, size_t n)
{
	r->at += n;
	if (r->at <= r->seen)
		return;
	r->seen = r->at;
	if (is_counted(r))
		metrics_add(&metrics.nul_bytes, n);
}

/* A line begins behind a file's byte order mark, and behind NULs.  False: only such bytes are there. */
static bool
line_begin(struct reader *r, enum utf16 units, struct slice *bytes)
{
	size_t nuls, mark = units_mark(*bytes, units, r->at - base_of(r));

	r->at += mark;
	*bytes = slice_from(*bytes, mark);
	if (bytes->len > 0 && bytes->at[0] != '\0') /* nearly every line */
		return true;
	if ((nuls = units_nuls(*bytes, units, r->at - base_of(r))) == bytes->len)
		return false;
	nuls_pass(r, nuls);
	*bytes = slice_from(*bytes, nuls);
	return true;
}

/* Take the line from r->at to `end`, or go back to earlier ones.  False: refused. */
static bool
line_take(
    struct tail *t, struct reader *r, uint64_t end, struct slice line, bool cut, uint64_t *lines)
{
	uint64_t at = r->at;

	if (!frame_line(&t->frame, r, end, line, cut))
		return false;
	if (r->at < at)
		return true;
	*lines += end > r->seen;
	r->seen = r->seen > end ? r->seen : end;
	r->at = end;
	return true;
}

/* Take the whole lines of `bytes`, which lie at `from`, or go back.  False: refused. */
static bool
lines_take(struct tail *t, struct reader *r, struct slice bytes, uint64_t from)
{
	uint64_t lines = 0;
	bool taken = true;

	while (taken && r->at >= from) {
		struct slice line = slice_from(bytes, (size_t)(r->at - from));
		enum utf16 units = units_at(r);
		size_t size;

		if (!line_begin(r, units, &line) ||
		    (size = units_line(line, units, r->at - base_of(r), &line)) == 0)
			break;
		taken = line_take(t, r, r->at + size, line, false, &lines);
	}
	lines_count(r, lines);
	return taken;
}

/* The same up to `stop`, where a line ends even without a newline. */
static bool
lines_take_to(struct tail *t, struct reader *r, struct slice bytes, uint64_t stop)
{
	uint64_t from = r->at, lines = 0;

	bytes.len = (size_t)(stop - from);
	while (r->at >= from && r->at < stop) {
		struct slice rest;

		if (!lines_take(t, r, bytes, from))
			return false;
		if (r->at < from || r->at == stop)
			return true;
		rest = slice_from(bytes, (size_t)(r->at - from));
		if (line_format_nuls(rest) == rest.len) {
			nuls_pass(r, rest.len);
			return true;
		}
		if (!line_take(t, r, stop, rest, false, &lines))
			return false;
		if (r->at == stop)
			r->half = stop;
	}
	lines_count(r, lines);
	return true;
}

/* ---- the buffer */

/* True while `p` has the bytes that were read of it before r->at. */
static bool
is_what_it_was(const struct reader *r, const struct place *p, struct slice before, struct slice all)
{
	if (p->packed != NULL)
		return true;
	if (r->at == base_of(r))
		return all.len >= p->head.at &&
		       fingerprint_hash((struct slice){ all.at, p->head.at }) == p->head.hash;
	if (r->before.at == r->at - base_of(r))
		return fingerprint_hash(before) == r->before.hash;
	return content_fits(r->span->content, p);
}

/*
 * Fill the buffer, of which `want` bytes are used: with the bytes before r->at,
 * which must be those that were read, and those that follow (*out).
 */
static bool
buffer_fill(struct tail *t, struct reader *r, struct place *p, size_t want, struct slice *out)
{
	struct frame *fr = &t->frame;
	uint64_t offset = r->at - base_of(r);
	size_t back = p->packed != NULL ? 0 : fingerprint_span(offset);
	ssize_t n = place_read(p, fr->bytes, want, offset - back);
	struct slice all = { fr->bytes, n > 0 ? (size_t)n : 0 };

	fr->generation++;
	fr->of = r->span->content;
	fr->from = offset - back;
	fr->to = fr->from + all.len;
	if (n >= 0 &&
	    (all.len < back || !is_what_it_was(r, p, (struct slice){ all.at, back }, all)))
		return false;
	*out = n < 0 ? SLICE("") : slice_from(all, back);
	return true;
}

static void
bytes_count(struct content *c, uint64_t to)
{
	if (to > c->size)
		c->size = to;
	if (to <= c->read_to)
		return;
	metrics_add(&metrics.read_bytes, to - c->read_to);
	c->read_to = to;
	c->grown = clock_mono(); /* the turn may have begun long before */
}

/* Keep a hash of the bytes before r->at: mostly they are in the buffer. */
static void
before_note(struct tail *t, struct reader *r, const struct place *p)
{
	struct frame *fr = &t->frame;
	uint64_t offset = r->at - base_of(r);
	size_t n = fingerprint_span(offset);

	r->before = (struct fingerprint){ .at = UINT64_MAX };
	if (p->packed != NULL)
		return;
	if (fr->of == r->span->content && offset >= fr->from + n && offset <= fr->to)
		r->before = (struct fingerprint){ offset,
			fingerprint_hash(
			    (struct slice){ fr->bytes + (offset - fr->from) - n, n }) };
	else
		fingerprint_of(p, offset, &r->before);
	if (r->before.at == offset && offset > r->span->content->taken.at)
		r->span->content->taken = r->before;
}

/* Lines that were read under a greater cap need its room to be cut as they were. */
static void
room_make(struct tail *t, const struct reader *r)
{
	size_t need = r->span->rules->cap + LINE_ROOM;

	if (need <= t->frame.size)
		return;
	place_free(t);
	t->unpacking->most = need;
	frame_room(&t->frame, need);
}

/* ---- a line that is longer than the buffer, NULs that fill it */

/* A file system skips a hole: the offset at or behind `offset` where there are bytes. */
static uint64_t
hole_end(const struct place *p, uint64_t offset)
{
	off_t data;

	if (p->packed != NULL)
		return offset;
	data = lseek(p->fd, (off_t)offset, SEEK_DATA);
	if (data >= 0)
		return (uint64_t)data;
	return errno == ENXIO && p->size > offset ? p->size : offset;
}

/*
 * Bytes that do not fit are passed over, as are NULs alone, a budget in a turn, until
 * r->passed is its end.  LINES_END: the end is not there yet.
 */
static enum lines
long_line_pass(struct tail *t, struct reader *r, struct place *p, uint64_t stop, bool hole)
{
	char *last = t->frame.bytes + (t->frame.size - LINE_LAST);
	enum utf16 units = units_at(r);
	/* Looked for from the beginning of a unit on. */
	uint64_t end = r->at + r->passed, most = end + BUDGET;
	ssize_t n = 0;

	end -= units != UTF16_NONE && ((end - base_of(r)) & 1) != 0;

	while (r->passing == PASSING && end < stop && end < most) {
		struct slice bytes = { last, 0 }, line;
		size_t size;

		if (hole)
			end = base_of(r) + hole_end(p, end - base_of(r));
		n = place_read(p, last, LINE_LAST, end - base_of(r));
		if (n <= 0 || (n == 1 && units != UTF16_NONE)) /* half a unit */
			break;
		bytes.len = (size_t)n - (units != UTF16_NONE && n % 2 != 0);
		size = hole ? units_nuls(bytes, units, end - base_of(r))
			    : units_line(bytes, units, end - base_of(r), &line);
		if (hole ? size < bytes.len : size > 0)
			r->passing = PASSED;
		end += hole || size > 0 ? size : bytes.len;
	}
	if (end >= stop)
		end = stop;
	bytes_count(r->span->content, end - base_of(r));
	r->passed = end - r->at;
	if (n < 0)
		return LINES_END;
	if (r->passing == PASSING && end < stop && end < most && !t->finishing && p->live)
		return LINES_END;
	if (end == stop || end < most)
		r->passing = PASSED;
	return LINES_MORE;
}

/* Of a long line in a .gz, whose beginning need not be read for it. */
static enum lines
packed_line_pass(struct tail *t, struct reader *r, struct place *p, uint64_t stop)
{
	frame_forget(&t->frame);
	if (!place_ready(p, r->at + r->passed - base_of(r)))
		return LINES_MORE;
	return long_line_pass(t, r, p, stop, false);
}

/* Pass over the line at r->at, whose beginning is in the buffer; at its end it is taken. */
static enum lines
long_line_take(struct tail *t, struct reader *r, struct place *p, struct slice line, uint64_t stop)
{
	bool hole = line_format_nuls(line) == line.len;
	uint64_t end, lines = 0;
	enum lines was;

	line.len = t->frame.size - LINE_LAST - (size_t)(line.at - t->frame.bytes);
	if (r->passed < line.len)
		r->passed = line.len;
	t->frame.to = r->at - base_of(r) + line.len;
	was = long_line_pass(t, r, p, stop, hole);
	if (was != LINES_MORE || r->passing == PASSING)
		return was;
	end = r->at + r->passed;
	if (hole)
		nuls_pass(r, r->passed);
	else if (!line_take(t, r, end, line, true, &lines))
		return LINES_REFUSED;
	lines_count(r, lines);
	reader_passes_none(r);
	return LINES_MORE;
}

/* ---- reading */

/* No writer fills NULs in it any more: text follows them, or it is a .gz. */
static bool
has_final_nuls(struct place *p)
{
	char last = '\0';

	place_measure(p);
	return p->packed != NULL || (place_read(p, &last, 1, p->size - 1) == 1 && last != '\0');
}

static enum lines
refused(const struct tail *t)
{
	return t->frame.gone ? LINES_CHANGED : LINES_REFUSED;
}

/* One filling of the buffer.  LINES_MORE: go on. */
static enum lines
read_once(struct tail *t, struct reader *r, struct place *p, uint64_t end, size_t *want)
{
	uint64_t from = r->at, stop = least(r->stop, end);
	struct slice new;
	bool full, stops, taken;

	room_make(t, r);
	if (!buffer_fill(t, r, p, *want, &new))
		return LINES_CHANGED;
	full = t->frame.to - t->frame.from == *want;
	stops = stop - from <= new.len;
	bytes_count(r->span->content, (stops ? stop : from + new.len) - base_of(r));
	if (new.len == 0)
		return LINES_END;
	taken = stops ? lines_take_to(t, r, new, stop) : lines_take(t, r, new, from);
	if (full && r->at == from && new.len == line_format_nuls(new) && has_final_nuls(p))
		nuls_pass(r, (size_t)(least(base_of(r) + hole_end(p, t->frame.to), stop) - from));
	if (r->at != from)
		reader_passes_none(r);
	if (r->at > from)
		before_note(t, r, p);
	if (!taken)
		return refused(t);
	if (r->at < from)
		return LINES_MORE;
	if (r->at == from && full && *want == t->frame.size) { /* no newline in all of it */
		enum lines was = long_line_take(t, r, p, new, stop);

		*want = READ_SIZE;
		if (r->at > from)
			before_note(t, r, p);
		return was == LINES_REFUSED ? refused(t) : was;
	}
	if (!stops && !full)
		return LINES_END; /* a short read of a regular file */
	*want = r->at == from ? t->frame.size : READ_SIZE;
	return LINES_MORE;
}

enum lines
lines_read(struct tail *t, struct reader *r, struct place *p, uint64_t end)
{
	uint64_t until = r->at + r->passed + BUDGET;
	size_t want = r->passed > 0 ? t->frame.size : READ_SIZE;
	enum lines was = LINES_MORE;

	/* Back to the beginning of a long line is from the start of a .gz: once, when it has ended. */
	if (p->packed != NULL && r->passed > 0 && r->passing == PASSING)
		return packed_line_pass(t, r, p, least(r->stop, end));
	while (was == LINES_MORE && r->at + r->passed < until && r->span->content == p->content) {
		if (r->at >= r->stop && !breaks_stop(&t->frame, r))
			return refused(t);
		else if (r->at == end)
			return LINES_END;
		else if (!place_ready(p, r->at - base_of(r)))
			return LINES_MORE;
		else if (r->at < r->stop && r->span->content == p->content)
			was = read_once(t, r, p, end, &want);
	}
	return was;
}

enum lines
lines_finish(struct tail *t, struct reader *r, struct place *p)
{
	struct slice line, whole;
	uint64_t end;

	if (!buffer_fill(t, r, p, t->frame.size, &line))
		return LINES_CHANGED;
	end = r->at + line.len;
	bytes_count(r->span->content, end - base_of(r));
	if (line.len == 0 || units_line(line, units_at(r), r->at - base_of(r), &whole) > 0 ||
	    t->frame.to - t->frame.from == t->frame.size)
		return line.len == 0 ? LINES_END : LINES_MORE; /* it was written to */
	if (line_format_nuls(line) < line.len)
		breaks_line(&t->frame, r, end);
	if (!lines_take_to(t, r, line, end))
		return refused(t);
	if (r->at < end)
		return LINES_MORE;
	before_note(t, r, p);
	/* Its record ends there, as it will when it is read again, though its chain is open. */
	r->stop = end;
	if (!breaks_stop(&t->frame, r))
		return refused(t);
	return r->at < end ? LINES_MORE : LINES_END; /* a line that it held comes again */
}
