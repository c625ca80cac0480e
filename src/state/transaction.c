/* One transaction: its statements with their arguments, in the order in which they came. */
#include <stdlib.h>

#include "fault.h"
#include "memory.h"
#include "state_internal.h"

/* Room for `more` behind the first `n`; items have the size `item`. */
static void *
room_for(void *at, size_t *size, size_t n, size_t more, size_t item)
{
	if (n + more <= *size)
		return at;
	*size = 2 * *size + more + 64;
	return xrealloc(at, *size * item);
}

static void
arg_add(struct transaction *t, struct arg arg)
{
	t->args = room_for(t->args, &t->size, t->nargs, 1, sizeof(*t->args));
	if (arg.len > 0) {
		t->bytes = room_for(t->bytes, &t->room, t->nbytes, arg.len, 1);
		memcpy(t->bytes + t->nbytes, arg.bytes, arg.len);
		arg.number = (int64_t)t->nbytes;
		t->nbytes += arg.len;
	}
	t->args[t->nargs++] = arg;
}

void
transaction_put(struct state *s, const char *sql, const struct arg *args, size_t n)
{
	if (s->dir == NULL)
		return;
	arg_add(&s->next, (struct arg){ .kind = ARG_STATEMENT, .bytes = sql });
	for (size_t i = 0; i < n; i++)
		arg_add(&s->next, args[i]);
}

void
transaction_clear(struct transaction *t)
{
	free(t->args);
	free(t->bytes);
	*t = (struct transaction){ 0 };
}

/* ---- writing */

static void
arg_bind(const struct transaction *t, const struct arg *arg, sqlite3_stmt *to, int column)
{
	const char *bytes = arg->len > 0 ? t->bytes + arg->number : "";

	if (arg->kind == ARG_NUMBER)
		sqlite3_bind_int64(to, column, arg->number);
	else if (arg->kind == ARG_TEXT)
		sqlite3_bind_text(to, column, bytes, (int)arg->len, SQLITE_STATIC);
	else if (arg->kind == ARG_BLOB)
		sqlite3_bind_blob(to, column, bytes, (int)arg->len, SQLITE_STATIC);
	else
		sqlite3_bind_null(to, column);
}

/* The statement, prepared once: the code has few, so they are found by looking through all. */
static sqlite3_stmt *
prepared_of(sqlite3 *db, struct prepared *p, const char *sql)
{
	while (p->statement != NULL && p->sql != sql)
		p++;
	p->sql = sql;
	if (p->statement == NULL)
		sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &p->statement, NULL);
	return p->statement;
}

int
transaction_write(const struct transaction *t, sqlite3 *db, struct prepared *prepared)
{
	FAULT("before-commit");
	if (sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
		return -1;
	for (size_t i = 0; i < t->nargs;) {
		sqlite3_stmt *to = prepared_of(db, prepared, t->args[i++].bytes);
		int code;

		for (int column = 1; i < t->nargs && t->args[i].kind != ARG_STATEMENT; column++)
			arg_bind(t, &t->args[i++], to, column);
		code = sqlite3_step(to);
		sqlite3_reset(to);
		if (code != SQLITE_DONE)
			return -1;
	}
	FAULT("in-commit");
	return sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK ? 0 : -1;
}
