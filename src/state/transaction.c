/*
 * What one transaction writes: a copy of all that has changed, made under the
 * lock, written without it.  When and by whom is store.c's.
 */
#include <stdlib.h>

#include "fault.h"
#include "memory.h"
#include "transaction.h"

enum {
	SAVE_STREAM,
	SAVE_BREAK,
	PASS_BREAKS,
	DROP_BREAKS,
	SAVE_TEXT,
	DELETE_TEXT,
	DELETE_STREAM,
	SAVE_RULES,
	SAVE_FORGOTTEN,
	SAVE_METADATA,
	DELETE_METADATA,
	STATEMENTS
};

static const char *const statements[STATEMENTS] = {
	[SAVE_STREAM] =
	    "INSERT OR REPLACE INTO streams (id, path, shipped0, counted0, shipped1, counted1,"
	    " generation, size, first_seen, touched, open, checkpoints, base, rulings)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
	[SAVE_BREAK] =
	    "INSERT OR REPLACE INTO breaks (id, side, end, next) VALUES (?1, ?2, ?3, ?4)",
	[PASS_BREAKS] = "DELETE FROM breaks WHERE id = ?1 AND side = ?2 AND end <= ?3",
	[DROP_BREAKS] = "DELETE FROM breaks WHERE id = ?1",
	[SAVE_TEXT] = "INSERT OR REPLACE INTO counters (key, value) VALUES (?1, ?2)",
	[DELETE_TEXT] = "DELETE FROM counters WHERE key = ?1",
	[SAVE_RULES] = "INSERT OR IGNORE INTO rules (name, text) VALUES (?1, ?2)",
	[SAVE_FORGOTTEN] = "INSERT OR REPLACE INTO forgotten (one, until) VALUES (1, ?1)",
	[SAVE_METADATA] = "INSERT OR REPLACE INTO metadata (key, value) VALUES (?1, ?2)",
	[DELETE_METADATA] = "DELETE FROM metadata WHERE key = ?1",
	[DELETE_STREAM] = "DELETE FROM streams WHERE id = ?1",
};

/* ---- taking, under the lock */

/* On disk nothing is shipped that is not counted: a record is sent again rather than not counted. */
static void
stream_take(struct stream_change *c, struct known *k)
{
	size_t fresh = k->nbreaks - k->nstored;

	c->is = *k;
	c->is.path = k->path == NULL ? NULL : xstrdup(k->path);
	c->is.breaks = NULL;
	c->is.nbreaks = fresh;
	if (fresh > 0)
		c->is.breaks = memcpy(xcalloc(fresh, sizeof(struct brk)), k->breaks + k->nstored,
		    fresh * sizeof(struct brk));
	for (int side = 0; side < SIDES; side++) {
		struct cursors *at = &c->is.stream.side[side];

		if (at->shipped > at->counted)
			at->shipped = at->counted;
		c->passed[side] = at->shipped;
	}
}

/* Breaks that lie behind what is stored as shipped are of no use to a replay. */
static void
breaks_pass(struct known *k, const uint64_t passed[SIDES])
{
	size_t kept = 0;

	for (size_t i = 0; i < k->nbreaks; i++) {
		if (k->breaks[i].end > passed[k->breaks[i].side])
			k->breaks[kept++] = k->breaks[i];
	}
	k->passed |= kept < k->nbreaks;
	k->nbreaks = k->nstored = kept;
}

static void
texts_take(struct state *s, struct transaction *all)
{
	struct slice key;
	struct text *t;
	size_t at = 0;

	if (!s->texts_dirty)
		return;
	all->texts = xcalloc(2 * map_count(s->texts), sizeof(char *));
	while ((t = map_next(s->texts, &at, &key)) != NULL) {
		if (!t->is_dirty)
			continue;
		all->texts[2 * all->ntexts] = xslicedup(key);
		all->texts[2 * all->ntexts++ + 1] = t->value == NULL ? NULL : xstrdup(t->value);
		t->is_dirty = false;
		if (t->value == NULL) {
			map_del(s->texts, key);
			free(t);
			at--; /* another one may have moved to its place */
		}
	}
	s->texts_dirty = false;
}

/* Each is given away: the state keeps none of them in memory. */
static void
metadata_take(struct state *s, struct transaction *all)
{
	struct slice key;
	char *value;
	size_t at = 0;

	if (map_count(s->metadata) == 0)
		return;
	all->metadata = xcalloc(2 * map_count(s->metadata), sizeof(char *));
	while ((value = map_next(s->metadata, &at, &key)) != NULL) {
		all->metadata[2 * all->nmetadata] = xslicedup(key);
		all->metadata[2 * all->nmetadata++ + 1] = value;
	}
	map_free(s->metadata);
	s->metadata = map_new();
}

static void
rules_take(const struct state *s, struct transaction *all)
{
	all->nrules = s->nrules - s->nrules_stored;
	all->rules_end = s->nrules;
	if (all->nrules > 0)
		all->rules = memcpy(xcalloc(all->nrules, sizeof(*all->rules)),
		    s->rules + s->nrules_stored, all->nrules * sizeof(*all->rules));
}

void
transaction_take(struct state *s, struct transaction *all)
{
	*all = (struct transaction){
		.ticket = s->posted,
		.forgotten = s->forgotten,
		.nforgotten = s->nforgotten,
		.forgotten_to = s->forgotten_to,
	};
	s->forgotten = NULL;
	s->nforgotten = 0;
	for (struct known *k = s->dirty, *next; k != NULL; k = next) {
		next = k->dirty;
		if (all->n == all->size) {
			all->size = all->size == 0 ? 64 : 2 * all->size;
			all->streams = xrealloc(all->streams, all->size * sizeof(*all->streams));
		}
		stream_take(&all->streams[all->n], k);
		breaks_pass(k, all->streams[all->n].passed);
		all->streams[all->n++].is.passed = k->passed;
		k->passed = k->anew = k->is_dirty = false;
	}
	s->dirty = NULL;
	texts_take(s, all);
	metadata_take(s, all);
	rules_take(s, all);
	all->holds = holds_take(&s->holds);
}

void
transaction_free(struct transaction *all)
{
	for (size_t i = 0; i < all->n; i++) {
		free(all->streams[i].is.path);
		free(all->streams[i].is.breaks);
	}
	for (size_t i = 0; i < 2 * all->ntexts; i++)
		free(all->texts[i]);
	for (size_t i = 0; i < 2 * all->nmetadata; i++)
		free(all->metadata[i]);
	free(all->streams);
	free(all->texts);
	free(all->metadata);
	holds_free(&all->holds);
	free(all->forgotten);
	free(all->rules);
}

/* ---- writing, without the lock */

static sqlite3_stmt *
statement_of(struct state *s, int which)
{
	sqlite3_stmt **statement = &s->statements[which];

	if (*statement == NULL)
		sqlite3_prepare_v3(
		    s->db, statements[which], -1, SQLITE_PREPARE_PERSISTENT, statement, NULL);
	return *statement;
}

static int
run(sqlite3_stmt *statement)
{
	int code = sqlite3_step(statement);

	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return code == SQLITE_DONE ? 0 : -1;
}

static void
bind_id(sqlite3_stmt *to, const struct identity *id)
{
	sqlite3_bind_blob(to, 1, id->at, sizeof(id->at), SQLITE_STATIC);
}

static int
breaks_write(struct state *s, const struct stream_change *c)
{
	if (c->is.anew) {
		bind_id(statement_of(s, DROP_BREAKS), &c->is.id);
		if (run(statement_of(s, DROP_BREAKS)) < 0)
			return -1;
	}
	for (size_t i = 0; i < c->is.nbreaks; i++) {
		const struct brk *b = &c->is.breaks[i];
		sqlite3_stmt *to = statement_of(s, SAVE_BREAK);

		if (b->end <= c->passed[b->side])
			continue;
		bind_id(to, &c->is.id);
		sqlite3_bind_int64(to, 2, b->side);
		sqlite3_bind_int64(to, 3, (int64_t)b->end);
		if (b->goes_on)
			sqlite3_bind_blob(to, 4, b->next.at, sizeof(b->next.at), SQLITE_STATIC);
		if (run(to) < 0)
			return -1;
	}
	for (int side = 0; c->is.passed && side < SIDES; side++) {
		sqlite3_stmt *to = statement_of(s, PASS_BREAKS);

		bind_id(to, &c->is.id);
		sqlite3_bind_int(to, 2, side);
		sqlite3_bind_int64(to, 3, (int64_t)c->passed[side]);
		if (run(to) < 0)
			return -1;
	}
	return 0;
}

static int
stream_write(struct state *s, const struct stream_change *c)
{
	sqlite3_stmt *to = statement_of(s, SAVE_STREAM);
	const struct stream_state *is = &c->is.stream;
	const int64_t values[] = { (int64_t)is->side[0].shipped, (int64_t)is->side[0].counted,
		(int64_t)is->side[1].shipped, (int64_t)is->side[1].counted, (int64_t)is->generation,
		(int64_t)is->size, is->first_seen, c->is.touched, c->is.open };
	int n = sizeof(values) / sizeof(values[0]);

	bind_id(to, &c->is.id);
	sqlite3_bind_text(to, 2, c->is.path, -1, SQLITE_STATIC);
	for (int i = 0; i < n; i++)
		sqlite3_bind_int64(to, 3 + i, values[i]);
	sqlite3_bind_blob(
	    to, 3 + n, c->is.checks, (int)(c->is.nchecks * sizeof(c->is.checks[0])), SQLITE_STATIC);
	sqlite3_bind_blob(to, 4 + n, is->base.at, sizeof(is->base.at), SQLITE_STATIC);
	sqlite3_bind_blob(
	    to, 5 + n, is->rulings, (int)(is->nrulings * sizeof(is->rulings[0])), SQLITE_STATIC);
	return run(to) < 0 ? -1 : breaks_write(s, c);
}

static int
text_write(struct state *s, char *const *text)
{
	sqlite3_stmt *to = statement_of(s, text[1] != NULL ? SAVE_TEXT : DELETE_TEXT);

	sqlite3_bind_text(to, 1, text[0], -1, SQLITE_STATIC);
	if (text[1] != NULL)
		sqlite3_bind_text(to, 2, text[1], -1, SQLITE_STATIC);
	return run(to);
}

static int
metadata_write(struct state *s, char *const *one)
{
	sqlite3_stmt *to = statement_of(s, *one[1] != '\0' ? SAVE_METADATA : DELETE_METADATA);

	sqlite3_bind_text(to, 1, one[0], -1, SQLITE_STATIC);
	if (*one[1] != '\0')
		sqlite3_bind_text(to, 2, one[1], -1, SQLITE_STATIC);
	return run(to);
}

static int
rules_write(struct state *s, const struct rules_text *rules)
{
	sqlite3_stmt *to = statement_of(s, SAVE_RULES);

	sqlite3_bind_int64(to, 1, (int64_t)rules->name);
	sqlite3_bind_text(to, 2, rules->text, -1, SQLITE_STATIC);
	return run(to);
}

static int
stream_delete(struct state *s, const struct identity *id)
{
	static const int both[] = { DELETE_STREAM, DROP_BREAKS };

	for (size_t i = 0; i < 2; i++) {
		sqlite3_stmt *to = statement_of(s, both[i]);

		bind_id(to, id);
		if (run(to) < 0)
			return -1;
	}
	return 0;
}

static int
forgotten_write(struct state *s, const struct transaction *all)
{
	for (size_t i = 0; i < all->nforgotten; i++) {
		if (stream_delete(s, &all->forgotten[i]) < 0)
			return -1;
	}
	if (all->nforgotten == 0)
		return 0;
	sqlite3_bind_int64(statement_of(s, SAVE_FORGOTTEN), 1, all->forgotten_to);
	return run(statement_of(s, SAVE_FORGOTTEN));
}

int
transaction_write(struct state *s, const struct transaction *all)
{
	FAULT("before-commit");
	if (sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return -1;
	if (forgotten_write(s, all) < 0)
		return -1;
	for (size_t i = 0; i < all->n; i++) {
		if (stream_write(s, &all->streams[i]) < 0)
			return -1;
	}
	for (size_t i = 0; i < all->ntexts; i++) {
		if (text_write(s, &all->texts[2 * i]) < 0)
			return -1;
	}
	for (size_t i = 0; i < all->nmetadata; i++) {
		if (metadata_write(s, &all->metadata[2 * i]) < 0)
			return -1;
	}
	for (size_t i = 0; i < all->nrules; i++) {
		if (rules_write(s, &all->rules[i]) < 0)
			return -1;
	}
	if (holds_write(s->db, &all->holds) < 0)
		return -1;
	FAULT("in-commit");
	return sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}

/* ---- when that failed */

/* What was not written is dirty again; what has changed since is newer and stays. */
void
transaction_give_back(struct state *s, struct transaction *all)
{
	for (size_t i = 0; i < all->n; i++) {
		struct known *k = known_of(s, &all->streams[i].is.id);

		k->nstored = 0; /* those that are there are written again: that changes nothing */
		k->passed |= all->streams[i].is.passed;
		k->anew |= all->streams[i].is.anew;
		known_dirty(s, k);
	}
	for (size_t i = 0; i < all->ntexts; i++) {
		char **from = &all->texts[2 * i];
		struct text *t = map_get(s->texts, slice_of(from[0]));

		if (t == NULL) {
			t = xcalloc(1, sizeof(*t));
			map_put(s->texts, slice_of(from[0]), t);
			t->value = from[1];
			from[1] = NULL;
		}
		t->is_dirty = s->texts_dirty = true;
	}
	for (size_t i = 0; i < all->nmetadata; i++) {
		char **from = &all->metadata[2 * i];

		if (map_get(s->metadata, slice_of(from[0])) != NULL)
			continue;
		map_put(s->metadata, slice_of(from[0]), from[1]);
		from[1] = NULL;
	}
	holds_give_back(&s->holds, &all->holds);
	s->forgotten = all->forgotten; /* none has been added: that is this thread's */
	s->nforgotten = all->nforgotten;
	all->forgotten = NULL;
}
