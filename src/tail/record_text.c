/*
 * An open record holds no bytes.  When it ends, and the read buffer does not
 * hold all of its lines, they are read once more, over the end of a span, too.
 */
#include "record_text.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "framing_rules.h"
#include "place.h"
#include "units.h"

uint32_t
record_text_hash(struct slice line)
{
	return (uint32_t)XXH3_64bits(line.at, line.len);
}

static void
first_line(struct record_text *out, struct slice line, const struct cri *cri)
{
	out->lines = 1;
	out->hash = record_text_hash(line);
	if (cri == NULL)
		return;
	out->time = cri->time;
	out->time_len = cri->time_text.len < sizeof(out->time_text) ? cri->time_text.len
								    : sizeof(out->time_text);
	memcpy(out->time_text, cri->time_text.at, out->time_len);
}

/* Append one physical line, when it is of the side.  False: the cap is reached. */
static bool
take_line(struct frame *fr, struct record_text *out, struct slice line, enum utf16 units, bool odd)
{
	struct cri cri;
	bool is_cri;

	line = framing_rules_line(out->rules, line, &out->cut);
	is_cri = units == UTF16_NONE &&
		 line_format_read(line, out->rules->runtime ? &fr->memo : NULL, &cri);
	if (units != UTF16_NONE)
		cri = (struct cri){ .side = SIDE_STDOUT, .content = line };
	if (cri.side != out->side)
		return true;
	if (out->lines == 0)
		first_line(out, line, is_cri ? &cri : NULL);
	else if (out->newline || !is_cri)
		buffer_put(&fr->whole, SLICE("\n"));
	out->newline = !cri.partial;
	if (units != UTF16_NONE)
		(void)utf16_read(line, units, odd, &fr->whole);
	else
		line_format_text(cri.content, is_cri && cri.escaped, &fr->whole);
	if (fr->whole.len > out->rules->cap) {
		fr->whole.len = out->rules->cap;
		out->full = true;
	}
	return !out->full;
}

/*
 * All whole lines of `bytes`, which end at the offset `end`; bytes behind the last newline
 * are left.  False: the cap is reached.
 */
static bool
take_lines(
    struct frame *fr, struct record_text *out, struct slice *bytes, enum utf16 units, uint64_t end)
{
	struct slice line;
	size_t size;

	*bytes = slice_from(*bytes, units_mark(*bytes, units, end - bytes->len));
	while ((*bytes = slice_from(*bytes, units_nuls(*bytes, units, end - bytes->len))).len > 0 &&
	       (size = units_line(*bytes, units, end - bytes->len, &line)) > 0) {
		if (!take_line(fr, out, line, units, (end - bytes->len) & 1))
			return false;
		*bytes = slice_from(*bytes, size);
	}
	return true;
}

/* Lines from `from` to `to` of one place.  False: not all are there. */
static bool
read_place(
    struct frame *fr, const struct place *p, uint64_t from, uint64_t to, struct record_text *out)
{
	const enum utf16 units = units_of(out->rules, p->content);

	while (from < to && !out->full) {
		size_t want = to - from < fr->size ? (size_t)(to - from) : fr->size;
		ssize_t got = place_read(p, fr->again, want, from);
		struct slice bytes = { fr->again, got > 0 ? (size_t)got : 0 };

		if (got < (ssize_t)want)
			return false;
		if (take_lines(fr, out, &bytes, units, from + want) && bytes.len > 0 &&
		    (bytes.len == want || from + want == to)) {
			/* A line longer than the buffer, or one that a seal or a break cut off. */
			take_line(fr, out, bytes, units, (from + want - bytes.len) & 1);
			return true;
		}
		from += want - bytes.len;
	}
	return true;
}

bool
record_text_read(struct frame *fr, const struct log *log, enum side side,
    const struct open_record *o, struct record_text *out)
{
	const struct span *s = log_span(log, o->start);
	uint64_t start = o->start - s->is.base, stop = o->end - s->is.base;

	*out = (struct record_text){ .side = side, .rules = o->rules };
	buffer_clear(&fr->whole);
	if (fr->of == s->content && start >= fr->from && stop <= fr->to &&
	    o->end <= span_content_end(s)) {
		struct slice bytes = { fr->bytes + (start - fr->from), (size_t)(stop - start) };
		const enum utf16 units = units_of(o->rules, s->content);

		if (take_lines(fr, out, &bytes, units, stop) && bytes.len > 0)
			take_line(fr, out, bytes, units, (stop - bytes.len) & 1);
		return out->hash == o->hash;
	}
	TAILQ_FOREACH (s, &log->spans, in_log) {
		const struct span *before = TAILQ_PREV(s, spans, in_log);
		uint64_t from = span_start(s) > o->start ? span_start(s) : o->start;
		uint64_t end = span_content_end(s), to = end < o->end ? end : o->end;
		const struct place *p = content_place(s->content);

		if (from >= to || (before != NULL && before->content == s->content))
			continue;
		if (p == NULL || !read_place(fr, p, from - s->is.base, to - s->is.base, out))
			return false;
	}
	return out->hash == o->hash;
}
