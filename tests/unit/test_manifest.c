/* Configurations within YAML of Kubernetes and of the fluent-bit chart: what is read, and which lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

#include "conf_try.h"
#include "memory.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define MAP                                                                                        \
	"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: n, namespace: s}\ndata:\n" /* 4 lines */
#define IN "  [INPUT]\n      Name tail\n      Tag t\n      Path /nowhere/x\n"
#define OUT "  [OUTPUT]\n      Name es\n      Match *\n"
/* The pieces of the chart; config: is line 1. */
#define SERVICE " service: |\n  [SERVICE]\n      Flush 1\n"
#define CHART "config:\n" SERVICE " inputs: |\n" IN " filters: ''\n outputs: |\n" OUT

static const struct {
	const char *text, *inside, *want;
} cases[] = {
	{ MAP " fluent-bit.conf: |\n" IN OUT, "ConfigMap s/n", "" },
	{ "---\n" MAP " binary.bin: x\n---\n" MAP " fluent-bit.conf: |\n" IN OUT, "ConfigMap s/n",
	    "" },
	{ MAP " fluent-bit.conf: |\n" IN "      Pth x\n" OUT, "ConfigMap s/n",
	    "f:10: no option 'Pth' in [INPUT] tail; did you mean 'Path'?\n" },
	/* a list of kubectl, in which texts are in quotes */
	{ "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{\"apiVersion\": \"v1\", \"kind\":\n"
	  "\"ConfigMap\", \"data\": {\"fluent-bit.conf\": \"[INPUT]\\n  Name tail\\n  Tag t\\n  Path /n/x\\n"
	  "  Pth x\\n[OUTPUT]\\n  Name es\\n  Match *\\n\"}}]}\n",
	    "ConfigMap ",
	    "f[fluent-bit.conf]:5: no option 'Pth' in [INPUT] tail; did you mean 'Path'?\n" },
	/* files beside it */
	{ MAP
	    " fluent-bit.conf: |\n  [SERVICE]\n      Parsers_File /fluent-bit/etc/custom_parsers.conf\n"
	    "  @INCLUDE in-*.conf\n  @INCLUDE /fluent-bit/etc/out.conf\n"
	    " in-a.conf: |\n" IN "      Parser mine\n out.conf: |\n" OUT "      Prt 1\n"
	    " custom_parsers.conf: |\n  [PARSER]\n      Name mine\n      Format jsn\n      Regex (?<a>x)\n",
	    "ConfigMap s/n",
	    "f:20: no option 'Prt' in [OUTPUT] es; did you mean 'Port'?\n"
	    "f:24: Format: 'jsn' is not one of regex, json, cri, logfmt, ltsv, tskv; did you mean 'json'?\n" },
	{ MAP " fluent-bit.conf: |\n  @INCLUDE fluent-bit.conf\n" IN OUT, "ConfigMap s/n",
	    "f:6: fluent-bit.conf includes itself\n" },
	{ MAP " fluent-bit.conf: |\n  @INCLUDE none.conf\n" IN OUT, "ConfigMap s/n",
	    "f:6: @INCLUDE 'none.conf': no such file, here or beside the main file\n" },
	/* YAML within YAML */
	{ MAP
	    " fluent-bit.yaml: |\n  pipeline:\n   inputs: [{name: tail, tag: t, path: /nowhere/x}]\n"
	    "   outputs:\n   - name: es\n     match: '*'\n     prt: 1\n",
	    "ConfigMap s/n", "f:11: no option 'prt' in [OUTPUT] es; did you mean 'Port'?\n" },
	{ MAP " fluent-bit.yaml: |\n  pipeline:\n   inputs: [\n", "ConfigMap s/n",
	    "f:8: this is no YAML: did not find expected node content\n" },
	/* known by its text */
	{ MAP " readme: x\n agent.conf: |\n" IN OUT, "ConfigMap s/n", "" },
	{ MAP " a.conf: |\n  [PARSER]\n", "nothing",
	    "f: no ConfigMap in this file has a configuration (fluent-bit.conf, fluent-bit.yaml)\n" },
	{ "apiVersion: v1\nkind: Secret\ndata: [x]\n", "nothing",
	    "f: no ConfigMap in this file has a configuration (fluent-bit.conf, fluent-bit.yaml)\n" },
	{ MAP " fluent-bit.conf: |\n" IN OUT "---\n" MAP " fluent-bit.conf: |\n" IN OUT,
	    "ConfigMap s/n",
	    "f:18: warning: a second configuration begins here: it is not read; give it in a file of "
	    "its own\n" },
	/* the main file by its name, wherever; its own files before those of others; a folder of theirs */
	{ MAP " tail.conf: |\n" IN
	      "      Parser mine\n p.conf: |\n  [PARSER]\n      Name other\n---\n" MAP
	      " fluent-bit.conf: |\n  [SERVICE]\n      Parsers_File p.conf\n"
	      "  @INCLUDE inputs/t*.conf\n" OUT "      Prt 1\n"
	      " p.conf: |\n  [PARSER]\n      Name mine\n      Format json\n"
	      " twice.conf: |\n" IN,
	    "ConfigMap s/n",
	    "f:5: note: another ConfigMap: what an @INCLUDE names is read of it, and no more\n"
	    "f:26: no option 'Prt' in [OUTPUT] es; did you mean 'Port'?\n" },
	{ MAP " fluent-bit.conf: |\n  @INCLUDE /fluent-bit/etc/*.conf\n" OUT " in.conf: |\n" IN,
	    "ConfigMap s/n", "" },
	/* the containers' variables */
	{ MAP " fluent-bit.conf: |\n" IN OUT "      Port ${P}\n      HTTP_Passwd ${W}\n---\n"
	      "apiVersion: v1\nkind: DaemonSet\nspec: {template: {spec: {containers: [{env: [\n"
	      "{name: P, value: '92'}, {name: W, valueFrom: {}}, {name: X}]}]}}}\n",
	    "ConfigMap s/n",
	    "f:19: note: the value of W stands elsewhere: its name is taken for it\n" },

	/* the chart's values */
	{ CHART, "values of the fluent-bit chart", "" },
	{ "image: x\nfluent-bit:\n config:\n  inputs: |\n  " IN
	  "  filters:\n  service:\n  outputs: |\n  " OUT,
	    "values of the fluent-bit chart", "" },
	{ "apiVersion: v2\nkind: HelmRelease\nspec:\n values:\n  config:\n   service: ''\n   filters: ''\n"
	  "   inputs: \"[INPUT]\\n Name tail\\n Path /n/x\\n Tag t\\n\"\n   outputs: \"[OUTPUT]\\n Name es\\n Match *\\n\"\n",
	    "values of the fluent-bit chart", "" },
	{ CHART "      Port {{ .Values.port }}\n      Retry_Limit {{ .Values.none | default 5 }}\n"
		"      HTTP_Passwd {{ .Values.secrets.pw | quote }}\n"
		"      Compress {{ .Values.logLevel }}\nport: 93\nsecrets: {pw: hunter2}\n",
	    "values of the fluent-bit chart",
	    "f:15: note: {{ .Values.port }} is taken from these values\n"
	    "f:16: note: {{ .Values.none }} is taken from these values\n"
	    "f:17: note: {{ .Values.secrets.pw }} is taken from these values\n"
	    "f:17: warning: HTTP_Passwd: the quotes are part of its value; leave them out\n"
	    "f:18: note: {{ .Values.logLevel }} is taken as 'info'\n"
	    "f:18: Compress: 'info' is not one of off, gzip\n" },
	{ CHART
	    "      {{- if .Values.x }}\n      Prt 1\n      {{ end }}\n      {{ .Values.a.b.c\n      }}\n      Prt 2\n",
	    "values of the fluent-bit chart",
	    "f:15: the template {{- if .Values.x … is not read: check what `helm template` prints\n"
	    "f:16: no option 'Prt' in [OUTPUT] es; did you mean 'Port'?\n"
	    "f:17: the template {{ end … is not read: check what `helm template` prints\n"
	    "f:18: the template {{ .Values.a.b.c… is not read: check what `helm template` prints\n"
	    "f:20: no option 'Prt' in [OUTPUT] es; did you mean 'Port'?\n" },
	{ "config:\n" SERVICE "      Parsers_File custom_parsers.conf\n inputs: |\n" IN
	  "      Parser mine\n"
	  " filters: ''\n outputs: |\n" OUT
	  " customParsers: |\n  [PARSER]\n      Name mine\n      Format json\n",
	    "values of the fluent-bit chart", "" },
	{ CHART
	    " extraFiles:\n  x.yaml: |\n   pipeline:\n    inputs: [{name: tail, tag: t, path: /n/x}]\n"
	    "    outputs: [{name: es, match: t, prt: 1}]\nargs: ['--config=/fluent-bit/etc/x.yaml']\n",
	    "values of the fluent-bit chart",
	    "f:19: no option 'prt' in [OUTPUT] es; did you mean 'Port'?\n" },
	{ "config:\n outputs: [x]\n inputs: |\n" IN " filters: ''\n service: ''\n",
	    "values of the fluent-bit chart",
	    "f: no [OUTPUT]: nothing would be delivered\nf:2: config.outputs is no text: write it behind |\n" },
	{ CHART "env:\n- {name: P, value: 1}\n options: {x: y}\n", NULL, NULL },
};

static void
test_what_is_read_and_said(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct findings *f = findings_new();
		struct conf *c;
		char *said;

		try_file("f", cases[i].text);
		c = conf_read("f", &try_registry, f);
		said = try_findings(f);
		if (cases[i].want == NULL) {
			assert_true(findings_count(f, FINDING_ERROR) > 0);
		} else {
			if (strcmp(said, cases[i].want) != 0)
				print_message("%s\n", cases[i].text);
			assert_string_equal(said, cases[i].want);
			assert_string_equal(c->inside, cases[i].inside);
		}
		free(said);
		conf_free(c);
		findings_free(f);
	}
}

/* Values that say less than all have the rest of the chart. */
static void
test_the_charts_own_pieces(void **state)
{
	struct findings *f = findings_new();
	struct conf_blocks *b;
	size_t inputs = 0;

	(void)state;
	try_file("f", "config:\n outputs: |\n" OUT);
	b = conf_blocks_read("f", f);
	assert_int_equal(findings_count(f, FINDING_ERROR), 0);
	assert_int_equal(findings_count(f, FINDING_NOTE), 3);
	assert_string_equal(b->at[0].name, "SERVICE");
	for (size_t i = 0; i < b->n; i++)
		inputs += strcmp(b->at[i].name, "INPUT") == 0;
	assert_int_equal(inputs, 2);
	assert_string_equal(b->at[b->n - 1].file, "f");
	conf_blocks_free(b);
	findings_free(f);
}

/* A ConfigMap of thousands of files is not looked through for each of them, and for each again. */
static void
test_many_files_take_no_time(void **state)
{
	struct timespec before, after;
	struct findings *f = findings_new();
	struct conf *c;
	char *text;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	(void)state;
	fputs(MAP " fluent-bit.conf: |\n" IN OUT, to);
	for (int i = 0; i < 3000; i++)
		fprintf(to, " k%d: x\n", i);
	fclose(to);
	try_write("f", text, len);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	c = conf_read("f", &try_registry, f);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	assert_int_equal(findings_count(f, FINDING_ERROR), 0);
	assert_in_range(after.tv_sec - before.tv_sec, 0, 10);
	conf_free(c);
	findings_free(f);
	free(text);
}

/* Nothing that a cut makes of it may crash. */
static void
test_cut_anywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i += 3) {
		for (size_t cut = 0; cut < strlen(cases[i].text); cut++) {
			struct findings *f = findings_new();

			try_write("f", cases[i].text, cut);
			conf_free(conf_read("f", &try_registry, f));
			findings_free(f);
		}
	}
}

int
main(void)
{
	static const char *const names[] = { "f", NULL };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_read_and_said),
		cmocka_unit_test(test_the_charts_own_pieces),
		cmocka_unit_test(test_many_files_take_no_time),
		cmocka_unit_test(test_cut_anywhere),
	};
	int failed;

	try_begin();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	try_end(names);
	return failed;
}
