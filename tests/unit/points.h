/*
 * Between the state and its disk: each statement that it hands to SQLite, each
 * write and each sync of a file is a point.  A point can be refused, and is
 * shown before it is passed, a write also when half of it is written.
 */
#ifndef POINTS_H
#define POINTS_H

#include "unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <sqlite3.h>
#include <unistd.h>

enum point { POINT_STATEMENT, POINT_WRITE, POINT_SYNC };

enum refusal {
	REFUSE_BEFORE, /* nothing of it happens; of a write one half */
	REFUSE_AFTER,  /* it has happened, and an error is said */
	REFUSE_UNDO,   /* SQLite itself rolls the transaction back: what a full disk does */
	REFUSE_STUCK,  /* as BEFORE, and the ROLLBACK that follows is refused, too */
};

static struct {
	void (*show)(void); /* called at each point; NULL: not */
	enum point point;   /* of these … */
	unsigned nth;       /* … this one is refused, counted from 1; 0: none */
	enum refusal how;
	int code; /* of SQLite, or errno */
	_Atomic unsigned passed, rollbacks;
	_Atomic bool refused;
	char what[200]; /* the statement that was refused */
} points;

/* The test asks SQLite for itself. */
static _Thread_local bool aside;

/* SQLite calls what it offers. */
static _Thread_local unsigned inside;

static inline void
points_begin(enum point point, unsigned nth, enum refusal how, int code)
{
	points.point = point;
	points.how = how;
	points.code = code;
	points.passed = points.rollbacks = 0;
	points.refused = false;
	points.what[0] = '\0';
	points.nth = nth;
}

/* True when this one is refused. */
static inline bool
points_pass(enum point point)
{
	if (aside || (point == POINT_STATEMENT && inside > 0))
		return false;
	if (points.show != NULL)
		points.show();
	return point == points.point && points.nth != 0 && ++points.passed == points.nth;
}

/* ---- statements */

typedef int exec_each(void *, int, char **, char **);
typedef int exec_call(sqlite3 *, const char *, exec_each *, void *, char **);
typedef int step_call(sqlite3_stmt *);

static inline int
points_exec(sqlite3 *db, const char *sql, exec_each *each, void *arg, char **error)
{
	static exec_call *call;

	if (call == NULL)
		*(void **)&call = dlsym(RTLD_NEXT, "sqlite3_exec");
	return call(db, sql, each, arg, error);
}

static inline int
points_step(sqlite3_stmt *statement)
{
	static step_call *call;

	if (call == NULL)
		*(void **)&call = dlsym(RTLD_NEXT, "sqlite3_step");
	return call(statement);
}

static inline int
points_refuse(sqlite3 *db, const char *sql)
{
	snprintf(points.what, sizeof(points.what), "%s", sql);
	if (points.how == REFUSE_UNDO)
		points_exec(db, "ROLLBACK", NULL, NULL, NULL);
	points.refused = true;
	return points.code;
}

int
sqlite3_step(sqlite3_stmt *statement)
{
	bool refuse = points_pass(POINT_STATEMENT);
	int code = SQLITE_OK;

	inside++;
	if (!refuse || points.how == REFUSE_AFTER)
		code = points_step(statement);
	if (refuse)
		code = points_refuse(sqlite3_db_handle(statement), sqlite3_sql(statement));
	inside--;
	return code;
}

int
sqlite3_exec(sqlite3 *db, const char *sql, exec_each *each, void *arg, char **error)
{
	bool is_rollback = strcmp(sql, "ROLLBACK") == 0,
	     refuse = !is_rollback && points_pass(POINT_STATEMENT);
	int code = SQLITE_BUSY;

	inside++;
	if (is_rollback && points.rollbacks++ == 0 && points.how == REFUSE_STUCK)
		refuse = false;
	else if (!refuse || points.how == REFUSE_AFTER)
		code = points_exec(db, sql, each, arg, error);
	if (refuse)
		code = points_refuse(db, sql);
	inside--;
	return code;
}

/* ---- the disk */

static inline ssize_t
points_write(int fd, const void *from, size_t size, off_t at)
{
	bool refuse = points_pass(POINT_WRITE);

	if (refuse || (points.show != NULL && !aside)) {
		if (pwrite(fd, from, size / 2, at) < 0)
			return -1;
	}
	if (points.show != NULL && !aside)
		points.show();
	if (!refuse)
		return pwrite(fd, from, size, at);
	points.refused = true;
	errno = points.code;
	return -1;
}

/* No power is cut: what is written is there. */
int
fdatasync(int fd)
{
	(void)fd;
	if (!points_pass(POINT_SYNC))
		return 0;
	points.refused = true;
	errno = points.code;
	return -1;
}

/* Before the first file is opened. */
static inline void
points_init(void)
{
	static const char *const names[] = { "pwrite", "pwrite64" };
	sqlite3_vfs *vfs;

	assert_int_equal(sqlite3_initialize(), SQLITE_OK);
	vfs = sqlite3_vfs_find(NULL);
	for (size_t i = 0; i < COUNT(names); i++)
		vfs->xSetSystemCall(vfs, names[i], (sqlite3_syscall_ptr)points_write);
}

#endif
