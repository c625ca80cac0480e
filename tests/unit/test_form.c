/* A configuration written in its other form: how it looks, and that it says the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <glob.h>
#include <strings.h>

#include "conf_try.h"
#include "form_try.h"
#include "plugins.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* ---- how it looks */

static const struct {
	const char *classic, *yaml;
} looks[] = {
	{ "[SERVICE]\n Flush 1\n HTTP_Listen 0.0.0.0\n",
	    "\nservice:\n  flush: 1\n  http_listen: '0.0.0.0'\n" },
	{ "@SET A=1\n@SET b.c=x: y\n[INPUT]\n Name tail\n Path ${A}/*.log\n Path *\n Tag 0123\n[FILTER]\n[OUTPUT]\n"
	  " Name null\n Match *\n",
	    "\nenv:\n  A: 1\n  b.c: 'x: y'\n\npipeline:\n  inputs:\n    - name: tail\n      path:\n"
	    "        - ${A}/*.log\n        - '*'\n      tag: '0123'\n  filters:\n    - {}\n  outputs:\n"
	    "    - name: 'null'\n      match: '*'\n" },
	/* what stands in an order keeps it */
	{ "[FILTER]\n Name modify\n Add a b\n Add c d\n Rename c e\n Add f g\n",
	    "\npipeline:\n  filters:\n    - name: modify\n      add:\n        - a b\n        - c d\n"
	    "      rename: c e\n      add: f g\n" },
	{ "[PARSER]\n Regex ^(?<a>'x') #y\n Time_Format %d:\n Types \xc3\xa9 \xe2\x80\xa8z\n",
	    "\nparsers:\n  - regex: '^(?<a>''x'') #y'\n    time_format: '%d:'\n"
	    "    types: \"\xc3\xa9 \\U00002028z\"\n" },
	{ "[MULTILINE_PARSER]\n name m\n rule \"start_state\" \"/^\\\"a b/\"   \"cont\"\n rule \"cont\" \"/^ /\" \"cont\"\n",
	    "\nmultiline_parsers:\n  - name: m\n    rules:\n      - state: start_state\n"
	    "        regex: /^\\\"a b/\n        next_state: cont\n      - state: cont\n        regex: /^ /\n"
	    "        next_state: cont\n" },
	{ "[SERVICE]\n[MULTILINE_PARSER]\n rule \"a\tb\" \"c\" \"d\"\n",
	    "\nservice: {}\n\nmultiline_parsers:\n  - rule: \"\\\"a\\tb\\\" \\\"c\\\" \\\"d\\\"\"\n" },
	{ "[MULTILINE_PARSER]\n rule a b\n", "\nmultiline_parsers:\n  - rule: a b\n" },
};

static char *
written(const char *path, bool yaml, struct findings *f)
{
	struct conf_blocks *b = conf_blocks_typed(path, f);
	char *text = NULL;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	assert_non_null(b);
	(yaml ? conf_form_yaml : conf_form_classic)(b, f, to);
	fclose(to);
	conf_blocks_free(b);
	return text;
}

static void
test_how_it_looks(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(looks); i++) {
		struct findings *f = findings_new();
		char *text, *said;

		try_file("f", looks[i].classic);
		text = written("f", true, f);
		said = try_findings(f);
		assert_string_equal(text, looks[i].yaml);
		assert_string_equal(said, "");
		free(text);
		free(said);
		findings_free(f);
	}
}

static const struct {
	const char *yaml, *classic, *said;
} back[] = {
	{ "service: {flush: 1, log_level: info}\nenv: {A: '${B} c'}\n",
	    "@SET A=${B} c\n\n[SERVICE]\n    flush     1\n    log_level info\n", "" },
	{ "pipeline:\n  inputs:\n  - name: tail\n    tag: a\n    path: [/x, /y]\n    processors:\n"
	  "      logs: [{name: grep}]\n",
	    "\n[INPUT]\n    name tail\n    tag  a\n    path /x\n    path /y\n\n[FILTER]\n    name  grep\n"
	    "    Match a\n",
	    "" },
	/* a processor names a variable, which is set in front of it */
	{ "pipeline:\n  inputs:\n  - {name: tail, tag: '${A}', processors: {logs: [{name: grep}]}}\n"
	  "  filters: [{name: nest}]\nenv: {A: b}\n",
	    "@SET A=b\n\n[INPUT]\n    name tail\n    tag  ${A}\n\n[FILTER]\n    name  grep\n    Match ${A}\n\n"
	    "[FILTER]\n    name nest\n",
	    "" },
	{ "pipeline:\n  filters:\n  - name: lua\n    code: |\n      a\n      b\n",
	    "\n[FILTER]\n    name lua\n",
	    "f:4: code: the classic form has one line for a value: put its lines into a file that it "
	    "names\n" },
};

static void
test_back_to_the_classic_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(back); i++) {
		struct findings *f = findings_new();
		char *text, *said;

		try_file("f", back[i].yaml);
		text = written("f", false, f);
		said = try_findings(f);
		assert_string_equal(text, back[i].classic);
		assert_string_equal(said, back[i].said);
		free(text);
		free(said);
		findings_free(f);
	}
}

static const struct {
	const char *classic, *said;
} refused[] = {
	{ "[SERVICE]\n a x\x01y\n",
	    "f:2: a: its value has bytes that no YAML has: control characters, or other text than "
	    "UTF-8\n" },
	{ "[SERVICE]\n a x\xffy\n",
	    "f:2: a: its value has bytes that no YAML has: control characters, or other text than "
	    "UTF-8\n" },
	{ "[SERVICE]\n processors x\n", "f:2: 'processors' is no key that YAML can have here\n" },
	{ "[EVENTS]\n a x\n", "f:1: no section [EVENTS] in the YAML form\n" },
	{ "@SET A=1\n@SET A=2\n",
	    "f:1: warning: @SET A: it is set again further down, and the YAML form has the last value "
	    "alone\n" },
};

static void
test_what_yaml_does_not_have(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct findings *f = findings_new();
		char *said;

		try_file("f", refused[i].classic);
		free(written("f", true, f));
		said = try_findings(f);
		assert_string_equal(said, refused[i].said);
		free(said);
		findings_free(f);
	}
}

/* A ConfigMap becomes one file: with its parsers, and with its variables as they were typed. */
static void
test_a_config_map_becomes_one_file(void **state)
{
	struct findings *f = findings_new();
	char *text;

	(void)state;
	try_file("f",
	    "apiVersion: v1\nkind: ConfigMap\ndata:\n  fluent-bit.conf: |\n    [SERVICE]\n"
	    "        Parsers_File /etc/p.conf\n        Parsers_File /etc/other.conf\n"
	    "    @INCLUDE o.conf\n  o.conf: |\n    [OUTPUT]\n        Host ${H}\n  p.conf: |\n    [PARSER]\n"
	    "        Name p\n");
	text = written("f", true, f);
	assert_string_equal(text,
	    "\nservice:\n  parsers_file: /etc/other.conf\n\nparsers:\n  - name: p\n\n"
	    "pipeline:\n  outputs:\n    - host: ${H}\n");
	assert_int_equal(findings_count(f, FINDING_ERROR), 0);
	free(text);
	findings_free(f);
}

/* ---- that it says the same */

static char root[4096];

/* "errors warnings notes" that are found in the file, and what the plugins are. */
static char *
verdict(const char *path)
{
	struct findings *f = findings_new();
	struct conf *c = conf_read(path, &plugins_registry, f);
	struct buffer b;

	buffer_init(&b, 0);
	buffer_printf(
	    &b, "%zu %zu", findings_count(f, FINDING_ERROR), findings_count(f, FINDING_NOTE));
	for (size_t i = 0; i < c->n; i++)
		if (c->sections[i].plugin->kind != SECTION_PARSER)
			buffer_printf(&b, " %s",
			    c->sections[i].plugin->name ? c->sections[i].plugin->name : "-");
	buffer_put(&b, (struct slice){ "", 1 });
	conf_free(c);
	findings_free(f);
	return b.at;
}

static void
says_the_same(const char *path)
{
	struct findings *f = findings_new();
	struct conf_blocks *own = conf_blocks_typed(path, f), *yaml, *classic;
	char *text, *a, *b, *beside = xprintf("%s.yaml", path), *again = xprintf("%s.again", path);

	print_message("%s\n", path);
	text = written(path, true, f);
	try_file(beside, text);
	free(text);
	yaml = conf_blocks_typed(beside, f);
	text = written(beside, false, f);
	try_file(again, text);
	free(text);
	classic = conf_blocks_typed(again, f);
	assert_int_equal(findings_count(f, FINDING_ERROR), 0);
	a = form_blocks_text(own);
	b = form_blocks_text(yaml);
	assert_string_equal(a, b);
	free(b);
	b = form_blocks_text(classic);
	assert_string_equal(a, b);
	free(a);
	free(b);
	a = verdict(path);
	b = verdict(beside);
	assert_string_equal(a, b);
	free(b);
	b = verdict(again);
	assert_string_equal(a, b);
	free(a);
	free(b);
	conf_blocks_free(own);
	conf_blocks_free(yaml);
	conf_blocks_free(classic);
	unlink(beside);
	unlink(again);
	free(beside);
	free(again);
	findings_free(f);
}

/* The configurations of this tree, but those that are no configuration of Fluent Bit's form. */
static void
test_both_forms_say_the_same(void **state)
{
	static const char *const where[] = { "conf/*.conf", "docker/*.conf",
		"tests/fixtures/*.conf", "tests/fixtures/*/*.conf" };
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(where); i++) {
		char *pattern = xprintf("%s/%s", root, where[i]);
		glob_t found = { 0 };

		glob(pattern, 0, NULL, &found);
		for (size_t j = 0; j < found.gl_pathc; j++) {
			const char *name = strrchr(found.gl_pathv[j], '/') + 1;
			char *copy;

			if (strcmp(name, "agent-events.conf") == 0)
				continue;
			copy = form_file_copy(found.gl_pathv[j], name);
			says_the_same(name);
			unlink(name);
			free(copy);
			n++;
		}
		globfree(&found);
		free(pattern);
	}
	assert_true(n >= 6);
}

int
main(void)
{
	static const char *const names[] = { "f", NULL };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_how_it_looks),
		cmocka_unit_test(test_back_to_the_classic_form),
		cmocka_unit_test(test_what_yaml_does_not_have),
		cmocka_unit_test(test_a_config_map_becomes_one_file),
		cmocka_unit_test(test_both_forms_say_the_same),
	};
	int failed;

	if (getcwd(root, sizeof(root)) == NULL)
		return 1;
	try_begin();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	try_end(names);
	return failed;
}
