/*
 * Framing: lines to records.  Each side of a file has at most one open record
 * (a partial chain, a line that a stack trace may follow).  It ends by its
 * text, by a line whose time is Flush past its last one's, or by a break.
 */
#include <assert.h>
#include <stdlib.h>

#include "again.h"
#include "ansi.h"
#include "clock.h"
#include "fault.h"
#include "file.h"
#include "form.h"
#include "metrics.h"

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
frame_fini(struct frame *fr)
{
	free(fr->again);
	buffer_fini(&fr->text);
	buffer_fini(&fr->plain);
}

/* One physical line, taken apart. */
struct physical {
	uint64_t start, end;
	struct slice raw;
	struct cri cri; /* content is the whole line when it is not the runtime's */
	bool is_cri, cut;
};

static bool
takes_lines_alone(const struct file *f)
{
	return form_of(f->conf) == FORM_ALONE;
}

static void
line_take_apart(struct frame *fr, const struct file *f, struct physical *p)
{
	p->is_cri = form_take(form_of(f->conf), p->raw, &fr->memo, &p->cri);
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

/* The record's text, in the read buffer or made of its lines. */
static void
text_settle(struct frame *fr, struct file *f, enum side side, const struct open_record *o,
    struct again *a, struct framed *out)
{
	out->truncated = o->cut;
	if (o->lines == 1 && o->generation == fr->generation && o->before == NULL) {
		out->time_text = o->line.time_text;
		out->text = o->line.content;
		if (out->text.len > f->conf->buffer_max_size) {
			out->text.len = f->conf->buffer_max_size;
			out->truncated = true;
		}
	} else {
		*a = (struct again){
			.side = side, .form = form_of(f->conf), .cap = f->conf->buffer_max_size
		};
		buffer_clear(&fr->text);
		if (o->before != NULL)
			again_read(fr, o->before, o->before_start, o->before_end, a);
		again_read(fr, f, o->start, o->end, a);
		out->time = a->time;
		out->hash = a->hash;
		out->time_text = (struct slice){ a->time_text, a->time_len };
		out->text = buffer_slice(&fr->text);
		out->truncated |= a->truncated;
	}
	if (f->conf->keep_colors || !ansi_any(out->text))
		return;
	if (out->text.at != fr->text.at) {
		buffer_clear(&fr->text);
		buffer_put(&fr->text, out->text);
	}
	fr->text.len = ansi_strip(buffer_slice(&fr->text), fr->text.at);
	out->text = buffer_slice(&fr->text);
}

/* Offer one record to the caller. */
static bool
offer(struct frame *fr, struct file *f, enum side side, const struct open_record *o,
    state_ticket after)
{
	struct framed out = {
		.stream = f->stream,
		.side = side,
		.cri = o->cri,
		.partial = o->partial,
		.time = o->time,
		.offset = o->start,
		.end = o->end,
		.hash = o->hash,
		.after = after > f->begun ? after : f->begun,
	};
	struct again a;

	if (o->before != NULL) {
		out.stream = o->before->stream;
		out.offset = o->before_start;
		out.end = o->before_end;
		if (o->end > o->start) {
			out.also = f->stream;
			out.also_end = o->end;
			if (!fr->counts)
				f->joined[side] = o->end;
		}
	}
	text_settle(fr, f, side, o, &a, &out);
	if (!fr->record(fr->arg, &out))
		return false;
	if (out.time > fr->newest)
		fr->newest = out.time;
	if (out.truncated && !fr->counts)
		metrics_add(&metrics.truncated_lines, 1);
	if (o->before != NULL)
		o->before->users--;
	return true;
}

/* The empty line that an open record held, as the record of its own that it is. */
static struct open_record
held_line(const struct open_record *o)
{
	struct open_record line = {
		.any = true,
		.cri = o->cri,
		.start = o->held,
		.end = o->end,
		.last_time = o->last_time,
		.lines = 1,
	};

	if (o->held_before) {
		line.before = o->before;
		line.before->users++;
		line.before_start = o->held;
		line.before_end = o->before_end;
		line.start = line.end = line.lines = 0;
	}
	return line;
}

/* End what is open on a side: it, and then an empty line that nothing joined. */
static bool
side_end(struct frame *fr, struct file *f, enum side side, state_ticket after)
{
	struct open_record *o = &f->open[side];
	struct open_record whole = *o;

	if (!o->any)
		return true;
	if (o->holds)
		*(o->held_before ? &whole.before_end : &whole.end) = o->held;
	if (o->holds && !o->held_before)
		whole.lines--;
	if (!offer(fr, f, side, &whole, after))
		return false;
	if (!o->holds) {
		*o = (struct open_record){ 0 };
		return true;
	}
	*o = held_line(o);
	return side_end(fr, f, side, after);
}

/* A line of either side whose time is Flush past an open record's last one ends it. */
static bool
sides_expire(struct frame *fr, struct file *f, int64_t time)
{
	for (int side = 0; side < SIDES; side++) {
		struct open_record *o = &f->open[side];

		if (!o->any || time == 0 || o->last_time == 0 ||
		    time - o->last_time < f->conf->flush * NS_PER_MS)
			continue;
		if (!side_end(fr, f, (enum side)side, 0))
			return false;
	}
	return true;
}

/* The stream in which an open record's last line lies, and that line's end. */
static const struct identity *
last_line(const struct file *f, const struct open_record *o, uint64_t *end)
{
	bool there = o->before != NULL && o->end == o->start;

	*end = there ? o->before_end : o->end;
	return there ? &o->before->stream->identity : &f->stream->identity;
}

/* Did time end the open record here, before? */
static bool
was_broken(struct frame *fr, const struct file *f, enum side side)
{
	const struct open_record *o = &f->open[side];
	const struct identity *id;
	uint64_t end;

	if (!o->any || o->broken != 0)
		return o->any; /* its end is stored already, only its room was missing */
	if (o->before == NULL && o->start >= f->replayed[side])
		return false;
	id = last_line(f, o, &end);
	return state_is_break(fr->state, id, side, end - 1, end) != 0;
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
	};

	record_extend(&o, p);
	if (record_closed(f, &o))
		return offer(fr, f, p->cri.side, &o, 0);
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
	if (!record_closed(f, o) || side_end(fr, f, p->cri.side, 0))
		return true;
	*o = was;
	return false;
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
		break;
	case TRACE_NEW:
		return side_end(fr, f, p->cri.side, 0) && record_begin(fr, f, p, trace);
	}
	if (o->lines == 0) /* handed over by a rotation: it has no line in this file yet */
		o->start = p->start;
	record_extend(o, p);
	o->trace = trace;
	o->chain = p->cri.partial;
	return true;
}

bool
frame_line(
    struct frame *fr, struct file *f, uint64_t start, uint64_t end, struct slice line, bool cut)
{
	struct physical p = { .start = start, .end = end, .raw = line, .cut = cut };
	struct open_record *o;

	line_take_apart(fr, f, &p);
	o = &f->open[p.cri.side];
	if (start < f->resume[p.cri.side])
		return true;
	if (!sides_expire(fr, f, p.cri.time))
		return false;
	if (was_broken(fr, f, p.cri.side) &&
	    !side_end(fr, f, p.cri.side, o->broken != 0 ? o->broken : fr->breaks))
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

bool
frame_flush(struct frame *fr, struct file *f)
{
	for (int side = 0; side < SIDES; side++) {
		struct open_record *o = &f->open[side];
		const struct identity *id;
		uint64_t end;

		if (!o->any)
			continue;
		id = last_line(f, o, &end);
		if (o->broken == 0 && BUG("break-not-stored"))
			o->broken = 1;
		if (o->broken == 0)
			o->broken = fr->breaks = state_break(fr->state, id, (enum side)side, end);
		FAULT("break-stored");
		if (!side_end(fr, f, (enum side)side, o->broken))
			return false;
	}
	return true;
}
