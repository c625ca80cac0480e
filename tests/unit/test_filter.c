/* Filters: what of a record they change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent.h"
#include "conf_try.h"
#include "filter.h"
#include "pod.h"

static const struct plugin *const plugins[] = { &service_plugin, &try_input_plugin,
	&kubernetes_filter_plugin, &parser_filter_plugin, &try_output_plugin,
	&parser_section_plugin, NULL };
static const struct registry registry = { .plugins = plugins };

#define PARSERS                                                                                    \
	"[PARSER]\n Name kv\n Format regex\n Regex ^(?<a>\\w+)=(?<b>.*)$\n"                        \
	"[PARSER]\n Name named\n Format regex\n Regex ^(?<log>\\w+);(?<kubernetes>.*)$\n"          \
	"[PARSER]\n Name timed\n Format regex\n Regex ^(?<time>\\S+)!(?<a>.*)$\n Time_Key time\n"

struct world {
	struct conf *conf;
	struct parser *parsers[8];
	size_t n;
};

static struct parser *
world_parser(void *arg, const char *name)
{
	struct world *w = arg;
	char error[256];

	for (size_t i = 0; i < w->conf->n; i++) {
		const struct section *s = &w->conf->sections[i];

		if (s->plugin->kind == SECTION_PARSER &&
		    strcmp(((const struct parser_conf *)s->values)->name, name) == 0) {
			w->parsers[w->n] = parser_section_new(s, error, sizeof(error));
			return w->parsers[w->n++];
		}
	}
	return NULL;
}

static const struct agent_line json = { .encoding = "json", .level = LEVEL_ERROR };
static const struct agent_line text = {
	.encoding = "text", .nextra = 1, .extra = { { .name = { "a", 1 }, .value = { "old", 3 } } }
};
static const char large[AGENT_TERM + 1];
static const struct agent_line json_cut = { .encoding = "json",
	.nextra = 1,
	.extra = { { .name = { "a", 1 }, .value = { large, sizeof(large) } } } };
static const struct pod pod;

/* A record's fields and log as one line. */
static void
record_print(const struct record *r, char *to, size_t size)
{
	size_t used = 0;

	used += (size_t)snprintf(
	    to, size, "log=%.*s", r->has_log ? (int)r->log.len : 1, r->has_log ? r->log.at : "-");
	for (int i = 0; i < r->nfields; i++)
		used += (size_t)snprintf(to + used, size - used, " %.*s=%.*s",
		    (int)r->fields[i].name.len, r->fields[i].name.at, (int)r->fields[i].value.len,
		    r->fields[i].value.at);
	if (r->pod != NULL)
		used += (size_t)snprintf(to + used, size - used, " pod");
	if (r->parsed != NULL)
		used += (size_t)snprintf(to + used, size - used, " parsed:%s", r->parsed->encoding);
	for (int i = 0; r->parsed != NULL && i < r->parsed->nextra; i++)
		used += (size_t)snprintf(to + used, size - used, " %.*s:%.*s",
		    (int)r->parsed->extra[i].name.len, r->parsed->extra[i].name.at,
		    (int)r->parsed->extra[i].value.len, r->parsed->extra[i].value.at);
	if (r->time != 0)
		snprintf(to + used, size - used, " time=%lld", (long long)r->time);
}

static const struct {
	const char *filter, *log;
	const struct agent_line *parsed;
	const char *want;
} cases[] = {
	{ "kubernetes\n Match t", "x", &text, "log=x old=1 pod parsed:text a:old" },
	{ "kubernetes\n Match t\n Merge_Log off", "x", &text, "log=x old=1 pod" },
	{ "kubernetes\n Match t\n Keep_Log off", "{}", &json, "log=- old=1 pod parsed:json" },
	{ "kubernetes\n Match t\n Keep_Log off", "{}", &json_cut,
	    "log={} old=1 pod parsed:json a:" },
	{ "kubernetes\n Match t\n Keep_Log off", "x", &text, "log=x old=1 pod parsed:text a:old" },
	{ "kubernetes\n Match t\n Keep_Log off", "x", NULL, "log=x old=1 pod" },
	{ "kubernetes\n Match t\n Merge_Parser kv", "a= v ", &text,
	    "log=a= v  old=1 pod parsed:text a:a b:v" },
	{ "kubernetes\n Match t\n Merge_Parser kv\n Merge_Log_Trim off", "a= v ", &text,
	    "log=a= v  old=1 pod parsed:text a:a b: v " },
	{ "kubernetes\n Match t\n Merge_Parser kv", "-", &text,
	    "log=- old=1 pod parsed:text a:old" },

	{ "parser\n Match t\n Key_Name log\n Parser kv", "k=v", NULL, "log=- a=k b=v" },
	{ "parser\n Match t\n Key_Name log\n Parser kv\n Preserve_Key on", "k=v", NULL,
	    "log=k=v a=k b=v" },
	{ "parser\n Match t\n Key_Name log\n Parser kv\n Reserve_Data on", "k=v", NULL,
	    "log=- old=1 a=k b=v" },
	{ "parser\n Match t\n Key_Name log\n Parser kv\n Reserve_Data on\n Preserve_Key on", "k=v",
	    NULL, "log=k=v old=1 a=k b=v" },
	{ "parser\n Match t\n Key_Name old\n Parser kv", "k=v", NULL, "log=k=v old=1" },
	{ "parser\n Match t\n Key_Name none\n Parser kv", "k=v", NULL, "log=k=v old=1" },
	{ "parser\n Match t\n Key_Name log\n Parser named, kv", "k=v", NULL, "log=- a=k b=v" },
	{ "parser\n Match t\n Key_Name log\n Parser named\n Parser kv", "k;v", NULL,
	    "log=k kubernetes=v" },
	{ "parser\n Match t\n Key_Name log\n Parser timed", "2026-11-22T08:00:00Z!x", NULL,
	    "log=- a=x time=1795334400000000000" },
};

static void
test_filters_change_what_they_say(void **state)
{
	struct arena arena;

	(void)state;
	arena_init(&arena, 4096);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct findings *findings = findings_new();
		struct world world = { 0 };
		struct filter_world find = { world_parser, &world, NULL, NULL };
		struct record r = { .has_log = true,
			.log = slice_of(cases[i].log),
			.log_key = SLICE("log"),
			.nfields = 1,
			.fields = { { .name = SLICE("old"), .value = SLICE("1") } } };
		struct filter *f;
		char conf[1024], found[512], *said;

		snprintf(conf, sizeof(conf),
		    "[FILTER]\n Name %s\n[INPUT]\n Name tail\n Tag t\n Path /nowhere/x\n"
		    "[OUTPUT]\n Name es\n Match *\n" PARSERS,
		    cases[i].filter);
		try_file("f", conf);
		world.conf = conf_read("f", &registry, findings);
		said = try_findings(findings);
		if (findings_count(findings, FINDING_ERROR) > 0)
			print_message("%s", said);
		assert_int_equal(findings_count(findings, FINDING_ERROR), 0);
		free(said);
		f = filter_new(&world.conf->sections[0], &find);
		assert_non_null(f);
		assert_true(filter_matches(f, SLICE("t")));
		assert_false(filter_matches(f, SLICE("u")));
		assert_true(filter_run(f, &r, cases[i].parsed, &pod, &arena));
		record_print(&r, found, sizeof(found));
		assert_string_equal(found, cases[i].want);
		filter_free(f);
		while (world.n > 0)
			parser_free(world.parsers[--world.n]);
		conf_free(world.conf);
		findings_free(findings);
		arena_reset(&arena);
	}
	arena_fini(&arena);
}

static void
test_fields_are_put_as_far_as_a_record_holds_them(void **state)
{
	static const char *const own[] = { "time", "stream", "logtag", "kubernetes", "@timestamp",
		"log_parsed", "log_truncated", "log_parsed_dropped" };
	struct arena arena;
	struct record r = { .log_key = SLICE("log") };
	struct field f = { .value = SLICE("a\\nb"), .kind = VALUE_ESCAPED };
	char name[2 * RECORD_FIELDS][8];

	(void)state;
	arena_init(&arena, 64);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		f.name = slice_of(own[i]);
		assert_true(filter_put(&r, &f, 1, &arena));
		assert_true(filter_put(&r, &f, 1, &arena));
		assert_int_equal(r.nfields, i + 1);
	}
	f.name = SLICE("log");
	assert_true(filter_put(&r, &f, 1, &arena));
	assert_true(r.has_log);
	assert_int_equal(r.log.len, 3);
	assert_memory_equal(r.log.at, "a\nb", 3);
	for (int i = r.nfields; i < 2 * RECORD_FIELDS; i++) {
		f.name.at = name[i];
		f.name.len = (size_t)snprintf(name[i], sizeof(name[i]), "%d", i);
		assert_int_equal(filter_put(&r, &f, 1, &arena), i < RECORD_FIELDS);
	}
	assert_int_equal(r.nfields, RECORD_FIELDS);
	arena_fini(&arena);
}

static void
test_missing_files_of_the_api_are_a_warning(void **state)
{
	struct findings *f = findings_new();
	char *said;

	(void)state;
	try_file("f",
	    "[FILTER]\n Name kubernetes\n Match t\n Kube_CA_File /none\n"
	    "[INPUT]\n Name tail\n Tag t\n Path /nowhere/x\n[OUTPUT]\n Name es\n Match *\n");
	conf_free(conf_read("f", &registry, f));
	said = try_findings(f);
	assert_string_equal(said, "f:4: warning: Kube_CA_File '/none' cannot be read\n");
	free(said);
	findings_free(f);
}

static void
test_merged_fields_have_a_name_of_their_own(void **state)
{
	static const char *const wrong[] = { "log", "kubernetes", "@timestamp", "a\"b", "a\\b",
		"a'b" };

	(void)state;
	for (size_t i = 0; i <= sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *key = i < sizeof(wrong) / sizeof(wrong[0]) ? wrong[i] : "log_processed";
		struct findings *f = findings_new();
		char conf[512], want[256];
		char *said;

		snprintf(conf, sizeof(conf),
		    "[FILTER]\n Name kubernetes\n Match t\n Merge_Log_Key %s\n"
		    "[INPUT]\n Name tail\n Tag t\n Path /nowhere/x\n"
		    "[OUTPUT]\n Name es\n Match *\n",
		    key);
		try_file("f", conf);
		conf_free(conf_read("f", &registry, f));
		said = try_findings(f);
		snprintf(want, sizeof(want),
		    "f:4: Merge_Log_Key: '%s' cannot be the name of merged fields\n", key);
		assert_string_equal(said, i < sizeof(wrong) / sizeof(wrong[0]) ? want : "");
		free(said);
		findings_free(f);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_filters_change_what_they_say),
		cmocka_unit_test(test_fields_are_put_as_far_as_a_record_holds_them),
		cmocka_unit_test(test_missing_files_of_the_api_are_a_warning),
		cmocka_unit_test(test_merged_fields_have_a_name_of_their_own),
	};

	return cmocka_run_group_tests(tests, try_setup, try_teardown);
}
