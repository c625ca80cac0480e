/*
 * Reading a record's lines once more.  An open record holds no bytes: when it
 * ends, its lines are still in the read buffer, or the file is asked again.
 */
#include "again.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "content.h"

uint32_t
line_hash(struct slice line)
{
	return (uint32_t)XXH3_64bits(line.at, line.len);
}

static void
first_line(struct again *a, struct slice line, const struct cri *cri)
{
	a->any = true;
	a->hash = line_hash(line);
	if (cri == NULL)
		return;
	a->time = cri->time;
	a->time_len =
	    cri->time_text.len < sizeof(a->time_text) ? cri->time_text.len : sizeof(a->time_text);
	memcpy(a->time_text, cri->time_text.at, a->time_len);
}

/* Append one physical line, when it is of the side.  False: the cap is reached. */
static bool
take_line(struct frame *fr, struct again *a, struct slice line)
{
	struct cri cri;
	bool is_cri;

	line = rules_line(a->rules, line, &a->cut);
	is_cri = form_take(a->rules->form, line, &fr->memo, &cri);

	if (!is_cri)
		cri = (struct cri){ .side = SIDE_STDOUT, .content = line };
	if (cri.side != a->side)
		return true;
	if (!a->any)
		first_line(a, line, is_cri ? &cri : NULL);
	else if (a->newline)
		buffer_put(&fr->text, SLICE("\n"));
	a->newline = !cri.partial;
	form_text(cri.content, cri.escaped, &fr->text);
	if (fr->text.len > a->cap) {
		fr->text.len = a->cap;
		a->truncated = true;
	}
	return !a->truncated;
}

/* All whole lines of `bytes`; what stands behind the last newline is left.  False: the cap is reached. */
static bool
take_lines(struct frame *fr, struct again *a, struct slice *bytes)
{
	const char *newline;

	while (bytes->len > 0 && (newline = memchr(bytes->at, '\n', bytes->len)) != NULL) {
		size_t n = (size_t)(newline - bytes->at);

		if (!take_line(fr, a, (struct slice){ bytes->at, n }))
			return false;
		*bytes = slice_from(*bytes, n + 1);
	}
	return true;
}

static void
read_from_file(struct frame *fr, const struct file *f, uint64_t from, uint64_t to, struct again *a)
{
	while (from < to) {
		size_t want = to - from < fr->again_size ? to - from : fr->again_size;
		ssize_t got = content_read(f, fr->again, want, from);
		struct slice bytes = { fr->again, got > 0 ? (size_t)got : 0 };

		a->missing |= got < (ssize_t)want;
		if (got <= 0)
			return;
		if (!take_lines(fr, a, &bytes))
			return;
		if (bytes.len == (size_t)got || from + (size_t)got == to) {
			/* A line longer than the buffer, or one that the file's end cut off. */
			if (bytes.len > 0)
				take_line(fr, a, bytes);
			return;
		}
		from += (size_t)got - bytes.len;
	}
}

void
again_read(struct frame *fr, const struct file *f, uint64_t from, uint64_t to, struct again *a)
{
	struct slice bytes;

	if (fr->of != f || from < fr->from || to > fr->to) {
		read_from_file(fr, f, from, to, a);
		return;
	}
	bytes = (struct slice){ fr->bytes + (from - fr->from), (size_t)(to - from) };
	if (take_lines(fr, a, &bytes) && bytes.len > 0)
		take_line(fr, a, bytes);
}
