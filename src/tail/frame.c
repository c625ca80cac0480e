/*
 * Framing: lines to records.  Each side of a log has at most one open record
 * (a partial chain, a line that a stack trace may follow).  It ends by its
 * text, by a line whose time is Flush_ms past its last line's, by a break, or at
 * the end of the content behind its first one.  Lines that it only held are read again.
 *
 * While the read buffer holds all lines of an open record, its text is made as
 * they come; else they are read once more when it ends (record_text.c).
 */
#include <assert.h>
#include <stdlib.h>

#include "framing_rules.h"
#include "least.h"
#include "metrics.h"
#include "reader.h"
#include "record_text.h"
#include "units.h"

void
frame_init(struct frame *fr, size_t size)
{
	fr->rules = map_new();
	fr->generation = 1;
	fr->size = size;
	fr->bytes = xmalloc(size);
	fr->again = xmalloc(size);
	for (int side = 0; side < SIDES; side++)
		buffer_init(&fr->text[side], 0);
	buffer_init(&fr->plain, 0);
	buffer_init(&fr->whole, 0);
	buffer_init(&fr->utf8, 0);
}

void
frame_fini(struct frame *fr)
{
	free(fr->bytes);
	free(fr->again);
	for (int side = 0; side < SIDES; side++)
		buffer_fini(&fr->text[side]);
	buffer_fini(&fr->plain);
	buffer_fini(&fr->whole);
	buffer_fini(&fr->utf8);
}

void
frame_forget(struct frame *fr)
{
	fr->of = NULL;
	fr->generation++;
}

void
frame_room(struct frame *fr, size_t size)
{
	fr->bytes = xrealloc(fr->bytes, size);
	fr->again = xrealloc(fr->again, size);
	fr->size = size;
	frame_forget(fr);
}

/* One physical line, taken apart. */
struct physical {
	uint64_t start, end;
	struct slice raw; /* its bytes in the file, as far as they are kept */
	struct cri cri;   /* content is the whole line when it is not the runtime's */
	bool is_cri, cut;
};

/* A line of UTF-16, whose text is in a buffer of the frame, as that of a form with escapes. */
static void
line_decode(struct frame *fr, const struct reader *r, enum utf16 units, struct physical *p)
{
	size_t wrong;

	buffer_clear(&fr->plain);
	wrong = utf16_read(p->raw, units, (p->start - r->span->is.base) & 1, &fr->plain);
	if (wrong > 0 && p->end > r->seen && (r->feeds & 1) != 0)
		metrics_add(&metrics_utf16_errors, wrong);
	p->cri = (struct cri){
		.side = SIDE_STDOUT, .content = buffer_slice(&fr->plain), .escaped = true
	};
}

static void
line_take_apart(struct frame *fr, const struct reader *r, struct slice line, struct physical *p)
{
	const struct rules *rules = r->span->rules;
	enum utf16 units = units_of(rules, r->span->content);

	p->raw = framing_rules_line(rules, line, &p->cut);
	if (units != UTF16_NONE) {
		line_decode(fr, r, units, p);
		return;
	}
	p->is_cri = line_format_read(p->raw, rules->runtime ? &fr->memo : NULL, &p->cri);
	if (p->cri.escaped) {
		buffer_clear(&fr->plain);
		line_format_text(p->cri.content, true, &fr->plain);
		p->cri.content = buffer_slice(&fr->plain);
	}
}

/* ---- the end of a record */

/* The lines of a side from `from` on come again; those of the other side do not. */
static void
side_go_back(struct frame *fr, struct reader *r, enum side side, uint64_t from)
{
	for (int s = 0; s < SIDES; s++)
		r->resume[s] = r->resume[s] > r->at ? r->resume[s] : r->at;
	r->resume[side] = from;
	r->at = least(r->at, from);
	reader_passes_none(r);
	r->span = log_span(r->log, r->at);
	r->before = FINGERPRINT_NONE;
	breaks_seek(fr, r);
}

bool
frame_end_side(struct frame *fr, struct reader *r, enum side side)
{
	struct open_record *o = &r->open[side], whole = *o;
	struct buffer *text = &fr->text[side];

	if (o->rules == NULL)
		return true;
	if (o->held.start != 0) {
		whole.end = o->held.start;
		whole.lines = o->held.lines;
		whole.cut = o->held.cut;
		if (o->generation == fr->generation) /* the text made so far has them, too */
			text->len = o->held.text;
		if (o->generation == fr->generation && whole.lines == 1)
			whole.line.content = buffer_slice(text);
	}
	if (!emit_record(fr, r, side, &whole))
		return false;
	o->rules = NULL;
	if (o->held.start != 0)
		side_go_back(fr, r, side, o->held.start);
	return true;
}

bool
frame_cross(struct frame *fr, struct reader *r, uint64_t start)
{
	for (int side = 0; side < SIDES; side++) {
		if (r->open[side].rules != NULL && r->open[side].start < start &&
		    !frame_end_side(fr, r, (enum side)side))
			return false;
	}
	return true;
}

/* A line of this time is so far past the last line's that it cannot be of one record with it. */
static bool
is_past(int64_t wait, int64_t last, int64_t time)
{
	return time != 0 && last != 0 && time - last >= wait;
}

/* A line of either side at `start` with this time ends records before it that are open so long. */
static bool
sides_expire(struct frame *fr, struct reader *r, uint64_t start, int64_t time)
{
	for (int side = 0; side < SIDES; side++) {
		const struct open_record *o = &r->open[side];

		if (o->rules != NULL && start >= o->end &&
		    is_past(framing_rules_wait(o->rules, o->chain), o->last_time, time) &&
		    !frame_end_side(fr, r, (enum side)side))
			return false;
	}
	return true;
}

/* ---- lines */

static void
record_extend(struct open_record *o, const struct physical *p)
{
	o->end = p->end;
	o->lines++;
	o->cut |= p->cut;
	if (p->cri.time != 0)
		o->last_time = p->cri.time;
	if (p->cri.content.len > 0)
		o->last = p->cri.content.at[p->cri.content.len - 1];
}

/* No line can join it. */
static bool
record_closed(const struct open_record *o)
{
	if (o->chain)
		return false;
	if (o->join.own != 0)
		return multiline_ended(o->join.own);
	return !o->rules->runtime || trace_closed(o->first, o->last);
}

static bool
record_begin(struct frame *fr, struct reader *r, const struct physical *p, struct joining join)
{
	struct open_record *o = &r->open[p->cri.side];
	struct buffer *text = &fr->text[p->cri.side];
	bool taken;

	*o = (struct open_record){
		.rules = r->span->rules,
		.start = p->start,
		.hash = record_text_hash(p->raw),
		.time = p->cri.time,
		.join = join,
		.first = p->cri.content.len > 0 ? p->cri.content.at[0] : '\0',
		.chain = p->cri.partial,
		.generation = fr->generation,
		.line = p->cri,
	};
	record_extend(o, p);
	if (record_closed(o)) {
		taken = emit_record(fr, r, p->cri.side, o);
		o->rules = NULL; /* refused, it comes again with its line */
		return taken;
	}
	if (p->cri.escaped) { /* the next line takes the place of its content */
		buffer_clear(text);
		buffer_put(text, p->cri.content);
		o->line.content = buffer_slice(text);
	}
	return true;
}

/* Append a further line's content to the text, while the buffer holds the record. */
static void
text_extend(struct frame *fr, struct open_record *o, const struct physical *p, bool newline)
{
	struct buffer *text = &fr->text[p->cri.side];
	struct slice more = p->cri.content;

	if (o->generation != fr->generation)
		return;
	if (o->lines == 1 && !o->line.escaped) {
		buffer_clear(text);
		buffer_put(text, o->line.content);
	}
	if (text->len > o->rules->cap)
		return;
	if (newline)
		buffer_put(text, SLICE("\n"));
	/* A byte more than is kept says that there were more. */
	more.len = (size_t)least(more.len, o->rules->cap + 1 - least(text->len, o->rules->cap + 1));
	buffer_put(text, more);
}

/* The next part of a partial chain. */
static bool
chain_go_on(struct frame *fr, struct reader *r, const struct physical *p)
{
	struct open_record *o = &r->open[p->cri.side], was = *o;
	size_t len = fr->text[p->cri.side].len;

	text_extend(fr, o, p, false);
	record_extend(o, p);
	o->chain = p->cri.partial;
	if (o->join.own != 0)
		multiline_part(o->rules->own, &o->join.own, p->cri.content, !o->chain);
	if (!record_closed(o) || frame_end_side(fr, r, p->cri.side))
		return true;
	*o = was;
	fr->text[p->cri.side].len = len;
	return false;
}

/* The configuration's rules decide, and where they do not take a line those of traces. */
static enum trace_verdict
verdict_of_own(const struct rules *rules, struct joining *join, const struct physical *p)
{
	bool was_own = join->own != 0;
	enum trace_verdict verdict =
	    multiline_line(rules->own, &join->own, p->cri.content, !p->cri.partial);

	if (join->own != 0 || !rules->runtime)
		return verdict;
	if (was_own)
		join->trace = 0; /* of no trace: the line begins a record */
	return trace_line(&join->trace, p->cri.content);
}

/* Says if the line is a part of a record in this state. */
static enum trace_verdict
verdict_of(const struct rules *rules, struct joining *join, bool chain, const struct physical *p)
{
	if (chain && p->is_cri)
		return TRACE_JOIN;
	if (rules->own != NULL)
		return verdict_of_own(rules, join, p);
	return rules->runtime ? trace_line(&join->trace, p->cri.content) : TRACE_NEW;
}

/* True when the line goes on with no record, whatever its state. */
static bool
begins_anyway(const struct rules *rules, bool chain, const struct physical *p)
{
	struct joining most = { .trace = TRACE_MOST };

	if (rules->own != NULL && multiline_may_join(rules->own, p->cri.content))
		return false;
	return verdict_of(rules, &most, chain, p) == TRACE_NEW;
}

/* Hold the line.  False: it, or the bytes from the first held line on, would be too many. */
static bool
line_hold(const struct frame *fr, struct open_record *o, const struct physical *p)
{
	if (o->held.start != 0)
		return o->lines - o->held.lines < TRACE_HELD_LINES &&
		       p->end - o->held.start <= TRACE_HELD_BYTES;
	o->held = (struct held_lines){ p->start, o->lines,
		o->lines == 1 ? o->line.content.len : fr->text[p->cri.side].len, o->cut };
	return true;
}

static void
line_join(struct frame *fr, struct open_record *o, const struct physical *p, struct joining join)
{
	o->first = '\0'; /* it is no JSON object */
	text_extend(fr, o, p, true);
	record_extend(o, p);
	o->join = join;
	o->chain = p->cri.partial;
}

/* A line that joins, and is the last one of its record by the configuration's rules. */
static bool
line_ends(struct frame *fr, struct reader *r, const struct physical *p, struct joining join)
{
	struct open_record *o = &r->open[p->cri.side], was = *o;
	size_t len = fr->text[p->cri.side].len;

	line_join(fr, o, p, join);
	if (frame_end_side(fr, r, p->cri.side))
		return true;
	*o = was;
	fr->text[p->cri.side].len = len;
	return false;
}

/* A logical line begins: of the open record, or of a new one. */
static bool
line_begins(struct frame *fr, struct reader *r, const struct physical *p)
{
	struct open_record *o = &r->open[p->cri.side];
	const struct rules *rules = o->rules != NULL ? o->rules : r->span->rules;
	struct joining join = { 0 };

	if (o->rules != NULL)
		join = o->join;
	switch (verdict_of(rules, &join, false, p)) {
	case TRACE_JOIN:
		o->held.start = 0;
		break;
	case TRACE_HOLD:
		if (!line_hold(fr, o, p))
			return frame_end_side(fr, r, p->cri.side);
		break;
	case TRACE_NEW:
		if (!frame_end_side(fr, r, p->cri.side))
			return false;
		if (rules != r->span->rules) { /* a state of theirs says nothing to others */
			join = (struct joining){ 0 };
			(void)verdict_of(r->span->rules, &join, false, p);
		}
		return r->at < p->start || record_begin(fr, r, p, join);
	}
	assert(o->rules != NULL); /* nothing joins what is not open */
	if (multiline_ended(join.own) && !p->cri.partial)
		return line_ends(fr, r, p, join);
	line_join(fr, o, p, join);
	return true;
}

/* ---- breaks that are not needed any more, rules that change */

/*
 * A break goes when the next line of its side begins a record, whatever were open without
 * it: what had ended there may have been held by a record of an earlier span, whose
 * rules wait longer, and which this reader has not seen.
 */
static void
past_mind(struct frame *fr, struct reader *r, const struct physical *p)
{
	struct past *was = &r->past[p->cri.side];
	const struct span *s;
	int64_t wait = 0;

	TAILQ_FOREACH (s, &r->log->spans, in_log) {
		if (framing_rules_wait(s->rules, was->chain) > wait)
			wait = framing_rules_wait(s->rules, was->chain);
	}
	if (is_past(wait, was->last_time, p->cri.time) || begins_anyway(was->rules, was->chain, p))
		state_unbreak(fr->state, &r->log->stream.log, p->cri.side, was->end);
	was->end = 0;
}

/* The first line at or behind the end of a span whose content goes on in the next one. */
static bool
rules_change(struct frame *fr, struct reader *r, uint64_t start)
{
	struct span *next = r->span;

	while (start >= span_end(next))
		next = TAILQ_NEXT(next, in_log);
	for (int side = 0; side < SIDES && (next->rules->runtime != r->span->rules->runtime ||
					       next->rules->utf16 != r->span->rules->utf16);
	     side++) {
		if (!frame_end_side(fr, r, (enum side)side))
			return false;
	}
	if (r->at < start)
		return true;
	r->span = next;
	r->mark = r->log->mark;
	return true;
}

bool
frame_line(struct frame *fr, struct reader *r, uint64_t end, struct slice line, bool cut)
{
	const uint64_t start = r->at;
	struct physical p = { .start = start, .end = end, .cut = cut };
	struct open_record *o;

	if (start >= span_end(r->span) && (!rules_change(fr, r, start) || r->at < start))
		return r->at < start;
	line_take_apart(fr, r, line, &p);
	o = &r->open[p.cri.side];
	/* A line that is done already ends the other side's open record, as it did before. */
	if (!sides_expire(fr, r, start, p.cri.time))
		return false;
	if (r->at < start || start < r->resume[p.cri.side])
		return true;
	if (r->past[p.cri.side].end != 0 && start >= r->past[p.cri.side].end)
		past_mind(fr, r, &p);
	if (o->broken != 0 && (!frame_end_side(fr, r, p.cri.side) || r->at < start))
		return r->at < start;
	if (o->rules != NULL && o->chain && p.is_cri)
		return chain_go_on(fr, r, &p);
	return line_begins(fr, r, &p);
}

bool
frame_is_open(const struct reader *r)
{
	return r->open[SIDE_STDOUT].rules != NULL || r->open[SIDE_STDERR].rules != NULL;
}
