/*
 * Which streams wait for an output, and why: a table that is written as a
 * whole when it has changed, and read by who looks at the state.
 */
#include <stdio.h>
#include <stdlib.h>

#include "state_internal.h"
#include "memory.h"

void
holds_free(struct holds_table *table)
{
	free(table->at);
	*table = (struct holds_table){ 0 };
}

struct holds_table
holds_take(struct holds_table *from)
{
	struct holds_table table = *from;

	*from = (struct holds_table){ 0 };
	return table;
}

void
holds_give_back(struct holds_table *to, struct holds_table *table)
{
	if (!to->set)
		*to = holds_take(table);
}

static int
row_write(sqlite3_stmt *to, const struct state_hold *h)
{
	int code;

	sqlite3_bind_blob(to, 1, h->stream.at, sizeof(h->stream.at), SQLITE_STATIC);
	sqlite3_bind_int(to, 2, h->parked);
	sqlite3_bind_text(to, 3, h->output, -1, SQLITE_STATIC);
	sqlite3_bind_text(to, 4, h->why, -1, SQLITE_STATIC);
	code = sqlite3_step(to);
	sqlite3_reset(to);
	return code == SQLITE_DONE ? 0 : -1;
}

int
holds_write(sqlite3 *db, const struct holds_table *table)
{
	static const char insert[] = "INSERT OR IGNORE INTO holds VALUES (?1, ?2, ?3, ?4)";
	sqlite3_stmt *statement = NULL;
	int result = 0;

	if (!table->set)
		return 0;
	if (sqlite3_exec(db, "DELETE FROM holds", NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, insert, -1, &statement, NULL) != SQLITE_OK)
		return -1;
	for (size_t i = 0; result == 0 && i < table->n; i++)
		result = row_write(statement, &table->at[i]);
	sqlite3_finalize(statement);
	return result;
}

static void
text_copy(char *to, size_t size, sqlite3_stmt *row, int column)
{
	const unsigned char *text = sqlite3_column_text(row, column);

	snprintf(to, size, "%s", text != NULL ? (const char *)text : "");
}

static void
row_load(struct holds_table *to, sqlite3_stmt *row)
{
	struct state_hold *h;

	if (sqlite3_column_bytes(row, 0) != sizeof(h->stream.at))
		return;
	to->at = xrealloc(to->at, (to->n + 1) * sizeof(*to->at));
	h = &to->at[to->n++];
	memset(h, 0, sizeof(*h));
	memcpy(h->stream.at, sqlite3_column_blob(row, 0), sizeof(h->stream.at));
	h->parked = sqlite3_column_int(row, 1) != 0;
	text_copy(h->output, sizeof(h->output), row, 2);
	text_copy(h->why, sizeof(h->why), row, 3);
}

int
holds_load(sqlite3 *db, struct holds_table *to)
{
	static const char select[] = "SELECT stream, parked, output, why FROM holds"
				     " ORDER BY parked DESC, output, why";
	sqlite3_stmt *row;
	int code;

	if (sqlite3_prepare_v2(db, select, -1, &row, NULL) != SQLITE_OK)
		return -1;
	while ((code = sqlite3_step(row)) == SQLITE_ROW)
		row_load(to, row);
	sqlite3_finalize(row);
	return code == SQLITE_DONE ? 0 : -1;
}

void
state_holds(struct state *s, const struct state_hold *at, size_t n)
{
	struct holds_table table = { .n = n, .set = true };

	if (s->dir == NULL)
		return;
	if (n > 0)
		table.at = memcpy(xcalloc(n, sizeof(*at)), at, n * sizeof(*at));
	pthread_mutex_lock(&s->lock);
	holds_free(&s->holds);
	s->holds = table;
	s->posted++;
	state_posted(s, false);
	pthread_mutex_unlock(&s->lock);
}

void
state_holds_each(struct state *s, void (*each)(void *arg, const struct state_hold *hold), void *arg)
{
	for (size_t i = 0; i < s->holds.n; i++)
		each(arg, &s->holds.at[i]);
}
