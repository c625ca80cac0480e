/* Lua's library and ours, by the answers of all their four functions. */
#ifndef LUA_TWIN_H
#define LUA_TWIN_H

#include "unit.h"

#include <stdlib.h>

#include <lua5.1/lauxlib.h>
#include <lua5.1/lualib.h>

#include "../../src/filter/lua_pattern.h"
#include "memory.h"

/* What our functions have been charged, and the most; 0: no bound. */
static unsigned long charged, most;

static void
charge(lua_State *L, unsigned long steps)
{
	charged += steps;
	if (most > 0 && charged > most)
		luaL_error(L, "paid out");
}

static lua_State *
state_of(bool ours)
{
	lua_State *L = luaL_newstate();

	luaL_openlibs(L);
	lua_getglobal(L, "string");
	if (ours)
		lua_pattern_open(L, charge);
	lua_settop(L, 0);
	return L;
}

/* What all four functions answer, as a text; an error's text has no place. */
static const char script[] =
    "local s, p, r, n = ...\n"
    "local out = {}\n"
    "local function put(...)\n"
    "  for i = 1, select('#', ...) do out[#out + 1] = tostring((select(i, ...))) end\n"
    "  out[#out + 1] = ';'\n"
    "end\n"
    "put(pcall(string.find, s, p))\n"
    "put(pcall(string.find, s, p, n))\n"
    "put(pcall(string.find, s, p, 1, true))\n"
    "put(pcall(string.match, s, p))\n"
    "put(pcall(string.match, s, p, n))\n"
    "put(pcall(string.gsub, s, p, r))\n"
    "put(pcall(string.gsub, s, p, r, n))\n"
    "put(pcall(string.gsub, s, p, {a = 'T', b = false}))\n"
    "put(pcall(string.gsub, s, p, function(x, y) return y and x end))\n"
    "local k = 0\n"
    "put(pcall(function() for x, y in string.gmatch(s, p) do k = k + 1; put(x, y)\n"
    "  if k > 50 then break end end end))\n"
    "return (table.concat(out, ' '):gsub('in function <[^>]*>', ''))\n";

static char *
answers(lua_State *L, struct slice s, struct slice p, struct slice r, int n)
{
	char *text;

	assert_int_equal(luaL_loadstring(L, script), 0);
	lua_pushlstring(L, s.at, s.len);
	lua_pushlstring(L, p.at, p.len);
	lua_pushlstring(L, r.at, r.len);
	lua_pushinteger(L, n);
	if (lua_pcall(L, 4, 1, 0) != 0 && (most == 0 || charged <= most))
		fail_msg("%s", lua_tostring(L, -1));
	text = xstrdup(lua_tostring(L, -1));
	lua_settop(L, 0);
	return text;
}

#endif
