/* Tags made of paths. */
#include "unit.h"

#include "tag.h"

#define KUBE                                                                                       \
	"(?<pod_name>[a-z0-9-]+)_(?<namespace_name>[^_]+)_(?<container_name>.+)-(?<id>[a-z0-9]+)"  \
	"\\.log$"
#define POD "/var/log/containers/web-0_shop_nginx-abc123.log"

static const struct {
	const char *tag, *regex, *path, *want, *pattern;
} cases[] = {
	{ "a", NULL, "/x/y.log", "a", "a" },
	{ "a.*", NULL, "/x/y.log", "a.x.y.log", "a.*" },
	{ "*", NULL, "x/y.log", "x.y.log", "*" },
	{ "a.*.b/c*", NULL, "/x", "a.x.b.c*", "a.*.b/c*" },
	{ "a/b.*", NULL, "/x", "a/b.x", "a/b.*" },
	{ "a.<pod_name>", NULL, POD, "a.<pod_name>", "a.<pod_name>" },
	{ "k.<namespace_name>.<pod_name>.<container_name>", KUBE, POD, "k.shop.web-0.nginx",
	    "k.*.*.*" },
	{ "k.<namespace_name>.*", KUBE, "/s/web_shop_n-1.log", "k.shop.s.web_shop_n-1.log",
	    "k.*.*" },
	/* it is searched for anywhere, in the whole path */
	{ "<d>", "/(?<d>[a-z]+)/", "/var/log/x", "var", "*" },
	/* without a match, or a group, the part is empty */
	{ "k.<pod_name>.x", KUBE, "/var/log/x", "k..x", "k.*.x" },
	{ "k.<none>.x", KUBE, POD, "k..x", "k.*.x" },
	{ "<a><b>", "(?<a>x)|(?<b>y)", "/y", "y", "**" },
	{ "<a>", "(?<a>x)|(?<a>y)", "/y", "y", "*" },
	/* no names */
	{ "<>.<a.<<d>>", "/(?<d>[a-z]+)/", "/var/log", "<>.<a.<var>", "<>.<a.<*>" },
	{ "a<", KUBE, POD, "a<", "a<" },
	{ "", KUBE, POD, "", "" },
};

static void
test_tags(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char *made = tag_make(cases[i].tag, cases[i].regex, cases[i].path);
		char *pattern = tag_pattern(cases[i].tag, cases[i].regex);

		assert_string_equal(made, cases[i].want);
		assert_string_equal(pattern, cases[i].pattern);
		free(made);
		free(pattern);
	}
}

static void
test_an_expression_is_judged_by_the_tag(void **state)
{
	static const struct {
		const char *tag, *regex;
		enum tag_judged want;
		const char *why;
	} judged[] = {
		{ "k.<pod_name>", KUBE, TAG_RIGHT, "" },
		{ "k.<pod_name>.<pod>", KUBE, TAG_VAIN,
		    "it has no group <pod>, which stands in Tag and is empty" },
		{ "k.*", KUBE, TAG_VAIN, "it has no effect, as Tag has no <NAME>" },
		{ "k.<a>", "(?<a>", TAG_WRONG, "missing closing parenthesis, at its end" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(judged); i++) {
		char why[256] = "";

		assert_int_equal(
		    tag_judge(judged[i].tag, judged[i].regex, why, sizeof(why)), judged[i].want);
		assert_string_equal(why, judged[i].why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_an_expression_is_judged_by_the_tag),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
