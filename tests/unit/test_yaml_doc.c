/* YAML files as trees: what is read, what is refused at which line, and what is hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_try.h"
#include "yaml_try.h"

static const char *const names[] = { "x.yml", NULL };

static const struct {
	const char *text, *tree;
} good[] = {
	{ "", "" },
	{ "---\n", "\"\"" },
	{ "# a comment\n\n", "" },
	{ "{}", "{}" },
	{ "a: b\n", "{? \"a\" : \"b\"}" },
	{ "a:\n  b: 'c d'\n  e:\n    - f\n    - g: h\n",
	    "{? \"a\" : {? \"b\" : \"c d\", ? \"e\" : [\"f\", {? \"g\" : \"h\"}]}}" },
	{ "a: |\n  one\n  two\n", "{? \"a\" : \"one\\U0000000Atwo\\U0000000A\"}" },
	{ "%YAML 1.1\n---\na: \"\\u00e9\\x41\"\n...\n", "{? \"a\" : \"\\U000000E9A\"}" },
	{ "a: &x b\n", "{? \"a\" : \"b\"}" }, /* an anchor that nothing names */
	{ "\xef\xbb\xbf"
	  "a: \xc3\xa9\n",
	    "{? \"a\" : \"\\U000000E9\"}" },
};

static struct yaml_doc *
doc_of(const char *text, size_t len, struct findings *f)
{
	try_write("x.yml", text, len);
	return yaml_doc_read("x.yml", f);
}

static void
test_what_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		struct findings *f = findings_new();
		struct yaml_doc *doc = doc_of(good[i].text, strlen(good[i].text), f);
		struct buffer tree;

		assert_non_null(doc);
		assert_int_equal(findings_count(f, FINDING_ERROR), 0);
		buffer_init(&tree, 0);
		yaml_write(doc->root, &tree);
		buffer_put(&tree, (struct slice){ "", 1 });
		assert_string_equal(tree.at, good[i].tree);
		buffer_fini(&tree);
		yaml_doc_free(doc);
		findings_free(f);
	}
}

static void
test_lines_and_nulls(void **state)
{
	static const char text[] = "# one\na:\nb: ~\nc:\n  - null\n  -\n    d: 'null'\n";
	struct findings *f = findings_new();
	struct yaml_doc *doc = doc_of(text, strlen(text), f);
	const struct yaml_node *a = doc->root->first, *c = a->next->next;

	(void)state;
	assert_int_equal(a->line, 2);
	assert_true(yaml_doc_is_null(a) && yaml_doc_is_null(a->next));
	assert_int_equal(c->line, 4);
	assert_true(yaml_doc_is_null(c->first));
	assert_int_equal(c->first->line, 5);
	assert_int_equal(c->first->next->first->line, 7);
	assert_false(yaml_doc_is_null(c->first->next->first));
	yaml_doc_free(doc);
	findings_free(f);
}

#define BAD(text, said)                                                                            \
	{                                                                                          \
		text, sizeof(text) - 1, said                                                       \
	}

static const struct {
	const char *text;
	size_t len;
	const char *said;
} bad[] = {
	BAD("a: b\n\tc: d\n", "x.yml:2: this is no YAML: "),
	BAD("a: [b", "x.yml:1: this is no YAML: "), BAD("a: [b\n", "x.yml:2: this is no YAML: "),
	BAD("a: b\na:\n  - c\n", "x.yml:2: 'a' is there already, at line 1"),
	BAD("{a: b, a: c}", "x.yml:1: 'a' is there already"),
	BAD("a: &x b\nc: *x\n", "x.yml:2: an alias (*name) is not taken"),
	BAD("a: &x [*x]\n", "x.yml:1: an alias"),
	BAD("a: &x {b: c}\nd:\n  <<: *x\n", "x.yml:3: an alias"),
	BAD("a: !!binary b\n", "x.yml:1: a tag"), BAD("a: !env {b: c}\n", "x.yml:1: a tag"),
	BAD("? [a]\n: b\n", "x.yml:1: a key must be a word"),
	BAD("a: b\n---\nc: d\n", "x.yml:2: a second document"),
	BAD("a: b\nc: d\0e\n", "x.yml:2: this is no YAML: control characters"),
	BAD("a: b\nc: \"d\\0e\"\n", "x.yml:2: a value has a NUL"),
	BAD("a: \xff\n", "x.yml:1: this is no YAML: invalid leading UTF-8"),
	BAD("a:\nb: \xc3", "x.yml:2: this is no YAML: incomplete UTF-8"),
	BAD("\xff\xfe"
	    "a\0",
	    "x.yml:1: this is no YAML: "), /* UTF-16 */
};

/* The text is refused, and the message begins so. */
static void
refused(const char *text, size_t len, const char *said)
{
	struct findings *f = findings_new();
	char *all;

	assert_null(doc_of(text, len, f));
	assert_int_equal(findings_count(f, FINDING_ERROR), 1);
	all = try_findings(f);
	if (strncmp(all, said, strlen(said)) != 0)
		fail_msg("'%s' is not '%s'", all, said);
	free(all);
	findings_free(f);
}

static void
test_what_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		refused(bad[i].text, bad[i].len, bad[i].said);
}

/* ${head}, ${n} times ${unit}. */
static struct buffer
repeated(const char *head, const char *unit, size_t n)
{
	struct buffer b;

	buffer_init(&b, 0);
	buffer_put(&b, slice_of(head));
	for (size_t i = 0; i < n; i++)
		buffer_put(&b, slice_of(unit));
	return b;
}

static void
test_what_is_hostile(void **state)
{
	static const struct {
		const char *head, *unit;
		size_t n;
		const char *said;
	} hostile[] = {
		{ "", "[", 500000, "x.yml:1: more than 32 levels" },
		{ "", "{a: ", 200000, "x.yml:1: more than 32 levels" },
		{ "", "- ", 500000, "x.yml:1: more than 32 levels" },
		{ "a:\n", "- b\n", 200000, "x.yml:9999: more than 10000 values" },
	};
	struct buffer b;

	(void)state;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(*hostile); i++) {
		b = repeated(hostile[i].head, hostile[i].unit, hostile[i].n);
		refused(b.at, b.len, hostile[i].said);
		buffer_fini(&b);
	}
	b = repeated("a: ", "x", 2000000); /* more than a configuration has */
	refused(b.at, b.len, "x.yml: x.yml is larger than 1024 KiB");
	buffer_fini(&b);
}

static void
test_a_long_scalar_is_read(void **state)
{
	struct buffer b = repeated("a: ", "x", 1000000);
	struct findings *f = findings_new();
	struct yaml_doc *doc = doc_of(b.at, b.len, f);

	(void)state;
	assert_non_null(doc);
	assert_int_equal(strlen(doc->root->first->text), 1000000);
	yaml_doc_free(doc);
	findings_free(f);
	buffer_fini(&b);
}

/* Each text, cut at each byte, is read or refused. */
static void
test_cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		for (size_t cut = 0; cut < strlen(good[i].text); cut++) {
			struct findings *f = findings_new();
			struct yaml_doc *doc = doc_of(good[i].text, cut, f);

			assert_int_equal(doc == NULL, findings_count(f, FINDING_ERROR) > 0);
			yaml_doc_free(doc);
			findings_free(f);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_read),
		cmocka_unit_test(test_lines_and_nulls),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_what_is_hostile),
		cmocka_unit_test(test_a_long_scalar_is_read),
		cmocka_unit_test(test_cut_anywhere),
	};
	int failed;

	try_begin();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	try_end(names);
	return failed;
}
