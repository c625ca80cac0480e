/*
 * The sandbox of scripts: what is not there, what is bounded, what a failure says.
 */
#include "unit.h"

#include <stdlib.h>

#include <lua5.1/lauxlib.h>

#include "../../src/filter/lua_box.h"
#include "memory.h"

static const char *const env[] = { "TOWLINE_SHOWN" };

static struct lua_box_conf
conf_of(const char *source)
{
	return (struct lua_box_conf){ .name = "t.lua",
		.source = slice_of(source),
		.call = "f",
		.memory = 2000000,
		.instructions = 1000000,
		.env = env,
		.nenv = COUNT(env) };
}

static void
call(lua_State *L, void *arg)
{
	char **answer = arg;

	lua_box_push(L);
	lua_call(L, 0, 1);
	free(*answer);
	*answer = NULL;
	if (lua_isstring(L, -1))
		*answer = xstrdup(lua_tostring(L, -1));
}

/* What f() of the script answers; NULL: it fails, and the box says ${why}. */
static char *
answer_of(const char *source, enum lua_box_end want, char *why, size_t size)
{
	struct lua_box_conf conf = conf_of(source);
	struct lua_box *b = lua_box_new(&conf, why, size);
	char *answer = NULL;

	if (b == NULL)
		fail_msg("%s", why);
	assert_int_equal(lua_box_run(b, call, &answer), want);
	snprintf(why, size, "%s", lua_box_why(b));
	lua_box_free(b);
	return answer;
}

static const struct {
	const char *body; /* of f() */
	const char *want;
} computes[] = {
	{ "return 1 + 1", "2" },
	{ "return ('x'):rep(3) .. ('ab'):upper()", "xxxAB" },
	{ "return (('a.b.c'):gsub('%.', '_'))", "a_b_c" },
	{ "return ('k=v'):match('=(%w)')", "v" },
	{ "return string.format('%05.1f|%s|%q', 3.14159, 'x', 'y')", "003.1|x|\"y\"" },
	{ "local t = {3, 1, 2} table.sort(t) return table.concat(t, ',')", "1,2,3" },
	{ "local t = {'b', 'a'} table.sort(t) local u = {1, 2} table.sort(u, function(a, b) return a > b "
	  "end) return t[1] .. u[1]",
	    "a2" },
	{ "return tostring(pcall(table.sort, {1, 'x'}))", "false" },
	{ "local t = {} for i = 1, 3 do table.insert(t, 1, i) end return #t .. t[1]", "33" },
	{ "return os.date('!%Y-%m-%d', 0)", "1970-01-01" },
	{ "return type(os.time()) .. type(os.clock())", "numbernumber" },
	{ "return tostring(pcall(error, 'x'))", "false" },
	{ "return tostring(os.getenv('HOME'))", "nil" },
	{ "return os.getenv('TOWLINE_SHOWN') .. FLB_ENV.TOWLINE_SHOWN", "seenseen" },
	{ "print('to the log') return type(collectgarbage('count'))", "number" },
	{ "return type(flb_null)", "userdata" },
	{ "return tostring(select(2, xpcall(function() return 7 end, print)))", "7" },
	{ "return select(2, xpcall(function() error('x', 0) end, function(e) return e .. e end))",
	    "xx" },
	{ "return math.floor(2.5) .. select('#', unpack({1, 2}))", "22" },
};

static void
test_a_script_computes(void **state)
{
	(void)state;
	setenv("TOWLINE_SHOWN", "seen", 1);
	for (size_t i = 0; i < COUNT(computes); i++) {
		char *source = xprintf("function f() %s end", computes[i].body), why[256];
		char *got = answer_of(source, BOX_DONE, why, sizeof(why));

		assert_string_equal(got, computes[i].want);
		free(got);
		free(source);
	}
}

static const struct {
	const char *body, *why;
} refused[] = {
	{ "io.open('/etc/passwd')", "t.lua:1: io.open is not there: a script opens no files" },
	{ "io.lines('x')", "io.lines is not there" },
	{ "os.execute('true')", "os.execute is not there: a script runs no programs" },
	{ "os.exit(1)", "os.exit is not there" },
	{ "os.remove('x')", "os.remove is not there" },
	{ "require('cjson')", "t.lua:1: require is not there: a script is one file" },
	{ "return package.path", "package.path is not there" },
	{ "debug.sethook()", "debug.sethook is not there" },
	{ "coroutine.create(f)", "coroutine.create is not there" },
	{ "loadstring('return 1')", "loadstring is not there" },
	{ "load(f)", "load is not there" },
	{ "dofile('x')", "dofile is not there" },
	{ "string.dump(f)", "string.dump is not there" },
	{ "newproxy(true)", "newproxy is not there" },
	{ "local x = nil; return x.y", "t.lua:1: attempt to index local 'x' (a nil value)" },
	{ "error('mine')", "t.lua:1: mine" },
	{ "error({})", "an error that is no text" },
	{ "error(5)", "5" },
};

static void
test_what_is_not_there_says_so(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		char *source = xprintf("function f() %s end", refused[i].body), why[256];

		assert_null(answer_of(source, BOX_FAILED, why, sizeof(why)));
		if (strstr(why, refused[i].why) == NULL)
			fail_msg("%s: %s", refused[i].body, why);
		free(source);
	}
}

static const struct {
	const char *body;
	enum lua_box_end end;
} endless[] = {
	{ "while true do end", BOX_INSTRUCTIONS },
	{ "while true do pcall(function() while true do end end) end", BOX_INSTRUCTIONS },
	{ "local function g() pcall(g) g() end g()", BOX_MEMORY },
	{ "return xpcall(function() while true do end end, function() while true do end end)",
	    BOX_INSTRUCTIONS },
	{ "return ('a'):rep(100000):find(('a*'):rep(9) .. 'b')", BOX_INSTRUCTIONS },
	{ "local s = ('x'):rep(100000) while true do local t = s:upper() end", BOX_INSTRUCTIONS },
	{ "local s = ('x'):rep(100000) while true do local t = s .. 'y' end", BOX_INSTRUCTIONS },
	{ "while true do ('x'):rep(0); (''):rep(1e9) end", BOX_INSTRUCTIONS },
	{ "local t = {} for i = 1, 1e9 do table.insert(t, 1, i) end", BOX_INSTRUCTIONS },
	{ "return ('x'):rep(1e9)", BOX_INSTRUCTIONS },
	{ "return ('x'):rep(math.huge)", BOX_INSTRUCTIONS },
	{ "return ('x'):rep(3e6)", BOX_MEMORY },
	{ "local s = 'x' while true do s = s .. s end", BOX_MEMORY },
	{ "local t = {} for i = 1, 1e6 do t[i] = {} end", BOX_MEMORY },
	{ "local t = {} while true do pcall(function() t[#t + 1] = ('x'):rep(9e4) .. #t end) end",
	    BOX_MEMORY },
	{ "return ('x'):rep(100):gsub('x', ('y'):rep(1e5))", BOX_MEMORY },
	/* few instructions, each of which takes long */
	{ "local s = ('x'):rep(4e5) local t = {} for i = 1, 2e4 do t[i] = s end table.sort(t)",
	    BOX_INSTRUCTIONS },
	{ "local s = ('1'):rep(4e5) while true do local n = s + 0 end", BOX_INSTRUCTIONS },
	{ "local s = ('1'):rep(4e5) while true do pcall(tonumber, s) end", BOX_INSTRUCTIONS },
	{ "local t = {} for i = 1, 3e4 do t[i] = i end for i = 1, 3e4 do t[i] = nil end "
	  "while true do next(t) end",
	    BOX_INSTRUCTIONS },
	{ "local t = {} for i = 1, 7000 do t[i] = i end while true do select('#', unpack(t)) end",
	    BOX_INSTRUCTIONS },
};

static void
test_nothing_is_without_bounds(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(endless); i++) {
		char *source = xprintf("function f() %s end", endless[i].body), why[256];

		print_message("%s\n", endless[i].body);
		assert_null(answer_of(source, endless[i].end, why, sizeof(why)));
		assert_non_null(
		    strstr(why, endless[i].end == BOX_MEMORY ? "Max_Memory" : "Max_Instructions"));
		free(source);
	}
}

static void
test_a_script_goes_on_after_a_failure(void **state)
{
	struct lua_box_conf conf =
	    conf_of("n = 0  kept = {}\n"
		    "function f()\n"
		    "  n = n + 1\n"
		    "  if n == 2 then while true do end end\n"
		    "  if n == 4 then local s = ('x'):rep(3e6) end\n"
		    "  if n >= 6 then kept[#kept + 1] = ('x'):rep(2e5) .. n end\n"
		    "  return tostring(n)\n"
		    "end\n");
	static const char *const want[] = { "1", NULL, "3", NULL, "5" };
	enum lua_box_end end = BOX_DONE;
	char why[256], *answer = NULL;
	struct lua_box *b = lua_box_new(&conf, why, sizeof(why));

	(void)state;
	assert_non_null(b);
	for (size_t i = 0; i < COUNT(want); i++) {
		end = lua_box_run(b, call, &answer);
		assert_int_equal(end == BOX_DONE, want[i] != NULL);
		if (want[i] != NULL)
			assert_string_equal(answer, want[i]);
	}
	for (int i = 0; i < 20 && end != BOX_MEMORY; i++)
		end = lua_box_run(b, call, &answer);
	assert_int_equal(end, BOX_MEMORY);
	assert_int_equal(lua_box_run(b, call, &answer), BOX_DONE);
	assert_string_equal(answer, "1"); /* it gathered too much, and began anew */
	free(answer);
	lua_box_free(b);
}

static const struct {
	const char *source, *why;
} wrong[] = {
	{ "function f( end", "t.lua:1: <name> or '...' expected near 'end'" },
	{ "\n\nlocal x = = 1", "t.lua:3: unexpected symbol near '='" },
	{ "function g() end", "t.lua defines no function 'f'" },
	{ "f = 5", "t.lua defines no function 'f'" },
	{ "error('at once')", "t.lua:1: at once" },
	{ "require('x') function f() end", "t.lua:1: require is not there" },
	{ "while true do end", "t.lua:1: more than Max_Instructions" },
	{ "\033Lua rest", "t.lua is precompiled" },
	{ "local t = {} for i = 1, 1e6 do t[i] = {} end", "t.lua: more than Max_Memory" },
};

static void
test_a_script_that_is_wrong_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct lua_box_conf conf = conf_of(wrong[i].source);
		char why[256];

		assert_null(lua_box_new(&conf, why, sizeof(why)));
		if (strstr(why, wrong[i].why) == NULL)
			fail_msg("%s: %s", wrong[i].source, why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_script_computes),
		cmocka_unit_test(test_what_is_not_there_says_so),
		cmocka_unit_test(test_nothing_is_without_bounds),
		cmocka_unit_test(test_a_script_goes_on_after_a_failure),
		cmocka_unit_test(test_a_script_that_is_wrong_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
