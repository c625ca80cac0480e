/*
 * Lua's patterns.  The library's own functions take as long as a pattern and a line make
 * them, far beyond the reach of a hook: "a*a*a*b" on a long line is its length cubed.
 * Each comparison here is a step that the script pays for.
 */
#include "lua_pattern.h"

#include <ctype.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <lua5.1/lauxlib.h>

#define ESCAPE '%'
#define DEPTH 200       /* items of a pattern that are tried within each other */
#define CHARGE_EACH 256 /* steps that are charged at once */

enum { CAPTURE_OPEN = -1, CAPTURE_PLACE = -2 }; /* in the place of a length */

struct capture {
	const char *at;
	ptrdiff_t len;
};

/* One attempt: a subject, a pattern, and the captures so far. */
struct attempt {
	lua_State *L;
	const char *from, *end; /* of the subject */
	const char *pattern_end;
	int n;
	struct capture captures[LUA_MAXCAPTURES];
	unsigned depth;
	unsigned steps;
};

/* The function of whoever counts: one for all states. */
static void (*charge_with)(lua_State *L, unsigned long steps);

static void
step(struct attempt *a)
{
	if (++a->steps < CHARGE_EACH)
		return;
	a->steps = 0;
	charge_with(a->L, CHARGE_EACH);
}

static const char *match_here(struct attempt *a, const char *s, const char *p);

/* ---- one character */

static unsigned char
byte_of(const char *at)
{
	return *(const unsigned char *)at;
}

/* The end of the single item that begins at ${p}: a character, a class, a set. */
static const char *
item_end(const struct attempt *a, const char *p)
{
	if (*p == ESCAPE) {
		if (p + 1 == a->pattern_end)
			luaL_error(a->L, "malformed pattern (ends with '%%')");
		return p + 2;
	}
	if (*p++ != '[')
		return p;
	p += p < a->pattern_end && *p == '^';
	do { /* a ] that comes first is a character of the set */
		if (p >= a->pattern_end)
			luaL_error(a->L, "malformed pattern (missing ']')");
		p += *p == ESCAPE && p + 1 < a->pattern_end ? 2 : 1;
	} while (p >= a->pattern_end || *p != ']');
	return p + 1;
}

static bool
class_has(unsigned char class, unsigned char c)
{
	static const struct {
		char name;
		int (*has)(int);
	} classes[] = { { 'a', isalpha }, { 'c', iscntrl }, { 'd', isdigit }, { 'l', islower },
		{ 'p', ispunct }, { 's', isspace }, { 'u', isupper }, { 'w', isalnum },
		{ 'x', isxdigit } };

	for (size_t i = 0; i < sizeof(classes) / sizeof(*classes); i++)
		if (tolower(class) == classes[i].name)
			return (classes[i].has(c) != 0) == (islower(class) != 0);
	if (tolower(class) == 'z')
		return (c == '\0') == (class == 'z');
	return class == c;
}

/* ${p} is at the [ of a set, ${end} at its ]. */
static bool
set_has(const char *p, const char *end, unsigned char c)
{
	bool complement = p[1] == '^';

	for (p += 1 + complement; p < end; p++) {
		if (*p == ESCAPE) {
			p++;
			if (class_has(byte_of(p), c))
				return !complement;
		} else if (p + 2 < end && p[1] == '-') {
			if (byte_of(p) <= c && c <= byte_of(p + 2))
				return !complement;
			p += 2;
		} else if (byte_of(p) == c) {
			return !complement;
		}
	}
	return complement;
}

/* True when the item [${p}, ${end}) matches the character at ${s}. */
static bool
item_has(struct attempt *a, const char *s, const char *p, const char *end)
{
	step(a);
	if (s >= a->end)
		return false;
	switch (*p) {
	case '.':
		return true;
	case ESCAPE:
		return class_has(byte_of(p + 1), byte_of(s));
	case '[':
		return set_has(p, end - 1, byte_of(s));
	default:
		return byte_of(p) == byte_of(s);
	}
}

/* ---- repetitions: as many as possible, or as few */

static const char *
repeat_most(struct attempt *a, const char *s, const char *p, const char *end, ptrdiff_t least)
{
	ptrdiff_t n = 0;

	while (item_has(a, s + n, p, end))
		n++;
	for (; n >= least; n--) {
		const char *got = match_here(a, s + n, end + 1);

		if (got != NULL)
			return got;
	}
	return NULL;
}

static const char *
repeat_least(struct attempt *a, const char *s, const char *p, const char *end)
{
	for (;; s++) {
		const char *got = match_here(a, s, end + 1);

		if (got != NULL)
			return got;
		if (!item_has(a, s, p, end))
			return NULL;
	}
}

/* ---- captures */

static const char *
capture_begin(struct attempt *a, const char *s, const char *p, ptrdiff_t kind)
{
	const char *got;

	if (a->n >= LUA_MAXCAPTURES)
		luaL_error(a->L, "too many captures");
	a->captures[a->n++] = (struct capture){ s, kind };
	got = match_here(a, s, p);
	if (got == NULL)
		a->n--;
	return got;
}

static const char *
capture_end(struct attempt *a, const char *s, const char *p)
{
	int i = a->n - 1;
	const char *got;

	while (i >= 0 && a->captures[i].len != CAPTURE_OPEN)
		i--;
	if (i < 0)
		luaL_error(a->L, "invalid pattern capture");
	a->captures[i].len = s - a->captures[i].at;
	got = match_here(a, s, p);
	if (got == NULL)
		a->captures[i].len = CAPTURE_OPEN;
	return got;
}

/* The text of a capture again: %1. */
static const char *
capture_again(struct attempt *a, const char *s, char digit)
{
	int i = digit - '1';
	size_t len;

	if (i < 0 || i >= a->n || a->captures[i].len == CAPTURE_OPEN)
		luaL_error(a->L, "invalid capture index");
	if (a->captures[i].len == CAPTURE_PLACE)
		return NULL;
	len = (size_t)a->captures[i].len;
	charge_with(a->L, len / 16 + 1);
	if ((size_t)(a->end - s) < len || memcmp(a->captures[i].at, s, len) != 0)
		return NULL;
	return s + len;
}

/* ---- items of their own */

/* %bxy: from an x to its y. */
static const char *
match_balanced(struct attempt *a, const char *s, const char *p)
{
	int depth = 1;

	if (a->pattern_end - p < 2)
		luaL_error(a->L, "unbalanced pattern");
	if (s >= a->end || *s != p[0])
		return NULL;
	while (++s < a->end) {
		step(a);
		if (*s == p[1]) {
			if (--depth == 0)
				return s + 1;
		} else if (*s == p[0]) {
			depth++;
		}
	}
	return NULL;
}

/* %f[set]: between a character that is not in the set and one that is. */
static bool
match_frontier(struct attempt *a, const char *s, const char *p, const char *end)
{
	unsigned char before = s == a->from ? '\0' : byte_of(s - 1);
	unsigned char here = s < a->end ? byte_of(s) : '\0';

	step(a);
	return !set_has(p, end - 1, before) && set_has(p, end - 1, here);
}

/* Behind a % that is none of a class: where the match goes on in ${*s} and ${*p}; false: it fails. */
static bool
match_special(struct attempt *a, const char **s, const char **p)
{
	const char *end;

	if ((*p)[1] == 'b') {
		*s = match_balanced(a, *s, *p + 2);
		*p += 4;
		return *s != NULL;
	}
	if ((*p)[1] == 'f') {
		*p += 2;
		if (*p >= a->pattern_end || **p != '[')
			luaL_error(a->L, "missing '[' after '%%f' in pattern");
		end = item_end(a, *p);
		if (!match_frontier(a, *s, *p, end))
			return false;
		*p = end;
		return true;
	}
	*s = capture_again(a, *s, (*p)[1]);
	*p += 2;
	return *s != NULL;
}

static bool
is_special(const struct attempt *a, const char *p)
{
	return *p == ESCAPE && p + 1 < a->pattern_end &&
	       (p[1] == 'b' || p[1] == 'f' || isdigit(byte_of(p + 1)));
}

/* A single item with what stands behind it; false: the rest is tried by the caller, from ${*s} on. */
static bool
match_item(struct attempt *a, const char **s, const char **p, const char **got)
{
	const char *end = item_end(a, *p);
	char suffix = end < a->pattern_end ? *end : '\0';

	switch (suffix) {
	case '?':
		if (item_has(a, *s, *p, end) && (*got = match_here(a, *s + 1, end + 1)) != NULL)
			return true;
		*p = end + 1;
		return false;
	case '*':
		*got = repeat_most(a, *s, *p, end, 0);
		return true;
	case '+':
		*got = repeat_most(a, *s, *p, end, 1);
		return true;
	case '-':
		*got = repeat_least(a, *s, *p, end);
		return true;
	default:
		*got = NULL;
		if (!item_has(a, *s, *p, end))
			return true;
		++*s;
		*p = end;
		return false;
	}
}

static const char *
match_on(struct attempt *a, const char *s, const char *p)
{
	const char *got = NULL;

	while (p < a->pattern_end) {
		if (*p == '(' && p + 1 < a->pattern_end && p[1] == ')')
			return capture_begin(a, s, p + 2, CAPTURE_PLACE);
		if (*p == '(')
			return capture_begin(a, s, p + 1, CAPTURE_OPEN);
		if (*p == ')')
			return capture_end(a, s, p + 1);
		if (*p == '$' && p + 1 == a->pattern_end)
			return s == a->end ? s : NULL;
		if (is_special(a, p)) {
			if (!match_special(a, &s, &p))
				return NULL;
		} else if (match_item(a, &s, &p, &got)) {
			return got;
		}
	}
	return s;
}

/* The end of the match of the pattern's rest ${p} that begins at ${s}, or NULL. */
static const char *
match_here(struct attempt *a, const char *s, const char *p)
{
	const char *got;

	if (++a->depth > DEPTH)
		luaL_error(a->L, "pattern too complex");
	step(a);
	got = match_on(a, s, p);
	a->depth--;
	return got;
}

/* ---- results */

static void
capture_push(const struct attempt *a, int i, const char *s, const char *end)
{
	if (i >= a->n) {
		if (i != 0)
			luaL_error(a->L, "invalid capture index");
		lua_pushlstring(a->L, s, (size_t)(end - s));
	} else if (a->captures[i].len == CAPTURE_PLACE) {
		lua_pushinteger(a->L, a->captures[i].at - a->from + 1);
	} else if (a->captures[i].len == CAPTURE_OPEN) {
		luaL_error(a->L, "unfinished capture");
	} else {
		lua_pushlstring(a->L, a->captures[i].at, (size_t)a->captures[i].len);
	}
}

/* The captures; the whole match when there are none and ${s} is not NULL. */
static int
captures_push(const struct attempt *a, const char *s, const char *end)
{
	int n = a->n == 0 && s != NULL ? 1 : a->n;

	luaL_checkstack(a->L, n, "too many captures");
	for (int i = 0; i < n; i++)
		capture_push(a, i, s, end);
	return n;
}

static struct attempt
attempt_of(lua_State *L, const char *subject, size_t len, const char *pattern, size_t pattern_len)
{
	return (struct attempt){
		.L = L, .from = subject, .end = subject + len, .pattern_end = pattern + pattern_len
	};
}

static const char *
attempt_at(struct attempt *a, const char *s, const char *pattern)
{
	a->n = 0;
	a->depth = 0;
	step(a);
	return match_here(a, s, pattern);
}

/* ---- find and match */

static bool
is_plain(const char *pattern, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (strchr("^$*+?.([%-", pattern[i]) != NULL && pattern[i] != '\0')
			return false;
	return true;
}

/* Where it begins to look, from 0; a negative one counts from the end. */
static size_t
start_of(lua_State *L, size_t len)
{
	ptrdiff_t from = (ptrdiff_t)luaL_optinteger(L, 3, 1);

	if (from < 0)
		from += (ptrdiff_t)len + 1;
	if (from < 1)
		from = 1;
	return (size_t)from - 1 > len ? len : (size_t)from - 1;
}

static int
find_plain(lua_State *L, const char *s, size_t len, const char *p, size_t plen, size_t start)
{
	const char *at;

	charge_with(L, (len - start) / 16 + 1);
	at = plen == 0 ? s + start : memmem(s + start, len - start, p, plen);
	if (at == NULL) {
		lua_pushnil(L);
		return 1;
	}
	lua_pushinteger(L, at - s + 1);
	lua_pushinteger(L, at - s + (ptrdiff_t)plen);
	return 2;
}

static int
find_or_match(lua_State *L, bool find)
{
	size_t len, plen, start;
	const char *s = luaL_checklstring(L, 1, &len), *p = luaL_checklstring(L, 2, &plen), *end;
	bool anchored = plen > 0 && p[0] == '^';
	struct attempt a = attempt_of(L, s, len, p, plen);

	start = start_of(L, len);
	if (find && (lua_toboolean(L, 4) || is_plain(p, plen)))
		return find_plain(L, s, len, p, plen, start);
	for (const char *at = s + start; at <= s + len; at++) {
		end = attempt_at(&a, at, p + anchored);
		if (end != NULL && find) {
			lua_pushinteger(L, at - s + 1);
			lua_pushinteger(L, end - s);
			return captures_push(&a, NULL, NULL) + 2;
		}
		if (end != NULL)
			return captures_push(&a, at, end);
		if (anchored)
			break;
	}
	lua_pushnil(L);
	return 1;
}

static int
find(lua_State *L)
{
	return find_or_match(L, true);
}

static int
match(lua_State *L)
{
	return find_or_match(L, false);
}

/* ---- gmatch */

static int
gmatch_next(lua_State *L)
{
	size_t len, plen;
	const char *s = lua_tolstring(L, lua_upvalueindex(1), &len), *end;
	const char *p = lua_tolstring(L, lua_upvalueindex(2), &plen);
	struct attempt a = attempt_of(L, s, len, p, plen);

	for (const char *at = s + lua_tointeger(L, lua_upvalueindex(3)); at <= s + len; at++) {
		end = attempt_at(&a, at, p);
		if (end == NULL)
			continue;
		lua_pushinteger(L, end - s + (end == at));
		lua_replace(L, lua_upvalueindex(3));
		return captures_push(&a, at, end);
	}
	return 0;
}

static int
gmatch(lua_State *L)
{
	luaL_checkstring(L, 1);
	luaL_checkstring(L, 2);
	lua_settop(L, 2);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, gmatch_next, 3);
	return 1;
}

/* ---- gsub */

static void
text_add(struct attempt *a, luaL_Buffer *b, const char *s, const char *end)
{
	size_t len;
	const char *text = lua_tolstring(a->L, 3, &len);

	for (size_t i = 0; i < len; i++) {
		if (text[i] != ESCAPE) {
			luaL_addchar(b, text[i]);
		} else if (i + 1 == len || !isdigit(byte_of(&text[i + 1]))) {
			i++;
			luaL_addchar(b, i < len ? text[i] : '\0');
		} else if (text[++i] == '0') {
			luaL_addlstring(b, s, (size_t)(end - s));
		} else {
			capture_push(a, text[i] - '1', s, end);
			luaL_addvalue(b);
		}
	}
}

/* What a function or a table has for the match; false and nil leave it as it is. */
static void
value_add(struct attempt *a, luaL_Buffer *b, const char *s, const char *end)
{
	lua_State *L = a->L;

	if (lua_type(L, 3) == LUA_TFUNCTION) {
		lua_pushvalue(L, 3);
		lua_call(L, captures_push(a, s, end), 1);
	} else {
		capture_push(a, 0, s, end);
		lua_gettable(L, 3);
	}
	if (!lua_toboolean(L, -1)) {
		lua_pop(L, 1);
		lua_pushlstring(L, s, (size_t)(end - s));
	} else if (!lua_isstring(L, -1)) {
		luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
	}
	luaL_addvalue(b);
}

static int
gsub(lua_State *L)
{
	size_t len, plen;
	const char *s = luaL_checklstring(L, 1, &len), *p = luaL_checklstring(L, 2, &plen);
	int type = lua_type(L, 3);
	lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)len + 1), n = 0;
	bool anchored = plen > 0 && p[0] == '^';
	struct attempt a = attempt_of(L, s, len, p, plen);
	luaL_Buffer b;

	luaL_argcheck(L,
	    type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION ||
		type == LUA_TTABLE,
	    3, "string/function/table expected");
	luaL_buffinit(L, &b);
	while (n < most) {
		const char *end = attempt_at(&a, s, p + anchored);

		if (end != NULL) {
			n++;
			if (type == LUA_TFUNCTION || type == LUA_TTABLE)
				value_add(&a, &b, s, end);
			else
				text_add(&a, &b, s, end);
		}
		if (end != NULL && end > s)
			s = end;
		else if (s < a.end)
			luaL_addchar(&b, *s++);
		else
			break;
		if (anchored)
			break;
	}
	luaL_addlstring(&b, s, (size_t)(a.end - s));
	luaL_pushresult(&b);
	lua_pushinteger(L, n);
	return 2;
}

void
lua_pattern_open(lua_State *L, void (*charge)(lua_State *L, unsigned long steps))
{
	static const luaL_Reg functions[] = { { "find", find }, { "match", match },
		{ "gmatch", gmatch }, { "gsub", gsub }, { NULL, NULL } };

	charge_with = charge;
	luaL_register(L, NULL, functions);
}
