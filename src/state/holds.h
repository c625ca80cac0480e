/* Inside the state: the table of what outputs hold. */
#ifndef STATE_HOLDS_H
#define STATE_HOLDS_H

#include <sqlite3.h>

#include "state.h"

/* Rows that take the place of all others. */
struct holds_table {
	struct state_hold *at;
	size_t n;
	bool set; /* false: the table stays as it is */
};

/**
 * holds_take(from), holds_give_back(to, table):
 * Under the lock: move what is to be written out of ${from}; put it back when
 * it was not written and nothing newer is there.  holds_free(table).
 */
struct holds_table holds_take(struct holds_table *from);
void holds_give_back(struct holds_table *to, struct holds_table *table);
void holds_free(struct holds_table *table);

/**
 * holds_write(db, table):
 * Within a transaction.  0, or -1: it failed.
 */
int holds_write(sqlite3 *db, const struct holds_table *table);

/**
 * holds_load(db, to):
 * Read the table.  0, or -1: it failed.
 */
int holds_load(sqlite3 *db, struct holds_table *to);

#endif
