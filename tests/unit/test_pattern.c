/* Ruby's expressions on PCRE2: what is translated, what is refused, what is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "pattern.h"

static const struct {
	const char *regex, *text;
	const char *want; /* name=value;… of the groups that took part; NULL: no match */
} cases[] = {
	{ "(?<a>x+)", "axxb", "a=xx;" }, /* unanchored */
	{ "(?<a>x+)", "ab", NULL },
	{ "^(?<a>b)$", "a\nb\nc", "a=b;" }, /* ^ and $ are of lines */
	{ "a.b", "a\nb", NULL },
	{ "/a.b/m", "a\nb", "" }, /* Ruby's m is dot-all */
	{ "(?m:a.b)", "a\nb", "" },
	{ "(?m)a.b", "a\nb", "" },
	{ "(?-m:a.b)", "a\nb", NULL },
	{ "/ABC/i", "abc", "" },
	{ "(?i)ABC", "abc", "" },
	{ "/a b # (?<c>/x", "ab", "" },
	{ "/a/b/", "a/b", "" },
	{ "/var/log", "x/var/log", "" }, /* no closing slash: itself */
	{ "(?<h>\\h+)", "xyz09fG", "h=09f;" },
	{ "(?<h>[\\h-]+)", "xyz-0f!", "h=-0f;" },
	{ "(?<h>\\H+)", "0xyz", "h=xyz;" },
	{ "(?<a-b>1)(?<c.d>2)", "12", "a-b=1;c.d=2;" },
	{ "(?<a_name_of_more_than_thirty_two_characters>1)", "1",
	    "a_name_of_more_than_thirty_two_characters=1;" },
	{ "(?'a'1)", "1", "a=1;" },
	{ "(?<a>x)|(?<a>y)", "y", "a=y;" }, /* one name, two groups */
	{ "(?<a>x)(y)?(?<b>z)", "xyz",
	    "a=x;b=z;" }, /* plain groups do not capture beside named ones */
	{ "(?<a>.)\\k<a>", "abb", "a=b;" },
	{ "(?<a-b>.)\\k<a-b>", "abb", "a-b=b;" },
	{ "(a)\\1", "aa", "" },
	{ "(?<a>x{,2})y", "xxxy", "a=xx;" },
	{ "(?<a>x{1,1}?)", "xx", "a=x;" },
	{ "(?<a>{x})", "{x}", "a={x};" },
	{ "(?<a>[[:digit:]]+)", "a12", "a=12;" },
	/* flags alone hold to the end of the group, over its alternatives */
	{ "a(?i)b|c", "c", NULL },
	{ "a(?i)b|c", "aC", "" },
	{ "(?:a(?i)b|c)d", "aCd", "" },
	{ "(?:a(?i)b|c)d", "aCD", NULL },
	{ "(?x)a (?i)b | c # or", "aC", "" },
	{ "\\pN\\PN", "pNPN", "" },        /* a property has braces */
	{ "\\Va\\g1\\k{1}", "Vag1k", "" }, /* letters, where no name follows */
	{ "\\cA", "\x01", "" },
	{ "(?<a>[[:^digit:]]+)", "1a2", "a=a;" },
	{ "(?<a>[]x]+)", "x]", "a=x];" },
	{ "(?<a>[^]x]+)", "x]ab", "a=ab;" },
	{ "(?<a>\\[[^\\[\\]]+\\])", "a[b]", "a=[b];" },
	{ "(?<a>\\u00e9)", "caf\xc3\xa9", "a=\xc3\xa9;" },
	{ "(?<a>\\u{e9})", "\xff caf\xc3\xa9", "a=\xc3\xa9;" }, /* beside what is not UTF-8 */
	{ "(?<a>é.)", "éé", "a=éé;" },
	{ "(?<a>x)(?# a comment (?<b> )", "x", "a=x;" },
	{ "(?<a>(?=x)x)(?!y)(?<!z)x", "xx", "a=x;" },
	{ "(?<!a)b(?<=b)(?<c>c)", "bc", "c=c;" },
	{ "(?<a>a*)b", "b", "a=;" },
	{ "(?<a>a)?b", "b", "" },
	/* x holds in its group alone */
	{ "(?x:a b # c\n)# (?<n>d)", "ab# d", "n=d;" },
	{ "(?x)a(?-x)#(?<x99999>b)", "a#b", "x99999=b;" },
	{ "((?x) a )b c(?<n>d)", "ab cd", "n=d;" },
	{ "(?x) a # (\n (?<n>b)", "ab", "n=b;" },
	{ "(?x: (a)? (?(1)b|c) # (\n )#d", "ab#d", "" },
	{ "\\Qa.c\\E", "Qa.cE", "" },
	{ "(?x) a + + b | c * ? d", "aab", "" },
	{ "a{2,2}?b{1,}c*?d?+", "aabcd", "" },
	{ "(?<n>(a)?+(?:b|c){2,3})\\?\\*", "abc?*", "n=abc;" },
	{ "(?(?=a)ab|c*d)", "ccd", "" },
	{ "(?<a>x|\\(\\g<a>\\))$", "((x))", "a=((x));" },
	/* a possessive group gives back what it captured, where what follows fails */
	{ "_(?<a>b)*+c|d", "_bd", "" },
	{ "_(?<a>|b)*+c|", "_b", "" },
	{ "_(?<a>b)++c|_(?<e>b)?+d", "_bd", "e=b;" },
	{ "(?<a>b(?<e>c)*+d|b)*+$", "bcdbc|b", "a=b;" },
	{ "_(?i:(?<a>b))*+c|(?x)_(?<e>B) # )\n * +(?#()D", "_BD", "e=B;" },
	{ "(?<a>(b)*+c)(?#()*+(?<e>.)", "bbcbcd", "a=bc;e=d;" },
	{ "(?<a>b)(?#c)*+(?<e>c)c*+", "bbccc", "a=b;e=c;" },
	{ "(?<a>b)*?c++(?<e>b)*+", "bbccbb", "a=b;e=b;" },
	/* a letter that is looked ahead for need not stand there once more */
	{ "(?=x)x?x", "x", "" },
	{ "(?=(?i:x))(?<a>y?X)", "X", "a=X;" },
	{ "(?<=_)(?<a>(?=x|x)x?x)", "y_x", "a=x;" },
	{ "a\\vb", "a\nb", NULL },
	{ "a[\\v]b", "a\vb", "" },
	{ "\\c[(?<x99999>b)]",
	    "\x1b"
	    "b]",
	    "x99999=b;" },
	{ "", "", "" },
	/* the reference of every stock configuration */
	{ "^(?<time>[^ ]+) (?<stream>stdout|stderr) (?<logtag>[^ ]*) (?<message>.*)$",
	    "2026-11-22T08:00:00Z stderr F a b",
	    "time=2026-11-22T08:00:00Z;stream=stderr;logtag=F;message=a b;" },
	{ "^\\<(?<pri>[0-9]{1,5})\\>1 (?<time>[^ ]+) (?<host>[^ ]+)", "<34>1 t h",
	    "pri=34;time=t;host=h;" },
};

static const struct {
	const char *regex, *want;
} wrong[] = {
	{ "[a&&b]", "&& (an intersection of classes) is not supported; use a lookahead, "
		    "(?=[…])[…], at character 3 of the expression" },
	{ "x[a[b]]", "a class inside a class is not supported; write \\[ for the character, at "
		     "character 4 of the expression" },
	{ "[[:a b:]]", "a class inside a class is not supported; write \\[ for the character, at "
		       "character 2 of the expression" },
	{ "[a", "no ] behind [, at character 3 of the expression" },
	{ "a\\", "a \\ at the end, at character 2 of the expression" },
	{ "[\\H]", "\\H inside [ ] cannot be translated, at character 2 of the expression" },
	{ "\\u12",
	    "\\u needs four hexadecimal digits, or {digits}, at character 1 of the expression" },
	{ "\\c(", "\\c needs a letter behind it; write \\x and two digits, at character 1 of the "
		  "expression" },
	{ "\\xg", "\\x needs hexadecimal digits, at character 1 of the expression" },
	{ "(?<a", "a group's name has no end, at character 1 of the expression" },
	{ "(?<>a)", "a group's name is empty or too long, at character 1 of the expression" },
	{ "(?~a)", "(?~ (an absence) is not supported, at character 1 of the expression" },
	{ "(*FAIL)", "(* is not Ruby's, at character 1 of the expression" },
	{ "(?y)", "a group of an unknown kind, at character 3 of the expression" },
	{ "a{1,2}+",
	    "{n,m}+ is not supported; write (?:…{n,m})+, at character 2 of the expression" },
	{ "a{2}?",
	    "{n}? is (?:…{n})? in Ruby, n times or none; write that, or {n}, at character 2 of "
	    "the expression" },
	{ "a)", "unmatched closing parenthesis, before ')'" },
	{ "\\k<b>", "no group is called 'b'" },
	{ "a*b|c+)d*e", "unmatched closing parenthesis, before ')d*e'" },
	{ "a**", "quantifier does not follow a repeatable item, before '*'" },
};

static void
test_expressions_match_as_in_ruby(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char error[256] = "", found[512] = "";
		struct pattern *p = pattern_new(cases[i].regex, error, sizeof(error));
		struct slice value;
		size_t used = 0;

		assert_string_equal(error, "");
		assert_non_null(p);
		if (pattern_match(p, slice_of(cases[i].text))) {
			for (size_t j = 0; j < pattern_groups(p); j++)
				if (pattern_group(p, j, &value))
					used += (size_t)snprintf(found + used, sizeof(found) - used,
					    "%.*s=%.*s;", (int)pattern_name(p, j).len,
					    pattern_name(p, j).at, (int)value.len, value.at);
			if (cases[i].want == NULL || strcmp(found, cases[i].want) != 0)
				print_message("%s\n", cases[i].regex);
			assert_non_null(cases[i].want);
			assert_string_equal(found, cases[i].want);
		} else {
			if (cases[i].want != NULL)
				print_message("%s\n", cases[i].regex);
			assert_null(cases[i].want);
		}
		pattern_free(p);
	}
}

static void
test_what_cannot_be_translated_is_refused_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char error[256] = "";

		assert_null(pattern_new(wrong[i].regex, error, sizeof(error)));
		assert_string_equal(error, wrong[i].want);
	}
}

static void
test_expressions_cut_at_every_byte_are_compiled_or_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *regex = strdup(cases[i].regex), error[16];

		for (size_t len = strlen(regex); len-- > 0;) {
			struct pattern *p;

			regex[len] = '\0';
			p = pattern_new(regex, error, sizeof(error));
			if (p != NULL)
				pattern_match(p, slice_of(cases[i].text));
			pattern_free(p);
		}
		free(regex);
	}
}

/* ---- bounds */

/* "${a} ${n} times and ${end}", to be freed. */
static char *
times(const char *a, int n, const char *end)
{
	size_t len = strlen(a);
	char *text = malloc(len * (size_t)n + strlen(end) + 1), *to = text;

	for (; n > 0; n--, to += len)
		memcpy(to, a, len);
	memcpy(to, end, strlen(end) + 1);
	return text;
}

/* Each would take seconds to years on a text of some hundred times x, a or nothing. */
static const struct {
	const char *part;
	int times;
	const char *end;
} endless[] = {
	{ "(x+x+)+", 1, "[XY]" },
	{ "(|a)", 12, "[XY]" },
	{ "(|a)", 40, "[XY]" },
	{ "(?:|x)", 40, "[XY]" },
	{ "(?:x|x)*", 1, "[XY]" },
	{ "x*", 8, "[XY]" },
	{ "x*?", 8, "[XY]" },
	{ "x{0,900}", 8, "[XY]" },
	{ "x?", 60, "[XY]" },
	{ "(?:x?)*", 4, "[XY]" },
	{ "(?=x*x*x*x*x*[XY])|", 1, "y" },
	{ "(x*)(x*)\\1\\2\\1", 1, "[XY]" },
	{ "x*x{900}", 3, "[XY]" },
	{ "(?<a>\\g<b>\\g<b>)(?<b>\\g<c>\\g<c>)(?<c>\\g<d>\\g<d>)(?<d>\\g<e>\\g<e>)"
	  "(?<e>\\g<f>\\g<f>)(?<f>\\g<g>\\g<g>)(?<g>\\g<h>\\g<h>)(?<h>|x)",
	    1, "[XY]" },
	{ "^(?<time>|{4*)^(?<tim+>|)^(?<t>|n4*)", 40, "(?<time>)?[XY]" },
};

static void
test_no_text_takes_an_expression_for_ever(void **state)
{
	static const size_t lens[] = { 0, 1, 30, 700, PATTERN_SUBJECT_MAX };
	char error[256], *text = malloc(PATTERN_SUBJECT_MAX);
	unsigned long long before = pattern_overruns;

	(void)state;
	for (size_t i = 0; i < sizeof(endless) / sizeof(endless[0]); i++) {
		char *regex = times(endless[i].part, endless[i].times, endless[i].end);
		clock_t start = clock();
		struct pattern *p = pattern_new(regex, error, sizeof(error));

		if (p == NULL)
			print_message("%s: %s\n", regex, error);
		assert_non_null(p);
		for (size_t j = 0; j < 2 * sizeof(lens) / sizeof(lens[0]); j++) {
			memset(text, j % 2 ? 'x' : 'a', PATTERN_SUBJECT_MAX);
			assert_false(pattern_match(p, (struct slice){ text, lens[j / 2] }));
		}
		/* Ten texts of 10 ms; a sanitizer takes its share. */
		if (clock() - start > 2 * CLOCKS_PER_SEC)
			print_message("%s\n", regex);
		assert_true(clock() - start <= 2 * CLOCKS_PER_SEC);
		pattern_free(p);
		free(regex);
	}
	assert_true(pattern_overruns > before);
	free(text);
}

static void
test_an_overrun_is_counted_and_no_match_is_not(void **state)
{
	char error[64], *text = malloc(PATTERN_SUBJECT_MAX + 1);
	struct pattern *p = pattern_new("^(?<a>(x+x+)+)[yz]", error, sizeof(error));
	unsigned long long before = pattern_overruns;

	(void)state;
	memset(text, 'x', PATTERN_SUBJECT_MAX + 1);
	assert_false(pattern_match(p, (struct slice){ text, 60 }));
	assert_int_equal(pattern_overruns, before + 1);
	assert_false(pattern_match(p, (struct slice){ "x", 1 }));
	assert_int_equal(pattern_overruns, before + 1);
	pattern_free(p);
	p = pattern_new("x$", error, sizeof(error));
	assert_true(pattern_match(p, (struct slice){ text, PATTERN_SUBJECT_MAX }));
	assert_int_equal(pattern_overruns, before + 1);
	assert_false(pattern_match(p, (struct slice){ text, PATTERN_SUBJECT_MAX + 1 }));
	assert_int_equal(pattern_overruns, before + 2);
	assert_false(pattern_match(p, (struct slice){ NULL, 0 }));
	assert_int_equal(pattern_overruns, before + 2);
	pattern_free(p);
	free(text);
}

/* The longest text that common expressions read is not given up. */
static void
test_ordinary_expressions_read_long_texts(void **state)
{
	static const struct {
		const char *regex, *head, *end;
	} plain[] = {
		{ "^(?<time>[^ ]+) (?<stream>stdout|stderr) (?<tag>[^ ]*) (?<log>.*)$",
		    "2026-11-22T08:00:00Z stdout F ", "" },
		{ "^(?<a>[^ ]*) (?<b>.*?)(?: (?<c>\\d+))?$", "a ", " 12" },
		{ "^\\[(?<a>[^\\]]*)\\] (?<b>\\w+): (?<c>[^\\n]*?)end$", "[a] b: ", "end" },
		{ "(?<a>\\w+)=(?<b>[^,]*), (?<c>.*), (?<d>.*)", "a=b, c", ", d" },
	};
	unsigned long long before = pattern_overruns;
	char error[64], *text = malloc(PATTERN_SUBJECT_MAX);

	(void)state;
	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
		struct pattern *p = pattern_new(plain[i].regex, error, sizeof(error));
		size_t end = strlen(plain[i].end);

		assert_non_null(p);
		for (size_t j = 0; j < PATTERN_SUBJECT_MAX; j++)
			text[j] = j % 7 ? 'w' : ' ';
		memcpy(text, plain[i].head, strlen(plain[i].head));
		memcpy(text + PATTERN_SUBJECT_MAX - end, plain[i].end, end);
		assert_true(pattern_match(p, (struct slice){ text, PATTERN_SUBJECT_MAX }));
		pattern_free(p);
	}
	assert_int_equal(pattern_overruns, before);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expressions_match_as_in_ruby),
		cmocka_unit_test(test_what_cannot_be_translated_is_refused_by_name),
		cmocka_unit_test(test_expressions_cut_at_every_byte_are_compiled_or_refused),
		cmocka_unit_test(test_no_text_takes_an_expression_for_ever),
		cmocka_unit_test(test_an_overrun_is_counted_and_no_match_is_not),
		cmocka_unit_test(test_ordinary_expressions_read_long_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
