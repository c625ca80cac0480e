/*
 * Options of the es output that name its server or its documents in other words:
 * Elastic Cloud's, Id_Key, Logstash_Prefix_Key, and those that are refused.
 */
#include "unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "../../src/ship/es_index.h"
#include "../../src/ship/es_member.h"
#include "batch.h"
#include "clock.h"
#include "pod.h"
#include "stream.h"

static const struct plugin *const plugins[] = { &es_plugin, NULL };
static const struct registry registry = { .plugins = plugins };

/* Read an es output with these lines; what is found goes to ${said}, which the caller frees. */
static struct conf *
conf_of(const char *lines, char **said)
{
	char path[] = "/tmp/towline-options-XXXXXX";
	FILE *file = fdopen(mkstemp(path), "w"), *to;
	struct findings *findings = findings_new();
	struct conf *conf;
	size_t len;

	fprintf(file, "[OUTPUT]\n Name es\n Match *\n%s", lines);
	fclose(file);
	conf = conf_read(path, &registry, findings);
	unlink(path);
	to = open_memstream(said, &len);
	findings_print(findings, FINDING_NOTE, to);
	fclose(to);
	findings_free(findings);
	return conf;
}

/* ---- Elastic Cloud */

static const struct {
	const char *lines;
	const char *host; /* NULL: it is refused */
	int64_t port;
	const char *user, *password; /* or what is said of the refusal, in user */
} clouds[] = {
	/* eu.example.io$abc123$kib */
	{ " Cloud_ID name:ZXUuZXhhbXBsZS5pbyRhYmMxMjMka2li\n", "abc123.eu.example.io", 443, NULL,
	    NULL },
	{ " Cloud_ID a:b:ZXUuZXhhbXBsZS5pbyRhYmMxMjMka2li\n", "abc123.eu.example.io", 443, NULL,
	    NULL },
	/* eu.example.io:9243$abc$kib */
	{ " Cloud_ID n:ZXUuZXhhbXBsZS5pbzo5MjQzJGFiYyRraWI=\n", "abc.eu.example.io", 9243, NULL,
	    NULL },
	/* eu.io:9243$abc:9244$ */
	{ " Cloud_ID n:ZXUuaW86OTI0MyRhYmM6OTI0NCQ=\n", "abc.eu.io", 9244, NULL, NULL },
	{ " Cloud_ID n:ZXUuaW8kYWJj\n Cloud_Auth elastic:a:b\n", "abc.eu.io", 443, "elastic",
	    "a:b" },
	{ " Cloud_Auth u:p\n", "127.0.0.1", 9200, "u", "p" },
	{ " Cloud_ID ZXUuaW8kYWJj\n", NULL, 0, "Cloud_ID is not NAME:BASE64", NULL },
	{ " Cloud_ID n:ZXUuaW8kYWJj!\n", NULL, 0, "Cloud_ID is not NAME:BASE64", NULL },
	{ " Cloud_ID n:ZXUu=aW8kYWJj\n", NULL, 0, "Cloud_ID is not NAME:BASE64", NULL },
	{ " Cloud_ID n:\n", NULL, 0, "Cloud_ID names no Elasticsearch", NULL },
	{ " Cloud_ID n:ZXUuaW8=\n", NULL, 0, "Cloud_ID names no Elasticsearch", NULL },
	{ " Cloud_ID n:ZXUuaW8kYSBi\n", NULL, 0, "Cloud_ID holds no name of a host", NULL },
	{ " Cloud_Auth elastic\n", NULL, 0, "Cloud_Auth is not USER:PASSWORD", NULL },
	{ " Cloud_Auth :secret-word\n", NULL, 0, "Cloud_Auth is not USER:PASSWORD", NULL },
};

static void
test_elastic_clouds_options_stand_for_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(clouds); i++) {
		char *said;
		struct conf *conf = conf_of(clouds[i].lines, &said);
		const struct es_conf *es = conf->sections[0].values;

		assert_null(strstr(said, "secret-word"));
		if (clouds[i].host == NULL) {
			assert_non_null(strstr(said, clouds[i].user));
		} else {
			assert_string_equal(es->host, clouds[i].host);
			assert_int_equal(es->port, clouds[i].port);
			assert_int_equal(es->tls, strstr(clouds[i].lines, "Cloud_ID") != NULL);
		}
		if (clouds[i].host != NULL && clouds[i].user != NULL) {
			assert_string_equal(es->http_user, clouds[i].user);
			assert_string_equal(es->http_passwd, clouds[i].password);
		}
		free(said);
		conf_free(conf);
	}
}

static void
test_no_workers_are_one(void **state)
{
	char *said;
	struct conf *conf = conf_of(" Workers 0\n", &said);

	(void)state;
	assert_null(strstr(said, "Workers"));
	assert_int_equal(((const struct es_conf *)conf->sections[0].values)->workers, 1);
	free(said);
	conf_free(conf);
}

/* ---- what check says */

static const struct {
	const char *lines, *said;
} findings_of[] = {
	{ " aws_auth On\n aws_region eu-west-1\n",
	    "aws_auth: requests are not signed for AWS: let" },
	{ " aws_region eu-west-1\n", "'aws_region' has no effect here: requests are not signed" },
	{ " net.dns.mode TCP\n",
	    "'net.dns.mode' has no effect here: names are looked up by the system's resolver" },
	{ " net.source_address ::1\n", "no effect here: the system chooses the address" },
	{ " net.keepalive On\n", "no effect here: connections are kept and shared" },
	{ " Upstream nodes.conf\n", "Upstream: no file of nodes is read: name them in Host" },
	{ " Target_Index a-$b\n", "Target_Index: not built: Logstash_Prefix_Key" },
	{ " Write_Operation update\n",
	    "Write_Operation update: it changes documents that are there" },
	{ " Write_Operation upsert\n Id_Key a\n", "upsert with Id_Key: documents of one id" },
	{ " Id_Key a\n", "of records with the same 'a' the index has one, the first;" },
	{ " Id_Key a\n Write_Operation index\n", "the index has one, the last;" },
	{ " Id_Key $\n", "Id_Key '$': behind the $ stands a name" },
	{ " Id_Key $a['b\n", "Id_Key '$a['b': a quote and a bracket do not end" },
	{ " Id_Key $a[b]\n", "in a bracket stands a number, or a name in quotes" },
	{ " Current_Time_Index On\n",
	    "sent again after a kill or a power cut may be stored twice" },
	{ " Logstash_Prefix_Key a\n", "Logstash_Prefix_Key has no effect without Logstash_Format" },
	{ " Logstash_Format On\n Logstash_Prefix_Key $team\n", "in a log line chooses the index" },
	{ " Logstash_Format On\n Logstash_Prefix_Key $a-$b\n", "it is not one member, such as" },
	{ " Logstash_Format On\n Logstash_Prefix_Key $kubernetes['namespace_name']\n",
	    "the index template is for logstash-* alone" },
	{ " Cloud_ID n:ZXUuaW8kYWJj\n tls Off\n Host a\n", "tls is on with Cloud_ID" },
};

/* What follows from it alone is no finding. */
static void
test_a_variable_that_is_not_set_is_one_finding(void **state)
{
	static const char *const lines[] = {
		" HTTP_User u\n HTTP_Passwd ${TOWLINE_NOT_SET}\n",
		" HTTP_User u\n HTTP_Passwd_File ${TOWLINE_NOT_SET}\n",
		" HTTP_User ${TOWLINE_NOT_SET}\n HTTP_Passwd p\n",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		char *said;
		struct conf *conf = conf_of(lines[i], &said);

		assert_non_null(strstr(said, "TOWLINE_NOT_SET is not set"));
		assert_null(strstr(said, "HTTP_User"));
		free(said);
		conf_free(conf);
	}
}

static void
test_each_option_says_what_it_costs(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(findings_of); i++) {
		char *said;
		struct conf *conf = conf_of(findings_of[i].lines, &said);

		if (strstr(said, findings_of[i].said) == NULL)
			fail_msg("%s: %s", findings_of[i].lines, said);
		free(said);
		conf_free(conf);
	}
}

/* ---- members of documents */

static const char members_document[] =
    "{\"a\":\"x\",\"n\":12,\"o\":{\"a\":\"deep\",\"e\":\"q\\\"\\u0041\"},\"t\":true,\"empty\":\"\","
    "\"list\":[\"first\",\"second\",{\"a\":\"third\"}],"
    "\"kubernetes\":{\"labels\":{\"app_kubernetes_io/name\":\"shop\"}},"
    "\"log_parsed\":{\"level\":\"INFO\",\"extra\":{\"id\":\"7\",\"n\":13}}}";

static const struct {
	const char *accessor, *want;
} members[] = {
	{ "a", "x" },
	{ "$a", "x" },
	{ "$n", "12" },
	{ "$o['a']", "deep" },
	{ "$o[\"a\"]", "deep" },
	{ "$list[1]", "second" },
	{ "$list[2]['a']", "third" },
	{ "$list[3]", "" },
	{ "$list['a']", "" },
	{ "$o[0]", "" },
	{ "$o['e']", "q\"A" },
	{ "$kubernetes['labels']['app.kubernetes.io/name']", "shop" },
	{ "level", "INFO" },
	{ "id", "7" },
	{ "$log_parsed['extra']['n']", "13" },
	{ "o", "" },
	{ "t", "" },
	{ "empty", "" },
	{ "$a['b']", "" },
	{ "missing", "" },
};

static void
test_members_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(members); i++) {
		const struct document_rules rules = document_rules_default();
		struct accessor a;
		char to[16];
		struct slice got = { to, 0 };

		assert_null(accessor_read(slice_of(members[i].accessor), &a));
		got.len = es_member_find(&a, &rules, SLICE(members_document), to, sizeof(to));
		assert_slice(got, members[i].want);
		assert_int_equal(es_member_find(&a, &rules, slice_cut(SLICE(members_document), 3),
				     to, sizeof(to)),
		    0); /* no document */
	}
}

static void
test_members_are_found_where_lines_are_merged(void **state)
{
	static const struct slice document =
	    SLICE("{\"log_parsed\":{\"id\":1},\"payload\":{\"k\":2,\"extra\":{\"x\":3}}}");
	struct document_rules rules = document_rules_default();
	const char *const names[] = { "id", "k", "x" };
	char to[16];

	(void)state;
	rules.parsed_key = SLICE("payload");
	rules.merged = true;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct accessor a;

		assert_null(accessor_read(slice_of(names[i]), &a));
		assert_int_equal(es_member_find(&a, &rules, document, to, sizeof(to)), i == 1);
	}
}

static const struct {
	const char *value, *want;
} prefixes[] = {
	{ "shop", "shop" },
	{ "Shop Front", "shop_front" },
	{ ".security", "security" },
	{ "..", "" },
	{ "_-+.x", "x" },
	{ "a/b\\c*?\"<>|,#:d", "a_b_c_________d" },
	{ "caf\xc3\xa9\n", "caf___" },
	{ "", "" },
};

static void
test_a_value_makes_a_name_that_servers_take(void **state)
{
	struct es_prefixes seen = { .n = 0 };
	char to[ES_PREFIX], longer[300];

	(void)state;
	for (size_t i = 0; i < COUNT(prefixes); i++) {
		struct slice got = { to,
			es_keys_prefix(&seen, 100, slice_of(prefixes[i].value), to) };

		assert_slice(got, prefixes[i].want);
	}
	memset(longer, 'x', sizeof(longer));
	assert_int_equal(
	    es_keys_prefix(&seen, 100, (struct slice){ longer, sizeof(longer) }, to), ES_PREFIX);
}

static void
test_records_name_so_many_indices_and_no_more(void **state)
{
	struct es_prefixes seen = { .n = 0 };
	char to[ES_PREFIX];

	(void)state;
	assert_int_equal(es_keys_prefix(&seen, 2, SLICE("a"), to), 1);
	assert_int_equal(es_keys_prefix(&seen, 2, SLICE("b"), to), 1);
	assert_int_equal(es_keys_prefix(&seen, 2, SLICE("c"), to), 0);
	assert_int_equal(es_keys_prefix(&seen, 2, SLICE("a"), to), 1);
}

/* ---- whole documents */

static const struct {
	const char *lines, *log_field; /* the value of the field `k`, as JSON */
	const char *action, *id;
} actions[] = {
	{ " Id_Key k\n", "\"7\"", "{\"create\":{\"_id\":\"7\"}}\n", "7" },
	{ " Id_Key k\n Write_Operation index\n", "12", "{\"index\":{\"_id\":\"12\"}}\n", "12" },
	{ " Id_Key k\n", "\"a\\\"b\"", NULL, NULL }, /* it would be escaped: ours */
	{ " Id_Key k\n", "true", NULL, NULL },
	{ " Id_Key other\n", "\"7\"", NULL, NULL },
	{ " Logstash_Format On\n Logstash_Prefix_Key k\n Id_Key k\n", "\"Shop\"",
	    "{\"create\":{\"_index\":\"shop-2026.11.22\",\"_id\":\"Shop\"}}\n", "Shop" },
	{ " Logstash_Format On\n Logstash_Prefix a\n Logstash_Prefix_Key k\n Id_Key k\n", "\"..\"",
	    "{\"create\":{\"_index\":\"a-2026.11.22\",\"_id\":\"..\"}}\n", ".." },
};

static void
test_the_action_is_of_the_documents_members(void **state)
{
	struct stream stream = { 0 };
	struct record_id id = { .offset = 1 };
	struct record r = { .time = 1795334400 * NS_PER_S,
		.time_text = SLICE("2026-11-22T08:00:00Z"),
		.has_log = true,
		.log = SLICE("x"),
		.place = { &stream, &id, true },
		.nfields = 1 };

	(void)state;
	for (size_t i = 0; i < COUNT(actions); i++) {
		char *said, ours[DOCUMENT_ID];
		struct conf *conf = conf_of(actions[i].lines, &said);
		struct document_rules rules = document_rules_default();
		struct batch *b = batch_new(65536, 65536);
		const struct item *item = b->items;

		es_index_rules(&conf->sections[0], &rules);
		r.fields[0] =
		    (struct field){ SLICE("k"), slice_of(actions[i].log_field), VALUE_JSON, false };
		assert_true(batch_put(b, &rules, &r));
		assert_true(batch_put(b, &rules, &r));
		document_id(&r.place, ours);
		for (; item < b->items + 2; item++) {
			struct slice action = { b->body.at + item->action,
				item->document - item->action };

			if (actions[i].action != NULL)
				assert_slice(action, actions[i].action);
			if (actions[i].id != NULL)
				assert_slice(item_id(b, item), actions[i].id);
			else
				assert_memory_equal(item_id(b, item).at, ours, DOCUMENT_ID);
			assert_memory_equal(
			    item_document(b, item).at, "{\"@timestamp\":\"2026", 19);
			assert_memory_equal(b->body.at + item->core, ",\"k\":", 5);
			assert_memory_equal(b->body.at + item->end - 1, "}\n", 2);
			assert_false(item->fresh);
		}
		assert_int_equal(b->items[1].action, b->items[0].end + 1);
		assert_int_equal(b->body.len, b->items[1].end + 1);
		batch_free(b);
		free(said);
		conf_free(conf);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elastic_clouds_options_stand_for_others),
		cmocka_unit_test(test_no_workers_are_one),
		cmocka_unit_test(test_a_variable_that_is_not_set_is_one_finding),
		cmocka_unit_test(test_each_option_says_what_it_costs),
		cmocka_unit_test(test_members_are_found),
		cmocka_unit_test(test_members_are_found_where_lines_are_merged),
		cmocka_unit_test(test_a_value_makes_a_name_that_servers_take),
		cmocka_unit_test(test_records_name_so_many_indices_and_no_more),
		cmocka_unit_test(test_the_action_is_of_the_documents_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
