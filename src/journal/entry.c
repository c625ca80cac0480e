/*
 * The fields of an entry.  sd-journal shows each for a moment only, so they are copied;
 * a journal's file may be hostile, so that each is bounded, and all of them together.
 */
#include "entry.h"

#include <errno.h>

#include "json.h"

#define NAME_MAX 64 /* of a field, as journald has it */

bool
entry_is_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && c != '_')
			return false;
	}
	return name.len > 0 && name.len <= NAME_MAX && !(name.at[0] >= '0' && name.at[0] <= '9');
}

void
entry_init(struct entry *e, const struct journal_conf *conf)
{
	*e = (struct entry){ 0 };
	arena_init(&e->arena, conf->buffer_max_size + (size_t)ENTRY_FIELDS * (NAME_MAX + 16));
}

void
entry_fini(struct entry *e)
{
	arena_fini(&e->arena);
}

void
entry_clear(struct entry *e)
{
	arena_reset(&e->arena);
	e->nfields = 0;
	e->unit = (struct slice){ "", 0 };
	e->left_out = 0;
	e->cut = false;
}

/* As much of `text` as there is room for. */
static struct slice
keep(struct entry *e, struct slice text, const struct journal_conf *conf)
{
	size_t room = conf->buffer_max_size > e->arena.used
			  ? (size_t)conf->buffer_max_size - e->arena.used
			  : 0;
	char *at;

	if (text.len > room) {
		text.len = room;
		e->cut = true;
	}
	at = arena_take(&e->arena, text.len);
	if (at == NULL)
		return (struct slice){ "", 0 };
	memcpy(at, text.at, text.len);
	return (struct slice){ at, text.len };
}

/* The name as it is written: an option of ours may change it. */
static struct slice
name_of(const struct journal_conf *conf, struct slice name, char to[NAME_MAX])
{
	size_t skip = 0;

	while (conf->strip_underscores && skip < name.len - 1 && name.at[skip] == '_')
		skip++;
	memcpy(to, name.at + skip, name.len - skip);
	for (size_t i = 0; conf->lowercase && i < name.len - skip; i++) {
		if (to[i] >= 'A' && to[i] <= 'Z')
			to[i] = (char)(to[i] - 'A' + 'a');
	}
	return (struct slice){ to, name.len - skip };
}

static struct field *
field_find(struct entry *e, struct slice name)
{
	for (int i = 0; i < e->nfields; i++) {
		if (slice_eq(e->fields[i].name, name))
			return &e->fields[i];
	}
	return NULL;
}

/* One value more of a name that is there: a list.  Where there is no room the first ones stay. */
static void
value_append(struct entry *e, const struct journal_conf *conf, struct field *f, struct slice value)
{
	size_t need = JSON_WRITE_MAX(f->value.len) + JSON_WRITE_MAX(value.len) + 3;
	char *at, *to;

	at = need <= conf->buffer_max_size && e->arena.used < conf->buffer_max_size
		 ? arena_take(&e->arena, need)
		 : NULL;
	if (at == NULL) {
		e->cut = true;
		return;
	}
	to = at;
	if (f->kind == VALUE_JSON) {
		memcpy(to, f->value.at, f->value.len - 1); /* but for the bracket */
		to += f->value.len - 1;
	} else {
		*to++ = '[';
		to = json_write(to, f->value);
	}
	*to++ = ',';
	to = json_write(to, value);
	*to++ = ']';
	f->kind = VALUE_JSON;
	f->value = (struct slice){ at, (size_t)(to - at) };
}

static int
fields_most(const struct journal_conf *conf)
{
	return conf->max_fields < ENTRY_FIELDS ? (int)conf->max_fields : ENTRY_FIELDS;
}

void
entry_add(struct entry *e, const struct journal_conf *conf, struct slice data)
{
	const char *equals = memchr(data.at, '=', data.len);
	struct slice name, value;
	char written[NAME_MAX];
	struct field *f;

	if (equals == NULL)
		return;
	name = (struct slice){ data.at, (size_t)(equals - data.at) };
	value = (struct slice){ equals + 1, data.len - name.len - 1 };
	if (!entry_is_name(name)) {
		e->left_out++;
		return;
	}
	if (e->unit.len == 0 && slice_eq(name, SLICE("_SYSTEMD_UNIT")))
		e->unit =
		    keep(e, (struct slice){ value.at, value.len < 256 ? value.len : 256 }, conf);
	name = name_of(conf, name, written);
	f = field_find(e, name);
	if (f != NULL) {
		value_append(e, conf, f, value);
		return;
	}
	if (e->nfields == fields_most(conf) || e->arena.used >= conf->buffer_max_size) {
		e->left_out++;
		return;
	}
	f = &e->fields[e->nfields++];
	*f = (struct field){ .name = keep(e, name, conf), .value = keep(e, value, conf) };
}

int
entry_read(struct entry *e, const struct journal_conf *conf, sd_journal *j)
{
	const void *data;
	size_t len;
	int r;

	entry_clear(e);
	/* First, so that no other value takes its room. */
	r = sd_journal_get_data(j, "MESSAGE", &data, &len);
	if (r == 0)
		entry_add(e, conf, (struct slice){ data, len });
	else if (r != -ENOENT && r != -E2BIG && r != -ENOBUFS && r != -EPROTONOSUPPORT)
		return r;
	sd_journal_restart_data(j);
	while ((r = sd_journal_enumerate_available_data(j, &data, &len)) > 0) {
		struct slice field = { data, len };

		if (len < 8 || memcmp(data, "MESSAGE=", 8) != 0)
			entry_add(e, conf, field);
	}
	return r;
}
