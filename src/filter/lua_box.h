/*
 * A Lua script in a box: it has no files, no processes and no environment, and its
 * memory and work are bounded.  Inside src/filter/ alone.
 */
#ifndef LUA_BOX_H
#define LUA_BOX_H

#include <stddef.h>
#include <stdint.h>

#include <lua5.1/lua.h>

#include "slice.h"

struct lua_box;

struct lua_box_conf {
	const char *name;       /* of the script in messages: its path */
	struct slice source;    /* text; no precompiled chunk */
	const char *call;       /* the global function that it has to define */
	uint64_t memory;        /* bytes */
	uint64_t instructions;  /* of one run */
	const char *const *env; /* variables that os.getenv and FLB_ENV have */
	size_t nenv;
};

enum lua_box_end { BOX_DONE, BOX_FAILED, BOX_MEMORY, BOX_INSTRUCTIONS, BOX_ENDS };

/**
 * lua_box_new(conf, why, size):
 * Run the script once, as it defines its functions.  NULL, with the fault and its place in
 * ${why}, when it is no Lua, fails, or defines no function conf->call.  What ${conf} points
 * to outlives the box.
 */
struct lua_box *lua_box_new(const struct lua_box_conf *conf, char *why, size_t size);
void lua_box_free(struct lua_box *b); /* NULL is harmless */

/**
 * lua_box_run(b, job, arg):
 * Call ${job} with an empty stack: it may raise errors, run out of memory, and call
 * conf->call, which lies under lua_box_push().  Return how it ended.
 */
enum lua_box_end lua_box_run(struct lua_box *b, void (*job)(lua_State *L, void *arg), void *arg);

/**
 * lua_box_unbound(L):
 * From now on the run is without bounds: for work of ours alone.
 */
void lua_box_unbound(lua_State *L);

/**
 * lua_box_push(L), lua_box_why(b):
 * Push the function conf->call; the text of the last failure, with file and line.
 */
void lua_box_push(lua_State *L);
const char *lua_box_why(const struct lua_box *b);

/* The metatable of lists that came from a record, in the registry under this name. */
#define LUA_BOX_LIST "towline.list"

#endif
