/* A directory for the state of each test, and its database for who meddles with it. */
#ifndef STATE_DIR_H
#define STATE_DIR_H

#include "unit.h"

#include <sqlite3.h>
#include <stdlib.h>

#include "memory.h"

static char dir[64];

static inline int
setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/towline-state-XXXXXX");
	return mkdtemp(dir) == NULL;
}

static inline int
teardown(void **state)
{
	(void)state;
	return unit_remove(dir);
}

static inline void
execute(const char *sql)
{
	char *path = xprintf("%s/state.db", dir);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	free(path);
}

#endif
