/* Fields of a parser at the root of a record that is no tree. */
#include "filter.h"
#include "json.h"

static void
log_set(struct record *r, const struct field *f, struct arena *arena)
{
	char *text;

	r->has_log = true;
	r->log = f->value;
	if (f->kind != VALUE_ESCAPED)
		return;
	text = arena_take(arena, f->value.len);
	if (text != NULL)
		r->log = (struct slice){ text, json_unescape(f->value, text) };
}

static bool
field_set(struct record *r, const struct field *f)
{
	for (int i = 0; i < r->nfields; i++) {
		if (slice_eq(r->fields[i].name, f->name)) {
			r->fields[i] = *f;
			return true;
		}
	}
	if (r->nfields == RECORD_FIELDS)
		return false;
	r->fields[r->nfields++] = *f;
	return true;
}

bool
filter_put(struct record *r, const struct field *fields, int n, struct arena *arena)
{
	bool fit = true;

	for (int i = 0; i < n; i++) {
		if (slice_eq(fields[i].name, r->log_key))
			log_set(r, &fields[i], arena);
		else
			fit &= field_set(r, &fields[i]);
	}
	return fit;
}
