/*
 * Lua's patterns: each answer is that of the library's own functions, for written cases
 * and for patterns by chance; none takes longer than it has paid for.
 */
#include "unit.h"

#include "chance.h"
#include "lua_twin.h"

static void
same(lua_State *ours, lua_State *theirs, struct slice s, struct slice p, struct slice r, int n)
{
	char *a = answers(ours, s, p, r, n), *b = answers(theirs, s, p, r, n);

	if (strcmp(a, b) != 0)
		fail_msg("'%.*s' in '%.*s' by '%.*s', %d:\n%s\n%s", (int)p.len, p.at, (int)s.len,
		    s.at, (int)r.len, r.at, n, a, b);
	free(a);
	free(b);
}

static const struct {
	const char *s, *p, *r;
} cases[] = {
	{ "hello world", "o", "0" },
	{ "hello world", "(o)(.)", "%2%1%0%%" },
	{ "hello", "", "-" },
	{ "a.b.c", "%.", "_" },
	{ "key = value", "^(%w+)%s*=%s*(%w+)$", "%2=%1" },
	{ "  trim  ", "^%s*(.-)%s*$", "[%1]" },
	{ "f(a(b)c)d", "%b()", "X" },
	{ "THE (quick) fox", "%f[%a]%a+", "w" },
	{ "aXb", "()X()", "%1" },
	{ "abcabc", "(abc)%1", "y" },
	{ "x[]]y", "[]]+", "z" },
	{ "x^y", "[x^]", "z" },
	{ "a-z", "[a-]", "z" },
	{ "0x1F", "0[xX](%x+)", "%1" },
	{ "aaa", "a-", "b" },
	{ "aaab", "a-b", "c" },
	{ "aaa", "a?", "b" },
	{ "level=error msg", "level=(%a+)", "%1" },
	{ "[31mred", "%c%[%d+m", "" },
	{ "x", "%", "y" },
	{ "x", "[a", "y" },
	{ "x", "(x", "y" },
	{ "x", "x)", "y" },
	{ "x", "%1", "y" },
	{ "x", "%bx", "y" },
	{ "x", "%f", "y" },
	{ "x", "x", "%1" },
	{ "x", "x", "%2" },
	{ "a$b", "a$b", "c" },
	{ "^a", "^^a", "c" },
	{ "p", "[%a-z]", "c" },
	{ "-", "[%a-z]", "c" },
};

static void
test_patterns_mean_what_the_library_says(void **state)
{
	lua_State *ours = state_of(true), *theirs = state_of(false);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		for (int n = -3; n < 6; n++)
			same(ours, theirs, slice_of(cases[i].s), slice_of(cases[i].p),
			    slice_of(cases[i].r), n);
	lua_close(ours);
	lua_close(theirs);
}

static struct slice
text_by_chance(const char *letters, size_t most_letters, char *to)
{
	size_t len = any((unsigned)most_letters + 1);

	for (size_t i = 0; i < len; i++)
		to[i] = letters[any((unsigned)strlen(letters))];
	return (struct slice){ to, len };
}

static void
test_patterns_by_chance_do_too(void **state)
{
	lua_State *ours = state_of(true), *theirs = state_of(false);
	char s[16], p[16], r[8];

	(void)state;
	chance = 42;
	for (int i = 0; i < 4000; i++) {
		struct slice subject = text_by_chance("aabbc(1. ", 10, s);
		struct slice pattern = text_by_chance("aab.%%[]()^$-*+?1wsdbf", 8, p);
		struct slice put = text_by_chance("x%012", 4, r);

		same(ours, theirs, subject, pattern, put, (int)any(9) - 3);
	}
	lua_close(ours);
	lua_close(theirs);
}

static void
test_a_pattern_ends_when_it_has_paid_out(void **state)
{
	static const char *const hard[] = {
		"return ('a'):rep(20000):find(('a*'):rep(8) .. 'b')",
		"return ('a'):rep(20000):match('(.-)(.-)(.-)(.-)b')",
		"return ('('):rep(20000):gsub('%b()', '')",
		"return ('ab'):rep(20000):gsub('(.*)%1c', '')",
		"for x in ('a'):rep(20000):gmatch('a-a-a-b') do end",
	};
	lua_State *L = state_of(true);

	(void)state;
	most = 1000000;
	for (size_t i = 0; i < COUNT(hard); i++) {
		charged = 0;
		assert_int_equal(luaL_loadstring(L, hard[i]), 0);
		assert_int_not_equal(lua_pcall(L, 0, 0, 0), 0);
		assert_non_null(strstr(lua_tostring(L, -1), "paid out"));
		assert_in_range(charged, most, most + 10000);
		lua_settop(L, 0);
	}
	most = 0;
	lua_close(L);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns_mean_what_the_library_says),
		cmocka_unit_test(test_patterns_by_chance_do_too),
		cmocka_unit_test(test_a_pattern_ends_when_it_has_paid_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
