/* Multiline of [INPUT] tail: records whose lines were joined by Parser_Firstline become fields. */
#include "firstline.h"

static struct slice
line_of(struct slice text)
{
	const char *end = text.len > 0 ? memchr(text.at, '\n', text.len) : NULL;

	return slice_cut(text, end != NULL ? (size_t)(end - text.at) : text.len);
}

/* The field that has the end of the line; NULL: none has. */
static struct field *
field_at_end(struct field *fields, int n, struct slice line)
{
	for (int i = 0; i < n; i++) {
		if (fields[i].kind == VALUE_TEXT &&
		    fields[i].value.at + fields[i].value.len == line.at + line.len)
			return &fields[i];
	}
	return NULL;
}

static void
field_put(struct field *fields, int *n, const struct field *f)
{
	int i = 0;

	while (i < *n && !slice_eq(fields[i].name, f->name))
		i++;
	if (i == RECORD_FIELDS)
		return;
	fields[i] = *f;
	*n += i == *n;
}

/* False: no parser reads the line. */
static bool
line_read(
    const struct firstline *f, struct slice line, struct arena *arena, struct field *fields, int *n)
{
	struct field more[RECORD_FIELDS];

	for (size_t i = 0; i < f->nfurther; i++) {
		int found = parser_run(f->further[i], line, arena, more, RECORD_FIELDS, NULL);

		for (int k = 0; k < found; k++)
			field_put(fields, n, &more[k]);
		if (found >= 0)
			return true;
	}
	return false;
}

int
firstline_run(const struct firstline *f, struct slice text, struct arena *arena,
    struct field *fields, int64_t *time, bool *whole)
{
	struct slice first = line_of(text), rest = slice_from(text, first.len), value, line;
	int n = parser_run(f->first, first, arena, fields, RECORD_FIELDS, time);
	struct field *last = n < 0 ? NULL : field_at_end(fields, n, first);
	char *kept = n < 0 || f->nfurther == 0 ? NULL : arena_take(arena, text.len);
	size_t len;

	*whole = last != NULL || rest.len == 0;
	if (kept == NULL) { /* the lines lie behind the value */
		if (last != NULL)
			last->value.len += rest.len;
		return n;
	}
	value = last != NULL ? last->value : SLICE("");
	memcpy(kept, value.at, value.len);
	for (len = value.len; rest.len > 0; rest = slice_from(rest, line.len + 1)) {
		line = line_of(slice_from(rest, 1));
		if (line_read(f, line, arena, fields, &n))
			continue;
		kept[len++] = '\n';
		memcpy(kept + len, line.at, line.len);
		len += line.len;
	}
	*whole = last != NULL || len == 0;
	if (last != NULL)
		last->value = (struct slice){ kept, len };
	return n;
}
