/*
 * Framing: lines to records.  Each side of a file has at most one open record
 * (a partial chain, a line that a stack trace may follow).  It ends by its
 * text, by a line whose time is Flush past its last one's, or by a break.
 */
#include <assert.h>
#include <stdlib.h>

#include "again.h"
#include "clock.h"
#include "file.h"
#include "rules.h"

void
frame_init(struct frame *fr, size_t again_size)
{
	fr->generation = 1;
	fr->again_size = again_size;
	fr->again = xmalloc(again_size);
	buffer_init(&fr->text, 0);
	buffer_init(&fr->plain, 0);
}

void
frame_room(struct frame *fr, size_t again_size)
{
	fr->again = xrealloc(fr->again, again_size);
	fr->again_size = again_size;
	fr->of = NULL;
	fr->generation++;
}

void
frame_fini(struct frame *fr)
{
	rules_free(fr);
	free(fr->again);
	buffer_fini(&fr->text);
	buffer_fini(&fr->plain);
}

/* One physical line, taken apart. */
struct physical {
	uint64_t start, end;
	struct slice line, raw; /* as it lies in the file; what of it is kept */
	struct cri cri;         /* content is the whole line when it is not the runtime's */
	bool is_cri, was_cut, cut;
};

static bool
takes_lines_alone(const struct file *f)
{
	return f->rules->form == FORM_ALONE;
}

static void
line_take_apart(struct frame *fr, const struct file *f, struct physical *p)
{
	p->cut = p->was_cut;
	p->raw = rules_line(f->rules, p->line, &p->cut);
	p->is_cri = form_take(f->rules->form, p->raw, &fr->memo, &p->cri);
	if (p->is_cri && p->cri.escaped) {
		buffer_clear(&fr->plain);
		form_text(p->cri.content, true, &fr->plain);
		p->cri.content = buffer_slice(&fr->plain);
	}
	if (p->is_cri)
		return;
	p->cri = (struct cri){ .side = SIDE_STDOUT, .content = p->raw };
}

/* ---- the end of a record */

/* The empty line that an open record held, as the record of its own that it is. */
static struct open_record
held_line(const struct frame *fr, const struct open_record *o, enum side side)
{
	struct open_record line = {
		.any = true,
		.cri = o->cri,
		.start = o->held,
		.end = o->end,
		.last_time = o->last_time,
		.lines = 1,
		.hash = o->held_hash,
		.rules = o->rules,
		.handed = o->handed,
	};

	if (o->held_before) {
		line.before = o->before;
		file_lend(line.before, side, fr->counts, 1);
		line.before_start = o->held;
		line.before_end = o->before_end;
		line.start = line.end = line.lines = 0;
	}
	return line;
}

bool
frame_end_side(struct frame *fr, struct file *f, enum side side, state_ticket after)
{
	struct open_record *o = &f->open[side];
	struct open_record whole = *o;

	if (!o->any)
		return true;
	if (o->holds)
		*(o->held_before ? &whole.before_end : &whole.end) = o->held;
	if (o->holds && !o->held_before)
		whole.lines--;
	if (!frame_offer(fr, f, side, &whole, after))
		return false;
	if (!o->holds) {
		*o = (struct open_record){ 0 };
		return true;
	}
	*o = held_line(fr, o, side);
	return frame_end_side(fr, f, side, after);
}

/* Does a line of either side with this time end it, being Flush past its last one? */
static bool
is_expired(const struct open_record *o, int64_t time)
{
	return o->any && time != 0 && o->last_time != 0 && time - o->last_time >= o->rules->flush;
}

static bool
sides_expire(struct frame *fr, struct file *f, int64_t time)
{
	for (int side = 0; side < SIDES; side++) {
		if (is_expired(&f->open[side], time) && !frame_end_side(fr, f, (enum side)side, 0))
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
	o->bytes += p->cri.content.len;
	o->cut |= p->cut;
	if (p->cri.time != 0)
		o->last_time = p->cri.time;
	if (p->cri.content.len > 0)
		o->last = p->cri.content.at[p->cri.content.len - 1];
}

/* Complete as it stands, whatever follows? */
static bool
record_closed(const struct file *f, const struct open_record *o)
{
	return !o->chain && (takes_lines_alone(f) || trace_closed(o->first, o->last));
}

static bool
record_begin(struct frame *fr, struct file *f, const struct physical *p, trace_state trace)
{
	struct open_record o = {
		.any = true,
		.cri = p->is_cri,
		.chain = p->cri.partial,
		.partial = p->cri.partial,
		.cut = p->cut,
		.trace = trace,
		.first = p->cri.content.len > 0 ? p->cri.content.at[0] : '\0',
		.start = p->start,
		.time = p->cri.time,
		.hash = line_hash(p->raw),
		.generation = fr->generation,
		.line = p->cri,
		.rules = f->rules,
	};

	record_extend(&o, p);
	if (record_closed(f, &o))
		return frame_offer(fr, f, p->cri.side, &o, 0);
	if (p->cri.escaped)
		o.generation = 0; /* the next line takes the place of its content */
	f->open[p->cri.side] = o;
	return true;
}

/* The next part of a partial chain. */
static bool
chain_go_on(struct frame *fr, struct file *f, const struct physical *p)
{
	struct open_record *o = &f->open[p->cri.side], was = *o;

	record_extend(o, p);
	o->chain = p->cri.partial;
	if (!record_closed(f, o) || frame_end_side(fr, f, p->cri.side, 0))
		return true;
	*o = was;
	return false;
}

/*
 * Is it of a record that is done?  Only one that began in the file before may
 * still have to be cut here: up to its end as it was, whatever is done behind it.
 */
static bool
is_done(const struct file *f, const struct physical *p)
{
	return p->start < f->resume[p->cri.side];
}

/* A logical line begins: of the open record, or of a new one. */
static bool
line_begins(struct frame *fr, struct file *f, const struct physical *p)
{
	struct open_record *o = &f->open[p->cri.side];
	trace_state trace = o->any ? o->trace : 0;

	switch (takes_lines_alone(f) ? TRACE_NEW : trace_line(&trace, p->cri.content)) {
	case TRACE_JOIN:
		o->holds = o->held_before = false;
		break;
	case TRACE_HOLD:
		o->holds = true;
		o->held = p->start;
		o->held_hash = line_hash(p->raw);
		break;
	case TRACE_NEW:
		if (!frame_end_side(fr, f, p->cri.side, 0))
			return false;
		return is_done(f, p) || record_begin(fr, f, p, trace);
	}
	if (o->lines == 0) /* handed over by a rotation: it has no line in this file yet */
		o->start = p->start;
	record_extend(o, p);
	o->trace = trace;
	o->chain = p->cri.partial;
	return true;
}

/* ---- other rules */

/* Is the line, of the same side, a part of a record that is open so? */
static bool
joins(const struct file *f, const struct physical *p, trace_state trace, bool chain)
{
	if (chain && p->is_cri)
		return true;
	return !takes_lines_alone(f) && trace_line(&trace, p->cri.content) != TRACE_NEW;
}

/*
 * Without its break a line would be of the record that time ended before it: it
 * waits, too, and with it what is behind it.
 */
static void
past_mind(struct file *f, const struct physical *p)
{
	struct past *was = &f->past[p->cri.side];

	if (was->after > f->begun && joins(f, p, was->trace, was->chain))
		f->begun = was->after;
	was->after = 0;
}

/* Does this line leave nothing open that began before the rules change? */
static bool
ends_all_before(const struct file *f, const struct physical *p)
{
	for (int side = 0; side < SIDES; side++) {
		const struct open_record *o = &f->open[side];

		if (!o->any || (o->before == NULL && o->start >= f->sealed))
			continue;
		if (o->broken != 0 || is_expired(o, p->cri.time))
			continue;
		if ((int)p->cri.side != side || joins(f, p, o->trace, o->chain))
			return false;
	}
	return true;
}

/* A line at or behind the place where the rules change.  False: refused. */
static bool
rules_change(struct frame *fr, struct file *f, struct physical *p)
{
	if (f->settled == RULING_WAITS && !ends_all_before(f, p))
		return true;
	rules_settle(fr, f, p->start);
	for (int side = 0; side < SIDES && f->settled == RULING_ENDS; side++) {
		if (!frame_end_side(fr, f, (enum side)side, f->open[side].broken))
			return false;
	}
	rules_seek(fr, f, p->start);
	line_take_apart(fr, f, p);
	return true;
}

/*
 * Its end is stored already, only its room was missing; or it began in the file
 * before and comes again, and this file's part of it is done: it ended, for
 * whatever reason, where its side goes on at the latest.
 */
static bool
has_ended(const struct file *f, enum side side, uint64_t start)
{
	const struct open_record *o = &f->open[side];

	return o->any && (o->broken != 0 || (o->before != NULL && f->resume[side] > 0 &&
						start >= f->resume[side]));
}

bool
frame_line(
    struct frame *fr, struct file *f, uint64_t start, uint64_t end, struct slice line, bool cut)
{
	struct physical p = { .start = start, .end = end, .line = line, .was_cut = cut };
	struct open_record *o;

	line_take_apart(fr, f, &p);
	if (start >= f->sealed && !rules_change(fr, f, &p))
		return false;
	o = &f->open[p.cri.side];
	if (!is_done(f, &p) && f->away[fr->counts][p.cri.side] > 0) {
		f->ended = true; /* a late line must not come before that record */
		return false;
	}
	/* A line that is done already ends what is open on the other side, as it did before. */
	if (!sides_expire(fr, f, p.cri.time))
		return false;
	if (!o->any && is_done(f, &p))
		return true;
	if (f->past[p.cri.side].after != 0 && !fr->counts)
		past_mind(f, &p);
	if (has_ended(f, p.cri.side, start) && !frame_end_side(fr, f, p.cri.side, o->broken))
		return false;
	if (o->any && o->chain && p.is_cri) {
		if (o->lines == 0)
			o->start = p.start;
		return chain_go_on(fr, f, &p);
	}
	return line_begins(fr, f, &p);
}

bool
frame_open(const struct file *f)
{
	return f->open[SIDE_STDOUT].any || f->open[SIDE_STDERR].any;
}
