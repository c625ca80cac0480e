/*
 * Fields to a table and back.  A table has no order, its numbers are doubles, and it
 * cannot hold null: so the fields stay, and only what the script has changed is written.
 */
#include "lua_record.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <lua5.1/lauxlib.h>

#include "lua_box.h"

#define VALUES 100000 /* of a record that a script returns */
#define NUMBER 64     /* characters of one that is read without a copy of Lua's */

/* The arena is full: the chain sees that, and the record goes on as it was. */
static void
room_check(lua_State *L, const struct lua_record *of)
{
	if (of->shape->full)
		luaL_error(L, "no room for the record's fields");
}

static void
depth_check(lua_State *L, int depth)
{
	if (depth > SHAPE_DEPTH)
		luaL_error(L, "a table lies too deep, or in itself");
	luaL_checkstack(L, 8, "tables in tables");
}

static bool
is_listed(const struct list *names, struct slice name)
{
	for (size_t i = 0; i < names->n; i++)
		if (slice_eq(slice_of(names->at[i]), name))
			return true;
	return false;
}

/* ---- to a table */

static double
number_of(struct slice text)
{
	char copy[NUMBER];

	if (text.len >= sizeof(copy))
		return NAN; /* of another text than the table's, in any case */
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	return strtod(copy, NULL);
}

static bool
is_number(const struct shape_node *node)
{
	return node->kind == SHAPE_SCALAR && node->text.len > 0 &&
	       strchr("-0123456789", node->text.at[0]) != NULL;
}

static void
scalar_push(lua_State *L, const struct shape_node *node, bool null)
{
	if (is_number(node) && node->text.len < NUMBER)
		lua_pushnumber(L, number_of(node->text));
	else if (is_number(node))
		lua_pushlstring(L, node->text.at, node->text.len);
	else if (slice_eq(node->text, SLICE("true")) || slice_eq(node->text, SLICE("false")))
		lua_pushboolean(L, node->text.at[0] == 't');
	else if (null)
		lua_pushlightuserdata(L, NULL);
	else
		lua_pushnil(L);
}

static void node_push(
    lua_State *L, const struct lua_record *of, struct shape_node *node, bool null, int depth);

static void
members_push(lua_State *L, const struct lua_record *of, struct shape_node *node, int depth)
{
	struct shape_node *member = shape_first(of->shape, node);
	int i = 0;

	room_check(L, of);
	lua_newtable(L);
	if (node->kind == SHAPE_LIST) {
		luaL_getmetatable(L, LUA_BOX_LIST);
		lua_setmetatable(L, -2);
	}
	for (; member != NULL; member = shape_next(member)) {
		if (node->kind == SHAPE_LIST) {
			node_push(L, of, member, true, depth + 1);
			lua_rawseti(L, -2, ++i);
		} else {
			lua_pushlstring(L, member->name.at, member->name.len);
			node_push(L, of, member, of->nulls, depth + 1);
			lua_rawset(L, -3);
		}
	}
}

static void
node_push(lua_State *L, const struct lua_record *of, struct shape_node *node, bool null, int depth)
{
	depth_check(L, depth);
	(void)shape_first(of->shape, node); /* one of too many members becomes text */
	room_check(L, of);
	switch (node->kind) {
	case SHAPE_TEXT:
		lua_pushlstring(L, node->text.at, node->text.len);
		break;
	case SHAPE_SCALAR:
		scalar_push(L, node, null);
		break;
	case SHAPE_MAP:
	case SHAPE_LIST:
		members_push(L, of, node, depth);
	}
}

void
lua_record_push(lua_State *L, const struct lua_record *of)
{
	node_push(L, of, of->shape->root, of->nulls, 0);
}

/* ---- from a table */

/* True when the table on top has no other keys than 1, 2, …; ${*n} of them. */
static bool
is_sequence(lua_State *L, size_t *n)
{
	size_t len = lua_objlen(L, -1);

	*n = 0;
	lua_pushnil(L);
	while (lua_next(L, -2) != 0) {
		double key = lua_type(L, -2) == LUA_TNUMBER ? lua_tonumber(L, -2) : 0;

		lua_pop(L, 1);
		if (key < 1 || key > (double)len || key != floor(key)) {
			lua_pop(L, 1);
			return false;
		}
		++*n;
	}
	return *n == len;
}

/* True when the table on top is written as a list, of ${*n} elements. */
static bool
is_list(lua_State *L, const struct lua_record *of, struct slice name, size_t *n)
{
	int top = lua_gettop(L);
	bool came, sequence;

	if (is_listed(of->lists, name)) {
		*n = lua_objlen(L, -1);
		return true;
	}
	sequence = is_sequence(L, n);
	if (!sequence || *n > 0)
		return sequence;
	luaL_getmetatable(L, LUA_BOX_LIST);
	came = lua_getmetatable(L, -2) && lua_rawequal(L, -1, -2);
	lua_settop(L, top);
	return came;
}

/* A whole number as one, else the shortest text that is the same number. */
static size_t
number_write(double d, char to[NUMBER])
{
	int n = 0;

	if (!isfinite(d))
		return (size_t)snprintf(to, NUMBER, "null");
	if (d == floor(d) && fabs(d) < 9e18)
		return (size_t)snprintf(to, NUMBER, "%lld", (long long)d);
	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(to, NUMBER, "%.*g", digits, d);
		if (strtod(to, NULL) == d)
			break;
	}
	return (size_t)n;
}

static void
scalar_take(lua_State *L, const struct lua_record *of, struct shape_node *node, struct slice text)
{
	if (node->kind == SHAPE_SCALAR && slice_eq(node->text, text))
		return;
	text = shape_keep(of->shape, text);
	room_check(L, of);
	shape_set(node, SHAPE_SCALAR, text);
}

static void
number_take(lua_State *L, const struct lua_record *of, struct shape_node *node)
{
	double d = lua_tonumber(L, -1);
	char text[NUMBER];

	if (is_listed(of->integers, node->name))
		d = trunc(d);
	else if (is_number(node) && number_of(node->text) == d)
		return;
	scalar_take(L, of, node, (struct slice){ text, number_write(d, text) });
}

static void
text_take(lua_State *L, const struct lua_record *of, struct shape_node *node)
{
	struct slice text;

	text.at = lua_tolstring(L, -1, &text.len);
	if (node->kind == SHAPE_TEXT && slice_eq(node->text, text))
		return;
	if (is_number(node) && node->text.len >= NUMBER && slice_eq(node->text, text))
		return;
	text = shape_keep(of->shape, text);
	room_check(L, of);
	shape_set(node, SHAPE_TEXT, text);
}

static void node_take(
    lua_State *L, const struct lua_record *of, struct shape_node *node, int depth);

static void
list_take(lua_State *L, const struct lua_record *of, struct shape_node *node, size_t n, int depth)
{
	struct shape_node *member = shape_first(of->shape, node), *next;

	if (node->kind != SHAPE_LIST) {
		shape_set(node, SHAPE_LIST, SLICE(""));
		member = NULL;
	}
	for (size_t i = 1; i <= n; i++) {
		if (member == NULL)
			member = shape_put(of->shape, node, SLICE(""));
		room_check(L, of);
		lua_rawgeti(L, -1, (int)i);
		node_take(L, of, member, depth + 1);
		lua_pop(L, 1);
		member = shape_next(member);
	}
	for (; member != NULL; member = next) {
		next = shape_next(member);
		shape_remove(node, member);
	}
}

/* The value on top and all that is in it can be written. */
static void
value_check(lua_State *L, int depth, size_t *values)
{
	int type = lua_type(L, -1);

	depth_check(L, depth);
	if (++*values > VALUES)
		luaL_error(L, "more than %d values in a record", VALUES);
	if (type == LUA_TFUNCTION || type == LUA_TUSERDATA || type == LUA_TTHREAD)
		luaL_error(L, "a field is a %s", lua_typename(L, type));
	if (type != LUA_TTABLE)
		return;
	lua_pushnil(L);
	while (lua_next(L, -2) != 0) {
		if (lua_type(L, -2) != LUA_TSTRING && lua_type(L, -2) != LUA_TNUMBER)
			luaL_error(L, "a field's name is a %s", luaL_typename(L, -2));
		value_check(L, depth + 1, values);
		lua_pop(L, 1);
	}
}

void
lua_record_check(lua_State *L)
{
	size_t values = 0;

	value_check(L, 0, &values);
}

/* The name that is the key under the value on top. */
static struct slice
key_of(lua_State *L)
{
	struct slice name;

	lua_pushvalue(L, -2); /* lua_tolstring() would change a number in its place */
	name.at = lua_tolstring(L, -1, &name.len);
	return name;
}

/* The members that are there: changed, or gone. */
static void
members_take(lua_State *L, const struct lua_record *of, struct shape_node *node, int depth)
{
	struct shape_node *member = shape_first(of->shape, node), *next;

	for (; member != NULL; member = next) {
		next = shape_next(member);
		lua_pushlstring(L, member->name.at, member->name.len);
		lua_rawget(L, -2);
		if (lua_isnil(L, -1))
			shape_remove(node, member);
		else
			node_take(L, of, member, depth + 1);
		lua_pop(L, 1);
	}
}

static void
map_take(lua_State *L, const struct lua_record *of, struct shape_node *node, int depth)
{
	if (node->kind != SHAPE_MAP)
		shape_set(node, SHAPE_MAP, SLICE(""));
	members_take(L, of, node, depth);
	lua_pushnil(L);
	while (lua_next(L, -2) != 0) {
		struct slice name = key_of(L);
		struct shape_node *member = shape_get(of->shape, node, name);

		if (member == NULL) {
			member = shape_put(of->shape, node, shape_keep(of->shape, name));
			room_check(L, of);
			lua_pop(L, 1);
			node_take(L, of, member, depth + 1);
		} else {
			lua_pop(L, 1);
		}
		lua_pop(L, 1);
	}
}

static void
table_take(lua_State *L, const struct lua_record *of, struct shape_node *node, int depth)
{
	size_t n;

	if (depth > 0 && is_list(L, of, node->name, &n))
		list_take(L, of, node, n, depth);
	else
		map_take(L, of, node, depth);
}

/* The value on top becomes that of ${node}. */
static void
node_take(lua_State *L, const struct lua_record *of, struct shape_node *node, int depth)
{
	depth_check(L, depth);
	switch (lua_type(L, -1)) {
	case LUA_TTABLE:
		table_take(L, of, node, depth);
		break;
	case LUA_TSTRING:
		text_take(L, of, node);
		break;
	case LUA_TNUMBER:
		number_take(L, of, node);
		break;
	case LUA_TBOOLEAN:
		scalar_take(L, of, node, lua_toboolean(L, -1) ? SLICE("true") : SLICE("false"));
		break;
	case LUA_TNIL:
	case LUA_TLIGHTUSERDATA: /* flb_null */
		scalar_take(L, of, node, SLICE("null"));
		break;
	default:
		break; /* lua_record_check() refuses them */
	}
}

void
lua_record_take(lua_State *L, const struct lua_record *of)
{
	node_take(L, of, of->shape->root, 0);
}

size_t
lua_record_count(lua_State *L)
{
	size_t n;
	bool table;

	if (!is_sequence(L, &n) || n == 0)
		return 0;
	lua_rawgeti(L, -1, 1);
	table = lua_istable(L, -1);
	lua_pop(L, 1);
	return table ? n : 0;
}
