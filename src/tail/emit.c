/* A record that has ended: its text, its id, and the caller who takes it or has no room. */
#include "ansi.h"
#include "encoding.h"
#include "framing_rules.h"
#include "least.h"
#include "metrics.h"
#include "record_text.h"

/* The text of another encoding; as UTF-8 it may be longer than the cap, and is cut once more. */
static void
text_decode(struct frame *fr, struct encoding *encoding, uint64_t cap, struct framed *out)
{
	buffer_clear(&fr->utf8);
	encoding_read(encoding, out->text, &fr->utf8);
	out->text = buffer_slice(&fr->utf8);
	if (out->text.len <= cap)
		return;
	out->truncated = true;
	while (cap > 0 && ((unsigned char)out->text.at[cap] & 0xc0) == 0x80)
		cap--;
	out->text.len = cap;
}

/* The record's text, as it was made while its lines came, or read once more.  False: they are gone. */
static bool
text_settle(struct frame *fr, const struct log *log, const struct open_record *o,
    struct record_text *text, struct framed *out)
{
	uint64_t cap = o->rules->cap;

	if (o->generation == fr->generation) {
		out->time_text = o->line.time_text;
		out->text = o->lines == 1 ? o->line.content : buffer_slice(&fr->text[out->side]);
	} else {
		if (!record_text_read(fr, log, out->side, o, text))
			return false;
		out->time = text->time;
		out->time_text = (struct slice){ text->time_text, text->time_len };
		out->text = buffer_slice(&fr->whole);
		out->truncated |= text->full;
	}
	out->truncated |= out->text.len > cap;
	out->text.len = least(out->text.len, cap);
	if (log->stream.conf->encoding != NULL)
		text_decode(fr, log->stream.conf->encoding, cap, out);
	if (log->stream.conf->keep_colors || !ansi_any(out->text))
		return true;
	if (out->text.at != fr->whole.at) {
		buffer_clear(&fr->whole);
		buffer_put(&fr->whole, out->text);
	}
	fr->whole.len = ansi_strip(buffer_slice(&fr->whole), fr->whole.at);
	out->text = buffer_slice(&fr->whole);
	return true;
}

/*
 * True while the reader's last mark is not on disk and the state cannot be
 * written: its log waits where it lies, and not in batches, which other logs need.
 */
static bool
must_wait(struct frame *fr, struct reader *r)
{
	if (r->mark > fr->durable)
		fr->durable = state_durable(fr->state);
	r->stale = r->feeds != 0 && r->mark > fr->durable && state_stale(fr->state) != 0;
	return r->stale;
}

/* To each that has not got it.  False: one of them has no room; the others have it. */
static bool
give(struct frame *fr, const struct reader *r, struct framed *out)
{
	struct feed *f;
	bool all = true;

	if (r->feeds == 0)
		return fr->count(fr->arg, out);
	FEEDS_FOREACH (f, r) {
		if (out->start < f->taken[out->side])
			continue;
		out->cursor = &f->cursor[out->side];
		out->fresh = out->start >= f->fresh_from;
		if (f->to->to.record(fr->arg, out)) {
			f->taken[out->side] = out->end;
		} else {
			f->to->stands = true;
			all = false;
		}
		out->offered++;
	}
	return all;
}

bool
emit_record(struct frame *fr, struct reader *r, enum side side, const struct open_record *o)
{
	struct log *log = r->log;
	const struct span *s = log_span(log, o->start);
	struct framed out = {
		.stream = &log->stream,
		.id = { s->content->id, o->start - s->is.base, o->hash, s->content->hour },
		.side = side,
		.partial = o->line.partial,
		.truncated = o->cut,
		.lines = o->lines,
		.time = o->time,
		.start = o->start,
		.end = o->end,
	};
	struct record_text text;

	if (must_wait(fr, r))
		return false;
	if (r->mark > fr->durable)
		out.after = r->mark;
	fr->gone = !text_settle(fr, log, o, &text, &out);
	if (fr->gone || !give(fr, r, &out))
		return false;
	if (out.time > fr->newest)
		fr->newest = out.time;
	if (out.truncated && (r->feeds & 1) != 0)
		metrics_add(&metrics.truncated_lines, 1);
	return true;
}
