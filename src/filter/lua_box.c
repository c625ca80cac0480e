/*
 * The sandbox of [FILTER] lua.  Its libraries are those of a script that computes; what
 * it does is paid in instructions: by a hook, by the memory that it asks for, and by the
 * length of what it hands to a function of a library, which no hook reaches into.  Some
 * instructions take as long as their values are large: so the time counts, too, by far.
 */
#include "lua_box.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <lua5.1/lauxlib.h>
#include <lua5.1/lualib.h>

#include "lua_pattern.h"
#include "memory.h"
#include "voice.h"

#define HOOK_EACH 1000 /* instructions */
#define BYTES_EACH 64  /* of memory, or of a text: an instruction's worth */
#define NS_EACH 1000   /* of CPU time, a hundred times what an instruction takes */
#define NS_LEAST 1000000000
#define WHY 256

struct lua_box {
	struct lua_box_conf conf;
	lua_State *L;
	uint64_t used;      /* bytes */
	uint64_t collected; /* bytes that were used after the last collection of ours */
	int64_t left;       /* instructions of this run */
	int64_t ends;       /* when its time is over, ns of the thread's; 0: not looked at yet */
	bool bounded;       /* the bounds hold: not while it is opened or closed */
	bool full;          /* memory was refused in this run */
	void (*job)(lua_State *L, void *arg);
	void *arg;
	char why[WHY];
};

static struct lua_box *
box_of(lua_State *L)
{
	void *b;

	lua_getallocf(L, &b);
	return b;
}

/* ---- bounds */

static void on_count(lua_State *L, lua_Debug *at);

/* Raise the error of a bound, at the place of the ${level}-th function. */
static int
bound_error(lua_State *L, int level)
{
	const struct lua_box *b = box_of(L);

	luaL_where(L, level);
	if (b->full)
		lua_pushliteral(L, "not enough memory");
	else
		lua_pushfstring(L, "more than Max_Instructions (%d)", (int)b->conf.instructions);
	lua_concat(L, 2);
	return lua_error(L);
}

/* From now on each instruction raises the error: a pcall of the script cannot go on. */
static void
exhaust(struct lua_box *b)
{
	lua_sethook(b->L, on_count, LUA_MASKCOUNT, 1);
}

static bool
takes_too_long(struct lua_box *b)
{
	int64_t now, most = (int64_t)b->conf.instructions * NS_EACH;
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	now = t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
	if (b->ends == 0)
		b->ends = now + (most > NS_LEAST ? most : NS_LEAST);
	return now > b->ends;
}

static void
on_count(lua_State *L, lua_Debug *at)
{
	struct lua_box *b = box_of(L);

	(void)at;
	b->left -= b->left > 0 ? HOOK_EACH : 0;
	if (b->left > 0 && takes_too_long(b))
		b->left = 0;
	if (b->left > 0)
		return;
	exhaust(b);
	bound_error(L, 0); /* a hook is no function of its own */
}

static void
charge(lua_State *L, unsigned long steps)
{
	struct lua_box *b = box_of(L);

	b->left -= (int64_t)steps;
	if (b->left > 0 || !b->bounded)
		return;
	exhaust(b);
	bound_error(L, 1);
}

/* lua_Alloc. */
static void *
allocate(void *box, void *at, size_t was, size_t size)
{
	struct lua_box *b = box;

	if (size == 0) {
		free(at);
		b->used -= was;
		return NULL;
	}
	if (size > was) {
		b->left -= (int64_t)(size / BYTES_EACH);
		if (b->bounded && b->left <= 0)
			exhaust(b);
		if (b->bounded && b->used + (size - was) > b->conf.memory) {
			b->full = true;
			b->left = 0;
			exhaust(b);
			return NULL;
		}
	}
	at = xrealloc(at, size);
	b->used += size - was;
	return at;
}

/* Outside of a protected call nothing is asked for that may fail. */
static int
on_panic(lua_State *L)
{
	say_error("lua", "an error outside of a script: %s",
	    lua_isstring(L, -1) ? lua_tostring(L, -1) : "?");
	abort();
}

/* ---- the libraries */

/* A function that is not there, with the reason. */
static int
missing(lua_State *L)
{
	return luaL_error(L, "%s is not there: %s", lua_tostring(L, lua_upvalueindex(1)),
	    lua_tostring(L, lua_upvalueindex(2)));
}

/* __index of a library that is not there. */
static int
missing_member(lua_State *L)
{
	return luaL_error(L, "%s.%s is not there: %s", lua_tostring(L, lua_upvalueindex(1)),
	    lua_isstring(L, 2) ? lua_tostring(L, 2) : "?", lua_tostring(L, lua_upvalueindex(2)));
}

#define NO_FILES "a script opens no files"
#define NO_PROCESSES "a script runs no programs and ends none"
#define NO_CODE "a script is one file, and has no other code"

static void
libraries_refuse(lua_State *L)
{
	static const struct {
		const char *library; /* NULL: a function of the base library */
		const char *name;    /* NULL: the whole library */
		const char *why;
	} refused[] = { { "io", NULL, "a script opens no files and runs no programs" },
		{ "debug", NULL, "a script does not look behind itself" },
		{ "coroutine", NULL, "a script is called for one record after the other" },
		{ "package", NULL, NO_CODE }, { NULL, "require", NO_CODE },
		{ NULL, "module", NO_CODE }, { NULL, "dofile", NO_FILES },
		{ NULL, "loadfile", NO_FILES }, { NULL, "load", NO_CODE },
		{ NULL, "loadstring", NO_CODE }, { NULL, "newproxy", "nothing needs it" },
		{ "os", "execute", NO_PROCESSES }, { "os", "exit", NO_PROCESSES },
		{ "os", "remove", NO_FILES }, { "os", "rename", NO_FILES },
		{ "os", "tmpname", NO_FILES }, { "os", "setlocale", "the locale is C" },
		{ "string", "dump", NO_CODE } };

	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		const char *library = refused[i].library, *name = refused[i].name;
		char *full = xprintf("%s%s%s", library != NULL ? library : "",
		    library != NULL && name != NULL ? "." : "", name != NULL ? name : "");

		lua_getfield(L, LUA_GLOBALSINDEX, library != NULL && name != NULL ? library : "_G");
		if (name == NULL) {
			lua_newtable(L);
			lua_newtable(L);
		}
		lua_pushstring(L, full);
		lua_pushstring(L, refused[i].why);
		lua_pushcclosure(L, name != NULL ? missing : missing_member, 2);
		if (name == NULL) {
			lua_setfield(L, -2, "__index");
			lua_setmetatable(L, -2);
		}
		lua_setfield(L, -2, name != NULL ? name : library);
		lua_pop(L, 1);
		free(full);
	}
}

/* A function of a library, after its arguments are paid for. */
static int
paid(lua_State *L)
{
	int n = lua_gettop(L);
	unsigned long cost = 1;

	for (int i = 1; i <= n; i++)
		if (lua_type(L, i) == LUA_TSTRING || lua_type(L, i) == LUA_TTABLE)
			cost += lua_objlen(L, i) / 8;
	charge(L, cost);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, n, LUA_MULTRET);
	return lua_gettop(L);
}

static void
library_pay(lua_State *L, const char *name)
{
	lua_getfield(L, LUA_GLOBALSINDEX, name);
	lua_pushnil(L);
	while (lua_next(L, -2) != 0) {
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_pushcclosure(L, paid, 1);
		lua_settable(L, -4); /* of a key that is there: the walk goes on */
	}
	lua_pop(L, 1);
}

/* string.rep, paid for before it begins. */
static int
rep(lua_State *L)
{
	size_t len;
	const char *text = luaL_checklstring(L, 1, &len);
	double n = luaL_checknumber(L, 2), cost = n > 0 ? n * (double)len / 16 + 1 : 1;
	luaL_Buffer b;

	charge(L, cost < 1e15 ? (unsigned long)cost : 1000000000000000UL);
	luaL_buffinit(L, &b);
	for (lua_Integer i = 1; len > 0 && (double)i <= n; i++)
		luaL_addlstring(&b, text, len);
	luaL_pushresult(&b);
	return 1;
}

/* The order of table.sort where the script gives none: long texts are paid for. */
static int
less(lua_State *L)
{
	if (lua_type(L, 1) == LUA_TSTRING && lua_type(L, 2) == LUA_TSTRING)
		charge(L, (lua_objlen(L, 1) + lua_objlen(L, 2)) / 16 + 1);
	lua_pushboolean(L, lua_lessthan(L, 1, 2));
	return 1;
}

/* table.sort, the library's below it. */
static int
sort(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 2);
	charge(L, lua_objlen(L, 1) / 8 + 1);
	if (lua_isnil(L, 2)) {
		lua_pushcfunction(L, less);
		lua_replace(L, 2);
	}
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, 2, 0);
	return 0;
}

/*
 * xpcall: the library calls the handler of an error that a hook raises inside of that
 * hook, where no other hook bounds it.  Here it is called when the error is over.
 */
static int
handled_call(lua_State *L)
{
	luaL_checkany(L, 2);
	lua_settop(L, 2);
	lua_pushvalue(L, 1);
	if (lua_pcall(L, 0, LUA_MULTRET, 0) == 0) {
		lua_pushboolean(L, 1);
		lua_insert(L, 3);
		return lua_gettop(L) - 2;
	}
	lua_pushboolean(L, 0);
	lua_pushvalue(L, 2);
	lua_pushvalue(L, 3);
	lua_call(L, 1, 1);
	return 2;
}

static int
print(lua_State *L)
{
	int n = lua_gettop(L);

	lua_getfield(L, LUA_GLOBALSINDEX, "tostring");
	for (int i = 1; i <= n; i++) {
		lua_pushvalue(L, n + 1);
		lua_pushvalue(L, i);
		lua_call(L, 1, 1);
		if (lua_isstring(L, -1))
			say_debug("lua", "%.1000s", lua_tostring(L, -1));
		lua_pop(L, 1);
	}
	return 0;
}

/* Memory is collected between records; "count" is in KB. */
static int
collectgarbage(lua_State *L)
{
	lua_pushnumber(L, (double)box_of(L)->used / 1024);
	return 1;
}

/* The value of a variable that the option Env names, or nil. */
static int
get_env(lua_State *L)
{
	const struct lua_box *b = box_of(L);
	const char *name = luaL_checkstring(L, 1), *value = NULL;

	for (size_t i = 0; i < b->conf.nenv; i++)
		if (strcmp(b->conf.env[i], name) == 0)
			value = getenv(name);
	lua_pushstring(L, value); /* nil for NULL */
	return 1;
}

/* The names and bounds that are ours. */
static void
libraries_adapt(lua_State *L)
{
	const struct lua_box *b = box_of(L);

	lua_pushcfunction(L, print);
	lua_setglobal(L, "print");
	lua_pushcfunction(L, handled_call);
	lua_setglobal(L, "xpcall");
	lua_pushcfunction(L, collectgarbage);
	lua_setglobal(L, "collectgarbage");
	lua_getglobal(L, "os");
	lua_pushcfunction(L, get_env);
	lua_setfield(L, -2, "getenv");
	lua_getglobal(L, "string");
	lua_pushnil(L);
	lua_setfield(L, -2, "gfind");
	lua_getglobal(L, "table");
	lua_getfield(L, -1, "sort");
	lua_pushcclosure(L, sort, 1);
	lua_setfield(L, -2, "sort");
	lua_pop(L, 1);
	library_pay(L, "string");
	library_pay(L, "table");
	lua_pushcfunction(L, rep);
	lua_setfield(L, -2, "rep");
	lua_pattern_open(L, charge);
	lua_newtable(L);
	for (size_t i = 0; i < b->conf.nenv; i++) {
		lua_pushstring(L, getenv(b->conf.env[i]));
		lua_setfield(L, -2, b->conf.env[i]);
	}
	lua_setglobal(L, "FLB_ENV");
	lua_pushlightuserdata(L, NULL);
	lua_setglobal(L, "flb_null");
	luaL_newmetatable(L, LUA_BOX_LIST);
	lua_settop(L, 0);
}

static void
libraries_open(lua_State *L)
{
	static const luaL_Reg libraries[] = { { "", luaopen_base }, { "table", luaopen_table },
		{ "string", luaopen_string }, { "math", luaopen_math }, { "os", luaopen_os },
		{ NULL, NULL } };

	for (const luaL_Reg *l = libraries; l->func != NULL; l++) {
		lua_pushcfunction(L, l->func);
		lua_pushstring(L, l->name);
		lua_call(L, 1, 0);
	}
	libraries_adapt(L);
	libraries_refuse(L);
	lua_gc(L, LUA_GCSETPAUSE, 110); /* what is used no more goes before the box is full */
}

/* ---- runs */

static int
run(lua_State *L)
{
	struct lua_box *b = lua_touserdata(L, 1);

	lua_settop(L, 0);
	b->job(L, b->arg);
	return 0;
}

static enum lua_box_end
ended(struct lua_box *b, int status)
{
	const char *text = lua_tostring(b->L, -1);

	if (status == 0)
		return BOX_DONE;
	if (b->full || status == LUA_ERRMEM) {
		snprintf(b->why, WHY, "%s: more than Max_Memory (%llu bytes)", b->conf.name,
		    (unsigned long long)b->conf.memory);
		return BOX_MEMORY;
	}
	snprintf(b->why, WHY, "%s", text != NULL ? text : "an error that is no text");
	return b->left <= 0 ? BOX_INSTRUCTIONS : BOX_FAILED;
}

/* What the last records have left is taken away before it fills the box. */
static void
collect(struct lua_box *b)
{
	if (b->used < b->conf.memory / 2 || b->used - b->collected < b->conf.memory / 8)
		return;
	lua_gc(b->L, LUA_GCCOLLECT, 0);
	b->collected = b->used;
}

/* Call ${job} within the bounds. */
static enum lua_box_end
bounded_run(struct lua_box *b, void (*job)(lua_State *L, void *arg), void *arg)
{
	uint64_t most = b->conf.instructions;
	enum lua_box_end end;
	int status;

	b->job = job;
	b->arg = arg;
	b->full = false;
	b->left = (int64_t)most;
	b->ends = 0;
	b->bounded = true;
	lua_sethook(b->L, on_count, LUA_MASKCOUNT, most < HOOK_EACH ? (int)most : HOOK_EACH);
	status = lua_cpcall(b->L, run, b);
	b->bounded = false;
	end = ended(b, status);
	lua_settop(b->L, 0);
	return end;
}

static void
load_script(lua_State *L, void *arg)
{
	struct lua_box *b = arg;
	char *name = xprintf("@%s", b->conf.name);
	int status = luaL_loadbuffer(L, b->conf.source.at, b->conf.source.len, name);

	free(name);
	if (status != 0)
		lua_error(L);
	lua_call(L, 0, 0);
	lua_getglobal(L, b->conf.call);
	if (lua_type(L, -1) != LUA_TFUNCTION)
		luaL_error(L, "%s defines no function '%s'", b->conf.name, b->conf.call);
}

/* A new state with the script in it; false: why not is known. */
static bool
begin(struct lua_box *b)
{
	if (b->L != NULL)
		lua_close(b->L);
	b->used = b->collected = 0;
	b->bounded = false;
	b->L = lua_newstate(allocate, b);
	if (b->L == NULL)
		abort(); /* xrealloc has not returned */
	lua_atpanic(b->L, on_panic);
	libraries_open(b->L);
	return bounded_run(b, load_script, b) == BOX_DONE;
}

struct lua_box *
lua_box_new(const struct lua_box_conf *conf, char *why, size_t size)
{
	struct lua_box *b = xcalloc(1, sizeof(*b));

	b->conf = *conf;
	if (conf->source.len > 0 && conf->source.at[0] == LUA_SIGNATURE[0])
		snprintf(b->why, WHY, "%s is precompiled: the script's text is needed", conf->name);
	else if (begin(b))
		return b;
	snprintf(why, size, "%s", b->why);
	lua_box_free(b);
	return NULL;
}

void
lua_box_free(struct lua_box *b)
{
	if (b == NULL)
		return;
	b->bounded = false;
	if (b->L != NULL)
		lua_close(b->L);
	free(b);
}

enum lua_box_end
lua_box_run(struct lua_box *b, void (*job)(lua_State *L, void *arg), void *arg)
{
	enum lua_box_end end;

	collect(b);
	end = bounded_run(b, job, arg);
	if (end != BOX_MEMORY)
		return end;
	lua_gc(b->L, LUA_GCCOLLECT, 0);
	b->collected = b->used;
	if (b->used > b->conf.memory / 2 && !begin(b)) /* what it has gathered fills the box */
		say_error("lua", "%s: the script cannot begin anew", b->conf.name);
	return end;
}

void
lua_box_unbound(lua_State *L)
{
	box_of(L)->bounded = false;
	lua_sethook(L, NULL, 0, 0);
}

void
lua_box_push(lua_State *L)
{
	lua_getglobal(L, box_of(L)->conf.call);
}

const char *
lua_box_why(const struct lua_box *b)
{
	return b->why;
}
