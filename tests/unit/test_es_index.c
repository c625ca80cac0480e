/*
 * Where a document goes: the name of its index, and what outputs that share
 * documents must agree on.
 */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "../../src/ship/es_index.h"
#include "clock.h"
#include "memory.h"

/* ---- names */

#define DAY (86400 * NS_PER_S)

static const struct {
	const char *index, *prefix, *separator, *date; /* index NULL: Logstash_Format */
	int64_t time;
	const char *want;
} names[] = {
	{ "logs-%Y.%m.%d", NULL, NULL, NULL, 0, "logs-1970.01.01" },
	{ "logs-%Y.%m.%d", NULL, NULL, NULL, DAY - 1, "logs-1970.01.01" },
	{ "logs-%Y.%m.%d", NULL, NULL, NULL, DAY, "logs-1970.01.02" },
	{ "logs-%Y.%m.%d", NULL, NULL, NULL, -1, "logs-1969.12.31" },
	{ "logs-%Y.%m.%d", NULL, NULL, NULL, -DAY, "logs-1969.12.31" },
	{ "at-%H-%M-%S", NULL, NULL, NULL, 3661 * NS_PER_S + 999999999, "at-01-01-01" },
	{ "Logs-%b-%A", NULL, NULL, NULL, 0, "logs-jan-thursday" }, /* no capitals */
	{ "100%%-%Y", NULL, NULL, NULL, 0, "100%-1970" },
	{ NULL, "agent", "-", "%Y.%m.%d", 1795334400 * NS_PER_S, "agent-2026.11.22" },
	{ NULL, "Agent", "_", "%B", 0, "agent_january" },
	{ NULL, "", "", "%Y", 0, "1970" },
};

static char *
text_of(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

static void
test_the_name_is_of_the_records_time_in_utc(void **state)
{
	static struct es_conf confs[COUNT(names)]; /* all at once: what is kept goes by address */

	(void)state;
	setenv("TZ", "Pacific/Auckland", 1);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct es_conf *conf = &confs[i];
		struct record r = { .time = names[i].time };
		char to[256];
		struct slice got = { to, 0 };

		conf->index = text_of(names[i].index);
		conf->logstash_format = names[i].index == NULL;
		conf->logstash_prefix = text_of(names[i].prefix);
		conf->logstash_prefix_separator = text_of(names[i].separator);
		conf->logstash_dateformat = text_of(names[i].date);
		got.len = es_index_write(conf, &r, to);
		assert_null(es_index_fixed(conf));
		assert_slice(got, names[i].want);
		got.len = es_index_write(conf, &r, to); /* the same again */
		assert_slice(got, names[i].want);
		free(conf->index);
		free(conf->logstash_prefix);
		free(conf->logstash_prefix_separator);
		free(conf->logstash_dateformat);
	}
}

/* Records of one second follow each other: what is kept is of that second, and that output. */
static void
test_another_second_or_output_has_another_name(void **state)
{
	char index[] = "a-%S", other[] = "b-%S";
	struct es_conf a = { .index = index }, b = { .index = other };
	struct record r = { .time = 7 * NS_PER_S };
	char to[256];

	(void)state;
	for (int i = 0; i < 3; i++) {
		r.time = 7 * NS_PER_S + i;
		assert_slice(((struct slice){ to, es_index_write(&a, &r, to) }), "a-07");
		assert_slice(((struct slice){ to, es_index_write(&b, &r, to) }), "b-07");
		r.time = 8 * NS_PER_S - i - 1;
		assert_slice(((struct slice){ to, es_index_write(&b, &r, to) }), "b-07");
		r.time += NS_PER_S;
		assert_slice(((struct slice){ to, es_index_write(&b, &r, to) }), "b-08");
	}
}

static void
test_a_name_without_a_time_is_fixed(void **state)
{
	char index[] = "Logs";
	struct es_conf conf = { .index = index };

	(void)state;
	assert_ptr_equal(es_index_fixed(&conf), index);
	conf.logstash_format = true;
	assert_null(es_index_fixed(&conf));
}

/* ---- documents of an output */

static const struct plugin *const plugins[] = { &es_plugin, &opensearch_plugin, &null_plugin,
	NULL };
static const struct registry registry = { .plugins = plugins, .check = ship_check };

/* How an output with these lines has its documents; the index of a record of 1970 into `index`. */
static void
rules_of(const char *lines, struct document_rules *rules, char *index)
{
	char path[] = "/tmp/towline-es-XXXXXX";
	FILE *file = fdopen(mkstemp(path), "w");
	struct findings *findings = findings_new();
	struct conf *conf;
	struct record r = { .time = 0 };

	fprintf(file, "[OUTPUT]\n Name es\n Match *\n%s", lines);
	fclose(file);
	conf = conf_read(path, &registry, findings);
	unlink(path);
	*rules = document_rules_default();
	es_index_rules(&conf->sections[0], rules);
	if (rules->index != NULL)
		index[rules->index(rules->conf, &r, index)] = '\0';
	else
		snprintf(
		    index, 256, "fixed %.*s", (int)rules->index_fixed.len, rules->index_fixed.at);
	conf_free(conf);
	findings_free(findings);
}

static const struct {
	const char *lines;
	const char *index; /* of a record of 1970 */
} outputs[] = {
	{ "", "fixed fluent-bit" },
	{ " Index a\n", "fixed a" }, /* it stands in the output's URL */
	{ " Index a-%Y\n", "a-1970" },
	{ " Index b-%Y\n", "b-1970" },
	{ " Logstash_Format On\n", "logstash-1970.01.01" },
	{ " Logstash_Format On\n Logstash_Prefix a\n", "a-1970.01.01" },
	{ " Logstash_Format On\n Logstash_Prefix_Separator _\n", "logstash_1970.01.01" },
	{ " Logstash_Format On\n Logstash_DateFormat %Y\n", "logstash-1970" },
};

static void
test_each_output_has_an_index_of_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(outputs); i++) {
		struct document_rules rules;
		char index[256];

		rules_of(outputs[i].lines, &rules, index);
		assert_string_equal(index, outputs[i].index);
	}
}

static const struct {
	const char *lines;
	const char *finding; /* the end of it; NULL: there is none */
} named[] = {
	{ " Index my-logs.2_a\n", NULL },
	{ " Index .hidden\n", NULL },
	{ " Index m\xc3\xa9\n", NULL },
	{ " Index MyLogs\n", "'MyLogs': it has a capital letter" },
	{ " Index Logs-%Y\n", NULL }, /* written in small letters, as Fluent Bit does */
	{ " Index logs-%A\n", NULL },
	{ " Logstash_Format on\n Logstash_Prefix Matillion\n", NULL },
	{ " Index _logs\n", "it begins with -, _ or +" },
	{ " Index -logs\n", "it begins with -, _ or +" },
	{ " Index +%Y\n", "it begins with -, _ or +" },
	{ " Index ..\n", "it is a directory's" },
	{ " Index a/b\n", "it has a blank or one of \\ / * ? \" < > | , # :" },
	{ " Index a*\n", "it has a blank or one of \\ / * ? \" < > | , # :" },
	{ " Index a,b\n", "it has a blank or one of \\ / * ? \" < > | , # :" },
	{ " Index a b\n", "it has a blank or one of \\ / * ? \" < > | , # :" },
	{ " Index <logs-{now/d}>\n", "it has a blank or one of \\ / * ? \" < > | , # :" },
	{ " Index logs-%T\n", "'logs-00:00:00': it has a blank or one of \\ / * ? \" < > | , # :" },
	{ " Logstash_Format on\n Logstash_DateFormat %D\n",
	    "'logstash-11/22/26': it has a blank or one of \\ / * ? \" < > | , # :" },
	{ " Logstash_Format on\n Logstash_Prefix a:b\n",
	    "it has a blank or one of \\ / * ? \" < > | , # :" },
};

static void
test_names_are_checked_by_the_servers_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i <= COUNT(named); i++) {
		char path[] = "/tmp/towline-index-XXXXXX", text[512], lines[400];
		struct findings *findings = findings_new();
		int fd = mkstemp(path);
		FILE *file = fdopen(fd, "w"), *to;
		struct conf *conf;
		char *said = NULL;
		size_t len;

		assert_non_null(file);
		if (i == COUNT(named))
			snprintf(lines, sizeof(lines), " Index %0300d\n", 1);
		else
			snprintf(lines, sizeof(lines), "%s", named[i].lines);
		fprintf(file, "[OUTPUT]\n Name es\n Match *\n%s", lines);
		fclose(file);
		conf = conf_read(path, &registry, findings);
		unlink(path);
		to = open_memstream(&said, &len);
		findings_print(findings, FINDING_WARNING, to);
		fclose(to);
		snprintf(text, sizeof(text), "%s\n",
		    i == COUNT(named)          ? "it is empty, or longer than 255 bytes"
		    : named[i].finding != NULL ? named[i].finding
					       : "");
		if (text[0] != '\n')
			assert_true(slice_ends(slice_of(said), slice_of(text)));
		else
			assert_null(strstr(said, "servers take no index"));
		free(said);
		conf_free(conf);
		findings_free(findings);
	}
}

static void
test_documents_are_written_as_the_output_says(void **state)
{
	struct document_rules rules;
	char index[256];

	(void)state;
	rules_of("", &rules, index);
	assert_int_equal(rules.time_digits, 9);
	assert_int_equal(rules.tag_key.len, 0);
	rules_of(" Time_Key_Nanos Off\n Include_Tag_Key On\n", &rules, index);
	assert_int_equal(rules.time_digits, 3);
	assert_true(rules.tag_key.len > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_name_is_of_the_records_time_in_utc),
		cmocka_unit_test(test_another_second_or_output_has_another_name),
		cmocka_unit_test(test_a_name_without_a_time_is_fixed),
		cmocka_unit_test(test_each_output_has_an_index_of_its_own),
		cmocka_unit_test(test_names_are_checked_by_the_servers_rules),
		cmocka_unit_test(test_documents_are_written_as_the_output_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
