/* Parsers' files: those that are installed, Fluent Bit's own, and one that is not there. */
#include "conf_said.h"

#define IN "[INPUT]\n Name tail\n Tag t\n Path /nowhere/x\n"
#define OUT "[OUTPUT]\n Name es\n Match *\n"

/* Charts name files of Fluent Bit's image, which are not there where the chart is tried. */
static void
test_another_file_serves_for_one_of_parsers_that_is_missing(void **state)
{
	static const char missing[] =
	    "f:2: warning: Parsers_File '/fluent-bit/etc/parsers.conf': no such file beside f or in "
	    "/etc/towline; parsers.conf serves\n"
	    "f:3: warning: Parsers_File '/fluent-bit/etc/conf/mine.conf': no such file beside f or "
	    "in /etc/towline; mine.conf serves\n"
	    "f:4: warning: Parsers_File 'other.conf': no such file beside f or in /etc/towline; "
	    "parsers.conf serves\n";
	static const char head[] = "[SERVICE]\n Parsers_File /fluent-bit/etc/parsers.conf\n"
				   " Parsers_File /fluent-bit/etc/conf/mine.conf\n"
				   " Parsers_File other.conf\n[INPUT]\n Name tail\n"
				   " Path /nowhere/x\n Tag t\n Parser %s\n" OUT;
	static const char *const names[] = { "p", "m", "other" };
	char text[512], want[1024];

	(void)state;
	try_file("parsers.conf", "[PARSER]\n Name p\n Format json\n");
	try_file("mine.conf", "[PARSER]\n Name m\n Format json\n");
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(text, sizeof(text), head, names[i]);
		snprintf(want, sizeof(want), "%s%s", missing,
		    i < 2 ? ""
			  : "f:9: no parser 'other' is defined; it may stand in a Parsers_File "
			    "that is not there\n");
		try_file("f", text);
		assert_said("f", want, text);
	}
	unlink("parsers.conf");
	unlink("mine.conf");
}

static char root[4096]; /* of the tree: tests run there */

/* A line that the installed parser takes apart, and the fields that it has then. */
static const struct {
	const char *parser, *line;
	int fields;
} lines[] = {
	{ "nginx", "1.2.3.4 - u [22/Nov/2026:08:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"c\"",
	    9 },
	{ "apache2", "1.2.3.4 - u [22/Nov/2026:08:00:00 +0000] \"GET /a HTTP/1.1\" 200 5", 6 },
	{ "apache_error",
	    "[Sun Nov 22 08:00:00.123 2026] [core:error] [pid 35] [client 1.2.3.4:5] no file", 5 },
	{ "k8s-nginx-ingress",
	    "1.2.3.4 - - [22/Nov/2026:08:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"c\" 100 "
	    "0.005 [shop-web-80] [] 10.0.0.1:80 5 0.005 200 abc",
	    16 },
	{ "docker-daemon", "time=\"2026-11-22T08:00:00.5\" level=info msg=\"up and running\"", 3 },
	{ "syslog-rfc5424", "<34>1 2026-11-22T08:00:00.003Z host su - ID47 [a b=\"c\"] it failed",
	    8 },
	{ "syslog-rfc5424", "<34>1 2026-11-22T08:00:00.003Z host su 12 - - it failed", 8 },
	{ "syslog-rfc3164", "<13>Nov 22 08:00:00 host su[77]: it failed", 6 },
	{ "syslog-rfc3164-local", "<13>Nov  2 08:00:00 su: it failed", 4 },
	{ "mongodb", "2026-11-22T08:00:00.123 I NETWORK  [conn1] end connection 5ms", 6 },
	{ "envoy",
	    "[2026-11-22T08:00:00.123Z] \"GET /a HTTP/2\" 200 - 0 5 12 11 \"-\" \"c\" \"id\" \"shop\" "
	    "\"10.0.0.1:80\"",
	    15 },
	{ "kube-custom",
	    "kube.web-0_shop_nginx-"
	    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.log",
	    5 },
};

static void
installed_read(const struct conf *c, const char *name, const char *line, int want)
{
	struct field fields[RECORD_FIELDS];
	struct arena arena;
	char why[256];
	int64_t time;

	arena_init(&arena, 1 << 16);
	for (size_t i = 0; i < c->n; i++) {
		const struct section *s = &c->sections[i];
		struct parser *p;

		if (s->plugin != &parser_section_plugin ||
		    strcmp(((const struct parser_conf *)s->values)->name, name) != 0)
			continue;
		p = parser_section_new(s, why, sizeof(why));
		assert_int_equal(
		    parser_run(p, slice_of(line), &arena, fields, RECORD_FIELDS, &time), want);
		parser_free(p);
		arena_fini(&arena);
		return;
	}
	fail_msg("no parser %s is installed", name);
}

/* Every parser that is installed compiles, and the recommended file's own grammar is right. */
static void
test_installed_files_are_right(void **state)
{
	struct findings *f = findings_new();
	char text[8192], *said;
	size_t parsers = 0;
	struct conf *c;

	(void)state;
	snprintf(
	    text, sizeof(text), "[SERVICE]\n Parsers_File %s/conf/parsers.conf\n" IN OUT, root);
	try_file("f", text);
	c = conf_read("f", &try_registry, f);
	said = try_findings(f);
	assert_string_equal(said, "");
	free(said);
	for (size_t i = 0; i < c->n; i++)
		parsers += c->sections[i].plugin == &parser_section_plugin;
	assert_true(parsers >= 18);
	for (size_t i = 0; i < COUNT(lines); i++)
		installed_read(c, lines[i].parser, lines[i].line, lines[i].fields);
	conf_free(c);
	snprintf(text, sizeof(text), "%s/conf/towline.conf", root);
	conf_blocks_free(conf_blocks_read(text, f));
	assert_int_equal(findings_count(f, FINDING_ERROR), 0);
	findings_free(f);
}

/* A mistake in a parser that no section names, or one that is not built, is none. */
static void
test_parsers_files_of_fluent_bit_are_read_whole(void **state)
{
	struct findings *f = findings_new();
	size_t parsers = 0, errors;
	char text[8192], *said;
	struct conf *c;

	(void)state;
	snprintf(text, sizeof(text),
	    "[SERVICE]\n Parsers_File %s/tests/fixtures/fluent-bit-parsers.conf\n" IN
	    " Parser of-a-tag\n" OUT,
	    root);
	try_file("f", text);
	c = conf_read("f", &try_registry, f);
	said = try_findings(f);
	errors = findings_count(f, FINDING_ERROR);
	if (errors > 0)
		print_message("%s", said);
	assert_int_equal(errors, 0);
	assert_non_null(strstr(said, "no option 'Of_Ours' in [PARSER], passed over"));
	free(said);
	for (size_t i = 0; i < c->n; i++)
		parsers += c->sections[i].plugin == &parser_section_plugin;
	assert_in_range(parsers, 10, 13);
	conf_free(c);
	findings_free(f);
}

/* Parsers of the kinds that Fluent Bit installs: none is a mistake, and each reads its lines. */
static void
test_stock_parsers_read_their_lines(void **state)
{
	static const struct {
		const char *name, *line;
		int fields;
		bool time;
	} stock[] = {
		{ "apache",
		    "1.2.3.4 - u [22/Nov/2026:08:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"-\" \"x\"",
		    8, true },
		{ "apache_error", "[Sun Nov 22 08:00:00] [error] [client 1.2.3.4] denied", 4,
		    false },
		{ "k8s-nginx-ingress",
		    "1.2.3.4 - - [22/Nov/2026:08:00:00 +0000] \"GET / HTTP/2\" 200 5 \"-\" \"x\" 3 0.1 [a-b] [] 1.1.1.1:80 5 0.1 200 abc",
		    16, true },
		{ "json", "{\"time\":\"22/Nov/2026:08:00:00 +0000\",\"a\":1}", 1, true },
		{ "logfmt", "level=info msg=\"a b\"", 2, false },
		{ "docker",
		    "{\"log\":\"a\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-22T08:00:00.1Z\"}",
		    3, true },
		{ "docker_no_time",
		    "{\"log\":\"a\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-22T08:00:00.1Z\"}",
		    2, true },
		{ "docker-daemon", "time=\"2026-11-22T08:00:00.1Z\" level=info msg=\"up now\"", 3,
		    true },
		{ "syslog-rfc5424", "<13>1 2026-11-22T08:00:00.1Z h app 1 id - text", 8, true },
		{ "syslog-rfc3164", "<13>Nov 22 08:00:00 h app[1]: text", 6, true },
		{ "syslog-rfc3164-local", "<13>Nov 22 08:00:00 app[1]: text", 5, true },
		{ "mongodb", "2026-11-22T08:00:00.1Z I NETWORK  [conn1] end 12ms", 6, true },
		{ "cri", "2026-11-22T08:00:00.1Z stdout F text", 4, true },
		{ "kube-custom",
		    "kube.pod_ns_app-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.log",
		    5, false },
		{ "kmsg-netfilter-log",
		    "<13>1 2026-11-22T08:00:00.1Z h kernel - - - [1.2] drop IN=eth0 OUT= MAC=a", 5,
		    true },
	};
	struct findings *f = findings_new();
	struct arena arena;
	char text[8192];
	struct conf *c;

	(void)state;
	snprintf(text, sizeof(text),
	    "[SERVICE]\n Parsers_File %s/tests/fixtures/stock-parsers.conf\n" IN OUT, root);
	try_file("f", text);
	c = conf_read("f", &try_registry, f);
	assert_int_equal(findings_count(f, FINDING_ERROR) + findings_count(f, FINDING_WARNING), 0);
	arena_init(&arena, 4096);
	for (size_t i = 0; i < COUNT(stock); i++) {
		struct field fields[RECORD_FIELDS];
		const struct section *s = c->sections;
		const int64_t near = INT64_C(1795334400000000001);
		int64_t time = near;
		struct parser *p;

		while (s->plugin->kind != SECTION_PARSER ||
		       strcmp(((struct parser_conf *)s->values)->name, stock[i].name) != 0)
			s++;
		p = parser_section_new(s, text, sizeof(text));
		assert_non_null(p);
		if (parser_run(p, slice_of(stock[i].line), &arena, fields, RECORD_FIELDS, &time) !=
			stock[i].fields ||
		    (time != near) != stock[i].time)
			fail_msg("%s", stock[i].name);
		parser_free(p);
	}
	arena_fini(&arena);
	conf_free(c);
	findings_free(f);
}

static int
begin(void **state)
{
	return getcwd(root, sizeof(root)) == NULL ? -1 : try_setup(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_file_serves_for_one_of_parsers_that_is_missing),
		cmocka_unit_test(test_installed_files_are_right),
		cmocka_unit_test(test_parsers_files_of_fluent_bit_are_read_whole),
		cmocka_unit_test(test_stock_parsers_read_their_lines),
	};

	return cmocka_run_group_tests(tests, begin, try_teardown);
}
