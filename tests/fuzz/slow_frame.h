/*
 * Framing once more, small and slow: the bytes of a file to its lines, the lines of
 * each side to records, with all of them at hand.  A record is a run of lines, so
 * nothing is resumed, refused or read again.
 */
#ifndef SLOW_FRAME_H
#define SLOW_FRAME_H

#include "line_format.h"
#include "memory.h"
#include "trace.h"

struct slow_line {
	size_t start, end; /* in the file */
	struct cri cri;
	struct slice content; /* no escapes; our own */
	bool is_cri;
};

struct slow_record {
	size_t start; /* of its first line */
	enum side side;
	int64_t time;
	char *text;
	size_t len;
};

struct slow_lines {
	struct slow_line *at;
	size_t n;
};

struct slow_records {
	struct slow_record *at;
	size_t n;
};

static inline struct slow_lines
slow_lines(struct slice file)
{
	struct slow_lines lines = { xcalloc(file.len + 1, sizeof(*lines.at)), 0 };
	struct cri_memo memo = { 0 };
	size_t at = slice_starts(file, SLICE("\xef\xbb\xbf")) ? 3 : 0;

	while (at < file.len) {
		struct slow_line *l = &lines.at[lines.n];
		struct buffer content;
		struct slice line;

		while (at < file.len && file.at[at] == '\0')
			at++;
		if (at == file.len)
			break;
		l->start = at;
		while (at < file.len && file.at[at] != '\n')
			at++;
		line = (struct slice){ file.at + l->start, at - l->start };
		l->end = at += at < file.len;
		l->is_cri = line_format_read(line, &memo, &l->cri);
		buffer_init(&content, 0);
		buffer_need(&content, line.len + 1);
		line_format_text(l->cri.content, l->cri.escaped, &content);
		l->content = buffer_slice(&content);
		lines.n++;
	}
	return lines;
}

static inline void
slow_lines_free(struct slow_lines *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		exact_free(lines->at[i].content);
	free(lines->at);
}

/* What is known of the record that begins at a line. */
struct slow_open {
	trace_state trace;
	char first, last;
	bool chain;
	int64_t time; /* of its last line that has one */
	size_t lines;
	size_t held, before; /* the first line that is held; 0: none; lines before it … */
	size_t text;         /* … and bytes of text */
};

static inline void
slow_take(struct slow_open *o, const struct slow_line *l)
{
	o->lines++;
	o->chain = l->cri.partial;
	if (l->cri.time != 0)
		o->time = l->cri.time;
	if (l->content.len > 0)
		o->last = l->content.at[l->content.len - 1];
}

static inline bool
slow_is_past(const struct slow_open *o, int64_t time, int64_t flush)
{
	int64_t wait = o->chain && flush < LINE_FORMAT_WAIT ? LINE_FORMAT_WAIT : flush;

	return time != 0 && o->time != 0 && time - o->time >= wait;
}

/* A further line of the side: true when it belongs to the record, as far as it tells. */
static inline bool
slow_joins(struct slow_open *o, const struct slow_lines *lines, size_t i, const struct buffer *text)
{
	const struct slow_line *l = &lines->at[i];

	switch (trace_line(&o->trace, l->content)) {
	case TRACE_NEW:
		return false;
	case TRACE_JOIN:
		o->held = 0;
		return true;
	case TRACE_HOLD:
		if (o->held == 0) {
			o->held = i;
			o->before = o->lines;
			o->text = text->len;
			return true;
		}
		return o->lines - o->before < TRACE_HELD_LINES &&
		       l->end - lines->at[o->held].start <= TRACE_HELD_BYTES;
	}
	return true;
}

/* The text of the record that begins at line `i`.  Return the line where the next of its side may. */
static inline size_t
slow_record(const struct slow_lines *lines, size_t i, int64_t flush, struct buffer *text)
{
	const struct slow_line *l = &lines->at[i];
	const enum side side = l->cri.side;
	struct slow_open o = { .first = l->content.len > 0 ? l->content.at[0] : '\0' };

	trace_line(&o.trace, l->content);
	slow_take(&o, l);
	buffer_put(text, l->content);
	for (i++; i < lines->n; i++) {
		l = &lines->at[i];
		if ((!o.chain && trace_closed(o.first, o.last)) ||
		    slow_is_past(&o, l->cri.time, flush))
			break;
		if (l->cri.side != side)
			continue;
		if (!o.chain || !l->is_cri) {
			if (!slow_joins(&o, lines, i, text))
				break;
			o.first = '\0';
			buffer_put(text, SLICE("\n"));
		}
		buffer_put(text, l->content);
		slow_take(&o, l);
	}
	if (o.held == 0)
		return i;
	text->len = o.text;
	return o.held;
}

/* All records, those of stdout first. */
static inline struct slow_records
slow_frame(const struct slow_lines *lines, int64_t flush)
{
	struct slow_records r = { xcalloc(lines->n + 1, sizeof(*r.at)), 0 };

	for (int side = 0; side < SIDES; side++) {
		size_t i = 0;

		while (i < lines->n) {
			const struct slow_line *l = &lines->at[i];
			struct buffer text;

			if (l->cri.side != (enum side)side) {
				i++;
				continue;
			}
			buffer_init(&text, 0);
			i = slow_record(lines, i, flush, &text);
			r.at[r.n++] = (struct slow_record){ l->start, l->cri.side, l->cri.time,
				text.at, text.len };
		}
	}
	return r;
}

static inline void
slow_records_free(struct slow_records *r)
{
	for (size_t i = 0; i < r->n; i++)
		free(r->at[i].text);
	free(r->at);
}

#endif
