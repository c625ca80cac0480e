/* The store's tables, read into memory; rows that towline would not write are passed over. */
#include <stdio.h>

#include "memory.h"
#include "state_internal.h"

static bool
id_at(sqlite3_stmt *row, int column, struct identity *id)
{
	if (sqlite3_column_bytes(row, column) != sizeof(id->at))
		return false;
	memcpy(id->at, sqlite3_column_blob(row, column), sizeof(id->at));
	return true;
}

static uint64_t
number_at(sqlite3_stmt *row, int column)
{
	return (uint64_t)sqlite3_column_int64(row, column);
}

static const char *
text_at(sqlite3_stmt *row, int column)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	return text != NULL ? text : "";
}

static void
content_load(struct state *s, sqlite3_stmt *row)
{
	struct content_state is = { .generation = number_at(row, 4),
		.head = number_at(row, 5),
		.head_size = (uint32_t)number_at(row, 6),
		.dev = number_at(row, 7),
		.ino = number_at(row, 8),
		.size = number_at(row, 9),
		.first_seen = sqlite3_column_int64(row, 10) };
	size_t n = (size_t)sqlite3_column_bytes(row, 13) / sizeof(struct checkpoint);
	struct identity id;
	struct known *k;

	if (!id_at(row, 0, &id) || !id_at(row, 1, &is.log) || !id_at(row, 2, &is.home))
		return;
	k = contents_of(s, &id);
	contents_unlink(s, k);
	k->is = is;
	contents_link(s, k);
	if (text_at(row, 3)[0] != '\0')
		k->path = xstrdup(text_at(row, 3));
	k->touched = k->used = sqlite3_column_int64(row, 11);
	k->open = sqlite3_column_int(row, 12) != 0;
	k->nchecks = n < CHECKPOINTS ? (unsigned)n : CHECKPOINTS;
	if (k->nchecks > 0)
		memcpy(k->checks, sqlite3_column_blob(row, 13), k->nchecks * sizeof(k->checks[0]));
}

static void
span_load(struct state *s, sqlite3_stmt *row)
{
	struct span_state is = { .from = number_at(row, 2),
		.base = number_at(row, 3),
		.seal = sqlite3_column_type(row, 4) == SQLITE_NULL ? SEAL_NONE : number_at(row, 4),
		.rules = number_at(row, 5) };
	struct identity log, id;

	if (id_at(row, 0, &log) && id_at(row, 1, &id))
		logs_span(s, &log, contents_of(s, &id), &is);
}

/* The log of a row, and its side; NULL: it has no span. */
static struct known_log *
log_at(struct state *s, sqlite3_stmt *row, enum side *side)
{
	int number = sqlite3_column_int(row, 1);
	struct identity log;

	if (!id_at(row, 0, &log) || number < 0 || number >= SIDES)
		return NULL;
	*side = (enum side)number;
	return map_get(s->tables->logs, contents_key(&log));
}

static void
cursor_load(struct state *s, sqlite3_stmt *row)
{
	enum side side;
	struct known_log *l = log_at(s, row, &side);
	uint64_t mark = readers_mark(s->tables, text_at(row, 2)), at = number_at(row, 3);

	if (l != NULL && mark != ABSENT)
		*logs_mark(l, (unsigned)mark, side) = (struct mark){ at, at };
}

static void
break_load(struct state *s, sqlite3_stmt *row)
{
	enum side side;
	struct known_log *l = log_at(s, row, &side);

	if (l != NULL)
		breaks_add(&l->breaks[side], number_at(row, 2));
}

static void
counter_load(struct state *s, sqlite3_stmt *row)
{
	texts_put(s->tables->counters, slice_of(text_at(row, 0)), slice_of(text_at(row, 1)));
}

static void
metadata_load(struct state *s, sqlite3_stmt *row)
{
	texts_put(s->tables->metadata, slice_of(text_at(row, 0)), slice_of(text_at(row, 1)));
}

static void
rules_load(struct state *s, sqlite3_stmt *row)
{
	texts_rules(s->tables, number_at(row, 0), slice_of(text_at(row, 1)));
}

static void
forgotten_load(struct state *s, sqlite3_stmt *row)
{
	s->tables->forgotten_to = sqlite3_column_int64(row, 0);
}

static void
hold_load(struct state *s, sqlite3_stmt *row)
{
	struct state_hold hold = { .parked = sqlite3_column_int(row, 1) != 0 };

	if (!id_at(row, 0, &hold.log))
		return;
	snprintf(hold.output, sizeof(hold.output), "%s", text_at(row, 2));
	snprintf(hold.why, sizeof(hold.why), "%s", text_at(row, 3));
	holds_add(&s->tables->holds, &hold);
}

int
load_store(struct state *s)
{
	static const struct {
		const char *sql;
		void (*load)(struct state *s, sqlite3_stmt *row);
	} tables[] = {
		{ "SELECT * FROM contents ORDER BY open, touched, first_seen", content_load },
		{ "SELECT * FROM spans", span_load },
		{ "SELECT * FROM cursors ORDER BY reader", cursor_load },
		{ "SELECT * FROM breaks", break_load },
		{ "SELECT * FROM rules", rules_load },
		{ "SELECT * FROM metadata", metadata_load },
		{ "SELECT * FROM counters", counter_load },
		{ "SELECT until FROM forgotten", forgotten_load },
		{ "SELECT * FROM holds ORDER BY parked DESC, output, why", hold_load },
	};
	int code = SQLITE_DONE;

	for (size_t i = 0; code == SQLITE_DONE && i < sizeof(tables) / sizeof(tables[0]); i++) {
		sqlite3_stmt *row;

		if (sqlite3_prepare_v2(s->db, tables[i].sql, -1, &row, NULL) != SQLITE_OK)
			return -1;
		while ((code = sqlite3_step(row)) == SQLITE_ROW)
			tables[i].load(s, row);
		sqlite3_finalize(row);
	}
	return code == SQLITE_DONE ? 0 : -1;
}
