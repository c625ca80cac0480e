/*
 * A state in a directory of the test's own, on the test's own clock; its
 * database, for who looks at it or meddles with it.
 *
 *	SAY=1  what it says is shown
 */
#ifndef STATE_RIG_H
#define STATE_RIG_H

#include "unit.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "memory.h"
#include "own_clock.h"
#include "state.h"
#include "voice.h"

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#define START (100 * 86400 * NS_PER_S) /* more than STATE_AGE_DAYS */

static char dir[64];

/* Two contents, or logs. */
static const struct identity id = { "one" }, other = { "two" };

static inline int
setup(void **state)
{
	(void)state;
	if (getenv("SAY") == NULL)
		voice_open(VOICE_ERROR, "/dev/null");
	now_ns = START;
	snprintf(dir, sizeof(dir), "/tmp/towline-state-XXXXXX");
	return mkdtemp(dir) == NULL;
}

static inline int
teardown(void **state)
{
	(void)state;
	return unit_remove(dir);
}

/* ---- the state */

static inline struct state *
opened(void)
{
	struct state *s = state_open(dir);

	assert_non_null(s);
	return s;
}

static inline void
reopen(struct state **s)
{
	state_close(*s);
	*s = opened();
}

/* Some time; the store thread may do what is due. */
static inline void
time_passes(void)
{
	now_ns += 10 * NS_PER_MS;
	usleep(100);
}

static inline void
wait_durable(struct state *s, state_ticket ticket)
{
	for (int i = 0; state_durable(s) < ticket; i++) {
		assert_true(i < 60000);
		time_passes();
	}
}

static inline void
wait_failing(struct state *s)
{
	char why[300];

	for (int i = 0; state_ready(s, why, sizeof(why)); i++) {
		assert_true(i < 60000);
		time_passes();
	}
}

/* A span of `content` in `log`, which may grow when its seal is SEAL_NONE. */
static inline state_ticket
span_put(struct state *s, const struct identity *log, const struct identity *content,
    struct span_state span)
{
	return state_spans(s, &(struct span_post){ *log, *content, NULL, span, NULL }, 1);
}

/* A content that may grow, in a log of the same name. */
static inline state_ticket
content_put(struct state *s, const struct identity *content)
{
	return span_put(s, content, content, (struct span_state){ .seal = SEAL_NONE });
}

/* A state that has the content `id`, and a log of the same name. */
static inline struct state *
begun(void)
{
	struct state *s = opened();

	content_put(s, &id);
	return s;
}

static inline uint64_t
shipped(struct state *s, unsigned reader)
{
	struct cursors at[SIDES];

	state_cursors(s, &id, reader, at);
	return at[SIDE_STDOUT].shipped;
}

static inline uint64_t
counted(struct state *s)
{
	struct cursors at[SIDES];

	state_cursors(s, &id, 0, at);
	return at[SIDE_STDOUT].counted;
}

struct listed {
	size_t n;
	struct identity id[8];
	struct span_state at[8];
};

static inline void
listed_add(void *arg, const struct identity *content, const struct span_state *span)
{
	struct listed *list = arg;

	assert_true(list->n < COUNT(list->at));
	list->id[list->n] = *content;
	list->at[list->n++] = *span;
}

/* The spans of a log. */
static inline struct listed
listed(struct state *s, const struct identity *log)
{
	struct listed list = { 0 };

	state_log_spans(s, log, listed_add, &list);
	return list;
}

/* ---- its database */

/* What the first of these statements answers; -1: it has no answer. */
static inline int64_t
asked(const char *sql)
{
	char *path = xprintf("%s/state.db", dir);
	sqlite3 *db;
	sqlite3_stmt *row;
	int64_t n = -1;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 10000);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &row, &sql), SQLITE_OK);
	if (sqlite3_step(row) == SQLITE_ROW)
		n = sqlite3_column_int64(row, 0);
	assert_int_equal(sqlite3_finalize(row), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	free(path);
	return n;
}

/* Nothing is to be answered. */
static inline void
execute(const char *sql)
{
	asked(sql);
}

#endif
