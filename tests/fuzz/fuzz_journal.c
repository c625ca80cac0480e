/*
 * systemd's journal: the fields of an entry against lists that jansson holds, the text of a
 * cursor against libsystemd's reader of it, Fluent Bit's database of any bytes against SQLite.
 *
 * An input is the fields of an entry, each behind a line break; a cursor; and the bytes that
 * a database is spoiled with.
 */
#include "fuzz.h"

#include <sqlite3.h>

#include "../../src/journal/entry.h"
#include "mended.h"
#include "takeover.h"
#include "voice.h"

/* ---- fields */

/* The name as the options want it; false: it is none of a journal. */
static bool
name_make(struct slice name, const struct journal_conf *conf, char to[65])
{
	size_t n = 0;

	if (name.len == 0 || name.len > 64 || (name.at[0] >= '0' && name.at[0] <= '9'))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.at[i];

		if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", c) == NULL || c == '\0')
			return false;
		if (conf->strip_underscores && n == 0 && c == '_' && i + 1 < name.len)
			continue;
		to[n++] = conf->lowercase && c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	}
	to[n] = '\0';
	return true;
}

/* What is to come of the fields: { name: [ value, … ] }, in order; and how many are left out. */
static json_t *
wanted(struct slice text, const struct journal_conf *conf, unsigned *left_out)
{
	json_t *all = json_object();

	*left_out = 0;
	while (text.len > 0) {
		const char *end = memchr(text.at, '\n', text.len), *equals;
		struct slice data = { text.at, end != NULL ? (size_t)(end - text.at) : text.len };
		char name[65];
		json_t *values;
		size_t at;

		text = slice_from(text, data.len + (end != NULL));
		equals = memchr(data.at, '=', data.len);
		if (equals == NULL)
			continue;
		at = (size_t)(equals - data.at);
		if (!name_make((struct slice){ data.at, at }, conf, name)) {
			++*left_out;
			continue;
		}
		values = json_object_get(all, name);
		if (values == NULL && json_object_size(all) == (size_t)conf->max_fields) {
			++*left_out;
			continue;
		}
		if (values == NULL)
			json_object_set_new(all, name, values = json_array());
		json_array_append_new(values, json_stringn_nocheck(equals + 1, data.len - at - 1));
	}
	return all;
}

static void
entry_fill(struct entry *e, struct slice text, const struct journal_conf *conf)
{
	while (text.len > 0) {
		const char *end = memchr(text.at, '\n', text.len);
		struct slice data = { text.at, end != NULL ? (size_t)(end - text.at) : text.len };
		char *copy = xmalloc(data.len + 1); /* a read beyond it is seen */

		memcpy(copy, data.at, data.len);
		text = slice_from(text, data.len + (end != NULL));
		entry_add(e, conf, (struct slice){ copy, data.len });
		free(copy);
	}
}

/* The values of a field: one, or a list. */
static json_t *
values_of(const struct field *f)
{
	json_error_t error;
	json_t *list;

	if (f->kind != VALUE_JSON) {
		list = json_array();
		json_array_append_new(list, json_stringn_nocheck(f->value.at, f->value.len));
		return list;
	}
	list = json_loadb(f->value.at, f->value.len, JSON_ALLOW_NUL, &error);
	if (list == NULL || !json_is_array(list))
		WRONG("no list: '%.*s'", SHOW(f->value));
	return list;
}

static void
fields_judge(struct slice text)
{
	struct journal_conf conf = { .max_fields = 1 + any(ENTRY_FIELDS),
		.buffer_max_size = any(2) ? 1 << 16 : 16 + any(200),
		.strip_underscores = any(2),
		.lowercase = any(2) };
	struct entry e;
	unsigned left_out;
	size_t bytes = 0;
	json_t *want = wanted(text, &conf, &left_out);

	entry_init(&e, &conf);
	entry_clear(&e);
	entry_fill(&e, text, &conf);
	for (int i = 0; i < e.nfields; i++) {
		struct slice name = e.fields[i].name;
		json_t *got = values_of(&e.fields[i]);
		char *key = xslicedup(name);
		json_t *have = json_object_get(want, key);

		bytes += e.fields[i].value.len;
		if (!e.cut && !json_equal(have, got))
			WRONG("%s: '%.*s'", key, SHOW(e.fields[i].value));
		for (int k = 0; k < i && !e.cut; k++)
			if (slice_eq(e.fields[k].name, name))
				WRONG("two fields %s", key);
		free(key);
		json_decref(got);
	}
	if (!e.cut && e.left_out == left_out && json_object_size(want) != (size_t)e.nfields)
		WRONG("%d fields of %zu", e.nfields, json_object_size(want));
	if (!e.cut && e.left_out < left_out)
		WRONG("%u left out, not %u", e.left_out, left_out);
	if (e.nfields > conf.max_fields || bytes > 2 * conf.buffer_max_size + 64)
		WRONG("%d fields of %zu bytes", e.nfields, bytes);
	entry_fini(&e);
	json_decref(want);
}

/* ---- a cursor */

static void
cursor_judge(struct slice text)
{
	static sd_journal *j;
	struct entry_name name, again;
	char to[ENTRY_NAME], *copy;

	if (j == NULL && sd_journal_open_directory(&j, ".", 0) < 0)
		abort();
	copy = xslicedup(text);
	if (!entry_name_read(text, &name)) {
		free(copy);
		return;
	}
	if (strlen(copy) == text.len && sd_journal_seek_cursor(j, copy) < 0)
		WRONG("no cursor for libsystemd: '%s'", copy);
	entry_name_write(&name, to);
	if (sd_journal_seek_cursor(j, to) < 0)
		WRONG("written as '%s'", to);
	if (!entry_name_read(slice_of(to), &again) || !entry_name_eq(&name, &again))
		WRONG("'%s' is written as '%s'", copy, to);
	free(copy);
}

/* ---- Fluent Bit's database */

#define DB "flb.db"

static void
db_make(const char *cursor)
{
	sqlite3_stmt *put;
	sqlite3 *db;

	(void)unlink(DB);
	if (sqlite3_open(DB, &db) != SQLITE_OK ||
	    sqlite3_exec(db,
		"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
		"CREATE TABLE in_systemd_cursor (cursor TEXT NOT NULL, updated INTEGER)",
		NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, "INSERT INTO in_systemd_cursor VALUES (?, 1)", -1, &put, NULL) !=
		SQLITE_OK)
		abort();
	sqlite3_bind_text(put, 1, cursor, -1, SQLITE_TRANSIENT);
	sqlite3_step(put);
	sqlite3_finalize(put);
	sqlite3_close(db);
}

/* Some of its bytes become others, or it ends sooner. */
static void
db_spoil(struct slice with)
{
	FILE *file = fopen(DB, "r+");
	long size;

	if (file == NULL || fseek(file, 0, SEEK_END) != 0)
		abort();
	size = ftell(file);
	for (size_t i = 0; i < with.len && i < 64; i++) {
		(void)fseek(file, (long)any(any(2) ? 100 : (unsigned)size), SEEK_SET);
		(void)fputc(with.at[i], file);
	}
	fclose(file);
	if (any(4) == 0 && truncate(DB, (long)any((unsigned)size)) != 0)
		abort();
}

static void
db_judge(struct slice text)
{
	char *cursor = xslicedup(text), *taken;

	db_make(cursor);
	taken = takeover_journal(DB);
	if (taken == NULL || strcmp(taken, cursor) != 0)
		WRONG("'%s' is taken as '%s'", cursor, taken != NULL ? taken : "(none)");
	free(taken);
	db_spoil(text);
	taken = takeover_journal(DB);
	if (taken != NULL)
		cursor_judge(slice_of(taken));
	free(taken);
	free(cursor);
}

static void
fuzz(struct slice input)
{
	struct slice text;

	if (fuzz_place())
		voice_level(VOICE_ERROR);
	text = mended(fuzz_chance(input));
	fields_judge(text);
	cursor_judge(text);
	if (any(50) == 0)
		db_judge(text);
	exact_free(text);
}
