/* A record's fields as a Lua table, and back.  Inside src/filter/ alone. */
#ifndef LUA_RECORD_H
#define LUA_RECORD_H

#include <lua5.1/lua.h>

#include "conf.h"
#include "shape.h"

struct lua_record {
	struct shape *shape;
	const struct list *integers; /* names whose numbers are cut to whole ones */
	const struct list *lists;    /* names whose tables are lists, when empty, too */
	bool nulls;                  /* null is flb_null, else nil; in a list flb_null always */
};

/**
 * lua_record_push(L, of), lua_record_check(L), lua_record_take(L, of):
 * Push the fields as a table.  Raise an error when the table on top of the stack is no
 * record.  Make the fields those of that table: a value that is the same stays as it
 * was, to the last digit; without memory bounds no error is raised but that the arena is
 * full.
 */
void lua_record_push(lua_State *L, const struct lua_record *of);
void lua_record_check(lua_State *L);
void lua_record_take(lua_State *L, const struct lua_record *of);

/**
 * lua_record_count(L):
 * The length of the table on top of the stack when it is a list, whose first element is a
 * table; 0: it is one record.
 */
size_t lua_record_count(lua_State *L);

#endif
