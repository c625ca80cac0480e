/*
 * A record that has ended: its text, from the read buffer or made of its lines,
 * and the caller who takes it or has no room.
 */
#include "again.h"
#include "ansi.h"
#include "metrics.h"
#include "rules.h"
#include "same.h"

/* Was it truncated since its lines were read?  Of a part in the file before there is no second copy. */
static bool
is_gone(const struct file *f, const struct open_record *o, const struct again *a)
{
	if (f->packed != NULL || f->let_go || f->fd < 0)
		return false;
	return a->missing || (o->before == NULL ? o->hash != a->hash : !same_still(f));
}

/* The record's text, in the read buffer or made of its lines.  False: it is not there any more. */
static bool
text_settle(struct frame *fr, struct file *f, enum side side, const struct open_record *o,
    struct again *a, struct framed *out)
{
	uint64_t cap = o->rules->cap;

	out->truncated = o->cut;
	if (o->lines == 1 && o->generation == fr->generation && o->before == NULL) {
		out->time_text = o->line.time_text;
		out->text = o->line.content;
		if (out->text.len > cap) {
			out->text.len = cap;
			out->truncated = true;
		}
	} else {
		*a = (struct again){ .side = side, .cap = cap, .rules = o->rules };
		buffer_clear(&fr->text);
		if (o->before != NULL) {
			again_read(fr, o->before, o->before_start, o->before_end, a);
			a->rules = f->rules;
		}
		a->missing = false;
		again_read(fr, f, o->start, o->end, a);
		if (is_gone(f, o, a))
			return false;
		out->time = a->time;
		out->hash = a->hash;
		out->time_text = (struct slice){ a->time_text, a->time_len };
		out->text = buffer_slice(&fr->text);
		out->truncated |= a->truncated;
	}
	if (f->conf->keep_colors || !ansi_any(out->text))
		return true;
	if (out->text.at != fr->text.at) {
		buffer_clear(&fr->text);
		buffer_put(&fr->text, out->text);
	}
	fr->text.len = ansi_strip(buffer_slice(&fr->text), fr->text.at);
	out->text = buffer_slice(&fr->text);
	return true;
}

/*
 * While the state cannot be written, new files and what a rotation handed over
 * wait in their files and not in batches: there are few of these, and the other
 * files need them.  Of what time has ended there is little, as it is not from
 * then on (file.c).
 */
static bool
must_wait(struct frame *fr, struct file *f, const struct open_record *o)
{
	state_ticket after = f->begun > o->handed ? f->begun : o->handed;

	if (fr->counts || after <= fr->durable)
		return false;
	fr->durable = state_durable(fr->state);
	if (after <= fr->durable || state_stale(fr->state) == 0)
		return false;
	f->waits = after;
	return true;
}

bool
frame_offer(struct frame *fr, struct file *f, enum side side, const struct open_record *o,
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
		.fresh = o->start >= f->fresh_from,
		.after = after > f->begun ? after : f->begun,
	};
	struct again a;

	if (out.after < o->handed)
		out.after = o->handed;
	if (must_wait(fr, f, o))
		return false;
	if (o->before != NULL) {
		out.stream = o->before->stream;
		out.offset = o->before_start;
		out.end = o->before_end;
		out.fresh = o->before_start >= o->before->fresh_from;
		if (o->end > o->start) {
			out.also = f->stream;
			out.also_end = o->end;
			if (!fr->counts)
				f->joined[side] = o->end;
		}
	}
	f->changed = !text_settle(fr, f, side, o, &a, &out);
	if (f->changed || !fr->record(fr->arg, &out))
		return false;
	if (out.time > fr->newest)
		fr->newest = out.time;
	if (out.truncated && !fr->counts)
		metrics_add(&metrics.truncated_lines, 1);
	if (o->before != NULL)
		file_lend(o->before, side, fr->counts, -1);
	return true;
}
