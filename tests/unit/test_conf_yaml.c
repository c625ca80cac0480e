/* The YAML form: read as the sections of the classic form, and what is said of mistakes. */
#include "conf_said.h"
#include "memory.h"

/* ${blocks} on one line: [NAME] key=value|key=value [NAME] … */
static char *
blocks_text(const struct conf_blocks *blocks)
{
	struct buffer b;

	buffer_init(&b, 0);
	for (size_t i = 0; i < blocks->n; i++) {
		buffer_printf(&b, "%s[%s]", i > 0 ? " " : "", blocks->at[i].name);
		for (size_t j = 0; j < blocks->at[i].n; j++)
			buffer_printf(&b, "%s%s=%s", j > 0 ? "|" : " ",
			    blocks->at[i].entries[j].key, blocks->at[i].entries[j].value);
	}
	buffer_put(&b, (struct slice){ "", 1 });
	return b.at;
}

static const struct {
	const char *yaml, *blocks;
} read_as[] = {
	{ "pipeline:\n", "" },
	{ "service:\n  flush: 1\n  log_level: info\n", "[SERVICE] flush=1|log_level=info" },
	/* scalars are what was typed, whatever YAML makes of them */
	{ "service:\n  a: on\n  b: 0123\n  c: 1e3\n  d: 0x1F\n  e: No\n  f: 12:30:45\n  g: .5\n"
	  "  h: null\n  i: \"\\u00e9 \\x41\"\n  j: 2026-11-28\n",
	    "[SERVICE] a=on|b=0123|c=1e3|d=0x1F|e=No|f=12:30:45|g=.5|h=null|i=\xc3\xa9 A|j=2026-11-28" },
	{ "pipeline:\n  inputs:\n    - name: tail\n      path: [/a, /b]\n      tag: t\n"
	  "  filters: []\n  outputs:\n    - {name: es, match: '*'}\n",
	    "[INPUT] name=tail|path=/a|path=/b|tag=t [OUTPUT] name=es|match=*" },
	{ "parsers:\n  - name: p\n    format: regex\n    regex: '^(?<a>\\d+) # \"x\"$'\n",
	    "[PARSER] name=p|format=regex|regex=^(?<a>\\d+) # \"x\"$" },
	{ "multiline_parsers:\n- name: m\n  type: regex\n  rules:\n  - state: start_state\n"
	  "    regex: '/^\"a\\\"/'\n    next_state: cont\n  - {state: cont, next_state: cont, regex: '/^ /'}\n",
	    "[MULTILINE_PARSER] name=m|type=regex|rule=\"start_state\" \"/^\\\"a\\\"/\" \"cont\""
	    "|rule=\"cont\" \"/^ /\" \"cont\"" },
	/* variables are set wherever they stand */
	{ "service:\n  log_level: ${L}\nenv:\n  L: debug\n  M: ${L:-x}y\nparsers:\n- name: ${M}\n",
	    "[SERVICE] log_level=debug [PARSER] name=debugy" },
	{ "env:\n  - name: A\n    value: 1\n  - {name: B, uri: file:///proc/sys/kernel/ostype}\n"
	  "service: {a: '${A}', b: '${B}'}\n",
	    "[SERVICE] a=1|b=Linux" },
	/* blocks of text */
	{ "pipeline:\n  filters:\n  - name: lua\n    code: |\n      function f()\n        x()\n      end\n"
	  "    call: >\n      f\n",
	    "[FILTER] name=lua|code=function f()\n  x()\nend|call=f" },
	/* processors stand before the filters, and take their input's records */
	{ "pipeline:\n  inputs:\n  - name: tail\n    tag: a.*\n    processors:\n      logs:\n"
	  "      - {name: grep, regex: a b}\n      - name: modify\n  - {name: tail, tag: b}\n"
	  "  filters: [{name: nest, match: '*'}]\n",
	    "[FILTER] name=grep|regex=a b|Match=a.* [FILTER] name=modify|Match=a.* "
	    "[INPUT] name=tail|tag=a.* [INPUT] name=tail|tag=b [FILTER] name=nest|match=*" },
	{ "pipeline:\n  inputs:\n  - name: tail\n    tag: a\n    processors:\n      logs:\n"
	  "      - {name: content_modifier, action: upsert, key: team, value: of pay}\n"
	  "      - {name: content_modifier, action: delete, key: a b}\n",
	    "[FILTER] Name=modify|Set=team of pay|Match=a [FILTER] Name=modify|Remove=\"a b\"|Match=a "
	    "[INPUT] name=tail|tag=a" },
	{ "pipeline:\n  outputs: [{name: null, match: x*, processors: {logs: [{name: nest}]}}]\n"
	  "  filters: [{name: grep}]\n",
	    "[OUTPUT] name=null|match=x* [FILTER] name=grep [FILTER] name=nest|Match=x*" },
	{ "pipeline:\n  inputs:\n  - name: tail\n    tag: k.<ns>.<pod>\n"
	  "    processors: {logs: [{name: grep}]}\n",
	    "[FILTER] name=grep|Match=k.*.* [INPUT] name=tail|tag=k.<ns>.<pod>" },
	{ "pipeline:\n  inputs:\n  - name: tail\n    processors: {logs: [{name: grep}]}\n",
	    "[FILTER] name=grep|Match=* [INPUT] name=tail" },
};

static void
test_yaml_is_read_as_the_classic_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(read_as); i++) {
		struct findings *f = findings_new();
		struct conf_blocks *blocks;
		char *text;

		try_file("f.yaml", read_as[i].yaml);
		blocks = conf_blocks_read("f.yaml", f);
		text = try_findings(f);
		assert_string_equal(text, "");
		free(text);
		text = blocks_text(blocks);
		assert_string_equal(text, read_as[i].blocks);
		free(text);
		conf_blocks_free(blocks);
		findings_free(f);
	}
}

#define IN "pipeline:\n  inputs:\n  - name: tail\n    tag: t\n    path: /nowhere/x\n"
#define OUT "  outputs:\n  - name: es\n    match: '*'\n"

static const struct said_case cases[] = {
	{ IN OUT, "" },
	{ "%YAML 1.1\n---\n" IN OUT "...\n", "" },
	{ "\xef\xbb\xbf" IN OUT, "" },
	{ "{pipeline: {inputs: [{name: tail, tag: t, path: /nowhere/x}], outputs: [{name: es, match: t}]}}",
	    "" },
	{ "x: y\n" IN OUT, "f.yaml:1: no section 'x:' here\n" },
	{ "servce:\n  flush: 1\n" IN OUT,
	    "f.yaml:1: no section 'servce:' here; did you mean 'service:'?\n" },
	{ "pipeline:\n  input: []\n",
	    "f.yaml: no [INPUT]: there is nothing to read\n"
	    "f.yaml: no [OUTPUT]: nothing would be delivered\n"
	    "f.yaml:2: no section 'input:' here; did you mean 'inputs:'?\n" },
	{ "- a\n", "f.yaml:1: this is no mapping: write `key: value` lines below it\n" },
	{ IN OUT "---\na: b\n", "f.yaml:10: a second document begins here: only one is read\n" },
	{ IN "\ttag: x\n" OUT,
	    "f.yaml:6: this is no YAML: a tab, where its lines are indented by blanks\n" },
	{ IN "    pth: x\n" OUT,
	    "f.yaml:6: no option 'pth' in [INPUT] tail; did you mean 'Path'?\n" },
	{ IN "    number:\n      - 5\n      - 500\n" OUT,
	    "f.yaml:8: warning: 'number' is given twice in [INPUT] tail: this one counts, and not that in line 7\n"
	    "f.yaml:8: Number: '500' is not a whole number from 1 to 100\n" },
	{ IN "    number: 5\n    number: 6\n" OUT,
	    "f.yaml:7: warning: 'number' is there already, at line 6: other programs read one of them\n"
	    "f.yaml:7: warning: 'number' is given twice in [INPUT] tail: this one counts, and not that in line 6\n" },
	{ IN "    flag:\n    time: ''\n    size: '  '\n" OUT,
	    "f.yaml:6: warning: 'flag' has no value: as if it were not there\n"
	    "f.yaml:7: warning: 'time' has no value: as if it were not there\n"
	    "f.yaml:8: warning: 'size' has no value: as if it were not there\n" },
	{ IN "    parser: \"a\\nb\"\n" OUT,
	    "f.yaml:6: parser: its value has a control character, such as a line break; a text of several "
	    "lines stands behind |\n" },
	{ IN "    a b: c\n" OUT, "f.yaml:6: 'a…' is no key: it has a blank\n" },
	{ IN "    routes: {logs: x}\n" OUT,
	    "f.yaml:6: no mapping 'routes' is known here; an option has a text, or a list\n" },
	{ IN "    rule: [[x]]\n" OUT, "f.yaml:6: 'rule' is a list of texts; this is none\n" },
	{ IN "    size: 5X\n" OUT,
	    "f.yaml:6: Size: '5X' is not a size (500, 32K, 5M, 1G) of 0 or more\n" },
	{ IN "    exclude_path: ${NOT_SET_HERE}\n" OUT,
	    "f.yaml:6: the variable NOT_SET_HERE is not set; set it, or write ${NOT_SET_HERE:-DEFAULT}\n" },
	{ "pipeline:\n  inputs: {name: tail}\n" OUT,
	    "f.yaml: no [INPUT]: there is nothing to read\n"
	    "f.yaml:2: inputs: is no list: write `- name: …` below it\n" },
	{ IN "  - tail\n" OUT, "f.yaml:6: this is no mapping: write `key: value` lines below it\n"
			       "f.yaml:6: [INPUT] has no Name; it says which plugin this is\n" },
	{ "upstream_servers:\n  - name: x\n" IN OUT,
	    "f.yaml:1: upstream_servers: is Fluent Bit's and not built; name the servers in host: of the "
	    "output\n" },
	{ IN "    processors:\n      metrics: []\n      lgs: []\n" OUT,
	    "f.yaml:7: note: processors of metrics have no effect here: all records are logs\n"
	    "f.yaml:8: no processors of 'lgs'; of logs there are some\n" },
	{ IN "    processors:\n      logs: [{name: kubernetes, condition: {op: and}}]\n" OUT,
	    "f.yaml:7: a processor's condition is not built; a filter grep or rewrite_tag chooses "
	    "records\n" },
	{ IN
	    "    processors: {logs: [{name: kubernetes}]}\n  - {name: tail, tag: t, path: /nowhere/y}\n" OUT,
	    "f.yaml:6: the input in line 7 has this tag as well, and its records would pass these "
	    "processors: give each a tag of its own\n" },
	{ IN
	    "    processors:\n      logs: [{name: sql, query: x}, {name: content_modifier, action: hash}]\n" OUT,
	    "f.yaml:7: the processor sql is not built; filters are processors here, too\n"
	    "f.yaml:7: of the processor content_modifier insert, upsert, delete and rename are built, in the "
	    "context body; [FILTER] modify, parser and lua do more\n" },
	{ IN OUT "    processors: {logs: [{name: kubernetes}]}\n  - {name: es, match: t}\n",
	    "f.yaml:9: a processor of one output of several would change what the others get: write it "
	    "under processors: of an input, or under filters:\n" },
	{ "multiline_parsers:\n- name: m\n  rules:\n  - state: a\n    regex: /b/\n" IN OUT,
	    "f.yaml:2: [MULTILINE_PARSER] has no type; it needs one\n"
	    "f.yaml:4: a rule has a text of one line for each of state, regex, next_state\n" },
	{ "multiline_parsers:\n- name: m\n  rules:\n  - {state: a, regex: /b/, next_state: c, x: y}\n" IN
		OUT,
	    "f.yaml:2: [MULTILINE_PARSER] has no type; it needs one\n"
	    "f.yaml:4: 'x' is not of a rule: state, regex and next_state are\n" },
	{ "env: {A B: c}\n" IN OUT, "f.yaml:1: 'A…' cannot be a variable's name\n" },
	{ "env: {A: \"b\\nc\"}\n" IN OUT,
	    "f.yaml:1: A: its value has a control character, such as a line break\n" },
	{ "env: {A: [c]}\n" IN OUT, "f.yaml:1: the variable 'A' is no text\n" },
	{ "env: [{name: A}]\n" IN OUT,
	    "f.yaml:1: a variable has a name, and a value or a uri (file:///…)\n" },
	{ "env: [{name: A, uri: file:///nowhere/x}]\n" IN OUT,
	    "f.yaml:1: uri: the file /nowhere/x cannot be read\n" },
	{ "includes: ['g*.none', none.yaml]\n" IN OUT,
	    "f.yaml:1: warning: includes: 'g*.none' matches no file\n"
	    "f.yaml:1: includes: 'none.yaml': no such file, here or beside the main file\n" },
	{ "includes: [f.yaml]\n" IN OUT, "f.yaml:1: f.yaml includes itself\n" },
	{ "a: &x [b, c]\nd: [*x, *x]\n",
	    "f.yaml:2: an alias (*name) is not taken: write its value again here\n" },
	{ IN "    parser: !env X\n" OUT,
	    "f.yaml:6: a tag (! before a value) is not taken: write the value alone\n" },
	/* a secret is not shown */
	{ IN "    HTTP_Passwd=hunter2: x\n" OUT,
	    "f.yaml:6: no option 'HTTP_Passwd…' in [INPUT] tail\n" },
	{ IN OUT "    http_passwd: {hunter2: x}\n",
	    "f.yaml:9: no mapping 'http_passwd' is known here; an option has a text, or a list\n" },
};

static void
test_every_finding_says_what_and_where(void **state)
{
	(void)state;
	assert_each_said("f.yaml", cases, COUNT(cases));
}

/* A file's form is told by its name, or else by how it begins; forms include each other. */
static void
test_forms_include_each_other(void **state)
{
	struct findings *f = findings_new();
	struct conf_blocks *b;
	char *text;

	(void)state;
	if (mkdir("d", 0700) != 0)
		abort();
	try_file("d/g1.yaml",
	    "pipeline: {inputs: [{name: a, tag: x, processors: {logs: [{name: p}]}}]}\n");
	try_file("d/g2.yaml", "[INPUT]\n Name b\n");
	try_file("f.yaml", "includes: ['g*.yaml']\nservice: {a: 1}\n");
	rename("f.yaml", "d/f.yaml");
	try_file("f.conf", "[SERVICE]\n b 2\n@INCLUDE d/f.yaml\n c 3\n");
	b = conf_blocks_read("f.conf", f);
	text = blocks_text(b);
	assert_string_equal(text, "[FILTER] name=p|Match=x [SERVICE] b=2|c=3 [INPUT] name=a|tag=x "
				  "[INPUT] Name=b [SERVICE] a=1");
	assert_string_equal(b->at[2].file, "d/g1.yaml");
	free(text);
	conf_blocks_free(b);
	try_file("f.conf", "service:\n  a: 1\n");
	b = conf_blocks_read("f.conf", f);
	assert_int_equal(b->n, 1);
	assert_int_equal(b->at[0].entries[0].line, 2);
	conf_blocks_free(b);
	assert_int_equal(findings_count(f, FINDING_ERROR), 0);
	findings_free(f);
	unlink("f.conf");
	unlink("d/f.yaml");
	unlink("d/g1.yaml");
	unlink("d/g2.yaml");
	rmdir("d");
}

/* Parsers of either form, in a file that a configuration of either form names. */
static void
test_parsers_files_are_yaml_too(void **state)
{
	(void)state;
	try_file("g.yaml", "parsers:\n- name: of_it\n  format: json\n");
	try_file("f.yaml", "service:\n  parsers_file: [g.yaml]\n" IN "    parser: of_it\n" OUT);
	assert_said("f.yaml", "", "parsers");
	try_file("g.yaml", "parsers:\n- name: of_it\n  format: jsn\npipeline:\n" OUT);
	assert_said("f.yaml",
	    "g.yaml:2: parser 'of_it' has Format regex and no Regex\n"
	    "g.yaml:3: Format: 'jsn' is not one of regex, json, cri, logfmt, ltsv, tskv; did you "
	    "mean 'json'?\n"
	    "g.yaml:6: [OUTPUT] in a parsers' file; only [PARSER] and [MULTILINE_PARSER] "
	    "belong there\n",
	    "not parsers");
	unlink("g.yaml");
}

/* Nothing that a cut makes of it may crash, and each is said of a line of the file. */
static void
test_cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(read_as); i += 2) {
		size_t len = strlen(read_as[i].yaml);

		for (size_t cut = 0; cut < len; cut++) {
			struct findings *f = findings_new();

			try_write("f.yaml", read_as[i].yaml, cut);
			conf_free(conf_read("f.yaml", &try_registry, f));
			assert_true(findings_count(f, FINDING_ERROR) > 0);
			findings_free(f);
		}
	}
}

int
main(void)
{
	static const char *const names[] = { "f.yaml", NULL };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yaml_is_read_as_the_classic_form),
		cmocka_unit_test(test_every_finding_says_what_and_where),
		cmocka_unit_test(test_forms_include_each_other),
		cmocka_unit_test(test_parsers_files_are_yaml_too),
		cmocka_unit_test(test_cut_anywhere),
	};
	int failed;

	try_begin();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	try_end(names);
	return failed;
}
