/* Lua's find, match, gmatch and gsub, whose work is counted.  Inside src/filter/ alone. */
#ifndef LUA_PATTERN_H
#define LUA_PATTERN_H

#include <lua5.1/lua.h>

/**
 * lua_pattern_open(L, charge):
 * Put the four functions into the table on top of the stack, in place of the library's,
 * whose meaning they have (Lua 5.1 Reference Manual, 5.4.1).  ${charge} is called with
 * the steps that they have taken; it may raise an error.
 */
void lua_pattern_open(lua_State *L, void (*charge)(lua_State *L, unsigned long steps));

#endif
